//! A log changed in any way never tells a better story than the TPM's PCRs allow.

use crate::common::{claims_with, command_lines, path_with};
use boot_claims::{Belief, State};
use event_log::{EventType, Rules};
use testkit::log::{BootLog, BuiltLog};
use tpm_wire::TpmAlgId;

fn off() -> (BootLog, BuiltLog) {
    let log = BootLog::sound().secure_boot_off().dbx_hashes(1);
    let built = log.build();
    (log, built)
}

/// Secure Boot was off. Whatever the host hands in as a log of these PCRs, it is never on.
#[track_caller]
fn assert_never_on(bytes: &[u8], built: &BuiltLog, what: &str, at: usize) {
    claims_with(bytes, &built.pcrs, Rules::default(), |claims| {
        assert_ne!(claims.secure_boot.state, State::On, "{what} {at}");
    });
}

#[test]
fn no_cut_and_no_flip_turns_secure_boot_on() {
    let (_, built) = off();
    let mut bytes = built.bytes.clone();
    for at in 0..bytes.len() {
        assert_never_on(&bytes[..at], &built, "cut at", at);
        for mask in [0x01, 0x10] {
            bytes[at] ^= mask;
            assert_never_on(&bytes, &built, "flipped byte", at);
            bytes[at] ^= mask;
        }
    }
}

#[test]
fn no_drop_no_repetition_and_no_move_turns_secure_boot_on() {
    let (log, built) = off();
    let entries = log.entries();
    for at in 0..entries.len() {
        let mut dropped = entries.clone();
        dropped.remove(at);
        assert_never_on(&log.build_from(&dropped).bytes, &built, "without event", at);
        let mut repeated = entries.clone();
        repeated.insert(at, entries[at].clone());
        assert_never_on(&log.build_from(&repeated).bytes, &built, "twice event", at);
        if at > 0 {
            let mut moved = entries.clone();
            moved.swap(at - 1, at);
            assert_never_on(&log.build_from(&moved).bytes, &built, "moved event", at);
        }
    }
}

#[test]
fn no_other_type_turns_secure_boot_on_or_makes_a_lie_verified() {
    let (log, built) = off();
    let entries = log.entries();
    for at in 0..entries.len() {
        for event_type in EventType::KNOWN.iter().copied().chain([EventType(0x40e)]) {
            let mut retyped = entries.clone();
            retyped[at].event_type = event_type;
            let bytes = log.build_from(&retyped).bytes;
            assert_never_on(&bytes, &built, "retyped event", at);
            retyped[at].data = b"kernel_cmdline: harmless\0".to_vec();
            let bytes = log.build_from(&retyped).bytes;
            path_with(&bytes, &built.pcrs, |path| {
                let mut lies = command_lines(path).into_iter().filter(|line| line.1 == "harmless");
                assert!(lies.all(|(.., belief)| belief != Belief::Verified), "{at}");
            });
        }
    }
}

/// Both logs are sound, and neither passes for the other.
#[test]
fn another_boots_log_proves_nothing() {
    let (_, built) = off();
    let on = BootLog::sound().dbx_hashes(1).build();
    assert_never_on(&on.bytes, &built, "log of another boot", 0);
    // Nor in another bank of the same boot.
    let two = BootLog::sound().dbx_hashes(1).banks(&[TpmAlgId::SHA1, TpmAlgId::SHA256]).build();
    assert_never_on(&two.bytes, &built, "log of another boot", 1);
}
