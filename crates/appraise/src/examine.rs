//! Evidence -> claims: every check of the core crates, cheap ones before dear ones.

use boot_claims::BootClaims;
use event_log::{compare, parse_last, replay};
use tpm_wire::{PcrBank, PcrSet, TpmAlgId};
use verify::{
    BindError, BoundAk, Name, Nonce, QuoteProblem, RawQuote, UnixTime, UntrustedAttest, check_ak,
    verify_ek_certificate, verify_quote,
};

use crate::claims::{Claims, EkStatus, IdentityStatus, LogStatus, QuoteStatus, ReadLog};
use crate::ek::with_key_checked;
use crate::evidence::{Challenge, EkEvidence, Evidence, Known, QuoteEvidence};
use crate::ima::examine_ima;
use crate::interface::log_area_bytes;
use crate::{Interface, Policy};

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
    let (identity, bound) = identity(known, evidence.ak_public);
    let quote = quote(evidence, bound.as_deref(), challenge, policy);
    let ek = ek_status(ek, known, now);
    let log = match evidence.event_log {
        None => LogStatus::Absent,
        Some([]) => LogStatus::Empty,
        Some(bytes) => {
            let said;
            let values = match &quote {
                QuoteStatus::Verified(quote) => quote.values(),
                unverified => {
                    said = as_selected(evidence.pcrs, unverified);
                    &said
                }
            };
            LogStatus::Read(Box::new(read_log(bytes, values, policy)))
        }
    };
    let ima = examine_ima(policy.ima.as_deref(), evidence.ima_list, &quote);
    let untrusted_banks = untrusted_banks(evidence, &quote, &log);
    let untrusted_log_area_bytes = evidence.acpi_tpm2.and_then(log_area_bytes);
    let untrusted_interface = evidence.acpi_tpm2.and_then(Interface::from_acpi_tpm2);
    Claims {
        identity,
        ek,
        quote,
        log,
        ima,
        untrusted_banks,
        untrusted_log_area_bytes,
        untrusted_interface,
    }
}

/// A key that is borrowed from the caller's cache or made for this evidence.
enum Key<'a> {
    Kept(&'a BoundAk),
    Made(Box<BoundAk>),
}

impl std::ops::Deref for Key<'_> {
    type Target = BoundAk;

    fn deref(&self) -> &BoundAk {
        match self {
            Self::Kept(key) => key,
            Self::Made(key) => key,
        }
    }
}

fn identity<'a>(known: &Known<'a>, presented: Option<&[u8]>) -> (IdentityStatus, Option<Key<'a>>) {
    let presented_name = || presented.and_then(|public| check_ak(public).ok()).map(|ak| *ak.name());
    match known {
        Known::Nothing => (IdentityStatus::NoIdentityKey, None),
        Known::Key(bound) => {
            let ak_name = *bound.ak().name();
            // Byte equality settles the normal case without parsing the key again.
            let same = presented.is_none_or(|public| public == bound.ak().raw());
            let presented: Option<Name> =
                if same { None } else { presented_name().filter(|name| *name != ak_name) };
            let status = if same || presented.is_none() {
                IdentityStatus::Bound { ak_name, presented: None }
            } else {
                IdentityStatus::AkNotEnrolled { enrolled: ak_name, presented }
            };
            (status, Some(Key::Kept(bound)))
        }
        Known::Names(enrolled) => {
            let ak_name = enrolled.ak_name;
            let not_enrolled =
                |presented| IdentityStatus::AkNotEnrolled { enrolled: ak_name, presented };
            let Some(public) = presented else { return (not_enrolled(None), None) };
            match BoundAk::from_enrolled(enrolled, public) {
                Ok(bound) => {
                    let status = IdentityStatus::Bound { ak_name, presented: None };
                    (status, Some(Key::Made(Box::new(bound))))
                }
                Err(BindError::NotEnrolled { have, .. }) => (not_enrolled(Some(have)), None),
                Err(BindError::Ak(err)) => (IdentityStatus::AkUnfit(err), None),
                Err(_) => (not_enrolled(None), None),
            }
        }
    }
}

