//! The separators of PCR 0 to 7: each problem, and the log that just does not have it.

use crate::common::claims_of;
use boot_claims::{LookAlikeKind, SeparatorProblem, SeparatorProblemKind};
use efi::Guid;
use event_log::{EventType, SeparatorValue};
use testkit::log::{BootLog, Entry, variable};

fn problems(log: &BootLog, entries: &[Entry]) -> Vec<SeparatorProblem> {
    claims_of(&log.build_from(entries), |claims| claims.separator_problems.clone())
}

fn separator_of(entries: &[Entry], pcr_index: u32) -> usize {
    let is = |e: &Entry| e.event_type == EventType::SEPARATOR && e.pcr_index == pcr_index;
    entries.iter().position(is).unwrap()
}

#[test]
fn zeros_and_ones_are_sound() {
    let log = BootLog::sound().separator_value(2, [0xff; 4]);
    claims_of(&log.build(), |claims| {
        assert_eq!(claims.separator_problems, []);
        let separators: Vec<_> = claims.separators.iter().map(|s| s.unwrap()).collect();
        assert!((0..8).eq(separators.iter().map(|s| s.pcr_index)));
        assert_eq!(separators[2].value, SeparatorValue::Ones);
        assert_eq!(separators[3].value, SeparatorValue::Zero);
        assert_eq!(separators[3].event, separators[2].event + 1);
    });
}

#[test]
fn an_early_separator_of_pcr_7_is_sound() {
    let log = BootLog::sound();
    let mut entries = log.entries();
    let separator = entries.remove(separator_of(&entries, 7));
    let dbx = entries.iter().rposition(|e| e.event_type == EventType::EFI_VARIABLE_DRIVER_CONFIG);
    entries.insert(dbx.unwrap() + 1, separator);
    assert_eq!(problems(&log, &entries), []);
}

#[test]
fn each_pcr_needs_its_own() {
    for pcr_index in 0..8 {
        let log = BootLog::sound().without_separator(pcr_index);
        let pcr_index = u32::try_from(pcr_index).unwrap();
        let missing = SeparatorProblem { pcr_index, kind: SeparatorProblemKind::Missing };
        assert_eq!(problems(&log, &log.entries()), [missing]);
    }
}

#[test]
fn an_error_separator_is_a_problem() {
    let log = BootLog::sound().error_separator(4);
    claims_of(&log.build(), |claims| {
        let event = claims.separators[4].unwrap().event;
        let kind = SeparatorProblemKind::Error { event };
        assert_eq!(claims.separator_problems, [SeparatorProblem { pcr_index: 4, kind }]);
        assert_eq!(claims.contradicted, []);
    });
}

#[test]
fn a_second_one_is_a_problem_in_pcr_0_to_7_only() {
    let log = BootLog::sound();
    for pcr_index in [0, 7, 8, 12] {
        let mut entries = log.entries();
        entries.push(Entry::of_data(pcr_index, EventType::SEPARATOR, &[0; 4]));
        let event = u32::try_from(entries.len()).unwrap();
        let kind = SeparatorProblemKind::Repeated { event };
        let expected = [SeparatorProblem { pcr_index, kind }];
        let is_firmwares = usize::from(pcr_index < 8);
        assert_eq!(problems(&log, &entries), expected[..is_firmwares]);
    }
}

#[test]
fn a_renamed_one_is_a_problem() {
    let log = BootLog::sound();
    let mut entries = log.entries();
    let at = separator_of(&entries, 5);
    entries[at].event_type = EventType::EFI_ACTION;
    entries[at].data = b"Calling EFI Application from Boot Option".to_vec();
    claims_of(&log.build_from(&entries), |claims| {
        let event = u32::try_from(at + 1).unwrap();
        let kind = SeparatorProblemKind::Retyped { event };
        assert_eq!(claims.separator_problems, [SeparatorProblem { pcr_index: 5, kind }]);
        assert_eq!(claims.lookalikes[0].kind, LookAlikeKind::Separator);
        assert_eq!(claims.lookalikes[0].event, event);
    });
}

#[test]
fn another_digest_is_none() {
    let log = BootLog::sound();
    let mut entries = log.entries();
    let at = separator_of(&entries, 5);
    // The digest over two values, as a hasher that was not reset would make it.
    entries[at].measured = vec![0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff];
    let event = u32::try_from(at + 1).unwrap();
    let [digest, missing] = [SeparatorProblemKind::Digest { event }, SeparatorProblemKind::Missing];
    let expected = [digest, missing].map(|kind| SeparatorProblem { pcr_index: 5, kind });
    assert_eq!(problems(&log, &entries), expected);
}

#[test]
fn problems_read_as_sentences() {
    let log = BootLog::sound().without_separator(7);
    assert_eq!(problems(&log, &log.entries())[0].to_string(), "PCR 7: no separator");
}

/// Firmware that measures the order of its boot entries without the name of that variable: entry 1, then
/// entry 0 are the bytes of an error separator.
#[test]
fn an_order_of_boot_entries_is_no_separator() {
    let log = BootLog::sound();
    let problems = |change: &dyn Fn(&mut Vec<Entry>)| {
        let mut entries = log.entries();
        change(&mut entries);
        claims_of(&log.build_from(&entries), |claims| {
            (claims.separator_problems.clone(), claims.lookalikes.len())
        })
    };
    let order = |name: &str, value: &[u8]| {
        let data = variable(Guid::GLOBAL_VARIABLE, name, value);
        Entry::of(1, EventType::EFI_VARIABLE_BOOT, value, &data)
    };
    let with = |entry: Entry| move |entries: &mut Vec<Entry>| entries.insert(0, entry.clone());
    assert_eq!(problems(&with(order("BootOrder", &[1, 0, 0, 0]))), (Vec::new(), 0));
    // Under another name, or in another PCR, it is one; and without another there is none.
    assert_ne!(problems(&with(order("Boot0000", &[1, 0, 0, 0]))).0, []);
    let elsewhere = Entry { pcr_index: 4, ..order("BootOrder", &[1, 0, 0, 0]) };
    assert_ne!(problems(&with(elsewhere)).0, []);
    let (told, _) = problems(&|entries| {
        entries.retain(|entry| entry.event_type != EventType::SEPARATOR || entry.pcr_index != 1);
        entries.insert(0, order("BootOrder", &[1, 0, 0, 0]));
    });
    assert_eq!(told, [SeparatorProblem { pcr_index: 1, kind: SeparatorProblemKind::Missing }]);
}
