//! Controls of standards, by their identifiers: what each asks for, in our words, and what of a host's
//! evidence answers it. What Bootproof cannot see is told as not checked, so that nobody takes a missing
//! line for a met one.

use std::collections::BTreeMap;

use api::{
    appraisal::Appraisal,
    fleet_report::{Answer, Answers, Control, ReportedHost},
};

/// How a control is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ShownBy {
    /// The verdict that counts now.
    Verdict,
    /// The firmware as it was measured, against what is expected of it.
    FirmwareReference,
    /// Secure Boot under a verified quote, of hosts that run ESXi.
    SecureBootOfEsxi,
    /// Nothing that Bootproof sees, of hosts that run ESXi.
    NothingOfEsxi,
}

/// A control.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ControlRow {
    /// Its identifier.
    pub id: &'static str,
    /// The standard.
    pub standard: &'static str,
    /// What it asks for, in our words.
    pub asks: &'static str,
    shown_by: ShownBy,
}

impl ControlRow {
    /// What is taken for an answer.
    pub const fn shown_by(&self) -> &'static str {
        match self.shown_by {
            ShownBy::Verdict => {
                "The verdict: met where it is accepted and counts at the time of the report."
            }
            ShownBy::FirmwareReference => {
                "PCR 0 of an accepted host against its reference. A host without a reference for its \
                 firmware is not checked."
            }
            ShownBy::SecureBootOfEsxi => {
                "PCR 7 under a verified quote, of hosts that say that they run ESXi."
            }
            ShownBy::NothingOfEsxi => {
                "Nothing that Bootproof sees: to be shown by other means, of hosts that say that they run \
                 ESXi."
            }
        }
    }
}

const NIST: &str = "NIST SP 800-53 Rev. 5";
const ESXI_7: &str = "DISA STIG, VMware vSphere 7.0 ESXi";
const ESXI_8: &str = "DISA STIG, VMware vSphere 8.0 ESXi";
const ESX_9: &str = "VMware Cloud Foundation 9 ESX SRG";

const fn row(
    id: &'static str,
    standard: &'static str,
    asks: &'static str,
    shown_by: ShownBy,
) -> ControlRow {
    ControlRow { id, standard, asks, shown_by }
}

const CONTROLS: &[ControlRow] = &[
    row(
        "SI-7(9)",
        NIST,
        "It is verified that a system boots only what it is meant to boot.",
        ShownBy::Verdict,
    ),
    row(
        "SI-7(10)",
        NIST,
        "The firmware that boots a system is kept as its maker or its owner made it.",
        ShownBy::FirmwareReference,
    ),
    row("ESXI-70-000076", ESXI_7, "Secure Boot is on.", ShownBy::SecureBootOfEsxi),
    row("ESXI-80-000094", ESXI_8, "Secure Boot is on.", ShownBy::SecureBootOfEsxi),
    row(
        "ESXI-80-000085",
        ESXI_8,
        "The host does not start with Secure Boot off.",
        ShownBy::NothingOfEsxi,
    ),
    row(
        "ESXI-80-000238",
        ESXI_8,
        "The configuration is encrypted by a key that the TPM keeps.",
        ShownBy::NothingOfEsxi,
    ),
    row(
        "ESXI-80-000244",
        ESXI_8,
        "Only what was installed as a package is executed.",
        ShownBy::NothingOfEsxi,
    ),
    row(
        "ESXI-80-000248",
        ESXI_8,
        "Keys for encrypted machines are not kept over a restart.",
        ShownBy::NothingOfEsxi,
    ),
    row("VCFE-9X-000091", ESX_9, "Secure Boot is on.", ShownBy::SecureBootOfEsxi),
    row(
        "VCFE-9X-000082",
        ESX_9,
        "The host does not start with Secure Boot off.",
        ShownBy::NothingOfEsxi,
    ),
    row(
        "VCFE-9X-000193",
        ESX_9,
        "The configuration is encrypted by a key that the TPM keeps.",
        ShownBy::NothingOfEsxi,
    ),
];

/// How a host answers each control. `verdict` is what counts now, `appraisal` what was judged last.
pub fn control_answers(verdict: &str, appraisal: Option<&Appraisal>) -> BTreeMap<String, Answer> {
    let answer = |row: &ControlRow| (row.id.to_owned(), answer(row.shown_by, verdict, appraisal));
    CONTROLS.iter().map(answer).collect()
}

