//! What counts of a host, as an EAT Attestation Result: for relying parties that know neither Bootproof
//! nor its findings. [draft-ietf-rats-ear-03, draft-ietf-rats-ar4si]

use api::{appraisal::Appraisal, finding::Finding};
use findings::{Code, Group};
use serde_json::{Map, Value, json};

/// Which names the claims have.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Dialect {
    /// Those of the working group's draft.
    #[default]
    Ietf,
    /// Those of the draft before, which most relying parties read.
    Veraison,
}

/// The name of the one thing that is appraised: the boot of a host, by its TPM.
pub const SUBMODULE: &str = "host";

/// What a result is about.
#[derive(Clone, Debug)]
pub struct Subject<'a> {
    /// The host's identifier.
    pub id: &'a str,
    /// The host's name: its own word.
    pub name: &'a str,
    /// The verdict's word that counts now.
    pub verdict: &'a str,
    /// Why it counts.
    pub findings: &'a [Finding],
    /// The last judgement.
    pub appraisal: Option<&'a Appraisal>,
    /// The version of the verifier.
    pub build: &'a str,
    /// When it is said, in seconds since 1970.
    pub issued_at: i64,
    /// From when on it is not true any more, in seconds since 1970.
    pub expires: i64,
    /// What the relying party wants to see again.
    pub nonce: Option<&'a str>,
}

/// Tiers of a trustworthiness claim. [draft-ietf-rats-ar4si §2.3.2]
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Tier {
    None,
    Affirming,
    Warning,
    Contraindicated,
}

impl Tier {
    const fn word(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Affirming => "affirming",
            Self::Warning => "warning",
            Self::Contraindicated => "contraindicated",
        }
    }

    /// That of a value of the vector.
    const fn of(value: u8) -> Self {
        match value {
            0 | 1 => Self::None,
            2..=31 => Self::Affirming,
            32..=95 => Self::Warning,
            _ => Self::Contraindicated,
        }
    }
}

/// The claims of a result about `subject`.
pub fn claims(subject: &Subject<'_>, dialect: Dialect) -> Value {
    let vector = vector(subject);
    let status = status(subject.verdict, &vector);
    let name = |ietf: &str, veraison: &str| match dialect {
        Dialect::Ietf => ietf.to_owned(),
        Dialect::Veraison => veraison.to_owned(),
    };
    let listed: Map<String, Value> =
        vector.iter().map(|(name, value)| ((*name).to_owned(), json!(value))).collect();
    let codes: Vec<_> = subject
        .findings
        .iter()
        .filter(|finding| finding.severity != "ignore")
        .map(|finding| json!({ "code": finding.code, "severity": finding.severity }))
        .collect();
    let facts = subject.appraisal.map(|appraisal| &appraisal.facts);
    let submodule = json!({
        (name("ear_status", "ear.status")): status.word(),
        (name("ear_trustworthiness_vector", "ear.trustworthiness-vector")): listed,
        "bootproof_verdict": subject.verdict,
        "bootproof_findings": codes,
        "bootproof_secure_boot": facts.and_then(|facts| facts.secure_boot),
        "bootproof_endorsement_key_sha256": facts
            .and_then(|facts| facts.endorsement.as_ref())
            .map(|endorsement| endorsement.spki_sha256.clone()),
        "bootproof_reference": facts
            .and_then(|facts| facts.reference.as_ref())
            .map(|reference| reference.name.clone()),
    });
    let mut claims = json!({
        "eat_profile": match dialect {
            Dialect::Ietf => "tag:ietf.org,2026:rats/ear#03",
            Dialect::Veraison => "tag:github.com,2023:veraison/ear",
        },
        "iat": subject.issued_at,
        "exp": subject.expires,
        "sub": subject.id,
        "bootproof_untrusted_host_name": subject.name,
        (name("ear_verifier_id", "ear.verifier-id")): {
            "developer": "Bootproof",
            "build": format!("bootproof-server {}", subject.build),
        },
        "submods": { SUBMODULE: submodule },
    });
    if let (Some(nonce), Value::Object(claims)) = (subject.nonce, &mut claims) {
        claims.insert("eat_nonce".to_owned(), json!(nonce));
    }
    claims
}

