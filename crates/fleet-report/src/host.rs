//! One host of a report, out of what counts of it and of its last judgement.

use api::{
    appraisal::{Appraisal, BootStep, EndorsementFacts, Facts},
    finding::Finding,
    fleet_report::{BootedStep, ReportKind, ReportedFinding, ReportedHost, Shown},
    machine::Machine,
};
use aws_lc_rs::digest::{Context, SHA256};

use crate::{control::control_answers, readiness::readiness};

/// Steps of a boot that are told of each host of a fleet: loader, kernel, initrd and what stands around
/// them. A report of one host tells all.
const STEPS_IN_FLEET: usize = 12;

/// Findings that are told of each host: those that decide come first.
const FINDINGS_MAX: usize = 24;

/// What counts of a host now.
#[derive(Clone, Debug)]
pub struct Standing {
    /// What lists show.
    pub host: api::admin::Host,
    /// Since when its first finding stands.
    pub since_ms: Option<i64>,
    /// Up to when its last judgement counts.
    pub good_until_ms: Option<i64>,
    /// When it joined.
    pub joined_at_ms: i64,
    /// SHA-256 of its endorsement key, in hex.
    pub ek_sha256: Option<String>,
}

/// The host as a report of this kind tells it. `appraisal` is its last judgement.
pub fn reported(
    standing: Standing,
    appraisal: Option<&Appraisal>,
    kind: ReportKind,
) -> ReportedHost {
    let Standing { host, since_ms, good_until_ms, joined_at_ms, ek_sha256 } = standing;
    ReportedHost {
        readiness: readiness(appraisal),
        controls: control_answers(&host.verdict, appraisal),
        evidence: appraisal.map(|appraisal| shown(&appraisal.facts, kind)),
        findings: host.findings.iter().take(FINDINGS_MAX).map(finding).collect(),
        id: host.id,
        name: host.name,
        verdict: host.verdict,
        connection: host.connection,
        since_ms,
        appraised_at_ms: host.appraised_at_ms,
        good_until_ms,
        joined_at_ms,
        labels: host.labels,
        maintenance: host.maintenance,
        ek_sha256,
    }
}

fn finding(finding: &Finding) -> ReportedFinding {
    ReportedFinding {
        code: finding.code.clone(),
        severity: finding.severity.clone(),
        cause: finding.cause.clone(),
        next_step: finding.next_step.clone(),
        waived: finding
            .arguments
            .get("waived")
            .and_then(|reason| reason.as_str())
            .map(str::to_owned),
    }
}

fn shown(facts: &Facts, kind: ReportKind) -> Shown {
    let is_whole = kind == ReportKind::Host;
    let n_steps = if is_whole { facts.boot.len() } else { STEPS_IN_FLEET };
    let state = facts.secure_boot_state.as_ref();
    let machine = facts.untrusted_machine.as_ref();
    Shown {
        quote_verified: facts.quote_verified,
        secure_boot: facts.secure_boot,
        certified_tpm: facts.endorsement.as_ref().map(certified),
        untrusted_tpm: facts.tpm.as_ref().map(|tpm| {
            joined([
                Some(tpm.untrusted_manufacturer.as_str()),
                Some(tpm.untrusted_vendor_string.as_str()),
                Some(tpm.untrusted_firmware_version.as_str()),
            ])
        }),
        untrusted_machine: machine.map(machine_words).filter(|words| !words.is_empty()),
        untrusted_firmware: machine.map(firmware_words).filter(|words| !words.is_empty()),
        untrusted_system: machine.map(system_words).filter(|words| !words.is_empty()),
        keys: state.map(keys).unwrap_or_default(),
        dbx: state.and_then(|state| state.dbx.as_ref()).map(|dbx| match &dbx.release {
            Some(release) => format!("{release} (newest known: {})", dbx.newest),
            None => format!("of no known release (newest known: {})", dbx.newest),
        }),
        sbat_level: state.and_then(|state| state.sbat_level.clone()),
        reference: facts.reference.as_ref().map(|reference| {
            let pcrs: Vec<_> = reference.pcrs.iter().map(u32::to_string).collect();
            format!("{} ({}, PCR {})", reference.name, reference.state, pcrs.join(", "))
        }),
        boot: told(&facts.boot, n_steps).map(step).collect(),
        n_more_steps: facts
            .boot
            .len()
            .saturating_sub(n_steps)
            .saturating_add(facts.n_more_boot_steps),
        reset_count: facts.quote.as_ref().map(|quote| quote.reset_count),
        quoted: facts.quote.as_ref().map(|quote| quote.selection.clone()).unwrap_or_default(),
        pcrs: is_whole.then(|| facts.pcrs.clone()),
        pcr_digest: pcr_digest(facts),
    }
}

