//! Another TPM that was shown for a host.

use crate::{HostId, Sha256};

/// A TPM that is not the enrolled one, and that a person may put in its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// SHA-256 over the SubjectPublicKeyInfo of its endorsement key.
    pub ek_spki_sha256: Sha256,
    /// What the server judged of its certificate (JSON).
    pub judgement_json: String,
    /// When it was shown first.
    pub first_at_ms: i64,
    /// When it was shown last.
    pub seen_at_ms: i64,
    /// From when on it counts no more.
    pub expires_at_ms: i64,
    /// When a person said that it takes the place of the enrolled one.
    pub approved_at_ms: Option<i64>,
    /// When a person said that it does not.
    pub refused_at_ms: Option<i64>,
}

impl Candidate {
    /// Whether nobody decided about it yet.
    #[must_use]
    pub const fn waits(&self) -> bool {
        self.approved_at_ms.is_none() && self.refused_at_ms.is_none()
    }
}

/// A TPM that is shown for a host now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewCandidate {
    /// The host.
    pub host: HostId,
    /// SHA-256 over the SubjectPublicKeyInfo of its endorsement key.
    pub ek_spki_sha256: Sha256,
    /// What the server judged of its certificate (JSON).
    pub judgement_json: String,
    /// From when on it counts no more, unless it is shown again.
    pub expires_at_ms: i64,
    /// A candidate that was not seen since then makes room for another.
    pub stale_before_ms: i64,
}

/// Which TPM waits for a person after one was shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Noted {
    /// The one that was shown: it was not there before.
    New,
    /// The one that was shown, as before.
    Known,
    /// Another one, which was there first or has a person's word already.
    Other,
}

/// A person's word that a candidate takes the place of the enrolled TPM.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Replacement {
    /// The host.
    pub host: HostId,
    /// The candidate that the person means.
    pub ek_spki_sha256: Sha256,
    /// Why.
    pub reason: String,
    /// Until when the new TPM may enrol.
    pub expires_at_ms: i64,
}
