//! Recorded boots: Secure Boot, separators and lies as expect.json has them.

use std::collections::BTreeMap;
use std::path::Path;

use boot_claims::{
    Belief, BootClaims, BootPath, FileUse, Outcome, Part, Phase, Role, State, UnknownReason,
};
use event_log::{Rules, parse, replay};
use serde_json::Value;
use testkit::corpus;
use tpm_wire::{Digest, PcrBank, TpmAlgId};

use crate::common::{Line, claims_with, command_lines, path_with};

fn json(path: &Path) -> Value {
    let text = std::fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_slice(&text).unwrap()
}

/// The values of pcrs.json, as far as the quote's selection names them.
fn quoted(dir: &Path, expect: &Value) -> Vec<PcrBank> {
    let values: BTreeMap<String, BTreeMap<u32, String>> =
        serde_json::from_value(json(&dir.join("pcrs.json"))).unwrap();
    let selection = expect["quote"]["select"].as_array().into_iter().flatten();
    let mut banks = Vec::new();
    for bank in selection {
        let name = bank[0].as_str().unwrap();
        let mut quoted = PcrBank::new(TpmAlgId::from_hash_name(name).unwrap());
        for index in bank[1].as_array().unwrap() {
            let index = u32::try_from(index.as_u64().unwrap()).unwrap();
            let value = hex::decode(&values[name][&index]).unwrap();
            assert!(quoted.set(index, Digest::new(&value).unwrap()));
        }
        banks.push(quoted);
    }
    banks
}

/// Cases in which expect.json reads a state that nothing proves, and why.
const UNPROVEN: [(&str, UnknownReason); 11] = [
    ("e-sha1-only", UnknownReason::Sha1LogOnly),
    ("s-2banks-sha1-only-quoted", UnknownReason::NotReplayed),
    ("s-no-separator7", UnknownReason::NoSeparator),
    ("s-sel-empty", UnknownReason::NotReplayed),
    ("t-log-removed-event", UnknownReason::NotReplayed),
    ("t-log-reordered-same-pcr", UnknownReason::NotReplayed),
    // The quote cannot be read: nothing was quoted.
    ("t-quote-truncated", UnknownReason::NotReplayed),
    ("t-quote-type", UnknownReason::NotReplayed),
    ("t-sboff-claims-on", UnknownReason::Contradicted),
    ("t-sboff-golden-log", UnknownReason::NotReplayed),
    ("t-sel-no-pcr7", UnknownReason::NotReplayed),
];

#[test]
#[expect(clippy::print_stderr, reason = "the count of cases is told")]
fn boots_are_told_as_they_were() {
    let Some(root) = corpus::folder("boots") else { return };
    let (mut n_cases, mut n_unproven) = (0, 0);
    for entry in std::fs::read_dir(&root).unwrap() {
        let dir = entry.unwrap().path();
        let Ok(bytes) = std::fs::read(dir.join("eventlog.bin")) else { continue };
        let expect = json(&dir.join("expect.json"));
        let name = expect["case"].as_str().unwrap();
        let has = |reason: &str| expect["reasons"].as_array().unwrap().iter().any(|r| r == reason);
        if has("LOG_PARSE") || has("NO_EVENT_LOG") {
            continue;
        }
        n_cases += 1;
        claims_with(&bytes, &quoted(&dir, &expect), Rules::default(), |claims| {
            let unproven = UNPROVEN.iter().find(|(case, _)| *case == name);
            let state = match (unproven, expect["secure_boot"].as_bool()) {
                (Some((_, reason)), _) => State::Unknown(*reason),
                (None, Some(true)) => State::On,
                (None, Some(false)) => State::Off,
                (None, None) if has("LOG_REPLAY") => State::Unknown(UnknownReason::NotReplayed),
                (None, None) => State::Unknown(UnknownReason::NotMeasured),
            };
            n_unproven += usize::from(unproven.is_some());
            assert_eq!(claims.secure_boot.state, state, "{name}");
            assert_eq!(has("SECURE_BOOT_OFF"), state == State::Off, "{name}");
            if has("SECURE_BOOT_UNKNOWN") {
                assert!(matches!(state, State::Unknown(_)), "{name}");
            }
            assert_eq!(has("SEPARATOR"), !claims.separator_problems.is_empty(), "{name}");
            let events: Vec<_> = claims.contradicted.iter().map(|c| Value::from(c.event)).collect();
            assert_eq!(Value::from(events), expect["data_mismatch_events"], "{name}");
            assert_eq!(claims.lookalikes, [], "{name}");
        });
    }
    eprintln!("{n_cases} logs, in {n_unproven} of them a state is shown that nothing proves");
    assert_eq!(n_unproven, UNPROVEN.len());
    assert!(n_cases >= 50, "{n_cases}");
}

