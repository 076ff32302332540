//! Cuts, flips and noise: never a panic, and the events before the damage stay.

use event_log::{Format, encode, parse, replay};
use proptest::prelude::*;
use testkit::log::BootLog;

/// A log with two banks and short databases: each byte of it is flipped.
fn small_log() -> Vec<u8> {
    let banks = [tpm_wire::TpmAlgId::SHA1, tpm_wire::TpmAlgId::SHA256];
    BootLog::sound().banks(&banks).dbx_hashes(2).build().bytes
}

fn assert_holds_under_cuts(bytes: &[u8]) {
    let whole = parse(bytes);
    assert_eq!(whole.problems, []);
    let mut boundaries: Vec<_> = whole.log.events().iter().map(|event| event.offset).collect();
    boundaries.push(bytes.len());
    for n in 0..bytes.len() {
        let cut = parse(&bytes[..n]);
        let events = cut.log.events();
        assert_eq!(events, &whole.log.events()[..events.len()], "cut at {n}");
        let n_whole = boundaries.iter().filter(|end| **end <= n).count().saturating_sub(1);
        assert_eq!(events.len(), n_whole, "cut at {n}");
        let is_at_event = n > 0 && boundaries.contains(&n);
        if is_at_event {
            assert_eq!(cut.problems, []);
        } else if cut.problems.is_empty() {
            // A cut in the zeros of the next event's PCR index looks like padding; the replay tells.
            assert!(cut.log.padding_len() > 0 && cut.log.padding_len() < 16, "cut at {n}");
        } else {
            assert!(cut.problems[0].offset <= n, "cut at {n}");
        }
    }
}

fn assert_holds_under_flips(bytes: &[u8], step: usize) {
    let whole = parse(bytes);
    let events = whole.log.events();
    let header_end = events.get(1).map_or(bytes.len(), |event| event.offset);
    let mut flipped = bytes.to_vec();
    for at in (0..bytes.len()).step_by(step) {
        for mask in [0x01, 0x80, 0xff] {
            flipped[at] ^= mask;
            let parsed = parse(&flipped);
            let _ = replay(&parsed.log, parsed.log.algorithms());
            if parsed.problems.is_empty() {
                assert_eq!(encode(&parsed.log), flipped, "byte {at}");
            }
            // Events that end at or before the flipped byte are as they were.
            if at >= header_end {
                let n = events.iter().skip(1).take_while(|event| event.offset <= at).count();
                assert_eq!(parsed.log.events()[..n], events[..n], "byte {at}");
            }
            flipped[at] ^= mask;
        }
    }
}

#[test]
fn a_built_log_cut_at_each_length() {
    assert_holds_under_cuts(&small_log());
}

#[test]
fn a_built_log_with_each_byte_flipped() {
    assert_holds_under_flips(&small_log(), 1);
}

#[test]
fn a_recorded_log_cut_and_flipped() {
    let Some(boot) = testkit::corpus::folder("boots/a-shim-tis-ms") else { return };
    let bytes = std::fs::read(boot.join("eventlog.bin")).unwrap();
    assert!(matches!(parse(&bytes).log.format(), Format::CryptoAgile(_)));
    assert_holds_under_cuts(&bytes);
    assert_holds_under_flips(&bytes, 1);
}

proptest! {
    #[test]
    fn noise_is_read_without_panic(bytes in proptest::collection::vec(any::<u8>(), 0..512)) {
        let parsed = parse(&bytes);
        let _ = replay(&parsed.log, parsed.log.algorithms());
        if parsed.problems.is_empty() {
            prop_assert_eq!(encode(&parsed.log), bytes);
        }
    }

    #[test]
    fn noise_behind_a_header_is_read_without_panic(
        noise in proptest::collection::vec(prop_oneof![Just(0u8), 1..24u8, any::<u8>()], 0..512)
    ) {
        let bytes = [&small_log()[..69], &noise].concat();
        let parsed = parse(&bytes);
        let _ = replay(&parsed.log, parsed.log.algorithms());
        if parsed.problems.is_empty() {
            prop_assert_eq!(encode(&parsed.log), bytes);
        }
    }
}
