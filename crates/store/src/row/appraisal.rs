//! Verdicts and the evidence they rest on.

use aws_lc_rs::digest;

use crate::{By, HostId, JudgedBy, Peers, QuoteClock, QuotedValues, Reply, Sha256};

/// An appraisal's number: grows with time over all hosts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AppraisalId(pub i64);

/// One verdict to record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewAppraisal {
    /// The host.
    pub host: HostId,
    /// [`crate::Host::identity_version`] of the host as it was judged.
    pub identity_version: i64,
    /// The time in the nonce that the evidence answers.
    pub nonce_at_ms: i64,
    /// When it was judged.
    pub at_ms: i64,
    /// The verdict's word.
    pub verdict: String,
    /// The findings in short (JSON), for lists of hosts.
    pub findings_json: String,
    /// The whole appraisal (JSON): the only source of everything that is shown.
    pub document_json: String,
    /// What was judged and is new each time, verbatim: it lies in the judgement's own row, and is the first part
    /// of its evidence, [`ANSWER_PART`].
    pub answer: Option<Vec<u8>>,
    /// The first finding that fails or holds.
    pub deciding: Option<Deciding>,
    /// What else was judged, verbatim.
    pub evidence: Vec<EvidencePart>,
    /// What was judged and lies in the store already, of evidence before; in order behind the rest.
    pub kept: Vec<KeptPart>,
    /// The TPM's counters, where the quote verified; `None` keeps those known.
    pub quote_clock: Option<QuoteClock>,
    /// When the next attestation is due.
    pub next_due_at_ms: i64,
    /// When the verdict ends by age: somebody looks at the host then.
    pub look_again_at_ms: i64,
    /// The cohort that the host names. Its own word.
    pub cohort: Option<String>,
    /// PCR values, where the quote verified; `None` keeps those known.
    pub quoted: Option<QuotedValues>,
    /// Which references it was judged by.
    pub judged_by: JudgedBy,
}

/// A verdict on evidence that was judged before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rejudgement {
    /// The host.
    pub host: HostId,
    /// [`crate::Host::identity_version`] of the host as it was judged.
    pub identity_version: i64,
    /// The judgement whose evidence it is; the host's last.
    pub of: AppraisalId,
    /// When it was judged anew.
    pub at_ms: i64,
    /// The verdict's word.
    pub verdict: String,
    /// The findings in short (JSON), for lists of hosts.
    pub findings_json: String,
    /// The whole appraisal (JSON).
    pub document_json: String,
    /// The first finding that fails or holds.
    pub deciding: Option<Deciding>,
    /// Which references it was judged by.
    pub judged_by: JudgedBy,
}

/// The name of the part that answers a challenge.
pub const ANSWER_PART: &str = "answer";

/// The name of the part that tells of the boot: the server's own word, which no host sent. It stays in the
/// database, where long parts of evidence lie outside of it: people look at it.
pub const BOOT_PART: &str = "boot-facts";

/// The name of the part that has what a judgement says again as the host's last one did: the server's own word, too. It
/// stays in the database.
pub const JUDGEMENT_PART: &str = "judgement";

/// The parts that no host sent.
pub const SERVER_PARTS: [&str; 2] = [BOOT_PART, JUDGEMENT_PART];

/// One piece of evidence. Equal bytes are stored once for all hosts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EvidencePart {
    /// What it is: `quote`, `signature`, `log`, …
    pub name: String,
    /// SHA-256 over `bytes`. A public field so that a caller who has hashed a log need not pay
    /// twice; a wrong one would hide another's bytes, so it must come from a hash, never from a host.
    pub sha256: Sha256,
    /// The bytes as they came.
    pub bytes: Vec<u8>,
}

/// One piece of evidence that is not handed over again, since it lies in the store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptPart {
    /// What it is.
    pub name: String,
    /// SHA-256 over its bytes. Where the store does not have them any more, nothing is recorded:
    /// [`Conflict::EvidenceGone`](crate::Conflict::EvidenceGone).
    pub sha256: Sha256,
}

/// One piece of evidence as it lies in the store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredPart {
    /// What it is.
    pub name: String,
    /// SHA-256 over its bytes.
    pub sha256: Sha256,
    /// The bytes; `None` where there are more of them than was asked for, or where they are lost.
    pub bytes: Option<Vec<u8>>,
}

impl EvidencePart {
    /// Hashes `bytes`.
    #[must_use]
    pub fn hash(name: impl Into<String>, bytes: Vec<u8>) -> Self {
        Self { name: name.into(), sha256: sha256(&bytes), bytes }
    }
}

