//! What was observed -> the checklist.

use std::collections::BTreeMap;

use findings::{Finding, Severity};

use crate::{CHECKS, Check, Objection, Row};

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
    /// What the examination found.
    pub findings: Vec<Finding>,
    /// What is wrong besides.
    pub objections: Vec<Objection>,
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
}

impl Checklist {
    /// The checklist of `observed`. None of its findings and objections is left out.
    pub fn of(observed: Observed) -> Self {
        let Observed { findings, objections, mut seen } = observed;
        let items = CHECKS.iter().map(|row| {
            let in_order = row
                .codes
                .iter()
                .copied()
                .flat_map(|code| findings.iter().filter(move |finding| finding.code() == code));
            // What no row names stands under the last, in the order in which it was found.
            let unnamed = findings.iter().filter(|finding| {
                let code = finding.code();
                Check::of(code) == row.check && !row.codes.contains(&code)
            });
            let mut reasons: Vec<_> =
                in_order.chain(unnamed).map(|finding| of_finding(row, finding)).collect();
            let objected = objections.iter().filter(|objection| objection.check() == row.check);
            reasons.extend(objected.map(of_objection));
            // Stable: within a state the order stays.
            reasons.sort_by_key(|reason| match reason.state {
                State::Fail => 0,
                State::Warn => 1,
                State::Unknown => 2,
                State::Pass => 3,
            });
            let seen = seen.remove(&row.check);
            let state = match reasons.first().map(|reason| reason.state) {
                Some(state @ (State::Fail | State::Warn)) => state,
                // A remark says what was found, not that all was looked at.
                _ if seen.is_some() => State::Pass,
                _ => State::Unknown,
            };
            Item { row, state, seen, reasons }
        });
        Self { items: items.collect() }
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

fn of_finding(row: &Row, finding: &Finding) -> Reason {
    let state = match finding.severity() {
        Severity::Fail | Severity::Hold => State::Fail,
        Severity::Warn => State::Warn,
        Severity::Info | Severity::Ignore => row.told,
    };
    Reason {
        code: finding.code().as_str(),
        state,
        cause: finding.cause(),
        next_step: finding.entry().next_step,
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
    use findings::{CATALOGUE, Code};

    use super::*;

    fn all_seen() -> BTreeMap<Check, String> {
        CHECKS.iter().map(|row| (row.check, "seen".to_owned())).collect()
    }

    fn state(list: &Checklist, check: Check) -> State {
        list.items().iter().find(|item| item.row.check == check).unwrap().state
    }

    #[test]
    fn nothing_observed_is_nothing_passed() {
        let list = Checklist::of(Observed::default());
        assert!(list.items().iter().all(|item| item.state == State::Unknown));
        assert_eq!(list.outcome(), Outcome::Unsure);
        assert!(list.first().is_none());
    }

    #[test]
    fn a_check_without_its_evidence_is_unknown_and_no_other_is() {
        for row in CHECKS {
            let mut seen = all_seen();
            seen.remove(&row.check);
            let list = Checklist::of(Observed { seen, ..Observed::default() });
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
                let list = Checklist::of(Observed { findings, seen, ..Observed::default() });
                let row = Check::of(entry.code).row();
                let expected = match (entry.severity, row.told) {
                    (Severity::Fail | Severity::Hold, _) => State::Fail,
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
            Checklist::of(Observed {
                findings: findings.iter().copied().map(Finding::new).collect(),
                objections: objections.to_vec(),
                seen: all_seen(),
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
        let list = Checklist::of(Observed { findings, seen: all_seen(), ..Observed::default() });
        let first = list.first().unwrap();
        assert_eq!((first.item.row.check, first.reason.code), (Check::LogComplete, "log-replay"));
        assert_eq!(first.item.reasons.len(), 2);
    }
}
