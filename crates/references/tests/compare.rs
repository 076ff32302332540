//! What changed, in words; and that no change passes.

use event_log::{EventType, LogWriter, Rules as ReplayRules, compare, encode, parse, replay};
use references::{
    Applied, Baseline, Boot, ChangeKind, Comparison, Content, ContentFault, Expected,
    ExpectedImage, ExpectedValue, Hint, IgnoreRule, Mode, Origin, Rules, Scope, State, Told, What,
};
use testkit::log::{BootLog, Entry};
use tpm_wire::{Digest, PcrBank, PcrSet, TpmAlgId};
use verify::UnixTime;

const NOW: UnixTime = UnixTime(1_800_000_000);

/// What `each` makes of `log`, whose PCRs are what it replays to.
fn with_boot<T>(log: &[u8], each: impl FnOnce(&Boot<'_, '_>) -> T) -> T {
    let parsed = parse(log);
    assert_eq!(parsed.problems, [], "the log is whole");
    let banks: Vec<_> = parsed.log.algorithms().filter(|alg| alg.is_strong_hash()).collect();
    let replayed = replay(&parsed.log, banks.iter().copied());
    let quoted: Vec<PcrBank> = replayed.banks().cloned().collect();
    let comparison = compare(&parsed.log, &replayed, &quoted, &ReplayRules::default());
    assert_eq!(comparison.mismatches, []);
    let told: Vec<(TpmAlgId, PcrSet)> = banks
        .iter()
        .map(|alg| {
            let has = |pcr: &u32| comparison.replayed.banks_of(*pcr).any(|bank| bank == *alg);
            (*alg, (0..24).filter(has).collect())
        })
        .collect();
    each(&Boot { log: &parsed.log, replayed: &told, quoted: &quoted })
}

fn learnt(log: &[u8]) -> Baseline {
    with_boot(log, |boot| Baseline::learn(boot).unwrap())
}

fn compared(baseline: &Baseline, log: &[u8]) -> Comparison {
    compared_under(baseline, log, &Rules::default())
}

fn compared_under(baseline: &Baseline, log: &[u8], rules: &Rules) -> Comparison {
    with_boot(log, |boot| {
        let comparison = baseline.compare(boot, rules, NOW);
        // The quick pass and the one that explains must never disagree.
        let quick = baseline.agrees(boot, rules.pcrs).is_match();
        assert_eq!(quick, comparison.is_match() && comparison.ignored.is_empty());
        comparison
    })
}

fn words(comparison: &Comparison) -> Vec<String> {
    let changes = comparison.changes.iter();
    changes.map(|change| format!("{} (PCR {})", change.words, change.pcrs)).collect()
}

fn bytes(log: &BootLog) -> Vec<u8> {
    log.build().bytes
}

#[test]
fn an_unchanged_boot_fits() {
    let log = bytes(&BootLog::sound());
    let comparison = compared(&learnt(&log), &log);
    assert!(comparison.is_match());
    assert_eq!((comparison.changes, comparison.varied, comparison.n_more), (vec![], vec![], 0));
    let held = Rules::default().pcrs;
    assert_eq!(comparison.agreement.equal, held);
}

#[test]
fn an_update_of_the_kernel_is_one_change_in_words() {
    let sound = BootLog::sound().mok_kernel();
    let before = bytes(&sound.clone().kernel("6.1.0-55-amd64"));
    let after = bytes(&sound.kernel("6.1.0-56-amd64"));
    let comparison = compared(&learnt(&before), &after);
    let words = words(&comparison);
    let start = "kernel: 6.1.0-55-amd64 -> 6.1.0-56-amd64, same signers (PCR ";
    assert!(words.iter().any(|words| words.starts_with(start)), "{words:#?}");
    assert!(!comparison.is_match());
}

#[test]
fn another_command_line_is_told_by_its_words() {
    let before = bytes(&BootLog::sound().kernel_cmdline("ro quiet"));
    let after = bytes(&BootLog::sound().kernel_cmdline("ro init=/bin/sh"));
    let words = words(&compared(&learnt(&before), &after));
    let line = "kernel command line changed: - quiet, + init=/bin/sh (PCR 8)";
    assert!(words.iter().any(|words| words == line), "{words:#?}");
}