/// No better than the verdict, and no better than the worst claim.
fn status(verdict: &str, vector: &[(&'static str, u8)]) -> Tier {
    let of_verdict = match verdict {
        "accepted" => Tier::Affirming,
        "not accepted" => Tier::Contraindicated,
        // Not known is neither good nor bad, whatever else is claimed.
        _ => return Tier::None,
    };
    vector.iter().map(|(_, value)| Tier::of(*value)).fold(of_verdict, Tier::max)
}

/// Claims that are made; what is not known is not claimed. [draft-ietf-rats-ar4si §2.3.4]
fn vector(subject: &Subject<'_>) -> Vec<(&'static str, u8)> {
    // A verdict that is held back rests on nothing that could be claimed now.
    if subject.verdict == "not appraised" {
        return Vec::new();
    }
    let Some(appraisal) = subject.appraisal else { return Vec::new() };
    let facts = &appraisal.facts;
    let accepted = subject.verdict == "accepted";
    let worst = |groups: &[Group]| worst(subject.findings, groups);
    let identity = match worst(&[Group::Identity, Group::Quote]) {
        Tier::Contraindicated => 97,
        _ if facts.quote_verified => 2,
        _ => 0,
    };
    let has = |code: Code| subject.findings.iter().any(|finding| finding.code == code.as_str());
    let hardware = match worst(&[Group::Platform]) {
        Tier::Contraindicated => 96,
        // Genuine, with a known weakness; a software TPM is as good as what runs it.
        Tier::Warning => 32,
        _ if has(Code::TpmVirtual) => 32,
        _ if facts.endorsement.is_some() => 2,
        _ => 0,
    };
    let executables = match worst(&[Group::Log, Group::Reference, Group::Runtime]) {
        Tier::Contraindicated => 96,
        // All that booted is proved; of what runs since nothing is claimed.
        _ if accepted => 3,
        _ => 0,
    };
    let configuration = match worst(&[Group::SecureBoot, Group::Policy]) {
        Tier::Contraindicated => 96,
        Tier::Warning => 32,
        _ if accepted && facts.reference.is_some() => 2,
        _ if accepted && facts.secure_boot == Some(true) => 3,
        _ => 0,
    };
    let all = [
        ("instance-identity", identity),
        ("configuration", configuration),
        ("executables", executables),
        ("hardware", hardware),
    ];
    all.into_iter().filter(|(_, value)| *value != 0).collect()
}

/// The worst that findings of these groups say.
fn worst(findings: &[Finding], groups: &[Group]) -> Tier {
    let tier = |finding: &Finding| {
        let code = Code::from_name(&finding.code)?;
        groups.contains(&code.entry().group).then_some(match finding.severity.as_str() {
            "fail" | "hold" => Tier::Contraindicated,
            "warn" => Tier::Warning,
            _ => Tier::None,
        })
    };
    findings.iter().filter_map(tier).max().unwrap_or(Tier::None)
}

#[cfg(test)]
mod tests {
    use api::appraisal::{EndorsementFacts, Facts, ReferenceFacts};

    use super::*;

    fn finding(code: Code, severity: &str) -> Finding {
        let finding = Finding::from(&findings::Finding::new(code));
        Finding { severity: severity.to_owned(), ..finding }
    }

    fn sound() -> Appraisal {
        let endorsement = EndorsementFacts {
            manufacturer: None,
            model: None,
            version: None,
            out_of_date: false,
            root: None,
            root_sha256: String::new(),
            spki_sha256: "ab".to_owned(),
        };
        let facts = Facts {
            quote_verified: true,
            secure_boot: Some(true),
            endorsement: Some(endorsement),
            ..Facts::default()
        };
        let verdict = "accepted".to_owned();
        Appraisal { verdict, findings: Vec::new(), facts, judged_anew: false }
    }

    fn result(appraisal: Option<&Appraisal>, verdict: &str, findings: &[Finding]) -> Value {
        let subject = Subject {
            id: "id",
            name: "web-1",
            verdict,
            findings,
            appraisal,
            build: "1",
            issued_at: 10,
            expires: 20,
            nonce: None,
        };
        claims(&subject, Dialect::Ietf)["submods"][SUBMODULE].clone()
    }

    #[test]
    fn a_sound_host_is_affirmed_for_what_was_proved() {
        let appraisal = sound();
        let said = result(Some(&appraisal), "accepted", &[]);
        assert_eq!(said["ear_status"], "affirming");
        let vector = json!({
            "instance-identity": 2, "configuration": 3, "executables": 3, "hardware": 2
        });
        assert_eq!(said["ear_trustworthiness_vector"], vector);
        let mut fits = sound();
        let (name, state) = ("rack 7".to_owned(), "active".to_owned());
        fits.facts.reference = Some(ReferenceFacts { name, state, pcrs: vec![0] });
        let said = result(Some(&fits), "accepted", &[]);
        assert_eq!(said["ear_trustworthiness_vector"]["configuration"], 2);
    }

    #[test]
    fn what_speaks_against_a_host_stands_at_its_claim() {
        let appraisal = sound();
        let cases = [
            (Code::SecureBootOff, "fail", "configuration", 96, "contraindicated"),
            (Code::DbxOutdated, "warn", "configuration", 32, "warning"),
            (Code::EkChanged, "fail", "instance-identity", 97, "contraindicated"),
            (Code::LogReplay, "fail", "executables", 96, "contraindicated"),
            (Code::TpmVirtual, "info", "hardware", 32, "warning"),
            (Code::Sha256BankInactive, "fail", "hardware", 96, "contraindicated"),
        ];
        for (code, severity, claim, value, status) in cases {
            let verdict = if severity == "fail" { "not accepted" } else { "accepted" };
            let said = result(Some(&appraisal), verdict, &[finding(code, severity)]);
            assert_eq!(said["ear_trustworthiness_vector"][claim], value, "{code:?}");
            assert_eq!(said["ear_status"], status, "{code:?}");
            assert_eq!(said["bootproof_findings"][0]["code"], code.as_str());
        }
    }

    #[test]
    fn what_is_not_known_is_not_claimed() {
        let appraisal = sound();
        for (appraisal, verdict) in [(None, "not appraised"), (Some(&appraisal), "not appraised")] {
            let expired = [finding(Code::VerdictExpired, "hold")];
            let said = result(appraisal, verdict, &expired);
            assert_eq!(said["ear_status"], "none");
            assert_eq!(said["ear_trustworthiness_vector"], json!({}));
        }
        // A refusal without a judgement is a refusal.
        let said = result(None, "not accepted", &[finding(Code::EkChanged, "fail")]);
        assert_eq!(said["ear_status"], "contraindicated");
    }

    #[test]
    fn both_dialects_say_the_same() {
        let appraisal = sound();
        let subject = Subject {
            id: "id",
            name: "web-1",
            verdict: "accepted",
            findings: &[],
            appraisal: Some(&appraisal),
            build: "1",
            issued_at: 10,
            expires: 20,
            nonce: Some("nonce-of-eight"),
        };
        let (ietf, veraison) =
            (claims(&subject, Dialect::Ietf), claims(&subject, Dialect::Veraison));
        assert_eq!(ietf["eat_profile"], "tag:ietf.org,2026:rats/ear#03");
        assert_eq!(veraison["eat_profile"], "tag:github.com,2023:veraison/ear");
        let (new, old) = (&ietf["submods"][SUBMODULE], &veraison["submods"][SUBMODULE]);
        assert_eq!(new["ear_status"], old["ear.status"]);
        assert_eq!(new["ear_trustworthiness_vector"], old["ear.trustworthiness-vector"]);
        assert_eq!(ietf["ear_verifier_id"], veraison["ear.verifier-id"]);
        assert_eq!((&ietf["eat_nonce"], &ietf["exp"]), (&json!("nonce-of-eight"), &json!(20)));
    }
}
