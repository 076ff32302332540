//! The data of events: each structure read, shown and written back; over recorded logs too.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use event_log::untrusted::{EventData, SeparatorData, VariableValue};
use event_log::{EventType, Format, parse};

/// What could not be read of one log.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
struct UndecodedEvent {
    event_type: EventType,
    kind: &'static str,
}

/// Why the data of an event of `format` is not decoded, where it is not.
fn undecoded(event: &event_log::Event<'_>, format: Format<'_>) -> Option<UndecodedEvent> {
    let event_type = event.untrusted_event_type;
    let kind = match EventData::read(event, format) {
        EventData::Malformed { .. } => "malformed",
        EventData::Unknown(_) => "unknown type",
        EventData::Separator(SeparatorData::Other(_)) => "separator of no known value",
        EventData::Variable(variable) => match variable.value() {
            VariableValue::Malformed(_) => "malformed value",
            _ => return None,
        },
        _ => return None,
    };
    Some(UndecodedEvent { event_type, kind })
}

/// Each recorded log of the corpora, by the path below the root.
fn logs(root: &Path) -> BTreeMap<String, Vec<u8>> {
    let index = std::fs::read(root.join("machines/INDEX.json")).unwrap();
    let index: serde_json::Value = serde_json::from_slice(&index).unwrap();
    let machines = index
        .as_array()
        .unwrap()
        .iter()
        .filter(|record| !record["replay"].is_null() && record["duplicate_of"].is_null());
    let mut files: Vec<PathBuf> = machines
        .map(|record| root.join("machines").join(record["file"].as_str().unwrap()))
        .collect();
    for folder in ["keylime/eventlogs", "adversarial"] {
        files.extend(std::fs::read_dir(root.join(folder)).unwrap().map(|e| e.unwrap().path()));
    }
    for folder in ["boots", "bench"] {
        let cases = std::fs::read_dir(root.join(folder)).unwrap();
        files.extend(cases.map(|case| case.unwrap().path().join("eventlog.bin")));
    }
    let is_log = |path: &PathBuf| path.is_file() && path.extension().is_none_or(|e| e != "json");
    let name = |path: &Path| path.strip_prefix(root).unwrap().display().to_string();
    files.into_iter().filter(is_log).map(|p| (name(&p), std::fs::read(&p).unwrap())).collect()
}

#[test]
#[expect(clippy::print_stderr, reason = "the counts are told")]
fn data_of_recorded_events_is_read_and_written_back() {
    let Some(root) = testkit::corpus::root() else { return };
    let (mut n_events, mut kinds) = (0, BTreeMap::<_, usize>::new());
    let mut found = BTreeMap::<_, usize>::new();
    let logs = logs(&root);
    for (name, bytes) in &logs {
        let log = parse(bytes).log;
        for event in log.events() {
            n_events += 1;
            let data = EventData::read(event, log.format());
            assert_eq!(data.to_bytes(), event.untrusted_data, "{name} {event:?}");
            let shown = data.to_string();
            assert!(!shown.chars().any(char::is_control), "{name} {event:?}: {shown}");
            assert!(shown.chars().count() <= 1001, "{name} {event:?}: {shown}");
            *kinds.entry(data.kind()).or_default() += 1;
            if let Some(what) = undecoded(event, log.format()) {
                *found.entry((name.clone(), what)).or_default() += 1;
            }
        }
    }
    eprintln!("{} logs, {n_events} events: {kinds:?}", logs.len());
    for ((name, what), n) in &found {
        let UndecodedEvent { event_type, kind } = what;
        let known = NOT_DECODED.iter().find(|(file, known_type, known_kind, ..)| {
            name.ends_with(file) && known_type == event_type && known_kind == kind
        });
        let Some((.., expected, why)) = known else { panic!("{name}: {n} {event_type} {kind}") };
        assert_eq!(n, expected, "{name}: {event_type} {kind}");
        eprintln!("not decoded: {n} {event_type} {kind}: {why}");
    }
    assert_eq!(found.len(), NOT_DECODED.len(), "each exception is met");
    assert!(logs.len() >= 170 && n_events >= 10_000, "{} logs, {n_events} events", logs.len());
}

/// Events whose data is not what their type says: file, type, how, how many, why.
const NOT_DECODED: [(&str, EventType, &str, usize, &str); 9] = [
    (
        "s-extra-driver/eventlog.bin",
        EventType::EFI_BOOT_SERVICES_DRIVER,
        "malformed",
        1,
        "made for a test: a text instead of an image",
    ),
    (
        "t-log-extra-event/eventlog.bin",
        EventType::EFI_BOOT_SERVICES_APPLICATION,
        "malformed",
        1,
        "made for a test: a text instead of an image",
    ),
    (
        "rust-keylime-uefi_log.bin",
        EventType(0x8401),
        "unknown type",
        1,
        "a type of the vendor, with one byte",
    ),
    (
        "attest/testdata/option_rom_eventlog",
        EventType::NO_ACTION,
        "malformed",
        1,
        "the trailer of Windows was cut: its container is longer than the event",
    ),
    (
        "ccel/CCEL_unpadded.data.bin",
        EventType::EVENT_TAG,
        "malformed",
        1,
        "an old EFI stub logs the text of its event without number and size",
    ),
    (
        "testdata/binary_bios_measurements_27",
        EventType::SEPARATOR,
        "separator of no known value",
        8,
        "a BIOS before TPM 2.0 logs one byte of the separator",
    ),
    (
        "testdata/binary_bios_measurements_27",
        EventType::S_CRTM_CONTENTS,
        "malformed",
        2,
        "a BIOS before TPM 2.0 logs a structure of its own",
    ),
    (
        "eventlog/uefi_event_log_invalid.bin",
        EventType::EFI_VARIABLE_BOOT,
        "malformed",
        1,
        "altered for a test: its lengths are text",
    ),
    (
        "acs/tpm2bios.log",
        EventType::ACTION,
        "malformed",
        8,
        "OpenPOWER firmware logs its separators as actions",
    ),
];