#[test]
fn another_firmware_is_told_by_its_version() {
    let before = bytes(&BootLog::sound().firmware("1.2.3"));
    let after = bytes(&BootLog::sound().firmware("1.3.0"));
    let words = words(&compared(&learnt(&before), &after));
    assert!(
        words.iter().any(|w| w.contains("1.2.3 -> 1.3.0") && w.ends_with("(PCR 0)")),
        "{words:#?}"
    );
}

#[test]
fn a_longer_list_of_what_may_not_run_is_told_by_its_length() {
    let before = bytes(&BootLog::sound().dbx_hashes(371));
    let after = bytes(&BootLog::sound().dbx_hashes(443));
    let words = words(&compared(&learnt(&before), &after));
    let [one] = &words[..] else { panic!("{words:#?}") };
    assert!(one.contains("dbx") && one.contains("371") && one.contains("443"), "{one}");
}

#[test]
fn what_varies_from_boot_to_boot_is_shown_and_not_held() {
    let sound = BootLog::sound();
    let mut entries = sound.entries();
    let setting = Entry::of_data(1, EventType::PLATFORM_CONFIG_FLAGS, b"power on by button");
    entries.insert(1, setting);
    let before = sound.build_from(&entries).bytes;
    entries[1] = Entry::of_data(1, EventType::PLATFORM_CONFIG_FLAGS, b"power on by network");
    let after = sound.build_from(&entries).bytes;
    let comparison = compared(&learnt(&before), &after);
    assert!(comparison.is_match());
    let [change] = &comparison.varied[..] else { panic!("{:#?}", comparison.varied) };
    assert_eq!(change.pcrs, PcrSet::EMPTY.with(1));
    // Who holds the PCR to be equal is told.
    let strict = Rules { pcrs: PcrSet::FIRMWARE, ..Rules::default() };
    assert!(!compared_under(&learnt(&before), &after, &strict).is_match());
}

#[test]
fn something_that_is_measured_into_an_unused_pcr_is_a_change() {
    let sound = BootLog::sound();
    let mut entries = sound.entries();
    let before = sound.build_from(&entries).bytes;
    entries.push(Entry::of_data(12, EventType::IPL, b"c\0r\0e\0d\0\0\0"));
    let after = sound.build_from(&entries).bytes;
    let comparison = compared(&learnt(&before), &after);
    let [change] = &comparison.changes[..] else { panic!("{:#?}", comparison.changes) };
    assert_eq!((change.kind, change.pcrs), (ChangeKind::Added, PcrSet::EMPTY.with(12)));
    // And it is missing the other way round.
    let comparison = compared(&learnt(&after), &before);
    assert_eq!(comparison.changes[0].kind, ChangeKind::Removed);
}