/// Logs made to deceive, judged as if their PCRs were quoted: no lie is verified.
#[test]
fn no_lie_of_a_forged_log_is_verified() {
    let Some(root) = corpus::folder("adversarial") else { return };
    let read = |file: &str| std::fs::read(root.join(file)).unwrap();
    let claims_of = |file: &str, check: &dyn Fn(&BootClaims<'_>, &[Line])| {
        let bytes = read(file);
        let log = parse(&bytes).log;
        let pcrs: Vec<_> = replay(&log, log.algorithms()).banks().cloned().collect();
        let lines = path_with(&bytes, &pcrs, command_lines);
        claims_with(&bytes, &pcrs, Rules::default(), |claims| check(claims, &lines));
    };
    claims_of("00-clean-copy.bin", &|claims, lines| {
        assert_eq!((claims.secure_boot.state, &claims.contradicted[..]), (State::On, &[][..]));
        assert_eq!((lines[0].0, lines[0].2), (94, Belief::Verified));
    });
    // The real command line's digest, another text; the old text appended after the boot.
    claims_of("01-cmdline-text-not-digest.bin", &|claims, lines| {
        assert_eq!(lines[0].2, Belief::Contradicted);
        assert_eq!(claims.contradicted[0].event, 94);
    });
    // Another prefix, which no digest covers: which of the texts that were measured the kernel got is
    // for a baseline to say.
    claims_of("02-cmdline-prefix-relabel-and-append.bin", &|claims, lines| {
        assert_eq!(claims.contradicted, []);
        assert_eq!(lines.iter().map(|line| line.0).collect::<Vec<_>>(), [99]);
    });
    claims_of("04-secureboot-flag-flipped.bin", &|claims, _| {
        assert_eq!(claims.secure_boot.state, State::Unknown(UnknownReason::Contradicted));
    });
}

