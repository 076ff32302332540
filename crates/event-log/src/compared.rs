//! Bytes and quoted PCRs → [`ComparedLog`]: reading, replay, comparison and data checks in one.

use tpm_wire::{PcrBank, PcrSet, TpmAlgId};

use crate::boot_services::UnloggedExit;
use crate::check::{DataCheck, check_data};
use crate::compare::{LedOn, Mismatch, Replayed, Rules, compare_with_later};
use crate::later::LaterEvent;
use crate::log::{Event, Log, Parsed};
use crate::problem::{Problem, ProblemKind};
use crate::replay::{StartupProblem, replay};
use crate::several::{LogPlace, parse_last};
use crate::work::{WORK_MAX, work};

/// A log, what a quote stands for in it, and whether the data of its events is what was measured.
/// Made only by [`read_and_compare`].
#[derive(Clone, Debug)]
pub struct ComparedLog<'a> {
    log: Log<'a>,
    covered: Vec<(TpmAlgId, PcrSet)>,
    data_checks: Vec<DataCheck>,
    /// Where it lies, where the host sent several logs: this is the last.
    pub place: LogPlace,
    /// Why reading stopped; empty where the whole log was read.
    pub problems: Vec<Problem>,
    /// StartupLocality events that were not heeded.
    pub startup_problems: Vec<StartupProblem>,
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

impl<'a> ComparedLog<'a> {
    /// The log, with what the quote stands for.
    pub fn replayed(&self) -> Replayed<'_, 'a> {
        Replayed { log: &self.log, banks: self.covered.as_slice().into() }
    }

    /// Whether the data of each event is what was measured, in the order of the events.
    pub fn data_checks(&self) -> &[DataCheck] {
        &self.data_checks
    }

    /// The log alone.
    pub const fn log(&self) -> &Log<'a> {
        &self.log
    }
}

/// Reads the last log of `bytes`, replays it for the banks of `quoted`, compares each and checks the data of each
/// event: what [`parse_last`], [`replay`], [`compare_with_later`] and [`data_checks`] give. A log that would cost
/// more than [`WORK_MAX`] is refused before anything is hashed, and none of its events kept.
///
/// Trust: `quoted` must come out of a verified quote.
pub fn read_and_compare<'a>(
    bytes: &'a [u8],
    quoted: &[PcrBank],
    rules: &Rules,
    later: &[LaterEvent],
) -> ComparedLog<'a> {
    let (Parsed { mut log, mut problems }, place) = parse_last(bytes);
    let declared = |alg: &TpmAlgId| log.algorithms().any(|have| have == *alg);
    let blocks = work(&log, quoted.iter().map(PcrBank::alg).filter(declared));
    if blocks > WORK_MAX {
        log.events = Vec::new();
        let kind = ProblemKind::TooMuchWork { blocks, max: WORK_MAX };
        problems = vec![Problem { offset: 0, event: None, kind }];
    }
    let replay = replay(&log, quoted.iter().map(PcrBank::alg));
    let comparison = compare_with_later(&log, &replay, quoted, rules, later);
    let data_checks = data_checks(&comparison.replayed);
    let covered = comparison.replayed.banks.into_owned();
    ComparedLog {
        covered,
        data_checks,
        place,
        problems,
        startup_problems: replay.startup_problems,
        mismatches: comparison.mismatches,
        continued: comparison.continued,
        led_on: comparison.led_on,
        unlogged_exits: comparison.unlogged_exits,
        banks_not_in_log: comparison.banks_not_in_log,
        banks_unsupported: comparison.banks_unsupported,
        log,
    }
}

/// Checks the data of each event of a log, in the banks that count for it.
///
/// Digests that the PCR of an event is not known to hold are left out: nothing rests on them, and
/// firmware is known that logs wrong ones beside right ones. Where it is known to hold none, those
/// of SHA-256 and better are looked at, so that findings can name the event.
pub fn data_checks(replayed: &Replayed<'_, '_>) -> Vec<DataCheck> {
    let log = replayed.log();
    let has_strong = log.algorithms().any(TpmAlgId::is_strong_hash);
    let check = |event: &Event<'_>| match replayed.banks_in(event.pcr_index) {
        BanksIn::None => check_data(event, |alg| alg.is_strong_hash() || !has_strong),
        BanksIn::One(bank) => check_data(event, |alg| alg == bank),
        BanksIn::Several => {
            check_data(event, |alg| replayed.banks_of(event.pcr_index).any(|bank| bank == alg))
        }
    };
    log.events().iter().map(check).collect()
}

/// In how many banks a PCR replays: nearly always in one.
enum BanksIn {
    None,
    One(TpmAlgId),
    Several,
}

impl Replayed<'_, '_> {
    fn banks_in(&self, pcr_index: u32) -> BanksIn {
        let mut banks = self.banks_of(pcr_index);
        match (banks.next(), banks.next()) {
            (None, _) => BanksIn::None,
            (Some(bank), None) => BanksIn::One(bank),
            (Some(_), Some(_)) => BanksIn::Several,
        }
    }
}
