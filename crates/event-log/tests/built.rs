//! Logs of our own making: replay, round trip, padding, the old format.

use event_log::{
    EventType, Format, LogWriter, ProblemKind, Startup, StartupProblemKind, encode, hash, parse,
    repeated_tail, replay,
};
use testkit::log::{BootLog, BuiltLog, Entry};
use tpm_wire::{PcrSet, TpmAlgId};

const BANKS: [TpmAlgId; 5] =
    [TpmAlgId::SHA1, TpmAlgId::SHA256, TpmAlgId::SHA384, TpmAlgId::SHA512, TpmAlgId::SM3_256];

fn assert_replays(built: &BuiltLog) {
    let parsed = parse(&built.bytes);
    assert_eq!(parsed.problems, []);
    let replay = replay(&parsed.log, parsed.log.algorithms());
    assert_eq!(replay.banks().collect::<Vec<_>>(), built.pcrs.iter().collect::<Vec<_>>());
    assert_eq!(encode(&parsed.log), built.bytes);
}

#[test]
fn each_bank_replays_and_is_written_back() {
    let built = BootLog::sound().banks(&BANKS).option_rom().build();
    assert_replays(&built);
    let log = parse(&built.bytes).log;
    assert!((50..=70).contains(&log.events().len()), "{} events", log.events().len());
    let replay = replay(&log, [TpmAlgId::SHA384, TpmAlgId::SHA3_256, TpmAlgId::SHA384]);
    assert_eq!(replay.banks().count(), 1);
    assert!(replay.bank(TpmAlgId::SHA256).is_none());
    let extended = replay.extended(TpmAlgId::SHA384);
    assert_eq!(extended, PcrSet::FIRMWARE.with(8).with(9).with(14));
    assert_eq!(replay.skipped(TpmAlgId::SHA384), PcrSet::EMPTY);
}

#[test]
fn pcr_0_starts_at_the_startup_locality() {
    let startup = |log: BootLog| {
        let built = log.build();
        assert_replays(&built);
        replay(&parse(&built.bytes).log, []).startup
    };
    let sound = BootLog::sound;
    assert_eq!(startup(sound()), Startup { locality: 0, event: None });
    assert_eq!(startup(sound().startup_locality(0)), Startup { locality: 0, event: Some(1) });
    assert_eq!(startup(sound().startup_locality(3)), Startup { locality: 3, event: Some(1) });
    assert_eq!(startup(sound().h_crtm()), Startup { locality: 4, event: Some(2) });
    // What nothing says is not guessed.
    let built = sound().unlogged_startup_locality(3).build();
    let replay = replay(&parse(&built.bytes).log, [TpmAlgId::SHA256]);
    let (have, want) = (replay.bank(TpmAlgId::SHA256).unwrap(), built.bank(TpmAlgId::SHA256));
    assert_ne!(have.get(0), want.get(0));
    assert_eq!(have.get(1), want.get(1));
}

#[test]
fn an_h_crtm_event_is_enough_for_locality_4() {
    let log = BootLog::sound().h_crtm();
    let entries: Vec<_> = log
        .entries()
        .into_iter()
        .filter(|entry| entry.event_type != EventType::NO_ACTION)
        .collect();
    assert_replays(&log.build_from(&entries));
}

#[test]
fn only_a_sound_startup_locality_is_heeded() {
    let locality = |pcr_index, data: &[u8]| {
        Entry::of(pcr_index, EventType::NO_ACTION, &[], &[b"StartupLocality\0", data].concat())
    };
    let problem_of = |at: usize, entry: Entry| {
        let log = BootLog::sound().startup_locality(0);
        let mut entries = log.entries();
        entries.insert(at, entry);
        let built = log.build_from(&entries);
        let parsed = parse(&built.bytes);
        let replay = replay(&parsed.log, [TpmAlgId::SHA256]);
        assert_eq!(replay.startup.locality, 0);
        assert_eq!(replay.bank(TpmAlgId::SHA256), Some(built.bank(TpmAlgId::SHA256)));
        replay.startup_problems.iter().map(|problem| problem.kind).collect::<Vec<_>>()
    };
    assert_eq!(problem_of(0, locality(0, &[1])), [StartupProblemKind::Locality { have: Some(1) }]);
    assert_eq!(problem_of(0, locality(0, &[])), [StartupProblemKind::Locality { have: None }]);
    assert_eq!(problem_of(0, locality(1, &[3])), [StartupProblemKind::NotPcr0 { pcr_index: 1 }]);
    assert_eq!(problem_of(1, locality(0, &[3])), [StartupProblemKind::Repeated]);
    assert_eq!(problem_of(2, locality(0, &[3])), [StartupProblemKind::AfterExtend]);
    // A fixed size with zeros behind the locality is heeded.
    let log = BootLog::sound().startup_locality(3);
    let mut entries = log.entries();
    entries[0].data.extend([0; 33]);
    assert_replays(&log.build_from(&entries));
}