impl NewAppraisal {
    /// Names and digests of all that the judgement rests on but the answer, in their order.
    pub(crate) fn listed(&self) -> impl Iterator<Item = (&str, &Sha256)> {
        let parts = self.evidence.iter().map(|part| (part.name.as_str(), &part.sha256));
        parts.chain(self.kept.iter().map(|part| (part.name.as_str(), &part.sha256)))
    }

    /// The digest over them, in whatever order they came: a log comes first in its boot, and is named last later.
    pub(crate) fn list_sha256(&self) -> Sha256 {
        let mut all = Vec::new();
        let mut listed: Vec<_> = self.listed().collect();
        listed.sort_unstable();
        for (name, sha256) in listed {
            // No name has a zero byte.
            all.extend_from_slice(name.as_bytes());
            all.push(0);
            all.extend_from_slice(sha256);
        }
        sha256(&all)
    }
}

/// What a judgement changes of when its host is to be looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NextLook {
    /// Nothing: who looks before the verdict ends finds the younger one, and when that ends.
    Stays,
    /// It ends before that.
    Sooner,
    /// At once: the last verdict had ended, be that settled or not, or there was none.
    Now,
}

impl NextLook {
    /// Of a host that was to be looked at at `look_at_ms`.
    pub(crate) const fn of(look_at_ms: i64, new: &NewAppraisal) -> Self {
        if look_at_ms <= new.at_ms || look_at_ms == i64::MAX {
            return Self::Now;
        }
        if look_at_ms <= new.look_again_at_ms { Self::Stays } else { Self::Sooner }
    }
}

/// What a row of a judgement has, of evidence that came or that was judged before.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Judgement<'a> {
    pub(crate) host: &'a HostId,
    pub(crate) at_ms: i64,
    pub(crate) verdict: &'a str,
    pub(crate) document_json: &'a str,
    pub(crate) deciding: Option<&'a Deciding>,
    pub(crate) answer: Option<&'a [u8]>,
    pub(crate) list: Option<i64>,
}

impl<'a> Judgement<'a> {
    /// Of evidence whose parts are on this list.
    pub(crate) fn of(new: &'a NewAppraisal, list: i64) -> Self {
        Self {
            host: &new.host,
            at_ms: new.at_ms,
            verdict: &new.verdict,
            document_json: &new.document_json,
            deciding: new.deciding.as_ref(),
            answer: new.answer.as_deref(),
            list: Some(list),
        }
    }

    /// Anew, of what the host's last one rests on.
    pub(crate) fn anew(
        anew: &'a Rejudgement,
        answer: Option<&'a [u8]>,
        last: Option<&LastList>,
    ) -> Self {
        Self {
            host: &anew.host,
            at_ms: anew.at_ms,
            verdict: &anew.verdict,
            document_json: &anew.document_json,
            deciding: anew.deciding.as_ref(),
            answer,
            list: last.map(|last| last.id),
        }
    }
}

/// The list of parts that a host's last judgement rests on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LastList {
    pub(crate) id: i64,
    /// `None`: made by an earlier version, or some of the parts are lost.
    pub(crate) sha256: Option<Sha256>,
}

impl LastList {
    /// Whether `new` rests on the same parts.
    pub(crate) fn is_of(&self, new: &NewAppraisal) -> bool {
        self.sha256.is_some_and(|sha256| sha256 == new.list_sha256())
    }
}

/// A recorded verdict.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AppraisalRow {
    /// Its number.
    pub id: AppraisalId,
    /// The host.
    pub host: HostId,
    /// When it was judged.
    pub at_ms: i64,
    /// The verdict's word.
    pub verdict: String,
    /// The whole appraisal (JSON).
    pub document_json: String,
}

/// A finding that decided a judgement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deciding {
    /// Its code.
    pub code: String,
    /// What was found, in a sentence.
    pub cause: String,
}

/// What is known of why a judgement was what it was, without its document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DecidedBy {
    /// This stood against the host.
    Finding(Deciding),
    /// Nothing did.
    Nothing,
    /// It was judged before that was noted; its document says it.
    NotRecorded,
}

impl DecidedBy {
    /// Of the two columns.
    pub(crate) fn of_columns(code: Option<String>, cause: Option<String>) -> Self {
        match (code, cause) {
            (Some(code), Some(cause)) if !code.is_empty() => {
                Self::Finding(Deciding { code, cause })
            }
            (Some(_), Some(_)) => Self::Nothing,
            _ => Self::NotRecorded,
        }
    }

