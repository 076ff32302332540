//! Enrolments: from the credential that the server sends to the secret that comes back.

use super::text_id;
use crate::{Approval, ApprovalRule, By, HostId, Identity, JoinTokenId, Reply, Sha256};

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

/// What a store does with enrolments, and with the identities that come of them: a part of
/// [`crate::Store`].
pub trait Enrolments {
    /// Keeps what a started enrolment needs until it is completed or expires. A new one for the
    /// same host replaces the host's older ones. Fails if the join token cannot be used, if the
    /// host may not enrol these keys, or with [`StoreError::Limit`](crate::StoreError::Limit) ([`PENDING_PER_JOIN_TOKEN_MAX`](crate::PENDING_PER_JOIN_TOKEN_MAX)).
    fn begin_enrolment(&self, pending: PendingEnrolment, by: By) -> Reply<'_, ()>;
    /// A started enrolment, completed or not, until it expires at `now_ms`.
    fn pending_enrolment(&self, id: &PendingId, now_ms: i64)
    -> Reply<'_, Option<PendingEnrolment>>;
    /// Completes an enrolment in one transaction. Checked in this order: it exists and has not
    /// expired ([`StoreError::NotFound`](crate::StoreError::NotFound)), was not completed ([`Conflict::AlreadyCompleted`](crate::Conflict::AlreadyCompleted)), the
    /// proof is equal in constant time ([`Conflict::ProofWrong`](crate::Conflict::ProofWrong)), no other host has this EK
    /// ([`Conflict::EkTaken`](crate::Conflict::EkTaken)), the join token has a use left ([`Conflict::JoinToken`](crate::Conflict::JoinToken)), and a known
    /// host may enrol these keys: the same TPM where a person wants it or the attestation key is
    /// another one ([`Conflict::ReenrolmentNotWanted`](crate::Conflict::ReenrolmentNotWanted)), another TPM where a person approved it
    /// ([`Conflict::OtherTpm`](crate::Conflict::OtherTpm)). Nothing is changed on failure.
    ///
    /// A new attestation key of the same TPM leaves the last verdict; the quote counters go, since a
    /// TPM shows other ones to each key. The identity of before is kept: [`crate::Enrolments::past_identity`].
    fn complete_enrolment(&self, completion: Completion, by: By) -> Reply<'_, Enrolled>;
    /// The identity of a host that had this [`Host::identity_version`](crate::Host::identity_version), of the last
    /// [`PAST_IDENTITIES_MAX`](crate::PAST_IDENTITIES_MAX).
    fn past_identity(&self, host: &HostId, version: i64) -> Reply<'_, Option<Identity>>;
}
