//! What waits for a person, and what was decided.

use crate::{
    Approval, By, Host, HostId, NewCandidate, Noted, Reference, Replacement, Reply, Sha256,
};

/// The place after which a page of waiting hosts goes on: they come by the time at which they joined.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WaitingCursor {
    /// When the last one seen joined.
    pub created_at_ms: i64,
    /// Its identifier.
    pub id: HostId,
}

/// A person's word about a host that waits for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HostDecision {
    /// It may be judged.
    Approve,
    /// It may not.
    Refuse,
}

impl HostDecision {
    /// What the host is then.
    #[must_use]
    pub const fn approval(self) -> Approval {
        match self {
            Self::Approve => Approval::Approved,
            Self::Refuse => Approval::Refused,
        }
    }
}

/// A person's word that a candidate does not take the place of the enrolled TPM.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CandidateRefusal {
    /// The host.
    pub host: HostId,
    /// The candidate that the person means.
    pub ek_spki_sha256: Sha256,
    /// Why.
    pub reason: String,
}

/// What a store does with what waits for a person: hosts, references, and other TPMs in the place of those of hosts: a part of
/// [`crate::Store`].
pub trait Approvals {
    /// A TPM that is not the enrolled one was shown for a host. There is one candidate a host: an
    /// approved one, and one that was seen lately and that nobody refused, stay. Audited where the candidate is a new one.
    fn note_candidate(&self, candidate: NewCandidate, by: By) -> Reply<'_, Noted>;
    /// Records a person's word that the candidate takes the enrolled TPM's place. Checked in this
    /// order: there is a candidate ([`StoreError::NotFound`](crate::StoreError::NotFound)), it is the one that is meant
    /// ([`Conflict::CandidateDiffers`](crate::Conflict::CandidateDiffers)), it is no other host's TPM ([`Conflict::EkTaken`](crate::Conflict::EkTaken)). Returns the
    /// endorsement key's digest before, where there was one.
    fn approve_replacement(&self, replacement: Replacement, by: By) -> Reply<'_, Option<Sha256>>;
    /// Hosts that wait for a person's consent, the longest waiting first, after `after`; at most `n_max`
    /// and [`HOSTS_PAGE_MAX`](crate::HOSTS_PAGE_MAX).
    fn hosts_waiting(&self, after: Option<WaitingCursor>, n_max: u32) -> Reply<'_, Vec<Host>>;
    /// Hosts for which another TPM waits at `now_ms` that nobody approved or refused, by identifier,
    /// after `after`; at most `n_max` and [`HOSTS_PAGE_MAX`](crate::HOSTS_PAGE_MAX).
    fn candidates_waiting(
        &self,
        now_ms: i64,
        after: Option<HostId>,
        n_max: u32,
    ) -> Reply<'_, Vec<Host>>;
    /// References that nobody has put in force, with a number above `after_seq`, oldest first; at most
    /// `n_max` and [`HISTORY_PAGE_MAX`](crate::HISTORY_PAGE_MAX).
    fn references_waiting(&self, after_seq: i64, n_max: u32) -> Reply<'_, Vec<Reference>>;
    /// Records a person's word about a host that waits for it; [`Conflict::NotWaiting`](crate::Conflict::NotWaiting) where it does not.
    fn decide_host(
        &self,
        id: &HostId,
        decision: HostDecision,
        reason: &str,
        by: By,
    ) -> Reply<'_, ()>;
    /// Records a person's word that a candidate does not take the enrolled TPM's place: it is kept, and
    /// waits no more. Checked as [`crate::Approvals::approve_replacement`], then that it waits
    /// ([`Conflict::NotWaiting`](crate::Conflict::NotWaiting)).
    fn refuse_candidate(&self, refusal: CandidateRefusal, by: By) -> Reply<'_, ()>;
}