fn answer(shown_by: ShownBy, verdict: &str, appraisal: Option<&Appraisal>) -> Answer {
    let by_verdict = match verdict {
        "accepted" => Answer::Met,
        "not accepted" => Answer::NotMet,
        _ => Answer::NotChecked,
    };
    match shown_by {
        ShownBy::Verdict => by_verdict,
        ShownBy::FirmwareReference => {
            let reference = appraisal.and_then(|appraisal| appraisal.facts.reference.as_ref());
            let is_changed = appraisal.is_some_and(|appraisal| {
                let changed = |code: &str| {
                    matches!(code, "reference-change" | "reference-revoked" | "reference-missing")
                };
                appraisal.findings.iter().any(|finding| {
                    changed(&finding.code) && finding.severity == "fail" && finding.pcr == Some(0)
                })
            });
            match reference {
                _ if is_changed => Answer::NotMet,
                Some(reference) if reference.pcrs.contains(&0) && by_verdict == Answer::Met => {
                    Answer::Met
                }
                _ => Answer::NotChecked,
            }
        }
        // Its own word decides only whether the question is asked, never how it is answered.
        ShownBy::SecureBootOfEsxi | ShownBy::NothingOfEsxi if !runs_esxi(appraisal) => {
            Answer::NotApplicable
        }
        ShownBy::SecureBootOfEsxi => {
            let facts = appraisal.map(|appraisal| &appraisal.facts);
            let facts =
                facts.filter(|facts| facts.quote_verified && by_verdict != Answer::NotChecked);
            match facts.and_then(|facts| facts.secure_boot) {
                Some(true) => Answer::Met,
                Some(false) => Answer::NotMet,
                None => Answer::NotChecked,
            }
        }
        ShownBy::NothingOfEsxi => Answer::NotChecked,
    }
}

fn runs_esxi(appraisal: Option<&Appraisal>) -> bool {
    let machine = appraisal.and_then(|appraisal| appraisal.facts.untrusted_machine.as_ref());
    machine
        .and_then(|machine| machine.os_name.as_deref())
        .is_some_and(|name| name.starts_with("VMware ESX"))
}

/// All controls, with how many of `hosts` answer how.
pub fn controls(hosts: &[ReportedHost]) -> Vec<Control> {
    let control = |row: &ControlRow| {
        let mut answers = Answers::default();
        for host in hosts {
            answers.count(host.controls.get(row.id).copied().unwrap_or(Answer::NotChecked));
        }
        Control {
            id: row.id.to_owned(),
            standard: row.standard.to_owned(),
            asks: row.asks.to_owned(),
            shown_by: row.shown_by().to_owned(),
            answers,
        }
    };
    CONTROLS.iter().map(control).collect()
}

#[cfg(test)]
mod tests {
    use api::{
        appraisal::{Facts, ReferenceFacts},
        machine::Machine,
    };

    use super::*;

    fn judged(facts: Facts) -> Appraisal {
        Appraisal {
            verdict: "accepted".to_owned(),
            findings: Vec::new(),
            facts,
            judged_anew: false,
        }
    }

    #[test]
    fn what_counts_no_more_meets_nothing() {
        let sound = judged(Facts {
            quote_verified: true,
            secure_boot: Some(true),
            reference: Some(ReferenceFacts {
                name: "r".to_owned(),
                state: "active".to_owned(),
                pcrs: vec![0, 7],
            }),
            ..Facts::default()
        });
        let of = |verdict: &str, id: &str| control_answers(verdict, Some(&sound))[id];
        assert_eq!(of("accepted", "SI-7(9)"), Answer::Met);
        assert_eq!(of("accepted", "SI-7(10)"), Answer::Met);
        assert_eq!(of("not accepted", "SI-7(9)"), Answer::NotMet);
        for id in ["SI-7(9)", "SI-7(10)"] {
            assert_eq!(of("not appraised", id), Answer::NotChecked, "{id}");
            assert_eq!(of("a new word", id), Answer::NotChecked, "{id}");
            assert_eq!(control_answers("not appraised", None)[id], Answer::NotChecked);
        }
        assert_eq!(of("accepted", "ESXI-80-000094"), Answer::NotApplicable);
    }

    #[test]
    fn firmware_without_a_reference_is_not_checked() {
        let answers = control_answers("accepted", Some(&judged(Facts::default())));
        assert_eq!(answers["SI-7(10)"], Answer::NotChecked);
        let mut other_pcr = judged(Facts::default());
        other_pcr.facts.reference = Some(ReferenceFacts {
            name: "r".to_owned(),
            state: "active".to_owned(),
            pcrs: vec![4],
        });
        assert_eq!(control_answers("accepted", Some(&other_pcr))["SI-7(10)"], Answer::NotChecked);
    }

    #[test]
    fn esxi_is_asked_what_its_guides_ask_and_settings_that_nobody_sees_are_never_met() {
        let machine = Machine { os_name: Some("VMware ESXi".to_owned()), ..Machine::default() };
        let mut esxi = judged(Facts {
            quote_verified: true,
            secure_boot: Some(true),
            untrusted_machine: Some(machine),
            ..Facts::default()
        });
        let answers = control_answers("accepted", Some(&esxi));
        assert_eq!(answers["ESXI-80-000094"], Answer::Met);
        assert_eq!(answers["ESXI-80-000238"], Answer::NotChecked);
        esxi.facts.secure_boot = Some(false);
        assert_eq!(control_answers("not accepted", Some(&esxi))["ESXI-80-000094"], Answer::NotMet);
        esxi.facts.quote_verified = false;
        let answers = control_answers("not accepted", Some(&esxi));
        assert_eq!(answers["ESXI-80-000094"], Answer::NotChecked, "only its word says so");
    }
}
