//! Lines of ESXi's and vCenter's logs -> checks, by the signatures that `bootproof diagnose` knows.

use std::sync::Arc;

use diagnose::{Case, Diagnosis, HostReport, Matcher, Place, State as CaseState, Year};
use findings::Code;

use super::NoMatcher;
use crate::{Check, Observed, Profile, Reason, State};

/// What the logs say, as they come in.
pub(super) struct Logs {
    matcher: Matcher,
    diagnosis: Diagnosis,
    /// Whether a line was one of a log: its program and its time stand before it.
    of_kernel: bool,
    of_vcenter: bool,
    of_hostd: bool,
}

impl Logs {
    pub(super) fn new() -> Result<Self, NoMatcher> {
        let matcher = Matcher::new().map_err(|_| NoMatcher)?;
        Ok(Self {
            matcher,
            diagnosis: Diagnosis::new(),
            of_kernel: false,
            of_vcenter: false,
            of_hostd: false,
        })
    }

    /// Looks at the lines of a text that is clean and has no secrets any more.
    pub(super) fn read(&mut self, name: &str, text: &str) {
        let place = Place { file: Arc::from(name), host: None, year: Year::Unknown };
        for (number, line) in (1..).zip(text.lines()) {
            self.of_kernel |= line.contains("tpmDriver: ");
            self.of_vcenter |= line.contains("sub=Attestation");
            self.of_hostd |= line.contains("Tpm20Provider]");
            let hits = self.matcher.hits(line.as_bytes());
            if !hits.is_empty() {
                self.diagnosis.line(&place, number, line.as_bytes(), &hits);
            }
        }
    }

    /// Adds what they say.
    pub(super) fn observe(self, observed: &mut Observed, profile: Profile) {
        let report = self.diagnosis.report();
        for host in &report.hosts {
            for case in &host.causes {
                observed.told.push((check_of(case), reason(host, case, of_cause(case, profile))));
            }
            // What follows from a cause that is here goes with it.
            let unexplained = |case: &&Case| case.explained_by.is_empty();
            for case in host.symptoms.iter().filter(unexplained) {
                observed.told.push((check_of(case), reason(host, case, State::Fail)));
            }
            for case in &host.harmless {
                for (check, words) in vouches(case.signature.id) {
                    observed.seen.entry(*check).or_insert_with(|| (*words).to_owned());
                }
            }
        }
        if self.of_kernel {
            let words = "lines of vmkernel.log were looked at".to_owned();
            observed.seen.entry(Check::Other).or_insert(words);
        }
        if self.of_vcenter {
            let words = "vpxd.log speaks of attestation, and not of a missing key".to_owned();
            observed.seen.entry(Check::IdentityKey).or_insert(words);
        }
        if self.of_hostd {
            let words = "hostd.log speaks of the endorsement key, and not of a missing certificate";
            observed.seen.entry(Check::EkCertificate).or_insert_with(|| words.to_owned());
        }
    }
}

/// What is over is a remark.
fn of_cause(case: &Case, profile: Profile) -> State {
    match (case.state, case.finding()) {
        (CaseState::EndedAt(_) | CaseState::Ended, _) => State::Pass,
        (CaseState::Lasts, Some(Code::DynamicLaunch)) => profile.with_dynamic_launch(),
        (CaseState::Lasts, _) => State::Fail,
    }
}

fn reason(host: &HostReport, case: &Case, state: State) -> Reason {
    let says = case.says();
    let over = match case.state {
        CaseState::EndedAt(_) | CaseState::Ended => " (over since)",
        CaseState::Lasts => "",
    };
    let of = host.name.as_ref().map(|name| format!("{}: ", name.as_str())).unwrap_or_default();
    let cause = case.cause().trim_end_matches('.');
    let line = case
        .evidence
        .first()
        .map(|line| format!(" ({} line {})", line.file, line.number))
        .unwrap_or_default();
    Reason {
        code: case.finding().map_or(case.signature.id, Code::as_str),
        state,
        cause: format!("{of}{says}{over}. {cause}{line}"),
        next_step: case.next_step(),
    }
}

