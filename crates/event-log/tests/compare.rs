//! Which events a quote stands for.

use event_log::{
    BankTrust, EventType, LOG_BYTES_MAX, LogWriter, MismatchKind, ProblemKind, Rules, WORK_MAX,
    compare, data_checks, hash, parse, read_and_compare, replay,
};
use testkit::log::{BootLog, BuiltLog, Entry};
use tpm_wire::{Digest, PcrBank, PcrSet, TpmAlgId};

const SHA256: TpmAlgId = TpmAlgId::SHA256;

type Mismatches = Vec<(TpmAlgId, u32, MismatchKind)>;
type Continued = Vec<(u32, MismatchKind)>;

/// What differs when `built` is compared with `quoted`, and the covered PCRs.
fn differing(built: &BuiltLog, quoted: &[PcrBank]) -> (Mismatches, Continued, PcrSet) {
    let log = parse(&built.bytes).log;
    let replay = replay(&log, log.algorithms());
    let comparison = compare(&log, &replay, quoted, &Rules::default());
    let mismatches = comparison.mismatches.iter().map(|m| (m.alg, m.pcr_index, m.kind)).collect();
    let continued = comparison.continued.iter().map(|m| (m.pcr_index, m.kind)).collect();
    (mismatches, continued, comparison.replayed.pcrs())
}

/// `bank` with another value of one PCR.
fn with(bank: &PcrBank, pcr_index: u32, fill: u8) -> PcrBank {
    let mut bank = bank.clone();
    let len = bank.alg().digest_len().unwrap();
    assert!(bank.set(pcr_index, Digest::filled(fill, len).unwrap()));
    bank
}

const OF_LOG: PcrSet = PcrSet::from_octets([0xff, 0x43, 0]);

#[test]
fn a_sound_log_covers_each_pcr_that_it_names() {
    let built = BootLog::sound().build();
    assert_eq!(differing(&built, &built.pcrs), (vec![], vec![], OF_LOG));
}

#[test]
fn a_pcr_that_was_not_quoted_is_neither_judged_nor_covered() {
    let built = BootLog::sound().build();
    let mut quoted = PcrBank::new(SHA256);
    for index in 0..8 {
        assert!(quoted.set(index, *built.bank(SHA256).get(index).unwrap()));
    }
    assert_eq!(differing(&built, &[quoted]), (vec![], vec![], PcrSet::FIRMWARE));
    assert_eq!(differing(&built, &[]), (vec![], vec![], PcrSet::EMPTY));
}

#[test]
fn each_kind_of_mismatch() {
    let built = BootLog::sound().build();
    let sound = built.bank(SHA256);
    for index in [0, 7, 8, 9, 14] {
        for (fill, kind) in [(0x5a, MismatchKind::Differs), (0, MismatchKind::NotExtended)] {
            let (mismatches, continued, covered) = differing(&built, &[with(sound, index, fill)]);
            assert_eq!((mismatches, continued), (vec![(SHA256, index, kind)], vec![]));
            assert_eq!(covered, OF_LOG.without(index));
        }
    }
    // Not in the log: PCR 3 of a log without its separator, and PCRs that others extend later.
    let built = BootLog::sound().without_separator(3).build();
    let sound = built.bank(SHA256);
    let (mismatches, ..) = differing(&built, &[with(sound, 3, 1)]);
    assert_eq!(mismatches, [(SHA256, 3, MismatchKind::NotInLog)]);
    for index in [10, 11, 12, 13, 15, 16, 17, 22, 23] {
        let (mismatches, continued, _) = differing(&built, &[with(sound, index, 1)]);
        assert_eq!((mismatches, continued), (vec![], vec![(index, MismatchKind::NotInLog)]));
    }
}

#[test]
fn after_a_dynamic_launch_its_pcrs_are_zero() {
    let built = BootLog::sound().build();
    let quoted = with(&with(built.bank(SHA256), 18, 0), 22, 0);
    assert_eq!(differing(&built, &[quoted]), (vec![], vec![], OF_LOG));
}

#[test]
fn a_pcr_that_another_log_continued_is_not_covered() {
    let log = BootLog::sound();
    let mut entries = log.entries();
    entries.push(Entry::of_data(12, EventType::IPL, b"a command line"));
    let built = log.build_from(&entries);
    assert!(differing(&built, &built.pcrs).2.contains(12));
    let (mismatches, continued, covered) = differing(&built, &[with(built.bank(SHA256), 12, 1)]);
    assert_eq!((mismatches, continued), (vec![], vec![(12, MismatchKind::Differs)]));
    assert!(!covered.contains(12));
}

#[test]
fn each_bank_is_judged_by_itself_and_facts_rest_on_strong_ones() {
    let built = BootLog::sound().banks(&[TpmAlgId::SHA1, SHA256]).build();
    let (sha1, sha256) = (built.bank(TpmAlgId::SHA1), built.bank(SHA256));
    let quoted = [with(sha1, 7, 1), sha256.clone()];
    let (mismatches, _, covered) = differing(&built, &quoted);
    assert_eq!(mismatches, [(TpmAlgId::SHA1, 7, MismatchKind::Differs)]);
    assert_eq!(covered, OF_LOG);
    assert_eq!(differing(&built, std::slice::from_ref(sha1)), (vec![], vec![], PcrSet::EMPTY));
    let log = parse(&built.bytes).log;
    let replay = replay(&log, log.algorithms());
    let rules = Rules { banks: BankTrust::PermitWeak, ..Rules::default() };
    let permitted = compare(&log, &replay, std::slice::from_ref(sha1), &rules);
    assert_eq!(permitted.replayed.pcrs(), OF_LOG);
}

