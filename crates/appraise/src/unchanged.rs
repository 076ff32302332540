//! A host whose log and quoted values are those of its last judgement: most hosts, most times.
//!
//! What a judgement found in a log is a function of the bytes of the log, of the log of the running
//! system that goes on with its PCRs, of the quoted values, of the size of the log's area and of what
//! the policy says of logs, as long as no references apply. Where all of them are the same as last time, so is what
//! was found. Whose key it is, the signature, the challenge, the counters, the endorsement certificate, what the
//! TPM says of itself and what IMA measured are checked anew each time, and so are the rules of the
//! policy, whose waivers end.

use std::sync::Arc;

use event_log::{LaterLog, sha256};
use findings::Finding;
use quirks::UntrustedMachine;
use tpm_wire::{PcrBank, PcrSet};
use verify::{CheckedSignature, UnixTime, VerifiedQuote};

use crate::appraisal::{Appraisal, BesideLog, Proved, concluded, log_findings};
use crate::claims::{
    Claims, EkStatus, IdentityStatus, KeyRole, LogStatus, QuoteStatus, SignerStatus,
};
use crate::core::{identity, quote};
use crate::evidence::{Challenge, EkEvidence, Evidence, Known};
use crate::examine::ek_status;
use crate::ima::{ImaStatus, examine_ima};
use crate::interface::log_area_bytes;
use crate::reference::Context;
use crate::{Interface, Policy, TpmSaid, tpm};

/// An event log by its SHA-256.
#[derive(Clone, Copy, Debug)]
pub struct HashedLog<'a> {
    bytes: Option<&'a [u8]>,
    sha256: [u8; 32],
}

impl<'a> HashedLog<'a> {
    /// Hashes `bytes`, once for the store and for [`LogMemo`].
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { bytes: Some(bytes), sha256: sha256(&[bytes]) }
    }

    /// A log that lies in a store under its digest: `None` where it was not read, and the evidence
    /// is judged without it.
    ///
    /// Trust: the store must have hashed what it keeps, and the digest be that beside this evidence.
    pub const fn stored(sha256: [u8; 32], bytes: Option<&'a [u8]>) -> Self {
        Self { bytes, sha256 }
    }

    /// The digest.
    pub const fn sha256(&self) -> &[u8; 32] {
        &self.sha256
    }

    /// Whether it is the log of `evidence`, the very bytes; of evidence without one the log that was
    /// not read.
    fn is_of(&self, evidence: &Evidence<'_>) -> bool {
        match (evidence.event_log, self.bytes) {
            (Some(log), Some(bytes)) => std::ptr::eq(log, bytes),
            (None, None) => true,
            (Some(_), None) | (None, Some(_)) => false,
        }
    }
}

/// What a judgement found in a log, with all that it rests on. Made only of a log that was judged
/// beside a verified quote.
#[derive(Clone, Debug)]
pub struct LogMemo {
    log_sha256: [u8; 32],
    later: Option<LaterLog>,
    quoted_sha256: [u8; 32],
    untrusted_log_area_bytes: Option<u32>,
    /// The one that it was judged under. Another serves where it says the same of logs.
    policy: Arc<Policy>,
    /// As they were before the rules of the policy, which know of waivers that end.
    findings: Vec<Finding>,
    named: PcrSet,
}

impl LogMemo {
    /// What `claims`, which `evidence` with this `log` was examined for, say of it. `None` where no
    /// quote is verified, where references apply, which may end, and where the policy has rules of
    /// the site, which may look at anything.
    pub fn of(
        log: &HashedLog<'_>,
        evidence: &Evidence<'_>,
        claims: &Claims<'_>,
        context: &Context<'_>,
        policy: &Arc<Policy>,
        now: UnixTime,
    ) -> Option<Self> {
        let quote = claims.quote.verified()?;
        let LogStatus::Read(_) = &claims.log else { return None };
        let is_held = policy.site_rules.is_some() || !context.references.is_empty();
        if !log.is_of(evidence) || is_held {
            return None;
        }
        Some(Self {
            log_sha256: log.sha256,
            later: evidence.later.cloned(),
            quoted_sha256: quoted_sha256(quote),
            untrusted_log_area_bytes: claims.untrusted_log_area_bytes,
            policy: Arc::clone(policy),
            // Without references time has no part in it.
            findings: log_findings(claims, context, policy.log_rules(), now).0,
            named: claims.named_pcrs()?,
        })
    }

    /// Whether the logs of `evidence`, of which the firmware's was hashed as `log`, and what `policy`
    /// says of logs are those that this rests on, and no references and no rules of the site apply.
    pub fn fits<'m, 'e>(
        &'m self,
        log: &HashedLog<'_>,
        evidence: &'e Evidence<'e>,
        context: &Context<'_>,
        policy: &'m Policy,
    ) -> Option<SameLog<'m, 'e>> {
        let untrusted_log_area_bytes = evidence.acpi_tpm2.and_then(log_area_bytes);
        let fits = log.is_of(evidence)
            && context.references.is_empty()
            && log.sha256 == self.log_sha256
            && evidence.later == self.later.as_ref()
            && untrusted_log_area_bytes == self.untrusted_log_area_bytes
            && policy.site_rules.is_none()
            && (std::ptr::eq(policy, &*self.policy)
                || policy.log_rules() == self.policy.log_rules());
        fits.then_some(SameLog { memo: self, evidence, policy, checked: None })
    }

    /// SHA-256 of the log.
    pub const fn log_sha256(&self) -> &[u8; 32] {
        &self.log_sha256
    }