/// Each event of the held PCRs dropped, doubled, moved behind the next of its PCR, and retyped,
/// quoted as it then replays: never what the baseline expects.
#[test]
fn no_change_of_an_event_passes() {
    let log = bytes(&BootLog::sound().mok_kernel().option_rom());
    let baseline = learnt(&log);
    let held = Rules::default().pcrs;
    let parsed = parse(&log);
    let events = parsed.log.events();
    let mut n = 0;
    for (at, event) in events.iter().enumerate() {
        if !event.is_extended() || !held.contains(event.pcr_index) {
            continue;
        }
        let next = events.iter().enumerate().skip(at + 1).find(|(_, next)| {
            next.pcr_index == event.pcr_index && next.is_extended() && next.digests != event.digests
        });
        let mut dropped: Vec<usize> = (0..events.len()).collect();
        dropped.remove(at);
        let mut doubled: Vec<usize> = (0..events.len()).collect();
        doubled.insert(at, at);
        let mut changed = vec![(dropped, None), (doubled, None)];
        if let Some((next, _)) = next {
            let mut moved: Vec<usize> = (0..events.len()).collect();
            let place = moved.remove(at);
            moved.insert(next, place);
            changed.push((moved, None));
        }
        let all = EventType::KNOWN.iter().filter(|t| **t != event.untrusted_event_type);
        // Without a type that is measured nothing is extended, so that the event is dropped.
        let retyped = all.filter(|t| **t != EventType::NO_ACTION);
        changed.extend(retyped.map(|t| ((0..events.len()).collect(), Some((at, *t)))));
        for (order, retype) in changed {
            let mut writer = LogWriter::new(parsed.log.algorithms());
            for place in order.iter().skip(1) {
                let event = &events[*place];
                let event_type = match retype {
                    Some((at, event_type)) if at == *place => event_type,
                    _ => event.untrusted_event_type,
                };
                let digests: Vec<_> = event
                    .digests
                    .iter()
                    .map(|(alg, digest)| (alg, Digest::new(digest).unwrap()))
                    .collect();
                match event_type {
                    EventType::NO_ACTION => writer.no_action(event.pcr_index, event.untrusted_data),
                    _ => writer.event(event.pcr_index, event_type, &digests, event.untrusted_data),
                }
            }
            let comparison = compared(&baseline, &writer.finish());
            assert!(!comparison.is_match(), "{event:?} {order:?} {retype:?}");
            assert!(!comparison.changes.is_empty());
            n += 1;
        }
    }
    assert!(n > 500, "{n}");
    assert_eq!(encode(&parsed.log), log);
}

#[test]
fn a_rule_sets_aside_what_was_measured_and_nothing_else() {
    let sound = BootLog::sound();
    let line = |text: &str| {
        let data = format!("grub_cmd: {text}\0");
        Entry::of(8, EventType::IPL, text.as_bytes(), data.as_bytes())
    };
    let with = |entry: Entry| {
        let mut entries = sound.entries();
        let at = entries.iter().rposition(|entry| entry.pcr_index == 8).unwrap();
        entries.insert(at, entry);
        sound.build_from(&entries).bytes
    };
    let baseline = learnt(&with(line("set timeout=5")));
    let rule = IgnoreRule {
        pcr_index: 8,
        subject: "set timeout=*".to_owned(),
        reason: "racks".to_owned(),
        expires: UnixTime(NOW.0 + 1),
        until: "tomorrow".to_owned(),
    };
    let rules = Rules { ignore: vec![rule.clone()], ..Rules::default() };
    let changed = with(line("set timeout=9"));
    let comparison = compared_under(&baseline, &changed, &rules);
    assert!(comparison.is_match() && comparison.ignored.len() == 1, "{comparison:#?}");
    assert!(!compared(&baseline, &changed).is_match());
    // Over.
    let over = IgnoreRule { expires: NOW, ..rule };
    let over = Rules { ignore: vec![over], ..Rules::default() };
    assert!(!compared_under(&baseline, &changed, &over).is_match());
    // The text is beside another digest: then it is only the host's word.
    let feigned = Entry::of(8, EventType::IPL, b"insmod evil", b"grub_cmd: set timeout=9\0");
    assert!(!compared_under(&baseline, &with(feigned), &rules).is_match());
    // Another command in its place.
    assert!(!compared_under(&baseline, &with(line("insmod evil")), &rules).is_match());
}

fn hint(what: What) -> Hint {
    let (subject, text) = (String::new(), String::new());
    Hint { what, subject, text, names: Vec::new(), told: Told::Untrusted }
}

fn empty() -> Content {
    Content {
        origin: Origin::Computed,
        manifest: None,
        complete: PcrSet::EMPTY,
        events: Vec::new(),
        values: Vec::new(),
        images: Vec::new(),
    }
}

#[test]
fn a_value_stands_for_a_pcr_without_its_events() {
    let log = bytes(&BootLog::sound());
    let alg = TpmAlgId::SHA256;
    let quoted = with_boot(&log, |boot| *boot.quoted[0].get(0).unwrap());
    let of = |any_of: Vec<Digest>| {
        let values = vec![ExpectedValue { pcr_index: 0, alg, any_of }];
        Baseline::new(Content { values, ..empty() }).unwrap()
    };
    let other = Digest::filled(3, 32).unwrap();
    assert!(compared(&of(vec![other, quoted]), &log).is_match());
    let comparison = compared(&of(vec![other]), &log);
    assert_eq!(comparison.changes[0].kind, ChangeKind::Value);
}

