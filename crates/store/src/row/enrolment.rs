//! Enrolments: from the credential that the server sends to the secret that comes back.

use super::text_id;
use crate::{Approval, ApprovalRule, HostId, Identity, JoinTokenId, Sha256};

text_id!(
    /// A started enrolment's identifier.
    PendingId
);

/// By what right a host enrols.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// A new host, by a join token.
    JoinToken(JoinTokenId),
    /// A known host, by its API token.
    Host(HostId),
    /// A known host whose agent has lost its API token, by a join token. It needs a person's word:
    /// a reconnection, or a replacement.
    Known {
        /// The host.
        host: HostId,
        /// The token; one use is taken.
        join_token: JoinTokenId,
    },
}

/// A started enrolment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PendingEnrolment {
    /// A new random identifier.
    pub id: PendingId,
    /// By what right.
    pub origin: Origin,
    /// The keys that are to be bound.
    pub keys: EnrolledKeys,
    /// The name the host gives itself; kept for a new host only.
    pub host_name: String,
    /// EK, certificates and AK that the credential was made for, and what the server judged of them
    /// (JSON).
    pub documents_json: String,
    /// Digest of the proof that activation will bring.
    pub proof_sha256: Sha256,
    /// From when on it is void.
    pub expires_at_ms: i64,
}

/// Which keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EnrolledKeys {
    /// SHA-256 over the SubjectPublicKeyInfo of the endorsement key.
    pub ek_spki_sha256: Sha256,
    /// Name of the attestation key.
    pub ak_name: Vec<u8>,
}

/// The second half of an enrolment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Completion {
    /// Which enrolment.
    pub pending: PendingId,
    /// Digest of the proof that came.
    pub proof_sha256: Sha256,
    /// The identifier that a new host gets; a known host keeps its own.
    pub new_host: HostId,
    /// Digest of the API token that the host will present from now on.
    pub api_token_sha256: Sha256,
    /// What is now bound.
    pub identity: Identity,
    /// Whether the endorsement key itself asks for a person; the join token may ask too.
    pub approval: ApprovalRule,
}

/// A host that has joined, or enrolled anew.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Enrolled {
    /// The host.
    pub host: HostId,
    /// Whether a person must decide.
    pub approval: Approval,
}