    /// Bytes that it holds in memory, about.
    pub fn n_bytes(&self) -> usize {
        // An argument and a measurement of the running system have a digest in place, or a text of
        // about its size.
        const PIECE_BYTES: usize = 160;
        let arguments = self.findings.iter().map(|finding| finding.arguments().len());
        let later = self.later.iter().flat_map(|log| &log.events);
        let later = later.map(|event| event.digests.len().saturating_add(1));
        let n_pieces = arguments.chain(later).fold(0usize, usize::saturating_add);
        let texts = self.later.iter().flat_map(|log| &log.events);
        let texts = texts.filter_map(|event| Some(event.untrusted_text.as_ref()?.len()));
        size_of::<Self>()
            .saturating_add(self.findings.len().saturating_mul(size_of::<Finding>()))
            .saturating_add(n_pieces.saturating_mul(PIECE_BYTES))
            .saturating_add(texts.fold(0, usize::saturating_add))
    }
}

/// Over banks, indices and values.
fn quoted_sha256(quote: &VerifiedQuote) -> [u8; 32] {
    let heads: Vec<[u8; 5]> = quote.values().iter().map(head).collect();
    let mut parts: Vec<&[u8]> = Vec::with_capacity(64);
    for (bank, head) in quote.values().iter().zip(&heads) {
        parts.push(head);
        parts.extend(bank.iter().map(|(_, value)| value.as_bytes()));
    }
    sha256(&parts)
}

/// The algorithm of a bank, which says how long its values are, and which of them are there.
fn head(bank: &PcrBank) -> [u8; 5] {
    let [a, b] = bank.alg().0.to_be_bytes();
    let [c, d, e] = bank.present().to_octets();
    [a, b, c, d, e]
}

/// What was checked anew of a host whose log is as it was.
#[derive(Clone, Debug)]
pub struct Unchanged<'m, 'e> {
    identity: IdentityStatus,
    ek: EkStatus,
    quote: QuoteStatus,
    ima: ImaStatus,
    untrusted_interface: Option<Interface>,
    untrusted_tpm: Option<TpmSaid<'e>>,
    untrusted_machine: Option<UntrustedMachine<'e>>,
    signer: SignerStatus,
    weak_keys: Vec<KeyRole>,
    memo: &'m LogMemo,
    policy: &'m Policy,
}

impl<'e> Unchanged<'_, 'e> {
    /// The PCRs that the log has events of.
    pub const fn named_pcrs(&self) -> PcrSet {
        self.memo.named
    }

    /// The quote: a verified one.
    pub const fn quote(&self) -> &QuoteStatus {
        &self.quote
    }

    /// All that was checked anew.
    pub fn beside_log(&self) -> BesideLog<'_, 'e> {
        BesideLog {
            identity: &self.identity,
            ek: &self.ek,
            quote: &self.quote,
            untrusted_interface: self.untrusted_interface,
            untrusted_tpm: self.untrusted_tpm,
            untrusted_machine: self.untrusted_machine,
            signer: &self.signer,
            weak_keys: &self.weak_keys,
            // Only asked where no quote is verified.
            untrusted_banks: &[],
            ima: &self.ima,
        }
    }
}

/// Evidence whose logs lie beside a memo of the same, under a policy that says the same of logs. What
/// remains to be the same are the quoted values, which its quote must prove first.
#[derive(Clone, Copy, Debug)]
pub struct SameLog<'m, 'e> {
    memo: &'m LogMemo,
    evidence: &'e Evidence<'e>,
    policy: &'m Policy,
    checked: Option<CheckedSignature>,
}

impl<'m, 'e> SameLog<'m, 'e> {
    /// With the signature of the host's last verified quote: where it is judged once more, its
    /// signature is not checked a second time.
    #[must_use]
    pub const fn with_signature(self, checked: Option<CheckedSignature>) -> Self {
        Self { checked, ..self }
    }

    /// [`examine`](crate::examine), where the quote is verified and its values are those of the
    /// memo; `None` else: then the way is `examine`.
    pub fn examine(
        &self,
        known: &Known<'_>,
        ek: &EkEvidence<'_>,
        challenge: &Challenge<'_>,
        now: UnixTime,
    ) -> Option<Unchanged<'m, 'e>> {
        let Self { memo, evidence, policy, checked } = *self;
        let (identity, bound) = identity(known, evidence.ak_public);
        let quote = quote(evidence, bound.as_deref(), challenge, policy, checked.as_ref());
        if quoted_sha256(quote.verified()?) != memo.quoted_sha256 {
            return None;
        }
        let ek = ek_status(ek, known, now);
        let ima = examine_ima(policy.ima.as_deref(), evidence.ima_list, &quote);
        let signer = tpm::signer(&quote, bound.as_deref(), evidence.tpm.as_ref());
        let weak_keys = tpm::weak_keys(&ek, bound.as_deref());
        let untrusted_interface = evidence.acpi_tpm2.and_then(Interface::from_acpi_tpm2);
        Some(Unchanged {
            identity,
            ek,
            quote,
            ima,
            untrusted_interface,
            untrusted_tpm: evidence.tpm,
            untrusted_machine: evidence.machine,
            signer,
            weak_keys,
            memo,
            policy,
        })
    }
}

/// [`appraise`](crate::appraise) of the same.
pub fn appraise_unchanged(
    unchanged: &Unchanged<'_, '_>,
    context: &Context<'_>,
    now: UnixTime,
) -> Appraisal {
    let (policy, found) = (unchanged.policy, unchanged.memo.findings.clone());
    let findings = unchanged.beside_log().findings(context.previous, found, policy);
    // A memo is made of a log that was read, and what was examined beside it has a verified quote.
    concluded(Proved::QuoteAndLog, findings, policy, now)
}