#[test]
fn images_that_may_be_loaded_are_told_from_others() {
    let log = bytes(&BootLog::sound());
    let images = |skip: usize| -> Vec<ExpectedImage> {
        let parsed = parse(&log);
        let events = parsed.log.events().iter();
        let of_type = events
            .filter(|event| event.untrusted_event_type == EventType::EFI_BOOT_SERVICES_APPLICATION);
        let digests = of_type.skip(skip).map(|event| {
            let digest = event.digests.of(TpmAlgId::SHA256).unwrap();
            vec![(TpmAlgId::SHA256, Digest::new(digest).unwrap())]
        });
        digests.map(|digests| ExpectedImage { digests, hint: hint(What::Application) }).collect()
    };
    let of = |images| Baseline::new(Content { images, ..empty() }).unwrap();
    assert!(compared(&of(images(0)), &log).is_match());
    let comparison = compared(&of(images(1)), &log);
    assert_eq!(comparison.changes[0].kind, ChangeKind::Added, "{comparison:#?}");
    let foreign = vec![(TpmAlgId::SHA256, Digest::filled(9, 32).unwrap())];
    let foreign = ExpectedImage { digests: foreign, hint: hint(What::Application) };
    assert!(!compared(&of(vec![foreign]), &log).is_match());
}

#[test]
fn nothing_compared_is_no_agreement() {
    let log = bytes(&BootLog::sound());
    let baseline = learnt(&log);
    with_boot(&log, |boot| {
        // Held PCRs of which the baseline says nothing.
        let none = baseline.compare(boot, &Rules { pcrs: PcrSet::EMPTY, ..Rules::default() }, NOW);
        assert!(!none.is_match());
        // Nothing of the log is proved.
        let unproved = Boot { replayed: &[], quoted: &[], ..*boot };
        let comparison = baseline.compare(&unproved, &Rules::default(), NOW);
        assert!(!comparison.is_match());
        assert_eq!(comparison.agreement.equal, PcrSet::EMPTY);
        assert!(matches!(Baseline::learn(&unproved), Err(ContentFault::Empty)));
    });
    // Another bank than the one that was learnt.
    let other = bytes(&BootLog::sound().banks(&[TpmAlgId::SHA384]));
    let comparison = compared(&baseline, &other);
    assert!(!comparison.is_match());
    assert!(comparison.changes.iter().any(|change| change.kind == ChangeKind::Incomparable));
}

#[test]
fn content_that_does_not_hold_together_is_refused() {
    let event = Expected {
        pcr_index: 4,
        event_type: EventType::SEPARATOR,
        digests: vec![(TpmAlgId::SHA256, Digest::filled(1, 32).unwrap())],
        hint: hint(What::Separator),
    };
    let complete = PcrSet::EMPTY.with(4);
    let content = |event: Expected| Content { complete, events: vec![event], ..empty() };
    assert!(Baseline::new(content(event.clone())).is_ok());
    assert_eq!(Baseline::new(empty()), Err(ContentFault::Empty));
    let sha1 = vec![(TpmAlgId::SHA1, Digest::filled(1, 20).unwrap())];
    let long = Hint { text: "x".repeat(references::TEXT_CHARS_MAX + 1), ..hint(What::Other) };
    for wrong in [
        Expected { pcr_index: 24, ..event.clone() },
        Expected { pcr_index: 5, ..event.clone() },
        Expected { event_type: EventType::NO_ACTION, ..event.clone() },
        Expected { digests: Vec::new(), ..event.clone() },
        Expected { digests: sha1, ..event.clone() },
        Expected { digests: [&event.digests[..], &event.digests].concat(), ..event.clone() },
        Expected { digests: vec![(TpmAlgId::SHA384, event.digests[0].1)], ..event.clone() },
        Expected { hint: long, ..event.clone() },
    ] {
        assert!(Baseline::new(content(wrong.clone())).is_err(), "{wrong:?}");
    }
}

