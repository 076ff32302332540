//! Secure Boot: on only if everything says so, and each way in which it does not.

use crate::common::{claims_of, claims_with};
use boot_claims::{Belief, LookAlikeKind, SecureBoot, SeparatorProblemKind, State, UnknownReason};
use efi::Guid;
use event_log::{BankTrust, EventType, Rules};
use testkit::log::{BootLog, Entry, variable};
use tpm_wire::{PcrBank, TpmAlgId};

fn secure_boot(value: &[u8]) -> Entry {
    let data = variable(Guid::GLOBAL_VARIABLE, "SecureBoot", value);
    Entry::of_data(7, EventType::EFI_VARIABLE_DRIVER_CONFIG, &data)
}

/// Secure Boot of a log as it was built.
fn claims(log: BootLog) -> SecureBoot {
    claims_of(&log.build(), |claims| claims.secure_boot)
}

/// Place of the SecureBoot event and of PCR 7's separator among the entries.
fn places(entries: &[Entry]) -> (usize, usize) {
    let at = |event_type, pcr_index| {
        entries.iter().position(|e| e.event_type == event_type && e.pcr_index == pcr_index).unwrap()
    };
    (at(EventType::EFI_VARIABLE_DRIVER_CONFIG, 7), at(EventType::SEPARATOR, 7))
}

/// What is claimed of a sound log with its entries changed, all of it really extended.
fn changed(change: impl FnOnce(&mut Vec<Entry>)) -> SecureBoot {
    let log = BootLog::sound();
    let mut entries = log.entries();
    change(&mut entries);
    claims_of(&log.build_from(&entries), |claims| claims.secure_boot)
}

#[track_caller]
fn assert_unknown(have: SecureBoot, reason: UnknownReason) {
    assert_eq!(have.state, State::Unknown(reason));
}

#[test]
fn one_byte_1_is_on() {
    let built = BootLog::sound().build();
    let have = claims_of(&built, |claims| claims.secure_boot);
    assert_eq!(have.state, State::On);
    let log = event_log::parse(&built.bytes).log;
    let event = log.event(have.event.unwrap()).unwrap();
    assert_eq!((event.pcr_index, event.untrusted_data.last()), (7, Some(&1)));
}

#[test]
fn zero_and_empty_are_off_and_all_else_unknown() {
    let state = |value: &[u8]| claims(BootLog::sound().secure_boot_value(value)).state;
    assert_eq!(state(&[0]), State::Off);
    assert_eq!(state(&[]), State::Off);
    for value in [&[2][..], &[1, 0], &[1, 1], &[0, 0], &[0xff], b"1"] {
        assert_eq!(state(value), State::Unknown(UnknownReason::Value), "{value:?}");
    }
}

#[test]
fn what_was_not_measured_is_unknown() {
    let have = claims(BootLog::sound().no_secure_boot_variable());
    assert_unknown(have, UnknownReason::NotMeasured);
    assert_eq!(have.event, None);
}

#[test]
fn another_guid_or_another_name_is_not_secure_boot() {
    for data in [
        variable(Guid::IMAGE_SECURITY_DATABASE, "SecureBoot", &[1]),
        variable(Guid::GLOBAL_VARIABLE, "secureBoot", &[1]),
        variable(Guid::GLOBAL_VARIABLE, "SecureBoot\0", &[1]),
    ] {
        let have = changed(|entries| {
            let (at, _) = places(entries);
            entries[at] = Entry::of_data(7, EventType::EFI_VARIABLE_DRIVER_CONFIG, &data);
        });
        assert_unknown(have, UnknownReason::NotMeasured);
    }
}

#[test]
fn another_pcr_is_not_secure_boot() {
    let have = changed(|entries| {
        let (at, _) = places(entries);
        entries[at].pcr_index = 1;
    });
    assert_unknown(have, UnknownReason::NotMeasured);
}

