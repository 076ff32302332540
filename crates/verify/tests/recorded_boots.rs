//! Recorded evidence of real boots: every quote and EK certificate, and what is expected of it.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;
use tpm_wire::{Digest, PcrBank, PcrSet, TpmAlgId, TpmtPublic};
use verify::{
    BankRule, BindError, BoundAk, EkCertError, EnrolledKey, Name, Nonce, QuoteProblem, RawQuote,
    RootStore, SelectionProblem, SelectionRule, UnixTime, check_ak, verify_ek_certificate,
    verify_quote,
};

/// 1 January 2027: after the certificates were made.
const NOW: UnixTime = UnixTime(1_798_761_600);
const FIRMWARE: SelectionRule =
    SelectionRule::AtLeast { pcrs: PcrSet::FIRMWARE, banks: BankRule::Strong };
/// The reasons that this crate is to find.
const OURS: [&str; 10] = [
    "AK_NOT_ENROLLED",
    "EK_CERT_UNTRUSTED",
    "NONCE_MISMATCH",
    "PCR_DIGEST",
    "PCR_SELECTION",
    "QUOTE_MAGIC",
    "QUOTE_PARSE",
    "QUOTE_SIGNATURE",
    "QUOTE_TYPE",
    "SHA256_NOT_QUOTED",
];

fn read(dir: &Path, name: &str) -> Option<Vec<u8>> {
    fs::read(dir.join(name)).ok()
}

fn json(dir: &Path, name: &str) -> Option<Value> {
    serde_json::from_slice(&read(dir, name)?).ok()
}

fn banks(values: &Value) -> Vec<PcrBank> {
    let bank = |(name, values): (&String, &Value)| {
        let mut bank = PcrBank::new(TpmAlgId::from_hash_name(name).unwrap());
        for (index, value) in values.as_object().unwrap() {
            let value = hex::decode(value.as_str().unwrap()).unwrap();
            assert!(bank.set(index.parse().unwrap(), Digest::new(&value).unwrap()));
        }
        bank
    };
    values.as_object().unwrap().iter().map(bank).collect()
}

fn enrolled(dir: &Path) -> Option<(EnrolledKey, [u8; 32])> {
    let value = json(dir, "enrolled.json")?;
    let field = |name: &str| hex::decode(value[name].as_str().unwrap()).unwrap();
    let ak_name = Name::from_bytes(&field("ak_name")).unwrap();
    let ek_spki_sha256 = field("ek_spki_sha256").try_into().unwrap();
    let ak_spki_sha256 = field("ak_spki_sha256").try_into().unwrap();
    Some((EnrolledKey { ak_name, ek_spki_sha256 }, ak_spki_sha256))
}

fn reason(problem: &QuoteProblem) -> &'static str {
    match problem {
        QuoteProblem::Parse(_) => "QUOTE_PARSE",
        QuoteProblem::Signature(_) => "QUOTE_SIGNATURE",
        QuoteProblem::Magic { .. } => "QUOTE_MAGIC",
        QuoteProblem::Type { .. } => "QUOTE_TYPE",
        QuoteProblem::NonceMismatch => "NONCE_MISMATCH",
        QuoteProblem::Selection(SelectionProblem::NoStrongBank) => "SHA256_NOT_QUOTED",
        QuoteProblem::Selection(_) => "PCR_SELECTION",
        QuoteProblem::PcrDigest => "PCR_DIGEST",
        other => panic!("not expected of a recorded quote: {other}"),
    }
}

/// Every reason that the evidence in `dir` gives to this crate.
fn judge(dir: &Path, roots: &RootStore, intermediate: &[u8]) -> Vec<&'static str> {
    let mut reasons = Vec::new();
    let enrolled = enrolled(dir);
    if let Some(certificate) = read(dir, "ek.crt") {
        match verify_ek_certificate(&certificate, &[intermediate], roots, NOW) {
            Ok(ek) => {
                assert_eq!(ek.tpm().model.as_deref(), Some("swtpm"));
                assert_eq!(ek.deviations(), []);
                if let Some((enrolled, _)) = &enrolled {
                    assert_eq!(ek.check_spki_sha256(&enrolled.ek_spki_sha256), Ok(()));
                }
            }
            Err(EkCertError::Untrusted(_)) => reasons.push("EK_CERT_UNTRUSTED"),
            Err(other) => panic!("{}: {other:?}", dir.display()),
        }
    }
    let (Some(attest), Some(signature)) = (read(dir, "quote.msg"), read(dir, "quote.sig")) else {
        return reasons;
    };
    let public = read(dir, "ak.tpm2b").unwrap();
    let public = TpmtPublic::parse_2b(&public).unwrap().raw;
    let ak = match &enrolled {
        Some((enrolled, ak_spki_sha256)) => match BoundAk::from_enrolled(enrolled, public) {
            Ok(ak) => {
                assert_eq!(&ak.ak().spki_sha256(), ak_spki_sha256);
                ak
            }
            Err(BindError::NotEnrolled { .. }) => {
                reasons.push("AK_NOT_ENROLLED");
                return reasons;
            }
            Err(other) => panic!("{}: {other}", dir.display()),
        },
        // Without an identity key the verdict is clear; the quote by itself is sound.
        None => {
            let ak_name = *check_ak(public).unwrap().name();
            let enrolled = EnrolledKey { ak_name, ek_spki_sha256: [0; 32] };
            BoundAk::from_enrolled(&enrolled, public).unwrap()
        }
    };
    let pem = String::from_utf8(read(dir, "ak.pub").unwrap()).unwrap();
    assert_eq!(ak.ak().key().spki_pem().trim(), pem.trim());
    let nonce = String::from_utf8(read(dir, "nonce").unwrap()).unwrap();
    let nonce = Nonce::new(&hex::decode(nonce.trim()).unwrap()).unwrap();
    let quote = RawQuote { attest: &attest, signature: &signature };
    let banks = banks(&json(dir, "pcrs.json").unwrap());
    let check = verify_quote(&ak, quote, &banks, &nonce, &FIRMWARE);
    reasons.extend(check.problems.iter().map(reason));
    assert_eq!(check.verified().is_some(), check.problems.is_empty());

    let expected = &json(dir, "expect.json").unwrap()["quote"];
    let facts = check.untrusted_attest.map(|attest| {
        let clock = attest.clock_info;
        (clock.clock_ms, u64::from(clock.reset_count), u64::from(clock.restart_count))
    });
    let expected = expected.is_object().then(|| {
        let number = |name: &str| expected[name].as_u64().unwrap();
        (number("clock"), number("resetCount"), number("restartCount"))
    });
    assert_eq!(facts, expected, "{}", dir.display());
    reasons
}

