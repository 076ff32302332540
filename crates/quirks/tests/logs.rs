//! Each row about logs: a log that has it, and the nearest sound one that has not.

use event_log::{ComparedLog, EventType, Rules, UnloggedExits, parse, read_and_compare, replay};
use quirks::{Quirk, Seen, in_log};
use testkit::log::{BootLog, BuiltLog, Entry};
use tpm_wire::{PcrBank, TpmAlgId};

/// The quirks of `bytes` beside `quoted`.
fn seen(bytes: &[u8], quoted: &[PcrBank]) -> Vec<Seen> {
    let compared: ComparedLog<'_> = read_and_compare(bytes, quoted, &Rules::default(), &[]);
    assert!(compared.problems.is_empty(), "{:?}", compared.problems);
    in_log(&compared)
}

/// Those of a log beside the PCRs of a TPM that was extended with it.
fn quirks(log: &BuiltLog) -> Vec<Quirk> {
    seen(&log.bytes, &log.pcrs).iter().map(|seen| seen.quirk).collect()
}

/// Those of bytes beside the PCRs that they replay to.
fn quirks_of(bytes: &[u8]) -> Vec<Quirk> {
    let log = parse(bytes).log;
    let replay = replay(&log, log.algorithms());
    let quoted: Vec<_> = replay.banks().cloned().collect();
    seen(bytes, &quoted).iter().map(|seen| seen.quirk).collect()
}

/// The sound boot with its first event of `event_type` changed.
fn with(event_type: EventType, change: impl Fn(&mut Entry)) -> BuiltLog {
    let sound = BootLog::sound();
    let mut entries = sound.entries();
    change(entries.iter_mut().find(|entry| entry.event_type == event_type).unwrap());
    sound.build_from(&entries)
}

#[test]
fn a_sound_boot_has_none() {
    assert_eq!(quirks(&BootLog::sound().build()), []);
    assert_eq!(quirks(&BootLog::sound().startup_locality(3).build()), []);
    assert_eq!(quirks(&BootLog::sound().h_crtm().build()), []);
    assert_eq!(quirks(&BootLog::sound().error_separator(3).build()), []);
    assert_eq!(quirks(&BootLog::sound().mok_kernel().option_rom().build()), []);
}

#[test]
fn bytes_behind_a_separator_or_a_locality_are_slots_of_fixed_size() {
    let slots = |n| {
        let sound = BootLog::sound();
        let mut entries = sound.entries();
        let separators = entries.iter_mut().filter(|e| e.event_type == EventType::SEPARATOR);
        separators.take(n).for_each(|entry| entry.data.resize(50, 0));
        let log = sound.build_from(&entries);
        seen(&log.bytes, &log.pcrs)
    };
    let of_two = slots(2);
    let [two] = of_two[..] else { panic!("{of_two:?}") };
    assert_eq!((two.quirk, two.n_events), (Quirk::SeparatorFixedSlot, 2));
    assert_eq!(two.pcr_index, Some(0));
    assert_eq!(slots(0), []);

    let locality = |n_behind: usize| {
        let sound = BootLog::sound().startup_locality(3);
        let mut entries = sound.entries();
        entries[0].data.extend(vec![0; n_behind]);
        quirks(&sound.build_from(&entries))
    };
    assert_eq!(locality(33), [Quirk::StartupLocalityPadded]);
    assert_eq!(locality(1), [Quirk::StartupLocalityPadded]);
    assert_eq!(locality(0), []);
}

#[test]
fn a_separator_that_the_quote_does_not_stand_for_has_no_quirk() {
    let log = with(EventType::SEPARATOR, |entry| entry.data.resize(50, 0));
    let mut pcrs = log.pcrs.clone();
    let other = *log.pcrs[0].get(1).unwrap();
    assert!(pcrs[0].set(0, other));
    assert_eq!(seen(&log.bytes, &pcrs), [], "PCR 0 differs");
    assert_eq!(quirks(&log), [Quirk::SeparatorFixedSlot]);
}

/// A sound boot beside a TPM in which PCR 5 ends as `measured` says, and whose log has of that `logged`: what is seen,
/// and whether PCR 5 is as it should be.
fn left(measured: &[&str], logged: &[&str], unlogged_exits: UnloggedExits) -> (Vec<Seen>, bool) {
    let sound = BootLog::sound();
    let ending = |texts: &[&str]| {
        let mut entries = sound.entries();
        let n = entries.len() - 2;
        assert!(entries[n..].iter().all(|entry| entry.pcr_index == 5));
        entries.truncate(n);
        let action = |text: &&str| Entry::of_data(5, EventType::EFI_ACTION, text.as_bytes());
        entries.extend(texts.iter().map(action));
        sound.build_from(&entries)
    };
    let (bytes, pcrs) = (ending(logged).bytes, ending(measured).pcrs);
    let rules = Rules { unlogged_exits, ..Rules::default() };
    let compared = read_and_compare(&bytes, &pcrs, &rules, &[]);
    (in_log(&compared), compared.mismatches.is_empty() && compared.replayed().pcrs().contains(5))
}

