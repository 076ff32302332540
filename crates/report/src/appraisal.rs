//! Claims and verdict -> JSON types.

use api::{
    agent::TpmProperties,
    appraisal::{
        Appraisal, EndorsementFacts, Facts, LogFacts, QuoteFacts, ReferenceFacts, TpmFacts,
        VariableFacts,
    },
    finding::Finding,
    machine::Machine,
    pcrs::Pcrs,
};
use appraise::{
    BesideLog, Claims, EkStatus, IdentityStatus, LogStatus, QuoteStatus, ReadLog, SignerStatus,
    TpmSaid, Unchanged,
};
use boot_claims::{Belief, State};
use event_log::LedOn;
use quirks::{Seen, UntrustedMachine};
use tpm_vendors::{FirmwareVersion, Vendor};
use tpm_wire::{PcrSelection, PcrSet};

/// Characters of a text that a host wrote and we show: a device path or a command line is shorter.
const UNTRUSTED_CHARS_MAX: usize = 4096;

/// `judged` and what `claims` it rests on, as a document.
pub fn appraisal(claims: &Claims<'_>, judged: &appraise::Appraisal) -> Appraisal {
    let beside = claims.beside_log();
    let verified = beside.quote.verified();
    let mut document = head(&beside, judged);
    document.facts.pcrs =
        verified.map_or(&[][..], |quote| quote.values()).iter().cloned().collect::<Pcrs>();
    if let LogStatus::Read(log) = &claims.log {
        document.facts.event_log = Some(log_facts(log));
        // What the log tells counts only under a verified quote.
        if verified.is_some() {
            boot(log, &mut document.facts);
        }
    }
    document
}

/// The same of a host whose log and quoted values are those of an earlier judgement, without what tells
/// of the boot: that is the earlier one's [`BootSection`](crate::BootSection).
pub fn unchanged(unchanged: &Unchanged<'_, '_>, judged: &appraise::Appraisal) -> Appraisal {
    head(&unchanged.beside_log(), judged)
}

/// All but what tells of the boot.
fn head(beside: &BesideLog<'_, '_>, judged: &appraise::Appraisal) -> Appraisal {
    Appraisal {
        verdict: judged.verdict.as_str().to_owned(),
        findings: judged.findings.iter().map(Finding::from).collect(),
        facts: Facts {
            quote_verified: beside.quote.verified().is_some(),
            quote: quote(beside),
            endorsement: endorsement(beside.ek),
            tpm: tpm(beside),
            interface: beside.untrusted_interface.map(|interface| interface.as_str().to_owned()),
            reference: judged.reference.as_ref().map(|matched| ReferenceFacts {
                name: matched.name.clone(),
                state: matched.state.as_str().to_owned(),
                pcrs: matched.pcrs.iter().collect(),
            }),
            ..Facts::default()
        },
        judged_anew: false,
    }
}

fn quote(beside: &BesideLog<'_, '_>) -> Option<QuoteFacts> {
    let ak_name = match beside.identity {
        IdentityStatus::Bound { ak_name, .. } => Some(ak_name.to_string()),
        _ => None,
    };
    let (clock, firmware_version, selection) = match beside.quote {
        QuoteStatus::Absent { .. } => return None,
        QuoteStatus::Verified(quote) => {
            (*quote.clock_info(), quote.firmware_version(), Some(*quote.selection()))
        }
        QuoteStatus::NoKey { untrusted_attest } => {
            let attest = untrusted_attest.as_ref().ok()?;
            (attest.clock_info, attest.firmware_version, attest.selection)
        }
        QuoteStatus::Refused { untrusted_attest, .. } => {
            let attest = untrusted_attest.as_ref()?;
            (attest.clock_info, attest.firmware_version, attest.selection)
        }
    };
    let banks = selection.as_ref().map(PcrSelection::banks).unwrap_or_default();
    Some(QuoteFacts {
        clock_ms: clock.clock_ms,
        reset_count: clock.reset_count,
        restart_count: clock.restart_count,
        safe: clock.safe == 1,
        firmware_version: format!("{firmware_version:016x}"),
        selection: banks.iter().map(|(alg, pcrs)| format!("{alg}:{pcrs}")).collect(),
        ak_name,
        signer: match beside.signer {
            SignerStatus::Matches => "verified",
            SignerStatus::NotChecked => "not checked",
            SignerStatus::Differs { .. } => "contradicted",
        }
        .to_owned(),
    })
}

