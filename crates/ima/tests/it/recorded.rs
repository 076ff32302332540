//! Recorded lists, with the PCRs of their TPMs.

use std::path::Path;

use ima::{BootAggregate, Convention, boot_aggregate, parse, replay};
use serde_json::Value;
use testkit::corpus;
use tpm_wire::{Digest, PcrBank, TpmAlgId};

fn json(path: &Path) -> Value {
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

fn banks(pcrs: &Value) -> Vec<PcrBank> {
    let banks = pcrs.as_object().unwrap().iter().map(|(name, values)| {
        let mut bank = PcrBank::new(TpmAlgId::from_hash_name(name).unwrap());
        for (index, value) in values.as_object().unwrap() {
            let value = hex::decode(value.as_str().unwrap()).unwrap();
            assert!(bank.set(index.parse().unwrap(), Digest::new(&value).unwrap()));
        }
        bank
    });
    banks.collect()
}

#[test]
#[expect(clippy::print_stderr, reason = "how many cases were seen")]
fn recorded_lists_replay_as_far_as_expected() {
    let Some(boots) = corpus::folder("boots") else { return };
    let mut n = 0;
    let mut dirs: Vec<_> = std::fs::read_dir(boots).unwrap().map(|d| d.unwrap().path()).collect();
    dirs.sort();
    for dir in dirs.iter().filter(|dir| dir.join("expect.json").exists()) {
        let expect = json(&dir.join("expect.json"));
        if expect["ima_ok"].is_null() || !dir.join("ima.bin").exists() {
            continue;
        }
        let bytes = std::fs::read(dir.join("ima.bin")).unwrap();
        let (list, problem) = parse(&bytes);
        assert_eq!(problem, None, "{}", dir.display());
        assert!(list.entries.iter().all(|entry| entry.measured().is_some()));
        let banks = banks(&json(&dir.join("pcrs.json")));
        for bank in &banks {
            let Some(quoted) = bank.get(10) else { continue };
            let replayed = replay(&list, 10, bank.alg(), quoted);
            assert_eq!(replayed.is_ok(), expect["ima_ok"] == true, "{}", dir.display());
            let Ok(replayed) = replayed else { continue };
            assert_eq!(replayed.n_later(), 0);
            // These kernels have no SHA-384 and no SHA-512 loaded.
            let convention = match bank.alg() {
                TpmAlgId::SHA1 | TpmAlgId::SHA256 => Convention::BankDigest,
                _ => Convention::PaddedSha1,
            };
            assert_eq!(replayed.convention(), convention, "{} {}", dir.display(), bank.alg());
            n += 1;
        }
    }
    eprintln!("{n} banks of recorded boots replay to PCR 10");
    assert!(n >= 67);
}

#[test]
#[expect(clippy::print_stderr, reason = "how many cases were seen")]
fn boot_aggregates_of_recorded_boots_are_those_of_their_pcrs() {
    let Some(boots) = corpus::folder("boots") else { return };
    let mut matches = 0;
    for case in ["a-shim-tis-ms", "a-shim-crb-ms", "b-uki-tis-own", "b-sdboot-tis-own"] {
        let dir = boots.join(case);
        let bytes = std::fs::read(dir.join("ima.bin")).unwrap();
        let (list, _) = parse(&bytes);
        let banks = banks(&json(&dir.join("pcrs.json")));
        let quoted = banks[0].get(10).unwrap();
        let replayed = replay(&list, 10, banks[0].alg(), quoted).unwrap();
        let aggregate = boot_aggregate(&replayed, &banks);
        assert!(matches!(aggregate, BootAggregate::Matches { .. }), "{case}: {aggregate:?}");
        matches += 1;
    }
    eprintln!("{matches} boot aggregates are those of their PCRs");
}

/// A server with a kernel that hashes for each bank, a list of 3,000 lines in both forms.
#[test]
#[expect(clippy::print_stderr, reason = "how many cases were seen")]
fn both_forms_of_a_recorded_server_are_the_same_list() {
    let Some(machines) = corpus::folder("machines/immune-gmbh+guard-oss") else { return };
    let binary = std::fs::read(machines.join("apisrv/test/h12ssl.binary_measurements")).unwrap();
    let ascii = std::fs::read(machines.join("apisrv/test/h12ssl.ascii_measurements")).unwrap();
    let ((binary, none), (ascii, also_none)) = (parse(&binary), parse(&ascii));
    assert_eq!((none, also_none), (None, None));
    let n = binary.entries.len().min(ascii.entries.len());
    for (one, other) in binary.entries.iter().zip(&ascii.entries) {
        assert_eq!(one.untrusted_digest, other.untrusted_digest);
        assert_eq!(one.template_data, other.template_data, "{}", one.number);
        let sha1 = one.digest(TpmAlgId::SHA1).unwrap();
        assert!(one.is_violation() || sha1.as_bytes() == one.untrusted_digest, "{}", one.number);
    }
    let meta = json(&machines.join("evidence-extract/h12ssl/meta.json"));
    let text = meta.to_string();
    eprintln!("{n} entries are equal in both forms; {} bytes of facts beside them", text.len());
    assert!(n > 1000);
}