#[test]
fn padding_is_counted_and_no_problem() {
    for fill in [0, 0xff] {
        let built = BootLog::sound().padding(fill, 4096).build();
        let parsed = parse(&built.bytes);
        assert_eq!((parsed.problems.len(), parsed.log.padding_len()), (0, 4096));
        assert_replays(&built);
    }
    let mut bytes = BootLog::sound().padding(0xff, 64).build().bytes;
    *bytes.last_mut().unwrap() = 0xfe;
    assert_eq!(parse(&bytes).problems.len(), 1);
}

#[test]
fn a_log_of_padding_alone_and_an_empty_one_are_empty() {
    for bytes in [&[][..], &[0; 4096], &[0xff; 4096]] {
        let parsed = parse(bytes);
        assert_eq!(parsed.problems[0].kind, ProblemKind::Empty);
        assert!(parsed.log.events().is_empty());
    }
}

/// A log of the old format: one SHA-1 digest in each record.
fn sha1_log(first: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut event = |pcr: u32, event_type: EventType, digest: &[u8], data: &[u8]| {
        bytes.extend(pcr.to_le_bytes());
        bytes.extend(event_type.0.to_le_bytes());
        bytes.extend(digest);
        bytes.extend(u32::try_from(data.len()).unwrap().to_le_bytes());
        bytes.extend(data);
    };
    if !first.is_empty() {
        event(0, EventType::NO_ACTION, &[0; 20], first);
    }
    for pcr in 0..8 {
        let digest = hash(TpmAlgId::SHA1, &[&[0; 4]]).unwrap();
        event(pcr, EventType::SEPARATOR, digest.as_bytes(), &[0; 4]);
    }
    bytes
}

#[test]
fn a_log_of_the_old_format_is_read_whatever_its_first_event() {
    let spec_id_02 = b"Spec ID Event02\0\0\0\0\0\0\x02\x01\x02\0";
    for first in [&[][..], spec_id_02, b"StartupLocality\0\0"] {
        let bytes = sha1_log(first);
        let parsed = parse(&bytes);
        assert_eq!(parsed.problems, []);
        assert_eq!(parsed.log.format(), Format::Sha1);
        assert_eq!(parsed.log.algorithms().collect::<Vec<_>>(), [TpmAlgId::SHA1]);
        assert_eq!(encode(&parsed.log), bytes);
        let replay = replay(&parsed.log, parsed.log.algorithms());
        assert_eq!(
            replay.bank(TpmAlgId::SHA1).unwrap().get(6).unwrap().to_string(),
            "b2a83b0ebf2f8374299a5b2bdfc31ea955ad7236"
        );
    }
}

#[test]
fn events_appended_twice_are_told() {
    let log = BootLog::sound();
    let entries = log.entries();
    let built = log.build();
    assert_eq!(repeated_tail(&parse(&built.bytes).log), None);
    let twice = [&entries[..], &entries[20..]].concat();
    let built = log.build_from(&twice);
    let tail = repeated_tail(&parse(&built.bytes).log).unwrap();
    let n = entries.len();
    // One more than the entries: the Spec ID event.
    assert_eq!((tail.first_event as usize, tail.n_events as usize), (n + 1, n - 20));
    // All but one event again is no repetition.
    let built = log.build_from(&twice[..twice.len() - 1]);
    assert_eq!(repeated_tail(&parse(&built.bytes).log), None);
}

#[test]
fn an_event_without_a_digest_of_a_bank_is_left_out_of_that_bank() {
    let mut writer = LogWriter::new([TpmAlgId::SHA1, TpmAlgId::SHA256]);
    writer.measure(4, EventType::EFI_ACTION, b"one", b"one");
    let sha1 = hash(TpmAlgId::SHA1, &[b"two"]).unwrap();
    writer.event(5, EventType::EFI_ACTION, &[(TpmAlgId::SHA1, sha1)], b"two");
    let bytes = writer.finish();
    let parsed = parse(&bytes);
    assert_eq!(parsed.problems, []);
    assert_eq!(encode(&parsed.log), bytes);
    let replay = replay(&parsed.log, parsed.log.algorithms());
    assert_eq!(replay.extended(TpmAlgId::SHA1), PcrSet::EMPTY.with(4).with(5));
    assert_eq!(replay.extended(TpmAlgId::SHA256), PcrSet::EMPTY.with(4));
    assert_eq!(replay.skipped(TpmAlgId::SHA256), PcrSet::EMPTY.with(5));
}