#[test]
fn a_hostile_log_costs_little_and_never_fits() {
    let baseline = learnt(&bytes(&BootLog::sound()));
    let mut writer = LogWriter::new([TpmAlgId::SHA256]);
    for n in 0..30_000u32 {
        let pcr = [0, 4, 7, 8, 9][n as usize % 5];
        writer.measure(pcr, EventType::IPL, &n.to_le_bytes(), &n.to_le_bytes());
    }
    let comparison = compared(&baseline, &writer.finish());
    assert!(!comparison.is_match());
    assert!(comparison.n_more > 25_000, "{}", comparison.n_more);
}

/// What is refused for ever must not become something else by what no digest covers.
#[test]
fn a_boot_is_known_by_its_digests_whatever_its_log_says() {
    let sound = BootLog::sound();
    let whole = sound.build();
    let baseline = learnt(&whole.bytes);
    let held = Rules::default().pcrs;
    // By type it is another boot; by digests it is the same, or it is not told.
    let both = |log: &[u8]| {
        let parsed = parse(log);
        let replayed = replay(&parsed.log, [TpmAlgId::SHA256]);
        let compared = compare(&parsed.log, &replayed, &whole.pcrs, &ReplayRules::default());
        let told = [(TpmAlgId::SHA256, compared.replayed.pcrs())];
        let boot = Boot { log: &parsed.log, replayed: &told, quoted: &whole.pcrs };
        (baseline.agrees(&boot, held), baseline.agrees_by_digests(&boot, held))
    };
    let of = |pcr: u32| PcrSet::EMPTY.with(pcr);
    assert_eq!(both(&whole.bytes).1, both(&whole.bytes).0);
    for (at, entry) in
        sound.entries().iter().enumerate().filter(|(_, e)| held.contains(e.pcr_index))
    {
        let mut entries = sound.entries();
        entries[at].event_type = EventType(0x40e);
        let (by_type, by_digests) = both(&sound.build_from(&entries).bytes);
        assert_eq!(by_type.differing, of(entry.pcr_index));
        assert_eq!((by_digests.differing, by_digests.equal), (PcrSet::EMPTY, held));
    }
    let first = parse(&whole.bytes).log.events()[1].offset;
    let (head, events) = whole.bytes.split_at(first);
    let unmeasured = [4, EventType::IPL.0, 0, 0].map(u32::to_le_bytes);
    let (by_type, by_digests) = both(&[head, unmeasured.as_flattened(), events].concat());
    assert_eq!((by_type.differing, by_digests.equal), (of(4), held));
    let mut entries = sound.entries();
    entries.retain(|entry| entry.pcr_index != 8);
    let (by_type, by_digests) = both(&sound.build_from(&entries).bytes);
    assert_eq!((by_type.differing, by_digests.incomparable), (of(8), of(8)));
    // Another boot is another one.
    with_boot(&bytes(&sound.kernel_cmdline("ro init=/bin/sh")), |boot| {
        assert!(baseline.agrees_by_digests(boot, held).differing.contains(8));
    });
}

#[test]
fn words_of_states_are_read_back() {
    for state in State::ALL {
        assert_eq!(State::from_name(state.as_str()), Some(state));
    }
    for scope in [Scope::Host, Scope::Cohort] {
        assert_eq!(Scope::from_name(scope.as_str()), Some(scope));
    }
    for what in What::ALL {
        assert_eq!(What::from_name(what.as_str()), Some(*what));
    }
    assert_eq!(Mode::ALL.map(Mode::as_str), ["off", "observe", "enforce", "require"]);
    let baseline = learnt(&bytes(&BootLog::sound()));
    let applied = Applied {
        name: "a",
        scope: Scope::Host,
        state: State::Active,
        accepted_by: "",
        accepted_at: None,
        until: Some(NOW),
        baseline: &baseline,
    };
    assert!(applied.has_ended(NOW) && !applied.has_ended(UnixTime(NOW.0 - 1)));
}
