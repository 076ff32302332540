//! What waits for a person, and what was decided.

use crate::{Approval, HostId, Sha256};

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
