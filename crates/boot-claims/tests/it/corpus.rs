//! Recorded boots: Secure Boot, separators and lies as expect.json has them.

use std::collections::BTreeMap;
use std::path::Path;

use boot_claims::{Belief, BootClaims, State, UnknownReason};
use event_log::{Rules, parse, replay};
use serde_json::Value;
use testkit::corpus;
use tpm_wire::{Digest, PcrBank, TpmAlgId};

use crate::common::claims_with;

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
    let claims_of = |file: &str, check: &dyn Fn(&BootClaims<'_>)| {
        let bytes = read(file);
        let log = parse(&bytes).log;
        let pcrs: Vec<_> = replay(&log, log.algorithms()).banks().cloned().collect();
        claims_with(&bytes, &pcrs, Rules::default(), check);
    };
    claims_of("00-clean-copy.bin", &|claims| {
        assert_eq!((claims.secure_boot.state, &claims.contradicted[..]), (State::On, &[][..]));
        let line = claims.kernel_command_lines().next().unwrap();
        assert_eq!((line.event, line.belief), (94, Belief::Verified));
    });
    // The real command line's digest, another text; the old text appended after the boot.
    claims_of("01-cmdline-text-not-digest.bin", &|claims| {
        assert_eq!(claims.kernel_command_lines().next().unwrap().belief, Belief::Contradicted);
        assert_eq!(claims.contradicted[0].event, 94);
    });
    // Another prefix, which no digest covers: the texts that were measured are all told, none is
    // lost, and which of them the kernel got is for a baseline to say.
    claims_of("02-cmdline-prefix-relabel-and-append.bin", &|claims| {
        let evil = claims.grub_lines.iter().find(|line| line.event == 94).unwrap();
        assert_eq!((evil.untrusted_prefix, evil.belief), ("grub_cmd", Belief::Verified));
        assert_eq!(evil.text, b"(hd0)/vmlinuz init=/evil");
        assert_eq!(claims.kernel_command_lines().next().unwrap().event, 99);
    });
    claims_of("04-secureboot-flag-flipped.bin", &|claims| {
        assert_eq!(claims.secure_boot.state, State::Unknown(UnknownReason::Contradicted));
    });
}
