//! Each problem of the bytes: a log that raises it, and one that just does not.

use event_log::{EVENTS_MAX, EventType, LOG_BYTES_MAX, LogWriter, ProblemKind, parse};
use testkit::log::BootLog;
use tpm_wire::TpmAlgId;

/// A log of the SHA-256 bank with one event at byte 65: header 32 + 33 bytes of Spec ID.
fn small() -> Vec<u8> {
    let mut log = LogWriter::new([TpmAlgId::SHA256]);
    log.measure(4, EventType::EFI_ACTION, b"text", b"text");
    log.finish()
}

#[track_caller]
fn assert_problem(bytes: &[u8], offset: usize, kind: ProblemKind) {
    let parsed = parse(bytes);
    assert_eq!(parsed.problems.len(), 1, "{:?}", parsed.problems);
    assert_eq!((parsed.problems[0].offset, parsed.problems[0].kind), (offset, kind));
}

#[track_caller]
fn assert_sound(bytes: &[u8], n_events: usize) {
    let parsed = parse(bytes);
    assert_eq!((&parsed.problems[..], parsed.log.events().len()), (&[][..], n_events));
}

#[test]
fn a_damaged_signature_of_the_spec_id_event() {
    let mut bytes = small();
    assert_sound(&bytes, 2);
    bytes[32] = b'R';
    assert_problem(&bytes, 32, ProblemKind::SpecIdSignature);
    assert!(parse(&bytes).log.events().is_empty());
}

#[test]
fn a_spec_id_event_that_contradicts_itself() {
    for (at, value, what) in [
        (32 + 24, 9, "numberOfAlgorithms"),
        (32 + 24, 8, "digestSizes"),
        (32 + 24, 2, "digestSizes"),
        (32 + 30, 31, "digestSizes.digestSize"),
        (32 + 32, 1, "vendorInfo"),
        (28, 32, "vendorInfoSize"),
        (4, 4, "not an EV_NO_ACTION event"),
    ] {
        let mut bytes = small();
        bytes[at] = value;
        assert_problem(&bytes, 32, ProblemKind::SpecId { what });
    }
    let twice = LogWriter::new([TpmAlgId::SHA256, TpmAlgId::SHA256]).finish();
    assert_problem(&twice, 32, ProblemKind::SpecId { what: "digestSizes.algorithmId" });
    let mut behind = small();
    behind[28] += 1;
    behind.insert(65, 0);
    assert_problem(&behind, 32, ProblemKind::SpecId { what: "Spec ID event" });
}

#[test]
fn no_algorithm_and_vendor_information_are_sound() {
    assert_sound(&LogWriter::new([]).finish(), 1);
    let mut bytes = small();
    bytes[28] += 2;
    bytes[64] = 2;
    bytes.splice(65..65, *b"hi");
    assert_sound(&bytes, 2);
}

#[test]
fn an_unknown_algorithm_is_read_by_its_declared_size() {
    let mut bytes = small();
    let unknown = [0x34, 0x12];
    bytes[60..62].copy_from_slice(&unknown);
    assert_problem(&bytes, 77, ProblemKind::UndeclaredAlgorithm { alg: TpmAlgId::SHA256 });
    bytes[77..79].copy_from_slice(&unknown);
    assert_sound(&bytes, 2);
    assert_eq!(parse(&bytes).log.event(1).unwrap().digests.of(TpmAlgId(0x1234)).unwrap().len(), 32);
}

#[test]
fn digests_over_the_declared_algorithms() {
    let mut bytes = small();
    bytes[73..77].copy_from_slice(&2u32.to_le_bytes());
    assert_problem(&bytes, 73, ProblemKind::DigestCount { have: 2, declared: 1 });
    bytes[73..77].copy_from_slice(&u32::MAX.to_le_bytes());
    assert_problem(&bytes, 73, ProblemKind::DigestCount { have: u32::MAX, declared: 1 });
    let digest = event_log::hash(TpmAlgId::SHA256, &[b"x"]).unwrap();
    let mut log = LogWriter::new([TpmAlgId::SHA1, TpmAlgId::SHA256]);
    let twice = [(TpmAlgId::SHA256, digest), (TpmAlgId::SHA256, digest)];
    log.event(4, EventType::IPL, &twice, b"x");
    let at = 69 + 12 + 34;
    assert_problem(&log.finish(), at, ProblemKind::DuplicateAlgorithm { alg: TpmAlgId::SHA256 });
}

#[test]
fn pcr_indices() {
    let with_index = |index: u32, event_type: EventType| {
        let mut bytes = small();
        bytes[65..69].copy_from_slice(&index.to_le_bytes());
        bytes[69..73].copy_from_slice(&event_type.0.to_le_bytes());
        bytes
    };
    assert_sound(&with_index(23, EventType::EFI_ACTION), 2);
    assert_sound(&with_index(u32::MAX, EventType::NO_ACTION), 2);
    for index in [24, 99, u32::MAX] {
        let bytes = with_index(index, EventType::EFI_ACTION);
        assert_problem(&bytes, 65, ProblemKind::PcrIndex { have: index });
    }
    let bytes = with_index(24, EventType::NO_ACTION);
    assert_problem(&bytes, 65, ProblemKind::PcrIndex { have: 24 });
}

#[test]
fn sizes_over_what_is_left() {
    let mut bytes = small();
    bytes[111..115].copy_from_slice(&0xffff_fff0u32.to_le_bytes());
    let short = ProblemKind::Short { what: "event", want: 0xffff_fff0, have: 4 };
    assert_problem(&bytes, 115, short);
    assert_eq!(parse(&bytes).problems[0].event, Some(1));
    assert_eq!(parse(&bytes).log.events().len(), 1);
    let bytes = small();
    let cut = &bytes[..bytes.len() - 1];
    assert_problem(cut, 115, ProblemKind::Short { what: "event", want: 4, have: 3 });
}

#[test]
fn a_log_at_its_limits() {
    let mut bytes = small();
    bytes.resize(LOG_BYTES_MAX, 0);
    assert_sound(&bytes, 2);
    bytes.push(0);
    let len = LOG_BYTES_MAX + 1;
    let kind = ProblemKind::LogTooLong { len, max: LOG_BYTES_MAX };
    assert_problem(&bytes, LOG_BYTES_MAX, kind);
    let many = |n: usize| {
        let mut log = LogWriter::new([]);
        (1..n).for_each(|_| log.event(1, EventType::IPL, &[], b""));
        log.finish()
    };
    assert_sound(&many(EVENTS_MAX), EVENTS_MAX);
    let bytes = many(EVENTS_MAX + 1);
    let kind = ProblemKind::TooManyEvents { max: EVENTS_MAX };
    assert_problem(&bytes, bytes.len() - 16, kind);
}

#[test]
fn problems_read_as_sentences() {
    let mut bytes = BootLog::sound().build().bytes;
    let at = bytes.len() - 1;
    bytes.truncate(at);
    let text = parse(&bytes).problems[0].to_string();
    assert!(text.starts_with("event ") && text.contains(": event needs "), "{text}");
}