fn boots() -> Option<(PathBuf, RootStore, Vec<u8>)> {
    let boots = testkit::corpus::folder("boots")?;
    let pem = |name: &str| fs::read_to_string(boots.join("ca").join(name)).unwrap();
    let roots = RootStore::from_pem(&pem("root.pem")).unwrap();
    let issuer = RootStore::from_pem(&pem("issuer.pem")).unwrap();
    let issuer = issuer.iter().next().unwrap().der().to_vec();
    Some((boots, roots, issuer))
}

#[test]
fn every_recorded_case_gives_its_reasons() {
    let Some((boots, roots, issuer)) = boots() else { return };
    let mut n_of_reason = BTreeMap::new();
    let mut n_cases = 0;
    for entry in fs::read_dir(boots).unwrap() {
        let dir = entry.unwrap().path();
        let Some(expected) = json(&dir, "expect.json") else { continue };
        n_cases += 1;
        let mut found = judge(&dir, &roots, &issuer);
        found.sort_unstable();
        found.dedup();
        // A host without a SHA-256 bank quotes what it has; the cause is found elsewhere.
        if expected["pcr_banks"] == serde_json::json!(["sha1"]) {
            found.retain(|reason| *reason != "SHA256_NOT_QUOTED");
        }
        let listed = expected["reasons"].as_array().unwrap().iter();
        let listed = listed.map(|reason| reason.as_str().unwrap());
        let mut wanted: Vec<_> = listed.filter(|reason| OURS.contains(reason)).collect();
        wanted.sort_unstable();
        assert_eq!(found, wanted, "{}", dir.display());
        found.into_iter().for_each(|reason| *n_of_reason.entry(reason).or_insert(0) += 1);
    }
    assert!(n_cases >= 60, "{n_cases} cases");
    let seen: Vec<_> = n_of_reason.keys().copied().collect();
    assert_eq!(seen, OURS, "each reason has a case");
}

#[test]
fn no_byte_of_a_recorded_quote_can_be_changed() {
    let Some((boots, ..)) = boots() else { return };
    for case in ["a-shim-tis-ms", "t-ecc-ak"] {
        let dir = boots.join(case);
        let public = read(&dir, "ak.tpm2b").unwrap();
        let public = TpmtPublic::parse_2b(&public).unwrap().raw;
        let (enrolled, _) = enrolled(&dir).unwrap();
        let ak = BoundAk::from_enrolled(&enrolled, public).unwrap();
        let nonce = String::from_utf8(read(&dir, "nonce").unwrap()).unwrap();
        let nonce = Nonce::new(&hex::decode(nonce.trim()).unwrap()).unwrap();
        let banks = banks(&json(&dir, "pcrs.json").unwrap());
        let attest = read(&dir, "quote.msg").unwrap();
        let signature = read(&dir, "quote.sig").unwrap();
        let accepted = |attest: &[u8], signature: &[u8]| {
            let quote = RawQuote { attest, signature };
            verify_quote(&ak, quote, &banks, &nonce, &FIRMWARE).verified().is_some()
        };
        assert!(accepted(&attest, &signature), "{case}");
        for at in 0..attest.len() {
            let mut changed = attest.clone();
            changed[at] ^= 1;
            assert!(!accepted(&changed, &signature), "{case}: attest, byte {at}");
            assert!(!accepted(&attest[..at], &signature), "{case}: attest cut at {at}");
        }
        for at in 0..signature.len() {
            let mut changed = signature.clone();
            changed[at] ^= 1;
            assert!(!accepted(&attest, &changed), "{case}: signature, byte {at}");
            assert!(!accepted(&attest, &signature[..at]), "{case}: signature cut at {at}");
        }
    }
}

#[test]
fn no_byte_of_a_recorded_ek_certificate_can_be_changed() {
    let Some((boots, roots, issuer)) = boots() else { return };
    let certificate = read(&boots.join("a-shim-tis-ms"), "ek.crt").unwrap();
    let accepted = |bytes: &[u8]| verify_ek_certificate(bytes, &[&issuer], &roots, NOW).is_ok();
    assert!(accepted(&certificate));
    for at in 0..certificate.len() {
        assert!(!accepted(&certificate[..at]), "cut at {at}");
        for flip in [1, 0x20, 0x80, 0xff] {
            let mut changed = certificate.clone();
            changed[at] ^= flip;
            assert!(!accepted(&changed), "byte {at} xor {flip:#x}");
        }
    }
}
