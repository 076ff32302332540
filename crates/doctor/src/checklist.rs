//! What was observed -> the checklist.

use std::collections::BTreeMap;

use findings::{Code, Finding, Severity};

use crate::{CHECKS, Check, Objection, Profile, Row, System, check::Unknown};

/// How a check came out. Has no order: see [`Checklist::outcome`] for how they add up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Somebody looked, and it holds.
    Pass,
    /// It holds, and is worth a look.
    Warn,
    /// It does not hold.
    Fail,
    /// Nobody could look, which is never a pass.
    Unknown,
}

impl State {
    /// The word in JSON and on the command line.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Warn => "warn",
            Self::Fail => "fail",
            Self::Unknown => "unknown",
        }
    }
}

/// What was observed of a host.
#[derive(Clone, Debug, Default)]
pub struct Observed {
    /// What was looked at: it says which checks there are.
    pub system: System,
    /// What the examination found.
    pub findings: Vec<Finding>,
    /// What is wrong besides.
    pub objections: Vec<Objection>,
    /// What others say of a check, such as a line of a log.
    pub told: Vec<(Check, Reason)>,
    /// What was looked at, and what was seen there, in a few words.
    pub seen: BTreeMap<Check, String>,
}

/// One thing that speaks against a check, or that is worth knowing of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reason {
    /// The code of a finding or of an objection.
    pub code: &'static str,
    /// What it makes of the check.
    pub state: State,
    /// What was found, in a sentence without a full stop.
    pub cause: String,
    /// What to do.
    pub next_step: &'static str,
}

/// One check with its result.
#[derive(Clone, Debug)]
pub struct Item {
    /// Its row.
    pub row: &'static Row,
    /// Why nobody can say where nothing was seen.
    pub unknown: Unknown,
    /// The rule of DISA's guide (STIG) that asks for it.
    pub stig: Option<&'static str>,
    /// How it came out.
    pub state: State,
    /// What was seen, where somebody looked.
    pub seen: Option<String>,
    /// Why it came out so, what fails first.
    pub reasons: Vec<Reason>,
}

/// What to mend first.
#[derive(Clone, Copy, Debug)]
pub struct First<'c> {
    /// The check.
    pub item: &'c Item,
    /// The reason.
    pub reason: &'c Reason,
}

/// What all checks add up to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Each check passed.
    Sound,
    /// Each check passed or warned.
    Warned,
    /// Nothing failed, and there is something that nobody could look at.
    Unsure,
    /// Something failed.
    Failed,
}

impl Outcome {
    /// The word in JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Sound => "sound",
            Self::Warned => "warned",
            Self::Unsure => "unsure",
            Self::Failed => "failed",
        }
    }
}

/// All checks in the order in which one should mend them.
#[derive(Clone, Debug)]
pub struct Checklist {
    items: Vec<Item>,
    profile: Profile,
}

impl Checklist {
    /// The checklist of `observed`, for a host that runs, or is to run, what `profile` says. None of its
    /// findings and objections is left out.
    pub fn of(observed: Observed, profile: Profile) -> Self {
        let Observed { system, findings, objections, told, mut seen } = observed;
        let rows = || CHECKS.iter().filter_map(|row| Some((*row, row.unknown_on(system)?)));
        // What stands under no check of this system stands under the last, so that none is lost.
        let place = |check: Check| match rows().any(|(row, _)| row.check == check) {
            true => check,
            false => Check::Other,
        };
        let items = rows().map(|(row, unknown)| {
            let in_order = row
                .codes
                .iter()
                .copied()
                .flat_map(|code| findings.iter().filter(move |finding| finding.code() == code));
            let unnamed = findings.iter().filter(|finding| {
                let code = finding.code();
                place(Check::of(code)) == row.check && !row.codes.contains(&code)
            });
            let mut reasons: Vec<_> =
                in_order.chain(unnamed).map(|finding| of_finding(row, finding, profile)).collect();
            let objected =
                objections.iter().filter(|objection| place(objection.check()) == row.check);
            reasons.extend(objected.map(of_objection));
            let told = told.iter().filter(|(check, _)| place(*check) == row.check);
            reasons.extend(told.map(|(_, reason)| reason.clone()));
            // Stable: within a state the order stays.
            reasons.sort_by_key(|reason| match reason.state {
                State::Fail => 0,
                State::Unknown => 1,
                State::Warn => 2,
                State::Pass => 3,
            });
            let seen = seen.remove(&row.check);
            let state = match reasons.first().map(|reason| reason.state) {
                Some(state @ (State::Fail | State::Unknown | State::Warn)) => state,
                // A remark says what was found, not that all was looked at.
                _ if seen.is_some() => State::Pass,
                _ => State::Unknown,
            };
            Item { row, unknown, stig: profile.stig(row.check), state, seen, reasons }
        });
        Self { items: items.collect(), profile }
    }