/// The path of a recorded log, as if its PCRs were quoted.
fn recorded_path<T>(path: &Path, read: impl FnOnce(&BootPath<'_>) -> T) -> T {
    let bytes = std::fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let log = parse(&bytes).log;
    let pcrs: Vec<_> = replay(&log, log.algorithms()).banks().cloned().collect();
    path_with(&bytes, &pcrs, read)
}

fn roles(path: &BootPath<'_>) -> Vec<Option<Role>> {
    let images = path.steps.iter().filter_map(|step| match step.part {
        Part::Image { untrusted_role, .. } if step.part.is_application() => Some(untrusted_role),
        _ => None,
    });
    images.collect()
}

#[test]
fn recorded_boots_are_told_by_their_loaders() {
    let Some(root) = corpus::folder("boots") else { return };
    let of = |name: &str| root.join(name).join("eventlog.bin");
    let [shim, grub, kernel] = [Role::Shim, Role::Grub, Role::Kernel].map(Some);
    let uki = Some(Role::UnifiedKernelImage);
    recorded_path(&of("a-shim-tis-ms"), |path| {
        assert_eq!(roles(path), [shim, grub, kernel, kernel]);
        let again: Vec<_> = path.steps.iter().filter_map(|step| step.again).collect();
        assert_eq!(again.len(), 1, "shim and firmware both measure the kernel");
        let files: Vec<_> = path
            .steps
            .iter()
            .filter_map(|step| match step.part {
                Part::File { untrusted_use, .. } => Some(untrusted_use),
                _ => None,
            })
            .collect();
        assert_eq!(files, [FileUse::Other, FileUse::Kernel, FileUse::Initrd]);
        assert_eq!(path.attempts[0].outcome(), Outcome::TookOver);
    });
    recorded_path(&of("b-uki-tis-own"), |path| {
        assert_eq!(roles(path), [uki]);
        let sections: Vec<_> = path
            .steps
            .iter()
            .filter_map(|step| match step.part {
                Part::Section { section, .. } => Some((section.name(), step.belief)),
                _ => None,
            })
            .collect();
        let names = [".linux", ".osrel", ".cmdline", ".initrd"];
        assert_eq!(sections, names.map(|name| (name, Belief::Verified)));
    });
    recorded_path(&of("b-sdboot-tis-own"), |path| {
        assert_eq!(roles(path), [Some(Role::SystemdBoot), uki]);
    });
}

#[test]
#[expect(clippy::print_stderr, reason = "the counts are the result")]
fn paths_of_recorded_machines_are_told() {
    let Some(machines) = corpus::folder("machines") else { return };
    let evidence = machines.join("immune-gmbh+guard-oss/evidence-extract");
    let outcomes = |name: &str| {
        let file = evidence.join(name).join("eventlog.bin");
        recorded_path(&file, |path| path.attempts.iter().map(|a| a.outcome()).collect::<Vec<_>>())
    };
    assert_eq!(outcomes("failed-1"), [Outcome::NothingStarted, Outcome::TookOver]);
    assert_eq!(
        outcomes("hahuri-invalid-eventlog"),
        [Outcome::CameBack, Outcome::NothingStarted, Outcome::TookOver]
    );
    // A machine with an agent of its maker in the firmware, which is not its loader.
    recorded_path(&evidence.join("elitebook/eventlog.bin"), |path| {
        let first = path.steps.iter().find(|step| step.part.is_application()).unwrap();
        assert_eq!((first.phase, first.attempt), (Some(Phase::BeforeSeparator), None));
        assert_eq!(roles(path)[..3], [Role::Firmware, Role::Shim, Role::Grub].map(Some));
    });
    let mut counts = BTreeMap::<&'static str, usize>::new();
    let mut folders = vec![machines, corpus::folder("keylime").unwrap().join("eventlogs")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap().map(Result::unwrap) {
            if entry.file_type().unwrap().is_dir() {
                folders.push(entry.path());
                continue;
            }
            let bytes = std::fs::read(entry.path()).unwrap();
            let confidential = entry.path().to_string_lossy().to_lowercase().contains("ccel");
            if parse(&bytes).log.events().len() < 8 || confidential {
                continue;
            }
            recorded_path(&entry.path(), |path| {
                let mut count =
                    |what, is: bool| *counts.entry(what).or_default() += usize::from(is);
                count("logs", true);
                let told: Vec<_> = roles(path).into_iter().flatten().collect();
                count("shim", told.contains(&Role::Shim));
                count("Windows", told.contains(&Role::WindowsBootManager));
                count("firmware", told.contains(&Role::Firmware));
                count("came back", path.attempts.iter().any(|a| a.returned.is_some()));
                let took_over =
                    path.attempts.last().is_some_and(|a| a.outcome() == Outcome::TookOver);
                count("took over", took_over);
                let windows = path.windows.filter(|w| w.belief == Belief::Verified);
                count("boots of Windows", windows.is_some_and(|w| w.boot_count.is_some()));
                count("woke", windows.is_some_and(|w| w.resumed == Some(true)));
                count(
                    "entry",
                    path.steps.iter().any(|step| {
                        matches!(step.part, Part::Image { untrusted_entry: Some(_), .. })
                    }),
                );
                assert_eq!(path.n_more, 0, "{}", entry.path().display());
            });
        }
    }
    eprintln!("{counts:#?}");
    for (what, at_least) in [
        ("logs", 90),
        ("shim", 40),
        ("Windows", 15),
        ("firmware", 4),
        ("came back", 5),
        ("took over", 80),
        ("boots of Windows", 10),
        ("woke", 3),
        ("entry", 20),
    ] {
        assert!(counts[what] >= at_least, "{what}: {counts:?}");
    }
}
