//! [`Replay`] and quoted PCRs → [`Replayed`]: which events a quote stands for.

use core::fmt;
use std::borrow::Cow;

use tpm_wire::{Digest, PcrBank, PcrSet, TpmAlgId};

use crate::boot_services::UnloggedExit;
use crate::later::{Continuation, LaterEvent, leads_on};
use crate::log::{Event, Log};
use crate::replay::{Replay, ReplayedBank, is_dynamic};

/// Which PCRs may differ, and which banks count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rules {
    /// PCRs that go on after the firmware's log ends (IMA, systemd, a dynamic launch): a
    /// difference is told apart from a [`Mismatch`] of the others, and the PCR is not covered.
    pub continued: PcrSet,
    /// Whether facts may rest on a bank weaker than SHA-256.
    pub banks: BankTrust,
    /// Whether PCR 5 may hold an end of boot services that the log lacks.
    pub unlogged_exits: UnloggedExits,
}

/// Whether a log may lack the end of boot services. One that was cut looks the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UnloggedExits {
    /// PCR 5 differs then.
    Refused,
    /// PCR 5 is covered then, where policy permits it.
    Permitted,
}

/// Which banks may carry facts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BankTrust {
    /// SHA-256 and better.
    Strong,
    /// Also SHA-1, where policy permits it.
    PermitWeak,
}

/// PCR 10-13, 15-16, 17-22 and 23 may go on; only strong banks count; logs lack nothing. PCR 0-9 and 14 must replay:
/// firmware, shim and GRUB are done with them when the kernel reads the log.
impl Default for Rules {
    fn default() -> Self {
        let continued = (10..=23).filter(|index| *index != 14).collect();
        Self { continued, banks: BankTrust::Strong, unlogged_exits: UnloggedExits::Refused }
    }
}

/// One PCR whose quoted value is not what the log adds up to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mismatch {
    /// The bank.
    pub alg: TpmAlgId,
    /// The PCR.
    pub pcr_index: u32,
    /// What the TPM says.
    pub quoted: Digest,
    /// What the log adds up to.
    pub replayed: Digest,
    /// How they differ.
    pub kind: MismatchKind,
}

/// How a PCR differs from its replay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MismatchKind {
    /// The log has events for it, and they add up to something else.
    Differs,
    /// The log has no event for it in this bank, and it is not at its reset value.
    NotInLog,
    /// The log has events for it, but the PCR was never extended in this bank.
    NotExtended,
}

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { alg, pcr_index, quoted, replayed, kind } = self;
        match kind {
            MismatchKind::Differs => {
                write!(f, "{alg} PCR {pcr_index}: quoted {quoted}, the log gives {replayed}")
            }
            MismatchKind::NotInLog => {
                write!(f, "{alg} PCR {pcr_index}: quoted {quoted}, the log has no event for it")
            }
            MismatchKind::NotExtended => {
                write!(f, "{alg} PCR {pcr_index}: never extended, the log gives {replayed}")
            }
        }
    }
}

/// A PCR whose quoted value is what the log adds up to, and then a part of a later log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LedOn {
    /// The bank.
    pub alg: TpmAlgId,
    /// The PCR.
    pub pcr_index: u32,
    /// How many events of the later log are in it.
    pub n_events: usize,
}

/// What came out of [`compare`].
#[derive(Clone, Debug)]
pub struct Comparison<'l, 'a> {
    /// The log with what the quote stands for.
    pub replayed: Replayed<'l, 'a>,
    /// PCRs that must replay and do not, in the order of banks and PCRs.
    pub mismatches: Vec<Mismatch>,
    /// PCRs that another log may have continued, and that differ.
    pub continued: Vec<Mismatch>,
    /// PCRs that the events of a later log lead to their quoted value.
    pub led_on: Vec<LedOn>,
    /// Of each bank: what PCR 5 has of the end of boot services that the log has not, permitted or not.
    pub unlogged_exits: Vec<UnloggedExit>,
    /// Quoted banks that the log has no digests for: nothing of them can be checked.
    pub banks_not_in_log: Vec<TpmAlgId>,
    /// Quoted banks of a hash that we do not have.
    pub banks_unsupported: Vec<TpmAlgId>,
}

/// A log together with the PCRs that it replays to. Made only by [`compare`].
///
/// Trust: PCR index, order and digests of a [covered](Self::covers) event are what the TPM was
/// extended with, if the values were quoted. Its type never is, its data only if
/// [`check_data`](crate::check_data) says so.
#[derive(Clone, Debug)]
pub struct Replayed<'l, 'a> {
    pub(crate) log: &'l Log<'a>,
    /// Of each bank that counts: the PCRs that have events and equal their replay.
    pub(crate) banks: Cow<'l, [(TpmAlgId, PcrSet)]>,
}

impl<'l, 'a> Replayed<'l, 'a> {
    /// The whole log, covered or not.
    pub const fn log(&self) -> &'l Log<'a> {
        self.log
    }