fn quote(
    evidence: &Evidence<'_>,
    bound: Option<&BoundAk>,
    challenge: &Challenge<'_>,
    policy: &Policy,
) -> QuoteStatus {
    let Some(QuoteEvidence { attest, signature }) = evidence.quote else {
        return QuoteStatus::Absent { untrusted_error: evidence.tpm_error.map(str::to_owned) };
    };
    let Some(bound) = bound else {
        return QuoteStatus::NoKey { untrusted_attest: UntrustedAttest::parse(attest) };
    };
    let rule = policy.selection_rule();
    let check = |nonce: &Nonce| {
        verify_quote(bound, RawQuote { attest, signature }, evidence.pcrs, nonce, &rule)
    };
    let (mut problems, untrusted_attest) = match challenge {
        Challenge::Nonce(nonce) => {
            let mut check = check(nonce);
            let refused = (std::mem::take(&mut check.problems), check.untrusted_attest);
            match check.into_verified() {
                Some(verified) => return QuoteStatus::Verified(verified),
                None => refused,
            }
        }
        Challenge::Absent => match Nonce::new(&[0]) {
            // Any nonce serves to collect the other problems; that none was asked for is one.
            Some(nonce) => {
                let check = check(&nonce);
                (check.problems, check.untrusted_attest)
            }
            None => (Vec::new(), None),
        },
    };
    if matches!(challenge, Challenge::Absent) && !problems.contains(&QuoteProblem::NonceMismatch) {
        problems.push(QuoteProblem::NonceMismatch);
    }
    QuoteStatus::Refused { untrusted_attest, problems }
}

fn ek_status(ek: &EkEvidence<'_>, known: &Known<'_>, now: UnixTime) -> EkStatus {
    let status = match ek {
        EkEvidence::NotAsked if matches!(known, Known::Nothing) => return EkStatus::NotAsked,
        EkEvidence::NotAsked | EkEvidence::NoCertificate => return EkStatus::Absent,
        EkEvidence::Judged(judged) => (*judged).clone(),
        EkEvidence::Certificate { certificate, untrusted_intermediates, roots } => {
            verify_ek_certificate(certificate, untrusted_intermediates, roots, now)
        }
    };
    let enrolled = match known {
        Known::Nothing => None,
        Known::Names(enrolled) => Some(enrolled.ek_spki_sha256),
        Known::Key(bound) => Some(*bound.ek_spki_sha256()),
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

/// The values that the host says of the PCRs that its unverified quote covers; all of them where
/// there is no quote. To compare the log with something, for findings that help.
fn as_selected(said: &[PcrBank], quote: &QuoteStatus) -> Vec<PcrBank> {
    let Some(selection) = quote.selection() else { return said.to_vec() };
    let mut selected = Vec::new();
    for (alg, pcrs) in selection.banks() {
        let Some(values) = said.iter().find(|bank| bank.alg() == *alg) else { continue };
        let mut bank = PcrBank::new(*alg);
        for (index, value) in values.iter().filter(|(index, _)| pcrs.contains(*index)) {
            // It came out of a bank of the same hash, so it fits.
            let _ = bank.set(index, *value);
        }
        selected.push(bank);
    }
    selected
}

fn read_log<'a>(bytes: &'a [u8], values: &[PcrBank], policy: &Policy) -> ReadLog<'a> {
    let (parsed, place) = parse_last(bytes);
    // SHA-1 beside a better bank proves nothing more, so it is not replayed then.
    let strong: Vec<PcrBank> =
        values.iter().filter(|bank| bank.alg().is_strong_hash()).cloned().collect();
    let judged = if strong.is_empty() { values } else { &strong };
    let replay = replay(&parsed.log, judged.iter().map(PcrBank::alg));
    let comparison = compare(&parsed.log, &replay, judged, &policy.replay_rules());
    let boot = BootClaims::read(&comparison.replayed);
    let replayed = judged.iter().map(PcrBank::alg).map(|alg| {
        let in_bank = |pcr: &u32| comparison.replayed.banks_of(*pcr).any(|bank| bank == alg);
        (alg, (0..24).filter(in_bank).collect::<PcrSet>())
    });
    ReadLog {
        n_bytes: place.n_bytes,
        n_earlier_logs: place.n_earlier,
        replayed: replayed.collect(),
        boot,
        mismatches: comparison.mismatches,
        continued: comparison.continued,
        banks_not_in_log: comparison.banks_not_in_log,
        startup_problems: replay.startup_problems,
        problems: parsed.problems,
        log: parsed.log,
    }
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
        log.log.algorithms().for_each(&mut add);
    }
    banks
}