#[test]
fn boot_services_that_ended_behind_the_log() {
    const CALL: &str = "Exit Boot Services Invocation";
    const FAILURE: &str = "Exit Boot Services Returned with Failure";
    const SUCCESS: &str = "Exit Boot Services Returned with Success";
    let courses: [&[&str]; 4] = [
        &[CALL],
        &[CALL, SUCCESS],
        &[CALL, FAILURE, CALL, SUCCESS],
        &[CALL, FAILURE, CALL, FAILURE, CALL, SUCCESS],
    ];
    for measured in courses {
        for may in [UnloggedExits::Permitted, UnloggedExits::Refused] {
            assert_eq!(left(measured, measured, may), (vec![], true), "all is logged");
            for logged in [&[][..], &measured[..1], &measured[1..], &measured[measured.len() - 1..]]
            {
                if logged.len() == measured.len() {
                    continue;
                }
                let (seen, replays) = left(measured, logged, may);
                let [one] = seen[..] else { panic!("{measured:?} {logged:?}: {seen:?}") };
                assert_eq!(replays, may == UnloggedExits::Permitted, "{measured:?} {logged:?}");
                assert_eq!((one.quirk, one.pcr_index), (Quirk::ExitNotLogged, Some(5)));
                assert_eq!(one.n_events as usize, measured.len() - logged.len());
                assert_eq!(one.is_permitted, replays);
            }
        }
    }
    // What did not take place does not become true by being logged, nor does anything else become an end of boot
    // services.
    let refused: [(&[&str], &[&str]); 6] = [
        (&[], &[CALL, SUCCESS]),
        (&[CALL], &[CALL, SUCCESS]),
        (&[CALL, SUCCESS], &[SUCCESS, CALL]),
        (&[SUCCESS], &[]),
        (&[CALL, FAILURE], &[]),
        (&[CALL, SUCCESS, "UEFI Debug Mode"], &[]),
    ];
    for (measured, logged) in refused {
        let found = left(measured, logged, UnloggedExits::Permitted);
        assert_eq!(found, (vec![], false), "{measured:?} {logged:?}");
    }
}

#[test]
fn an_h_crtm_that_no_event_announces() {
    let sound = BootLog::sound().h_crtm();
    let mut entries = sound.entries();
    assert_eq!(entries[0].event_type, EventType::NO_ACTION);
    entries.remove(0);
    assert_eq!(quirks(&sound.build_from(&entries)), [Quirk::HCrtmWithoutLocality]);
    assert_eq!(quirks(&sound.build()), []);
    // Of a wrong locality nothing is heeded, so nothing announces it either.
    let mut wrong = sound.entries();
    wrong[0].data[16] = 7;
    assert_eq!(quirks(&sound.build_from(&wrong)), [Quirk::HCrtmWithoutLocality]);
}

/// A log of the old format.
fn old(events: &[(EventType, &[u8])]) -> Vec<u8> {
    let mut log = Vec::new();
    for (event_type, data) in events {
        let digest = match *event_type {
            EventType::NO_ACTION => vec![0; 20],
            _ => event_log::hash(TpmAlgId::SHA1, &[data]).unwrap().as_bytes().to_vec(),
        };
        log.extend(0u32.to_le_bytes());
        log.extend(event_type.0.to_le_bytes());
        log.extend(digest);
        log.extend(u32::try_from(data.len()).unwrap().to_le_bytes());
        log.extend(*data);
    }
    log
}

#[test]
fn logs_of_the_old_format() {
    let version: (EventType, &[u8]) = (EventType::S_CRTM_VERSION, b"1\0.\x007\0.\x004\0\0\0");
    let locality: (EventType, &[u8]) = (EventType::NO_ACTION, b"StartupLocality\0\x03");
    assert_eq!(quirks_of(&old(&[locality, version])), [Quirk::StartupLocalityInOldLog]);
    assert_eq!(quirks_of(&old(&[version])), [Quirk::OldLogWithoutHeader]);
    let header: (EventType, &[u8]) = (EventType::NO_ACTION, b"a header");
    assert_eq!(quirks_of(&old(&[header, version])), []);
    // An event that the replay does not heed is no quirk.
    assert_eq!(quirks_of(&old(&[header, version, locality])), []);
    assert_eq!(quirks_of(&old(&[header, (EventType::NO_ACTION, b"StartupLocality\0\x02")])), []);
}

