//! Whether data is what was measured: each convention with a log that keeps it and one that just
//! does not.

use event_log::{Contradiction, Convention, DataCheck, EventType, LogWriter, check_data, parse};
use testkit::log::{BootLog, Entry, variable};
use tpm_wire::{Digest, TpmAlgId};

const BANKS: [TpmAlgId; 2] = [TpmAlgId::SHA256, TpmAlgId::SHA384];

fn check(pcr_index: u32, event_type: EventType, measured: &[u8], data: &[u8]) -> DataCheck {
    let mut log = LogWriter::new(BANKS);
    log.measure(pcr_index, event_type, measured, data);
    let bytes = log.finish();
    check_data(parse(&bytes).log.event(1).unwrap(), |_| true)
}

const MATCHES: DataCheck = DataCheck::Matches(Convention::Data);
const CONTRADICTS: DataCheck = DataCheck::Contradicts(Contradiction::Other);

#[test]
fn types_whose_digest_must_be_of_the_data() {
    for event_type in [
        EventType::SEPARATOR,
        EventType::ACTION,
        EventType::EFI_ACTION,
        EventType::EFI_GPT_EVENT,
        EventType::EFI_VARIABLE_DRIVER_CONFIG,
        EventType::EFI_VARIABLE_AUTHORITY,
        EventType::EFI_VARIABLE_BOOT,
        EventType::EFI_VARIABLE_BOOT2,
    ] {
        assert_eq!(check(1, event_type, b"data", b"data"), MATCHES, "{event_type}");
        assert_eq!(check(1, event_type, b"data", b"Data"), CONTRADICTS, "{event_type}");
    }
    let version = EventType::S_CRTM_VERSION;
    assert_eq!(check(0, version, b"1\0", b"1\0"), MATCHES);
    let crtm = DataCheck::Contradicts(Contradiction::CrtmVersion);
    assert_eq!(check(0, version, b"1", b"1\0"), crtm);
    // What some firmware does with that is no excuse for an event of another PCR.
    let other = DataCheck::Contradicts(Contradiction::Other);
    assert_eq!(check(7, version, b"1", b"1\0"), other);
}

#[test]
fn types_whose_digest_is_of_something_else() {
    for event_type in [
        EventType::EFI_BOOT_SERVICES_APPLICATION,
        EventType::EFI_BOOT_SERVICES_DRIVER,
        EventType::EFI_RUNTIME_SERVICES_DRIVER,
        EventType::EFI_PLATFORM_FIRMWARE_BLOB,
        EventType::EFI_PLATFORM_FIRMWARE_BLOB2,
        EventType::EFI_HCRTM_EVENT,
    ] {
        assert_eq!(check(4, event_type, b"image", b"path"), DataCheck::Unverifiable);
    }
    for event_type in [EventType::POST_CODE, EventType(0x40e), EventType::EFI_HANDOFF_TABLES] {
        assert_eq!(check(1, event_type, b"code", b"code"), MATCHES);
        assert_eq!(check(1, event_type, b"code", b"name"), DataCheck::Unverifiable);
    }
}

#[test]
fn separators() {
    let separator = EventType::SEPARATOR;
    let start = DataCheck::Matches(Convention::SeparatorStart);
    assert_eq!(check(0, separator, &[0; 4], &[0; 50]), start);
    assert_eq!(check(0, separator, &[0; 4], &[0; 3]), CONTRADICTS);
    let error = DataCheck::Matches(Convention::SeparatorError);
    assert_eq!(check(0, separator, &[1, 0, 0, 0], b"an error"), error);
    // An error separator that shows a normal one's data is a lie.
    assert_eq!(check(0, separator, &[1, 0, 0, 0], &[0; 4]), CONTRADICTS);
    assert_eq!(check(0, separator, &[0; 4], &[0xff; 4]), CONTRADICTS);
}

#[test]
fn boot_variables_are_measured_whole_or_by_value() {
    let data = variable(efi::Guid::GLOBAL_VARIABLE, "BootOrder", &[0, 0]);
    let boot = EventType::EFI_VARIABLE_BOOT;
    assert_eq!(check(1, boot, &[0, 0], &data), DataCheck::Matches(Convention::VariableValue));
    assert_eq!(check(1, boot, &data, &data), MATCHES);
    assert_eq!(check(1, boot, &[0, 1], &data), CONTRADICTS);
    // Secure Boot variables only whole: the name counts.
    let config = EventType::EFI_VARIABLE_DRIVER_CONFIG;
    assert_eq!(check(7, config, &[0, 0], &data), CONTRADICTS);
}