    /// What the host runs, or is to run, by which it was judged.
    pub const fn profile(&self) -> Profile {
        self.profile
    }

    /// The checks.
    pub fn items(&self) -> &[Item] {
        &self.items
    }

    /// What to mend first: the first check that fails, else the first that warns.
    pub fn first(&self) -> Option<First<'_>> {
        let first = |state| {
            let item = self.items.iter().find(|item| item.state == state)?;
            Some(First { item, reason: item.reasons.first()? })
        };
        first(State::Fail).or_else(|| first(State::Warn))
    }

    /// What all checks add up to.
    pub fn outcome(&self) -> Outcome {
        let has = |state| self.items.iter().any(|item| item.state == state);
        if has(State::Fail) {
            Outcome::Failed
        } else if has(State::Unknown) || self.items.is_empty() {
            Outcome::Unsure
        } else if has(State::Warn) {
            Outcome::Warned
        } else {
            Outcome::Sound
        }
    }
}

fn of_finding(row: &Row, finding: &Finding, profile: Profile) -> Reason {
    // What these are depends on the system that the machine is for, not on who looks.
    let (state, next_step) = match finding.code() {
        Code::InterfaceNotFifo => (Some(profile.without_fifo()), None),
        Code::DynamicLaunch => (
            Some(profile.with_dynamic_launch()),
            profile.of_dynamic_launch().map(|objection| objection.next_step()),
        ),
        _ => (None, None),
    };
    let by_severity = match finding.severity() {
        Severity::Fail | Severity::Hold => State::Fail,
        Severity::Warn => State::Warn,
        Severity::Info | Severity::Ignore => row.told,
    };
    Reason {
        code: finding.code().as_str(),
        state: match (state, by_severity) {
            // A policy may ask for more than the profile does.
            (Some(State::Pass | State::Warn), State::Fail) => State::Fail,
            (Some(state), _) => state,
            (None, state) => state,
        },
        cause: finding.cause(),
        next_step: next_step.unwrap_or(finding.entry().next_step),
    }
}

fn of_objection(objection: &Objection) -> Reason {
    Reason {
        code: objection.code(),
        state: objection.state(),
        cause: objection.cause(),
        next_step: objection.next_step(),
    }
}

#[cfg(test)]
mod tests {
    use findings::CATALOGUE;

    use super::*;

    fn all_seen() -> BTreeMap<Check, String> {
        CHECKS.iter().map(|row| (row.check, "seen".to_owned())).collect()
    }

    const PROFILES: [Profile; 6] = [
        Profile::Linux,
        Profile::Esxi67,
        Profile::Esxi7,
        Profile::Esxi8,
        Profile::Esx9,
        Profile::EsxiOfUnknownVersion,
    ];

    fn linux(observed: Observed) -> Checklist {
        Checklist::of(observed, Profile::Linux)
    }

    fn state(list: &Checklist, check: Check) -> State {
        list.items().iter().find(|item| item.row.check == check).unwrap().state
    }

    #[test]
    fn nothing_observed_is_nothing_passed() {
        let list = linux(Observed::default());
        assert!(list.items().iter().all(|item| item.state == State::Unknown));
        assert_eq!(list.outcome(), Outcome::Unsure);
        assert!(list.first().is_none());
    }

    #[test]
    fn a_check_without_its_evidence_is_unknown_and_no_other_is() {
        for row in CHECKS.iter().filter(|row| row.on_linux.is_some()) {
            let mut seen = all_seen();
            seen.remove(&row.check);
            let list = linux(Observed { seen, ..Observed::default() });
            for item in list.items() {
                let unseen = item.row.check == row.check;
                let expected = if unseen { State::Unknown } else { State::Pass };
                assert_eq!(item.state, expected, "{}", item.row.name);
            }
            assert_eq!(list.outcome(), Outcome::Unsure);
        }
    }

    #[test]
    fn no_finding_is_lost_whether_or_not_somebody_looked() {
        for entry in CATALOGUE {
            for seen in [all_seen(), BTreeMap::new()] {
                let looked = !seen.is_empty();
                let findings = vec![Finding::new(entry.code)];
                let list = linux(Observed { findings, seen, ..Observed::default() });
                let check = Check::of(entry.code);
                let row = if check.row().on_linux.is_some() { check } else { Check::Other }.row();
                let expected = match (entry.severity, row.told) {
                    (Severity::Fail | Severity::Hold, _) => State::Fail,
                    _ if entry.code == Code::InterfaceNotFifo => State::Warn,
                    (Severity::Warn, _) | (_, State::Warn) => State::Warn,
                    _ if looked => State::Pass,
                    _ => State::Unknown,
                };
                assert_eq!(state(&list, row.check), expected, "{}", entry.name);
                let told = list.items().iter().flat_map(|item| &item.reasons);
                assert_eq!(told.map(|reason| reason.code).collect::<Vec<_>>(), [entry.name]);
            }
        }
    }