    /// The two columns of a judgement that is written now.
    pub(crate) fn columns(deciding: Option<&Deciding>) -> (&str, &str) {
        deciding.map_or(("", ""), |deciding| (&deciding.code, &deciding.cause))
    }
}

/// A judgement in a line of a history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AppraisalLine {
    /// Its number.
    pub id: AppraisalId,
    /// When it was judged.
    pub at_ms: i64,
    /// The verdict's word.
    pub verdict: String,
    /// Why.
    pub decided_by: DecidedBy,
}

/// A host's last verdict, in short; the whole is at [`crate::Appraisals::appraisal`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LastAppraisal {
    /// Its number.
    pub id: AppraisalId,
    /// When its evidence came. To judge evidence anew does not make it younger.
    pub at_ms: i64,
    /// The verdict's word.
    pub verdict: String,
    /// The findings in short (JSON).
    pub findings_json: String,
    /// [`crate::Host::identity_version`] of the identity that its evidence was judged by.
    pub identity_version: i64,
}

/// SHA-256 of `bytes`.
pub(crate) fn sha256(bytes: &[u8]) -> Sha256 {
    let mut out = [0; 32];
    // SHA-256 gives 32 bytes, so the lengths are equal.
    out.copy_from_slice(digest::digest(&digest::SHA256, bytes).as_ref());
    out
}

/// What a store does with verdicts and the evidence that they rest on: a part of
/// [`crate::Store`].
pub trait Appraisals {
    /// Records a verdict in one transaction. Checked in this order: the host exists and is
    /// connected ([`Conflict::HostDisconnected`](crate::Conflict::HostDisconnected)), its identity is still the one the evidence was
    /// judged by ([`Conflict::IdentityChanged`](crate::Conflict::IdentityChanged)), and the nonce is younger than the host's last one
    /// ([`Conflict::NonceUsed`](crate::Conflict::NonceUsed)), and the references are those that it was judged by
    /// ([`Conflict::ReferencesChanged`](crate::Conflict::ReferencesChanged)). Then: the appraisal, evidence not seen before, the host's
    /// summary; an audit row only where the verdict differs from the last. Parts that belong outside of the
    /// database are written there before all this: [`StoreError::Unavailable`](crate::StoreError::Unavailable) where that is not possible now.
    fn record_appraisal(&self, appraisal: NewAppraisal, by: By) -> Reply<'_, AppraisalId>;
    /// Records a verdict on the evidence of the host's last one, which it replaces as the one that
    /// counts. Refused as [`crate::Appraisals::record_appraisal`], and where that judgement is the last no more
    /// ([`Conflict::NewerEvidence`](crate::Conflict::NewerEvidence)). The evidence gets no younger by it.
    fn record_rejudgement(&self, rejudgement: Rejudgement, by: By) -> Reply<'_, AppraisalId>;
    /// Appraisals of a host, newest first; at most `n_max` and [`HISTORY_PAGE_MAX`](crate::HISTORY_PAGE_MAX).
    fn appraisals(&self, host: &HostId, n_max: u32) -> Reply<'_, Vec<AppraisalRow>>;
    /// The same in short, without their documents.
    fn appraisal_lines(&self, host: &HostId, n_max: u32) -> Reply<'_, Vec<AppraisalLine>>;
    /// One appraisal.
    fn appraisal(&self, id: AppraisalId) -> Reply<'_, Option<AppraisalRow>>;
    /// The evidence that an appraisal judged, verbatim, in the order given when it was recorded.
    /// [`StoreError::EvidenceLost`](crate::StoreError::EvidenceLost) where some of it is.
    fn evidence(&self, id: AppraisalId) -> Reply<'_, Vec<EvidencePart>>;
    /// The evidence of several appraisals, in their order. Of parts of more than `bytes_max` bytes
    /// only the digest: hosts share their logs, and who knows a log already need not read it.
    fn evidence_of_many(
        &self,
        ids: Vec<AppraisalId>,
        bytes_max: u32,
    ) -> Reply<'_, Vec<Vec<StoredPart>>>;
    /// One piece of evidence by its digest. [`StoreError::EvidenceLost`](crate::StoreError::EvidenceLost) where it is.
    fn evidence_by_sha256(&self, sha256: Sha256) -> Reply<'_, Option<Vec<u8>>>;
    /// How the host's last verified quote compares with those of the cohort that it named then;
    /// `None` where it named none, or no quote of it was verified yet. As dear for a large cohort as
    /// for a small one.
    fn peers(&self, host: &HostId) -> Reply<'_, Option<Peers>>;
}