#[test]
fn after_the_separator_anybody_could_have_written_it() {
    let have = changed(|entries| {
        let (at, separator) = places(entries);
        let event = entries.remove(at);
        entries.insert(separator, event);
    });
    assert_unknown(have, UnknownReason::AfterSeparator);
    // Just before it is fine.
    let have = changed(|entries| {
        let (at, separator) = places(entries);
        let event = entries.remove(at);
        entries.insert(separator - 1, event);
    });
    assert_eq!(have.state, State::On);
}

#[test]
fn off_and_then_on_after_the_separator_is_off() {
    let log = BootLog::sound().secure_boot_off();
    let mut entries = log.entries();
    entries.push(secure_boot(&[1]));
    claims_of(&log.build_from(&entries), |claims| {
        assert_eq!(claims.secure_boot.state, State::Off);
        let [lookalike] = claims.lookalikes[..] else { panic!("{:?}", claims.lookalikes) };
        assert_eq!(lookalike.kind, LookAlikeKind::ConfigAfterSeparator);
    });
}

#[test]
fn twice_is_unknown_even_if_both_say_the_same() {
    for value in [0, 1] {
        let have = changed(|entries| {
            let (at, _) = places(entries);
            entries.insert(at + 2, secure_boot(&[value]));
        });
        assert_unknown(have, UnknownReason::Repeated);
    }
}

/// The whole attack: with Secure Boot off, after the boot, somebody extends SecureBoot = 1 and a
/// second separator, hides the firmware's SecureBoot event behind a type that nobody reads, and
/// renames the firmware's separator. The log replays; digests and order cannot be hidden.
#[test]
fn a_renamed_separator_is_still_the_fence() {
    let log = BootLog::sound().secure_boot_off();
    let mut entries = log.entries();
    let (at, separator) = places(&entries);
    entries[at].event_type = EventType::UNUSED;
    entries[at].data = b"nothing".to_vec();
    entries[separator].event_type = EventType::IPL;
    entries[separator].data = b"nothing".to_vec();
    entries.push(secure_boot(&[1]));
    entries.push(Entry::of_data(7, EventType::SEPARATOR, &[0; 4]));
    claims_of(&log.build_from(&entries), |claims| {
        assert_eq!(claims.secure_boot.state, State::Unknown(UnknownReason::AfterSeparator));
        let kinds: Vec<_> = claims.lookalikes.iter().map(|l| l.kind).collect();
        let expected =
            [LookAlikeKind::Hidden, LookAlikeKind::Separator, LookAlikeKind::ConfigAfterSeparator];
        assert_eq!(kinds, expected);
        let kinds: Vec<_> = claims.separator_problems.iter().map(|p| p.kind).collect();
        assert!(matches!(
            kinds[..],
            [SeparatorProblemKind::Retyped { .. }, SeparatorProblemKind::Repeated { .. }]
        ));
    });
}

#[test]
fn a_retyped_event_is_unknown() {
    let log = BootLog::sound();
    let mut entries = log.entries();
    let (at, _) = places(&entries);
    for event_type in [EventType::UNUSED, EventType(0x40e), EventType::EFI_VARIABLE_BOOT] {
        entries[at].event_type = event_type;
        claims_of(&log.build_from(&entries), |claims| {
            assert_unknown(claims.secure_boot, UnknownReason::Retyped);
            assert_eq!(claims.lookalikes[0].kind, LookAlikeKind::Variable, "{event_type}");
        });
    }
    entries[at].event_type = EventType::EFI_VARIABLE_AUTHORITY;
    let have = claims_of(&log.build_from(&entries), |claims| claims.secure_boot);
    assert_unknown(have, UnknownReason::Retyped);
}