    #[test]
    fn the_first_to_mend_is_the_first_that_fails_and_not_the_first_that_warns() {
        let of = |findings: &[Code], objections: &[Objection]| {
            linux(Observed {
                findings: findings.iter().copied().map(Finding::new).collect(),
                objections: objections.to_vec(),
                seen: all_seen(),
                ..Observed::default()
            })
        };
        let sound = of(&[], &[]);
        assert_eq!(sound.outcome(), Outcome::Sound);
        assert!(sound.first().is_none());

        let warned = of(&[Code::DbxOutdated, Code::InterfaceNotFifo], &[]);
        assert_eq!(warned.outcome(), Outcome::Warned);
        assert_eq!(warned.first().unwrap().reason.code, "interface-not-fifo");

        let failed = of(
            &[Code::InterfaceNotFifo, Code::NoEventLog, Code::Sha256BankInactive],
            &[Objection::ClockBehind { passed: "2026-04-09".into() }],
        );
        assert_eq!(failed.outcome(), Outcome::Failed);
        assert_eq!(failed.first().unwrap().reason.code, "sha256-bank-inactive");
        let keys = of(&[Code::SecureBootOff, Code::SetupMode], &[]);
        assert_eq!(keys.first().unwrap().reason.code, "setup-mode", "before it can be turned on");
        let legacy = of(&[Code::SecureBootOff], &[Objection::LegacyBoot]);
        assert_eq!(legacy.first().unwrap().reason.code, "legacy-boot");
    }

    #[test]
    fn what_fails_stands_before_what_is_remarked() {
        let findings = vec![Finding::new(Code::LogPadding), Finding::new(Code::LogReplay)];
        let list = linux(Observed { findings, seen: all_seen(), ..Observed::default() });
        let first = list.first().unwrap();
        assert_eq!((first.item.row.check, first.reason.code), (Check::LogComplete, "log-replay"));
        assert_eq!(first.item.reasons.len(), 2);
    }

    #[test]
    fn what_an_interface_and_a_second_start_are_depends_on_the_profile() {
        let state_of = |code, check, profile| {
            let findings = vec![Finding::new(code)];
            let observed = Observed { findings, seen: all_seen(), ..Observed::default() };
            state(&Checklist::of(observed, profile), check)
        };
        let (fail, warn, pass) = (State::Fail, State::Warn, State::Pass);
        let interface: Vec<_> = PROFILES
            .iter()
            .map(|profile| state_of(Code::InterfaceNotFifo, Check::Interface, *profile))
            .collect();
        assert_eq!(interface, [warn, fail, fail, fail, fail, fail]);
        let launch: Vec<_> = PROFILES
            .iter()
            .map(|profile| state_of(Code::DynamicLaunch, Check::DynamicLaunch, *profile))
            .collect();
        assert_eq!(launch, [pass, fail, warn, warn, pass, State::Unknown]);
    }

    #[test]
    fn a_system_has_its_own_checks_and_loses_no_finding() {
        for system in [System::Linux, System::Esxi] {
            for profile in PROFILES {
                let findings = CATALOGUE.iter().map(|entry| Finding::new(entry.code)).collect();
                let list =
                    Checklist::of(Observed { system, findings, ..Observed::default() }, profile);
                let told = list.items().iter().map(|item| item.reasons.len()).sum::<usize>();
                assert_eq!(told, CATALOGUE.len());
                assert_eq!(list.items().last().unwrap().row.check, Check::Other);
            }
        }
        let names = |system| {
            let list = Checklist::of(Observed { system, ..Observed::default() }, Profile::Esxi8);
            list.items().iter().map(|item| item.row.name).collect::<Vec<_>>()
        };
        assert!(!names(System::Linux).contains(&"recovery-key"));
        assert!(!names(System::Esxi).contains(&"event-log"));
    }

    #[test]
    fn two_that_contradict_each_other_make_a_check_unknown() {
        let objections = vec![Objection::Contradiction { check: Check::Tpm }];
        let list = linux(Observed { objections, seen: all_seen(), ..Observed::default() });
        assert_eq!((state(&list, Check::Tpm), list.outcome()), (State::Unknown, Outcome::Unsure));
    }
}
