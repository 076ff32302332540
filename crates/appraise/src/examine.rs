//! Evidence -> claims: every check of the core crates, cheap ones before dear ones.

use std::sync::Arc;

use boot_claims::{Belief, BootClaims, DatabaseName};
use tpm_wire::{PcrBank, PcrSet, TpmAlgId};
use verify::{UnixTime, verify_ek_certificate};

use crate::claims::{Claims, EkStatus, LogStatus, QuoteStatus, ReadLog};
use crate::core::{Core, CoreLog, core_and_key};
use crate::ek::with_key_checked;
use crate::evidence::{Challenge, EkEvidence, Evidence, Known};
use crate::ima::examine_ima;
use crate::interface::log_area_bytes;
use crate::policy::LogRules;
use crate::{Interface, Policy, tpm};

/// Takes `evidence` through every check, in this order: whose key it is, the quote (form,
/// signature, magic, type, challenge, selection, digest), the endorsement certificate, the event
/// log (framing, replay in each quoted bank, data of each event), what booted, and where the policy
/// asks for it what IMA measured. A check that fails
/// stops none of the others. `now` is for the dates of certificates.
pub fn examine<'a>(
    evidence: &Evidence<'a>,
    known: &Known<'_>,
    ek: &EkEvidence<'_>,
    challenge: &Challenge<'_>,
    policy: &Policy,
    now: UnixTime,
) -> Claims<'a> {
    let (Core { identity, quote, log }, bound) = core_and_key(evidence, known, challenge, policy);
    let ek = ek_status(ek, known, now);
    let log = log_status(log, policy.log_rules());
    let ima = examine_ima(policy.ima.as_deref(), evidence.ima_list, &quote);
    let untrusted_banks = untrusted_banks(evidence, &quote, &log);
    let later_problem = evidence.later.and_then(|log| log.problem);
    let untrusted_log_area_bytes = evidence.acpi_tpm2.and_then(log_area_bytes);
    let untrusted_interface = evidence.acpi_tpm2.and_then(Interface::from_acpi_tpm2);
    let signer = tpm::signer(&quote, bound.as_deref(), evidence.tpm.as_ref());
    let weak_keys = tpm::weak_keys(&ek, bound.as_deref());
    Claims {
        identity,
        ek,
        quote,
        log,
        ima,
        untrusted_banks,
        later_problem,
        untrusted_log_area_bytes,
        untrusted_interface,
        untrusted_tpm: evidence.tpm,
        untrusted_machine: evidence.machine,
        signer,
        weak_keys,
    }
}

pub(crate) fn ek_status(ek: &EkEvidence<'_>, known: &Known<'_>, now: UnixTime) -> EkStatus {
    let enrolled = match known {
        Known::Nothing => None,
        Known::Names(enrolled) => Some(enrolled.ek_spki_sha256),
        Known::Key(bound) => Some(*bound.ek_spki_sha256()),
    };
    let status = match ek {
        EkEvidence::NotAsked if matches!(known, Known::Nothing) => return EkStatus::NotAsked,
        EkEvidence::NotAsked | EkEvidence::NoCertificate => {
            return EkStatus::Absent { ek_spki_sha256: enrolled };
        }
        EkEvidence::Judged(judged) => (*judged).clone(),
        EkEvidence::Certificate { certificate, untrusted_intermediates, roots } => {
            verify_ek_certificate(certificate, untrusted_intermediates, roots, now)
        }
    };
    let matching = with_key_checked(status, |verified| match enrolled {
        Some(enrolled) => verified.check_spki_sha256(&enrolled),
        None => Ok(()),
    });
    match matching {
        Ok(verified) => EkStatus::Verified(verified),
        Err(err) => EkStatus::Refused(err),
    }
}

fn log_status<'a>(log: CoreLog<'a>, rules: LogRules<'_>) -> LogStatus<'a> {
    let mut log = match log {
        CoreLog::Absent => return LogStatus::Absent,
        CoreLog::Empty => return LogStatus::Empty,
        CoreLog::Compared(log) => log,
    };
    let boot = BootClaims::read_checked(&log.compared);
    let replayed = log.compared.replayed();
    let replayed_in = |alg: TpmAlgId| {
        let in_bank = |pcr: &u32| replayed.banks_of(*pcr).any(|bank| bank == alg);
        (alg, (0..24).filter(in_bank).collect::<PcrSet>())
    };
    let replayed = log.banks.iter().copied().map(replayed_in).collect();
    let dbx = boot.database(DatabaseName::Dbx).filter(|dbx| dbx.belief == Belief::Verified);
    let revocations = &rules.secure_boot.revocations;
    LogStatus::Read(Box::new(ReadLog {
        dbx: dbx.map(|dbx| revocations.state_of(dbx.value)),
        revocations: Arc::clone(revocations),
        n_bytes: log.compared.place.n_bytes,
        n_earlier_logs: log.compared.place.n_earlier,
        replayed,
        quirks: quirks::in_log(&log.compared),
        boot,
        mismatches: std::mem::take(&mut log.compared.mismatches),
        continued: std::mem::take(&mut log.compared.continued),
        led_on: std::mem::take(&mut log.compared.led_on),
        banks_not_in_log: std::mem::take(&mut log.compared.banks_not_in_log),
        startup_problems: std::mem::take(&mut log.compared.startup_problems),
        problems: std::mem::take(&mut log.compared.problems),
        compared: log.compared,
    }))
}

/// The banks that anything in the evidence speaks of, each once.
fn untrusted_banks(
    evidence: &Evidence<'_>,
    quote: &QuoteStatus,
    log: &LogStatus<'_>,
) -> Vec<TpmAlgId> {
    let mut banks: Vec<TpmAlgId> = Vec::new();
    let mut add = |alg: TpmAlgId| {
        if !banks.contains(&alg) {
            banks.push(alg);
        }
    };
    if let Some(active) = evidence.active_banks {
        // The TPM's own list is the best of the hints; a log also names banks that are off.
        active.iter().copied().for_each(&mut add);
        return banks;
    }
    evidence.pcrs.iter().map(PcrBank::alg).for_each(&mut add);
    if let Some(selection) = quote.selection() {
        selection.banks().iter().for_each(|(alg, _)| add(*alg));
    }
    if let LogStatus::Read(log) = log {
        log.log().algorithms().for_each(&mut add);
    }
    banks
}