/// The last steps where not all are told: drivers come first, and what runs now comes last.
fn told(steps: &[BootStep], n: usize) -> impl Iterator<Item = &BootStep> {
    steps.iter().skip(steps.len().saturating_sub(n))
}

fn joined<'a>(parts: impl IntoIterator<Item = Option<&'a str>>) -> String {
    let parts: Vec<_> =
        parts.into_iter().flatten().map(str::trim).filter(|part| !part.is_empty()).collect();
    parts.join(" ")
}

fn certified(tpm: &EndorsementFacts) -> String {
    let manufacturer = tpm.manufacturer.as_deref().map(manufacturer);
    let words = joined([manufacturer.as_deref(), tpm.model.as_deref(), tpm.version.as_deref()]);
    let root = tpm.root.as_deref().unwrap_or("a root that the operator trusts");
    format!("{words}, under {root}")
}

/// A manufacturer as its certificate names it, in letters where they are: `id:4E544300` is `NTC`.
fn manufacturer(id: &str) -> String {
    let bytes = id.strip_prefix("id:").and_then(|digits| hex::decode(digits).ok());
    let letters = bytes.and_then(|bytes| String::from_utf8(bytes).ok());
    let letters = letters.map(|letters| letters.trim_matches(['\0', ' ']).to_owned());
    match letters {
        Some(letters) if !letters.is_empty() && letters.chars().all(|c| c.is_ascii_graphic()) => {
            letters
        }
        _ => id.to_owned(),
    }
}

fn machine_words(machine: &Machine) -> String {
    joined([machine.system_vendor.as_deref(), machine.product_name.as_deref()])
}

fn firmware_words(machine: &Machine) -> String {
    joined([
        machine.firmware_vendor.as_deref(),
        machine.firmware_version.as_deref(),
        machine.firmware_date.as_deref(),
    ])
}

fn system_words(machine: &Machine) -> String {
    joined([machine.os_name.as_deref(), machine.kernel_release.as_deref()])
}

fn keys(state: &api::appraisal::SecureBootFacts) -> Vec<String> {
    let proved = state.keys.iter().filter(|key| key.belief == "verified");
    let word = |key: &api::appraisal::KeyFacts| {
        let name = key.known.as_deref().or(key.subject.as_deref()).unwrap_or("without a name");
        let test = if key.is_test_key { " (made for tests)" } else { "" };
        format!("{}: {name}{test}", key.variable)
    };
    proved.map(word).collect()
}

fn step(step: &BootStep) -> BootedStep {
    BootedStep {
        what: match (&step.untrusted_role, &step.text) {
            (Some(role), _) => format!("{} ({role})", step.kind),
            (None, Some(text)) => format!("{}: {text}", step.kind),
            (None, None) => step.kind.clone(),
        },
        pcr: step.pcr,
        digest: step.digest.clone(),
        untrusted_path: step.untrusted_path.clone(),
    }
}

/// SHA-256 over the values of the SHA-256 bank, else of the first one. [TPM2-P2-1.59 §10.12.1 TPMS_QUOTE_INFO]
fn pcr_digest(facts: &Facts) -> Option<String> {
    if !facts.quote_verified {
        return None;
    }
    let values = facts.pcrs.0.get("sha256").or_else(|| facts.pcrs.0.values().next())?;
    let mut digest = Context::new(&SHA256);
    for value in values.values() {
        digest.update(&hex::decode(value).ok()?);
    }
    Some(hex::encode(digest.finish()))
}