/// The check under which a signature stands; by its finding where no row names it.
fn check_of(case: &Case) -> Check {
    const ROWS: &[(Check, &[&str])] = &[
        (Check::SignedVibs, &["S01", "S02", "S03", "S04", "S05", "S07", "S08"]),
        (
            Check::Tpm,
            &[
                "L02", "L04", "L05", "L10", "L11", "L18", "L21", "E11", "E15", "E18", "E23", "S14",
                "S16", "S17",
            ],
        ),
        (Check::Interface, &["L03", "L08", "L09", "E17"]),
        (Check::EkCertificate, &["L15", "L16", "L17", "E10", "E12", "E13", "E14"]),
        (Check::IdentityKey, &["E05", "E09"]),
        (Check::SealedConfiguration, &["L19", "S09", "S10", "S11"]),
    ];
    let id = case.signature.id;
    let named = ROWS.iter().find(|(_, ids)| ids.contains(&id)).map(|(check, _)| *check);
    named.or_else(|| case.finding().map(Check::of)).unwrap_or(Check::Other)
}

/// What a line vouches for that only a sound host prints.
fn vouches(id: &str) -> &'static [(Check, &'static str)] {
    match id {
        "L06" => &[(Check::Interface, "the driver says that the TPM is in FIFO mode")],
        // The driver refuses a TPM whose bank of SHA-256 is off.
        "L22" => &[
            (Check::Tpm, "the driver loaded"),
            (Check::Sha256Bank, "the driver loaded, which it does with SHA-256 alone"),
        ],
        "S06" => &[(Check::SecureBoot, "the boot loader saw Secure Boot on")],
        _ => &[],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Checklist, System};

    fn list(text: &str) -> Checklist {
        let mut logs = Logs::new().unwrap();
        logs.read("pasted", text);
        let mut observed = Observed { system: System::Esxi, ..Observed::default() };
        logs.observe(&mut observed, Profile::Esxi8);
        Checklist::of(observed, Profile::Esxi8)
    }

    fn state(list: &Checklist, check: Check) -> State {
        list.items().iter().find(|item| item.row.check == check).unwrap().state
    }

    const OFF: &str = "2018-05-09T21:30:21.060Z cpu23:1)WARNING: tpmDriver: TpmDriverInitImpl:532: TPM 2 SHA-256 PCR bank not found to be active.\n";
    const LOADED: &str = "2018-05-10T14:02:27.716Z cpu46:1)tpmdriver loaded successfully.\n";

    #[test]
    fn what_the_driver_refuses_fails_until_it_loads() {
        let off = list(OFF);
        assert_eq!(state(&off, Check::Sha256Bank), State::Fail);
        assert_eq!(off.first().unwrap().reason.code, "sha256-bank-inactive");
        let mended = list(&format!("{OFF}{LOADED}"));
        assert_eq!(state(&mended, Check::Sha256Bank), State::Pass);
        assert_eq!(state(&mended, Check::Tpm), State::Pass);
        let again = list(&format!("{LOADED}{}", OFF.replace("05-09", "05-11")));
        assert_eq!(state(&again, Check::Sha256Bank), State::Fail);
    }

    #[test]
    fn each_signature_that_a_row_names_is_there() {
        let text = "x VMB_TPM: 99: Unsupported 'startMethod': 7\n";
        assert_eq!(state(&list(text), Check::Interface), State::Fail);
        let ids: Vec<_> = diagnose::signatures().map(|signature| signature.id).collect();
        for id in [
            "L02", "L03", "L06", "L08", "L10", "L11", "L15", "L16", "L18", "L19", "L22", "S06",
            "S08", "S09", "E05", "E09", "E11", "E12", "E13", "E15", "E17", "E18", "E23",
        ] {
            assert!(ids.contains(&id), "{id}");
        }
    }
}