#[test]
fn a_bank_that_the_log_has_not_covers_nothing() {
    let built = BootLog::sound().build();
    let log = parse(&built.bytes).log;
    let replay = replay(&log, log.algorithms());
    let quoted = [PcrBank::new(TpmAlgId::SHA384), PcrBank::new(TpmAlgId::SHA3_256)];
    let comparison = compare(&log, &replay, &quoted, &Rules::default());
    assert_eq!(comparison.banks_not_in_log, [TpmAlgId::SHA384, TpmAlgId::SHA3_256]);
    assert_eq!(comparison.replayed.events().count(), 0);
    // Declared, and of a hash that we do not have.
    let bytes = LogWriter::new([TpmAlgId::SHA3_256]).finish();
    let log = parse(&bytes).log;
    let replay = event_log::replay(&log, log.algorithms());
    let comparison = compare(&log, &replay, &quoted[1..], &Rules::default());
    assert_eq!(comparison.banks_unsupported, [TpmAlgId::SHA3_256]);
}

/// Two banks that each replay, and events that are in one of them only: the log would tell two
/// stories. Neither is covered.
#[test]
fn an_event_must_be_in_each_bank_that_replays() {
    let banks = [SHA256, TpmAlgId::SHA384];
    let mut writer = LogWriter::new(banks);
    writer.measure(7, EventType::EFI_ACTION, b"both", b"both");
    let mut pcrs: Vec<_> = banks.map(PcrBank::new).into();
    for (i, alg) in banks.into_iter().enumerate() {
        let story = hash(alg, &[b"story"]).unwrap();
        writer.event(7, EventType::EFI_ACTION, &[(alg, story)], b"story");
        let zero = Digest::filled(0, alg.digest_len().unwrap()).unwrap();
        let both = hash(alg, &[b"both"]).unwrap();
        let one = hash(alg, &[zero.as_bytes(), both.as_bytes()]).unwrap();
        let two = hash(alg, &[one.as_bytes(), story.as_bytes()]).unwrap();
        assert!(pcrs[i].set(7, two));
    }
    let bytes = writer.finish();
    let log = parse(&bytes).log;
    let replay = replay(&log, log.algorithms());
    let comparison = compare(&log, &replay, &pcrs, &Rules::default());
    assert_eq!(comparison.mismatches, []);
    let covered: Vec<_> = comparison.replayed.events().map(|event| event.number).collect();
    assert_eq!(covered, [1]);
    // In the one bank alone that was quoted, its story is.
    let comparison = compare(&log, &replay, &pcrs[..1], &Rules::default());
    let covered: Vec<_> = comparison.replayed.events().map(|event| event.number).collect();
    assert_eq!(covered, [1, 2]);
}

#[test]
fn ev_no_action_is_never_covered() {
    let built = BootLog::sound().startup_locality(0).build();
    let log = parse(&built.bytes).log;
    let replay = replay(&log, log.algorithms());
    let comparison = compare(&log, &replay, &built.pcrs, &Rules::default());
    assert!(comparison.replayed.events().all(|event| event.is_extended()));
    assert_eq!(comparison.replayed.events().count(), built.extends.len());
}

/// What is read in one go is what its steps give, and no log costs more than is allowed.
#[test]
fn one_go_gives_what_the_steps_give() {
    let banks = [TpmAlgId::SHA256, TpmAlgId::SHA384];
    let mut writer = LogWriter::new(banks);
    for (pcr, text) in [(0, "a"), (7, "b"), (8, "c"), (8, "d")] {
        writer.measure(pcr, EventType::IPL, text.as_bytes(), text.as_bytes());
    }
    let bytes = writer.finish();
    let steps = parse(&bytes);
    let replay = replay(&steps.log, banks);
    let mut quoted: Vec<_> = replay.banks().cloned().collect();
    assert!(quoted[1].set(8, Digest::filled(1, 48).unwrap()));
    let comparison = compare(&steps.log, &replay, &quoted, &Rules::default());
    let compared = read_and_compare(&bytes, &quoted, &Rules::default(), &[]);
    assert_eq!(compared.mismatches, comparison.mismatches);
    assert_eq!(compared.mismatches.len(), 1);
    assert_eq!(compared.replayed().pcrs(), comparison.replayed.pcrs());
    assert_eq!(compared.data_checks(), data_checks(&comparison.replayed));
    assert!(compared.problems.is_empty());
    assert_eq!(*compared.log(), steps.log);
}

#[test]
fn a_log_that_costs_too_much_is_refused_before_it_is_hashed() {
    let data = vec![7; LOG_BYTES_MAX - 400];
    let read = |banks: &[TpmAlgId]| {
        let mut writer = LogWriter::new(banks.iter().copied());
        writer.measure(4, EventType::IPL, &data, &data);
        let bytes = writer.finish();
        let quoted: Vec<_> =
            replay(&parse(&bytes).log, banks.iter().copied()).banks().cloned().collect();
        let compared = read_and_compare(&bytes, &quoted, &Rules::default(), &[]);
        let replayed = compared.replayed().pcrs();
        let kinds: Vec<_> = compared.problems.iter().map(|problem| problem.kind).collect();
        (kinds, replayed, compared.log().events().len())
    };
    let (kinds, replayed, n_events) = read(&[TpmAlgId::SHA256]);
    assert_eq!((kinds.len(), n_events), (0, 2));
    assert!(replayed.contains(4));
    let (kinds, replayed, n_events) = read(&[TpmAlgId::SHA256, TpmAlgId::SHA512]);
    assert!(matches!(kinds[..], [ProblemKind::TooMuchWork { max: WORK_MAX, .. }]), "{kinds:?}");
    assert_eq!((replayed.is_empty(), n_events), (true, 0));
}