#[test]
fn what_loaders_log_of_what_they_measure() {
    let byte_more = with(EventType::EFI_VARIABLE_AUTHORITY, |entry| entry.data.push(0));
    assert_eq!(quirks(&byte_more), [Quirk::ShimAuthorityByte]);

    let line = |measured: &[u8]| {
        let sound = BootLog::sound();
        let mut entries = sound.entries();
        entries.push(Entry::of(8, EventType::IPL, measured, b"root=/dev/sda1"));
        quirks(&sound.build_from(&entries))
    };
    assert_eq!(line(b"root=/dev/sda1\0"), [Quirk::SystemdBootLineNul]);
    assert_eq!(line(b"root=/dev/sda1"), []);
    assert_eq!(line(b"root=/dev/sda2\0"), [], "another text");
}

#[test]
fn codes_and_events_of_no_pcr_are_listed() {
    let with = |entry: Entry| {
        let sound = BootLog::sound();
        let mut entries = sound.entries();
        entries.push(entry);
        let log = sound.build_from(&entries);
        seen(&log.bytes, &log.pcrs)
    };
    let code = |data: &[u8]| Entry::of(0, EventType::POST_CODE, b"code", data);
    let quirk = |seen: &[Seen]| seen.iter().map(|seen| seen.quirk).collect::<Vec<_>>();
    let place = [0x00, 0x00, 0xff, 0xff, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0];
    assert_eq!(quirk(&with(code(&place))), [Quirk::PostCodeStructure]);
    assert_eq!(quirk(&with(code(b"ACPI DATA"))), [Quirk::PostCodeText]);
    assert_eq!(quirk(&with(code(&[0xff; 17]))), [], "neither");
    let trailer = with(Entry::of(u32::MAX, EventType::NO_ACTION, &[], b"\x01\0\x01\x40"));
    assert_eq!(quirk(&trailer), [Quirk::EventsOfNoPcr]);
    assert_eq!(trailer[0].pcr_index, None);
    assert_eq!(quirk(&with(Entry::of(4, EventType::NO_ACTION, &[], b"\x01\0\x01\x40"))), []);
}

#[test]
fn what_explains_a_replay_needs_something_to_explain() {
    let sound = BootLog::sound().build();
    // The last three events again, extended once.
    let parsed = parse(&sound.bytes);
    let n = parsed.log.events().len();
    let tail = parsed.log.events()[n - 3].offset;
    let twice = [&sound.bytes[..], &sound.bytes[tail..]].concat();
    let found = seen(&twice, &sound.pcrs);
    let [tail] = found[..] else { panic!("{found:?}") };
    assert_eq!((tail.quirk, tail.n_events), (Quirk::FinalEventsTwice, 3));
    assert_eq!(usize::try_from(tail.first_event).unwrap(), n);
    assert_eq!(quirks_of(&twice), [], "extended twice, too");
    let once = [&sound.bytes[..], &sound.bytes[parsed.log.events()[n - 1].offset..]].concat();
    assert_eq!(seen(&once, &sound.pcrs), [], "one event alone is no table");

    let mut entries = BootLog::sound().entries();
    let version = entries.iter().position(|e| e.event_type == EventType::S_CRTM_VERSION).unwrap();
    entries.insert(version, entries[version].clone());
    let two = BootLog::sound().build_from(&entries);
    let explained: Vec<_> = seen(&two.bytes, &sound.pcrs).iter().map(|s| s.quirk).collect();
    assert_eq!(explained, [Quirk::TwoCrtmVersions]);
    assert_eq!(quirks(&two), [], "a PCR 0 that replays");
}

/// Recorded logs have the quirks that the table says of them, and no others.
#[test]
fn recorded_logs_have_what_their_makers_are_known_for() {
    let Some(root) = testkit::corpus::folder("machines") else { return };
    let extracts = root.join("immune-gmbh+guard-oss/evidence-extract");
    let of = |machine: &str| {
        let bytes = std::fs::read(extracts.join(machine).join("eventlog.bin")).unwrap();
        quirks_of(&bytes)
    };
    assert_eq!(of("IMN-DELL"), [Quirk::StartupLocalityInOldLog, Quirk::EventsOfNoPcr]);
    assert_eq!(of("r340"), [Quirk::EventsOfNoPcr]);
    assert_eq!(of("h12ssl"), [Quirk::PostCodeStructure]);
    assert_eq!(of("ludmilla"), [Quirk::PostCodeText]);
    assert_eq!(of("latitude-7520"), [Quirk::PostCodeStructure]);
    assert_eq!(of("dl160-fwupd-report"), [Quirk::PostCodeText]);
    let attested = root.join("google+go-attestation/attest/testdata/ebs_event_missing_eventlog");
    let old = std::fs::read(attested).unwrap();
    assert_eq!(quirks_of(&old), [Quirk::OldLogWithoutHeader, Quirk::PostCodeText]);
}