/// What a TPM says of itself, as the judgement takes it.
pub fn tpm_said(said: &TpmProperties) -> TpmSaid<'_> {
    TpmSaid {
        manufacturer: said.manufacturer,
        vendor_string: &said.vendor_string,
        firmware_version: said.firmware_version(),
        ak_parent: said.ak_parent.as_deref(),
    }
}

/// What a host says of its machine, as the judgement takes it.
pub fn machine_said(said: &Machine) -> UntrustedMachine<'_> {
    UntrustedMachine {
        vendor: said.system_vendor.as_deref().unwrap_or_default(),
        product: said.product_name.as_deref().unwrap_or_default(),
        firmware_vendor: said.firmware_vendor.as_deref().unwrap_or_default(),
        firmware: said.firmware_version.as_deref().unwrap_or_default(),
    }
}

fn tpm(beside: &BesideLog<'_, '_>) -> Option<TpmFacts> {
    let said = beside.untrusted_tpm?;
    Some(TpmFacts {
        untrusted_manufacturer: Vendor::new(said.manufacturer).to_string(),
        untrusted_vendor_string: shown(said.vendor_string),
        untrusted_firmware_version: FirmwareVersion::from_properties(said.firmware_version)
            .to_string(),
    })
}

/// What a certificate says whose chain holds, be it out of its dates.
pub fn endorsement(ek: &EkStatus) -> Option<EndorsementFacts> {
    let out_of_date = matches!(ek, EkStatus::Refused(_));
    let ek = ek.endorsed()?;
    let root = tpm_vendors::authority(&ek.root().0);
    Some(EndorsementFacts {
        manufacturer: ek.tpm().manufacturer.clone(),
        model: ek.tpm().model.clone(),
        version: ek.tpm().version.clone(),
        out_of_date,
        root: root.map(|known| format!("{}: {}", known.vendor, known.name)),
        root_sha256: ek.root().to_string(),
        spki_sha256: hex::encode(ek.spki_sha256()),
    })
}

fn log_facts(log: &ReadLog<'_>) -> LogFacts {
    let led_on = |led: &LedOn| format!("{}:{} ({} events)", led.alg, led.pcr_index, led.n_events);
    let replayed = |(alg, pcrs): &(_, PcrSet)| format!("{alg}:{pcrs}");
    let quirk = |seen: &Seen| format!("{} ({} events)", seen.quirk.as_str(), seen.n_events);
    LogFacts {
        n_bytes: log.n_bytes,
        n_events: log.log().events().len(),
        banks: log.log().algorithms().map(|alg| alg.to_string()).collect(),
        replayed: log.replayed.iter().map(replayed).collect(),
        led_on: log.led_on.iter().map(led_on).collect(),
        quirks: log.quirks.iter().map(quirk).collect(),
    }
}

fn boot(log: &ReadLog<'_>, facts: &mut Facts) {
    let claims = &log.boot;
    facts.secure_boot = match claims.secure_boot.state {
        State::On => Some(true),
        State::Off => Some(false),
        State::Unknown(_) => None,
    };
    facts.setup_mode = claims
        .setup_mode
        .filter(|mode| mode.belief == Belief::Verified)
        .and_then(|mode| mode.is_set);
    crate::boot_path::tell(&log.boot_path(), facts);
    facts.secure_boot_state = Some(crate::secure_boot::facts(log));
    facts.secure_boot_variables = claims
        .databases
        .iter()
        .map(|database| VariableFacts {
            name: database.name.to_string(),
            sha256: hex::encode(database.sha256()),
            n_entries: database.malformed.is_none().then(|| database.len()),
            belief: belief(database.belief).to_owned(),
        })
        .collect();
}

pub(crate) fn belief(belief: Belief) -> &'static str {
    match belief {
        Belief::Verified => "verified",
        Belief::Unverifiable(_) => "unverifiable",
        Belief::Contradicted => "contradicted",
    }
}

/// A text of a host, for people: without control characters, and not endless.
pub(crate) fn shown(text: &str) -> String {
    let plain = |c: char| if c.is_control() { '\u{fffd}' } else { c };
    text.chars().take(UNTRUSTED_CHARS_MAX).map(plain).collect()
}