#[test]
fn texts_of_grub() {
    let line = |pcr, measured: &[u8], data: &[u8]| check(pcr, EventType::IPL, measured, data);
    let text = DataCheck::Matches(Convention::GrubText);
    assert_eq!(line(8, b"boot", b"grub_cmd: boot\0"), text);
    assert_eq!(line(8, b"boot", b"grub_cmd: boot"), text);
    assert_eq!(line(8, b"ro", b"kernel_cmdline: ro\0"), text);
    let with_nul = DataCheck::Matches(Convention::GrubTextWithNul);
    assert_eq!(line(8, b"boot\0", b"grub_cmd boot\0"), with_nul);
    assert_eq!(line(8, b"ro\0", b"grub_kernel_cmdline ro\0"), with_nul);
    assert_eq!(line(8, b"boot", b"grub_cmd: reboot\0"), CONTRADICTS);
    assert_eq!(line(8, b"boot", b"grub_cmds: boot\0"), DataCheck::Unverifiable);
    // A file: its name is not what was measured.
    assert_eq!(line(9, b"content", b"/grub.cfg\0"), DataCheck::Unverifiable);
    let one_more = DataCheck::Matches(Convention::DataAndNul);
    assert_eq!(line(8, b"r\0o\0", b"r\0o"), one_more);
}

#[test]
fn one_byte_behind_what_was_measured() {
    let but_last = DataCheck::Matches(Convention::DataButLastByte);
    let authority = EventType::EFI_VARIABLE_AUTHORITY;
    assert_eq!(check(7, authority, b"cert", b"cert?"), but_last);
    assert_eq!(check(7, authority, b"cert", b"cert??"), CONTRADICTS);
    let action = EventType::EFI_ACTION;
    assert_eq!(check(4, action, b"Calling", b"Calling\0"), but_last);
    assert_eq!(check(4, action, b"Calling", b"Calling!"), CONTRADICTS);
}

#[test]
fn tagged_events() {
    let tag = EventType::EVENT_TAG;
    let data = b"\x01\0\0\0\x03\0\0\0abc";
    assert_eq!(check(9, tag, data, data), MATCHES);
    assert_eq!(check(9, tag, b"abc", data), DataCheck::Matches(Convention::TaggedData));
    assert_eq!(check(9, tag, b"the initrd", data), DataCheck::Unverifiable);
}

#[test]
fn each_bank_that_counts_must_match() {
    let mut log = LogWriter::new(BANKS);
    let digests = log.measure(4, EventType::EFI_ACTION, b"text", b"text");
    let wrong = [digests[0], (TpmAlgId::SHA384, Digest::filled(7, 48).unwrap())];
    log.event(4, EventType::EFI_ACTION, &wrong, b"text");
    log.no_action(0, b"text");
    let bytes = log.finish();
    let log = parse(&bytes).log;
    let event = log.event(2).unwrap();
    assert_eq!(check_data(event, |_| true), CONTRADICTS);
    assert_eq!(check_data(event, |alg| alg == TpmAlgId::SHA256), MATCHES);
    assert_eq!(check_data(event, |_| false), DataCheck::Unverifiable);
    assert_eq!(check_data(log.event(3).unwrap(), |_| true), DataCheck::NotMeasured);
}

#[test]
fn nothing_of_a_sound_log_contradicts() {
    let log = BootLog::sound().option_rom().mok_kernel().startup_locality(3).error_separator(2);
    let built = log.build();
    let parsed = parse(&built.bytes);
    let checks: Vec<_> =
        parsed.log.events().iter().map(|event| check_data(event, |_| true)).collect();
    assert!(!checks.iter().any(|check| matches!(check, DataCheck::Contradicts(_))));
    let n_matches = checks.iter().filter(|c| matches!(c, DataCheck::Matches(_))).count();
    assert!(n_matches > 30, "{n_matches}");
    // And each event that matches contradicts once its data is changed.
    let entries = log.entries();
    for (i, entry) in entries.iter().enumerate() {
        let mut changed = entries.clone();
        let Entry { data, .. } = &mut changed[i];
        if let Some(last) = data.iter_mut().rev().find(|byte| **byte != 0) {
            *last ^= 0x20;
        }
        let built = log.build_from(&changed);
        let event = parse(&built.bytes).log.events()[i + 1];
        let check = check_data(&event, |_| true);
        if matches!(checks[i + 1], DataCheck::Matches(_)) && changed[i].data != entry.data {
            let is_error_text = entry.measured == [1, 0, 0, 0];
            assert_eq!(matches!(check, DataCheck::Contradicts(_)), !is_error_text, "{event:?}");
        }
    }
}
