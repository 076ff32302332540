//! Recorded logs whose PCRs are known from a TPM, and logs that were altered on purpose.

use event_log::{DataCheck, check_data, encode, parse, replay};
use testkit::corpus;
use tpm_wire::{PcrBank, TpmAlgId};

/// The SHA-256 PCRs of a log that is read whole, and the events whose data is not what was measured.
fn replayed(path: &std::path::Path) -> (PcrBank, Vec<u32>) {
    let name = path.display();
    let bytes = std::fs::read(path).unwrap_or_else(|error| panic!("{name}: {error}"));
    let parsed = parse(&bytes);
    assert_eq!(parsed.problems, [], "{name}");
    let log = &parsed.log;
    assert_eq!(encode(log), bytes, "{name}");
    let replay = replay(log, [TpmAlgId::SHA256]);
    assert_eq!(replay.startup_problems, [], "{name}");
    let contradicts =
        |e: &&event_log::Event<'_>| matches!(check_data(e, |_| true), DataCheck::Contradicts(_));
    let contradicting = log.events().iter().filter(contradicts).map(|event| event.number);
    (replay.bank(TpmAlgId::SHA256).unwrap().clone(), contradicting.collect())
}

/// Server logs that were extended into a software TPM: each of its PCRs, without exception.
#[test]
fn logs_replay_to_the_pcrs_of_the_tpm_that_they_were_extended_into() {
    let Some(root) = corpus::folder("bench") else { return };
    let mut n_pcrs = 0;
    for case in ["gdc159", "klsb99", "qemu48", "ubuntu117"] {
        let (bank, _) = replayed(&root.join(case).join("eventlog.bin"));
        let said = std::fs::read(root.join(case).join("pcrs.json")).unwrap();
        let said: serde_json::Value = serde_json::from_slice(&said).unwrap();
        for (index, value) in said.as_object().unwrap() {
            let replayed = bank.get(index.parse().unwrap()).unwrap().to_string();
            assert_eq!(replayed, value.as_str().unwrap(), "{case} PCR {index}");
            n_pcrs += 1;
        }
    }
    assert_eq!(n_pcrs, 4 * 15);
}

/// What was altered: file, its control, the PCRs that differ, the events that contradict.
const ALTERED: [(&str, &str, &[u32], &[u32]); 5] = [
    ("00-clean-copy.bin", RHEL, &[], &[]),
    // Another digest, and the text of the old one: the text is no longer what was measured.
    ("01-cmdline-text-not-digest.bin", RHEL, &[8], &[94]),
    // Events relabelled and one appended: each text fits its digest, the PCR tells.
    ("02-cmdline-prefix-relabel-and-append.bin", RHEL, &[8], &[]),
    ("03-initrd-relabel-and-append.bin", RHEL, &[9], &[]),
    // Only the data was flipped: the PCRs stand, and the data is caught.
    ("04-secureboot-flag-flipped.bin", "keylime-fedora41-nosb.bin", &[], &[12]),
];
const RHEL: &str = "keylime-rhel9-secureboot.bin";

#[test]
fn an_altered_log_differs_where_it_was_altered() {
    let (Some(altered), Some(logs)) =
        (corpus::folder("adversarial"), corpus::folder("keylime/eventlogs"))
    else {
        return;
    };
    for (file, control, pcrs, contradicting) in ALTERED {
        let (control, nothing) = replayed(&logs.join(control));
        assert!(nothing.is_empty(), "the control of {file}: {nothing:?}");
        let (bank, found) = replayed(&altered.join(file));
        let differing: Vec<_> =
            (0..24).filter(|index| bank.get(*index) != control.get(*index)).collect();
        assert_eq!((&differing[..], &found[..]), (pcrs, contradicting), "{file}");
    }
}

/// Logs that cannot be read, and why. The others are read whole.
const NOT_READ: [(&str, &str); 2] =
    [("keylime-bogus.bin", "text, not a log"), ("keylime-empty.bin", "no byte, so no event")];

#[test]
fn logs_of_a_verifiers_tests_are_read_whole() {
    let Some(folder) = corpus::folder("keylime/eventlogs") else { return };
    let (mut n_read, mut n_not_read) = (0, 0);
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        let bytes = std::fs::read(&path).unwrap();
        let parsed = parse(&bytes);
        let is_whole = parsed.problems.is_empty() && !parsed.log.events().is_empty();
        assert_eq!(!is_whole, NOT_READ.iter().any(|(file, _)| *file == name), "{name}");
        if is_whole {
            replayed(&path);
            n_read += 1;
        } else {
            n_not_read += 1;
        }
    }
    assert_eq!((n_read, n_not_read), (6, NOT_READ.len()));
}