#[test]
fn a_text_that_was_not_measured_is_unknown() {
    let log = BootLog::sound().secure_boot_off();
    let mut entries = log.entries();
    let (at, _) = places(&entries);
    entries[at].data = secure_boot(&[1]).data;
    claims_of(&log.build_from(&entries), |claims| {
        assert_unknown(claims.secure_boot, UnknownReason::Contradicted);
        assert_eq!(claims.contradicted.len(), 1);
        assert_eq!(Some(claims.contradicted[0].event), claims.secure_boot.event);
    });
}

#[test]
fn without_the_separator_nothing_is_the_firmwares() {
    let have = claims(BootLog::sound().without_separator(7));
    assert_unknown(have, UnknownReason::NoSeparator);
    // An error separator ends the firmware's part all the same; it is a problem of its own.
    let have = claims(BootLog::sound().error_separator(7));
    assert_eq!(have.state, State::On);
    assert_eq!(claims(BootLog::sound().without_separator(6)).state, State::On);
}

#[test]
fn a_pcr_7_that_does_not_replay_or_was_not_quoted_proves_nothing() {
    let built = BootLog::sound().build();
    let off = BootLog::sound().secure_boot_off().build();
    let have = claims_with(&built.bytes, &off.pcrs, Rules::default(), |c| c.secure_boot);
    assert_unknown(have, UnknownReason::NotReplayed);
    let have = claims_with(&built.bytes, &[], Rules::default(), |c| c.secure_boot);
    assert_unknown(have, UnknownReason::NotReplayed);
    let mut without_7 = PcrBank::new(TpmAlgId::SHA256);
    for (index, value) in built.pcrs[0].iter().filter(|(index, _)| *index != 7) {
        assert!(without_7.set(index, *value));
    }
    claims_with(&built.bytes, &[without_7], Rules::default(), |claims| {
        assert_unknown(claims.secure_boot, UnknownReason::NotReplayed);
        assert!(claims.databases.iter().all(|d| matches!(d.belief, Belief::Unverifiable(_))));
        assert!(claims.replayed_pcrs.contains(4));
    });
}

#[test]
fn sha_1_proves_nothing_unless_policy_permits_it() {
    let built = BootLog::sound().banks(&[TpmAlgId::SHA1]).build();
    let have = claims_of(&built, |claims| claims.secure_boot);
    assert_unknown(have, UnknownReason::Sha1LogOnly);
    let permit = Rules { banks: BankTrust::PermitWeak, ..Rules::default() };
    let have = claims_with(&built.bytes, &built.pcrs, permit, |claims| claims.secure_boot);
    assert_eq!(have.state, State::On);
    // Two banks, and only the weak one quoted.
    let built = BootLog::sound().banks(&[TpmAlgId::SHA1, TpmAlgId::SHA256]).build();
    let have = claims_with(&built.bytes, &built.pcrs[..1], Rules::default(), |c| c.secure_boot);
    assert_unknown(have, UnknownReason::NotReplayed);
}

#[test]
fn modes_are_read_before_the_separator() {
    let log = BootLog::sound();
    let mode = |name: &str, value: &[u8]| {
        let data = variable(Guid::GLOBAL_VARIABLE, name, value);
        Entry::of_data(7, EventType::EFI_VARIABLE_DRIVER_CONFIG, &data)
    };
    let mut entries = log.entries();
    entries.insert(4, mode("SetupMode", &[0]));
    entries.insert(5, mode("AuditMode", &[1]));
    entries.insert(6, mode("DeployedMode", &[7]));
    claims_of(&log.build_from(&entries), |claims| {
        assert_eq!(claims.setup_mode.unwrap().is_set, Some(false));
        assert_eq!(claims.audit_mode.unwrap().is_set, Some(true));
        assert_eq!(claims.deployed_mode.unwrap().is_set, None);
        assert_eq!(claims.audit_mode.unwrap().belief, Belief::Verified);
    });
    let mut entries = log.entries();
    entries.push(mode("SetupMode", &[0]));
    claims_of(&log.build_from(&entries), |claims| assert_eq!(claims.setup_mode, None));
}