    /// The PCRs that have events and equal their replay in a bank that counts.
    pub fn pcrs(&self) -> PcrSet {
        self.banks.iter().fold(PcrSet::EMPTY, |all, (_, pcrs)| all.union(*pcrs))
    }

    /// The banks that count, in which `pcr_index` has events and equals its replay.
    pub fn banks_of(&self, pcr_index: u32) -> impl Iterator<Item = TpmAlgId> {
        self.banks.iter().filter(move |(_, pcrs)| pcrs.contains(pcr_index)).map(|(alg, _)| *alg)
    }

    /// Whether the TPM was extended with this event. It must have a digest in each bank that its
    /// PCR replays in: else one bank could be made to tell one story and another a second one.
    pub fn covers(&self, event: &Event<'_>) -> bool {
        event.is_extended()
            && self.banks_of(event.pcr_index).next().is_some()
            && self.banks_of(event.pcr_index).all(|alg| event.digests.of(alg).is_some())
    }

    /// The covered events, in order.
    pub fn events(&self) -> impl Iterator<Item = &'l Event<'a>> {
        self.log.events().iter().filter(|event| self.covers(event))
    }
}

/// Compares what `log` replays to with `quoted` values, each bank by itself.
///
/// Each quoted PCR that the log has events for must equal its replay; one that it has none for must
/// be at its reset value. [`Rules`] say what else PCRs may hold. A PCR that was not quoted is not
/// judged, and none of its events covered.
/// Trust: `quoted` must come out of a verified quote, and `replay` out of this `log`.
pub fn compare<'l, 'a>(
    log: &'l Log<'a>,
    replay: &Replay,
    quoted: &[PcrBank],
    rules: &Rules,
) -> Comparison<'l, 'a> {
    compare_with_later(log, replay, quoted, rules, &[])
}

/// The same, where the running system has a log of its own: a PCR that differs may be led on by its
/// events, and is covered then. In a PCR of [`Rules::continued`] any events may do so, in another
/// only one separator of the system.
pub fn compare_with_later<'l, 'a>(
    log: &'l Log<'a>,
    replay: &Replay,
    quoted: &[PcrBank],
    rules: &Rules,
    later: &[LaterEvent],
) -> Comparison<'l, 'a> {
    let mut comparison = Comparison {
        replayed: Replayed { log, banks: Cow::default() },
        mismatches: Vec::new(),
        continued: Vec::new(),
        led_on: Vec::new(),
        unlogged_exits: Vec::new(),
        banks_not_in_log: Vec::new(),
        banks_unsupported: Vec::new(),
    };
    for bank in quoted {
        let alg = bank.alg();
        if !log.algorithms().any(|declared| declared == alg) {
            comparison.banks_not_in_log.push(alg);
            continue;
        }
        let Some(replayed) = replay.find(alg) else {
            comparison.banks_unsupported.push(alg);
            continue;
        };
        let counts = alg.is_strong_hash() || rules.banks == BankTrust::PermitWeak;
        let covered = comparison.compare_bank(bank, replayed, rules, later);
        if counts && !covered.is_empty() {
            comparison.replayed.banks.to_mut().push((alg, covered));
        }
    }
    comparison
}

impl Comparison<'_, '_> {
    /// Collects what differs, and gives the PCRs that have events and equal their replay.
    fn compare_bank(
        &mut self,
        quoted: &PcrBank,
        replayed: &ReplayedBank,
        rules: &Rules,
        later: &[LaterEvent],
    ) -> PcrSet {
        let mut covered = PcrSet::EMPTY;
        for (pcr_index, value) in quoted.iter() {
            let Some(expected) = replayed.values.get(pcr_index) else { continue };
            let has_events = replayed.extended.contains(pcr_index);
            let alg = quoted.alg();
            let may = match rules.continued.contains(pcr_index) {
                true => Continuation::Any,
                false => Continuation::OsSeparator,
            };
            if value == expected {
                if has_events {
                    covered = covered.with(pcr_index);
                }
                continue;
            }
            if let Some(n_events) = leads_on(alg, pcr_index, expected, value, later, may) {
                self.led_on.push(LedOn { alg, pcr_index, n_events });
                if has_events {
                    covered = covered.with(pcr_index);
                }
                continue;
            }
            if has_events
                && let Some(exit) = UnloggedExit::of(self.replayed.log, alg, pcr_index, value)
            {
                self.unlogged_exits.push(exit);
                if rules.unlogged_exits == UnloggedExits::Permitted {
                    covered = covered.with(pcr_index);
                    continue;
                }
            }
            let kind = if !has_events && is_dynamic(pcr_index) && value.is_zero() {
                // A dynamic launch sets 17-22 to zero; that it happened is another's question.
                continue;
            } else if !has_events {
                MismatchKind::NotInLog
            } else if value.is_zero() {
                MismatchKind::NotExtended
            } else {
                MismatchKind::Differs
            };
            let mismatch = Mismatch { alg, pcr_index, quoted: *value, replayed: *expected, kind };
            if rules.continued.contains(pcr_index) {
                self.continued.push(mismatch);
            } else {
                self.mismatches.push(mismatch);
            }
        }
        covered
    }
}
