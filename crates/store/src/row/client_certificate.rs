//! Client certificates for keys in TPMs of hosts.

use super::word_enum;
use crate::{By, ClientAuthorityRow, HostId, NewClientAuthority, Reply, Sha256};

/// A certificate's serial number: 16 random bytes, the first below 0x80 and not 0, so that it is a
/// positive number of 16 bytes. [RFC5280 §4.1.2.2]
pub type Serial = [u8; 16];

/// Why a certificate counts no more before its time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RevokedFor {
    /// No verdict accepts the host any more.
    NotAccepted,
    /// A person disconnected the host.
    Disconnected,
    /// A person removed the host.
    Removed,
    /// The host has another TPM since.
    TpmReplaced,
    /// A person revoked it, and the key with it.
    Person,
}
word_enum!(RevokedFor {
    NotAccepted = "not-accepted",
    Disconnected = "host-disconnected",
    Removed = "host-removed",
    TpmReplaced = "tpm-replaced",
    Person = "by-person",
});

/// A certificate that is about to be given to a host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewClientCertificate {
    /// Its serial number.
    pub serial: Serial,
    /// The host.
    pub host: HostId,
    /// [`crate::Host::identity_version`] of the identity that certified the key.
    pub identity_version: i64,
    /// [`crate::NewClientAuthority::name`] of the authority that issues it.
    pub authority: String,
    /// That authority's number.
    pub authority_number: i64,
    /// Name of the key: nameAlg, then digest.
    pub key_name: Vec<u8>,
    /// The time in the challenge that the host answered.
    pub challenge_at_ms: i64,
    /// When it ends.
    pub not_after_ms: i64,
}

/// That a certificate counts no more before its time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Revocation {
    /// Since when.
    pub at_ms: i64,
    /// Why.
    pub why: RevokedFor,
    /// In a person's words; empty where there are none.
    pub reason: String,
    /// By whom.
    pub by: String,
}

/// A certificate that was issued.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientCertificate {
    /// Its serial number.
    pub serial: Serial,
    /// The host to which it was issued; it may be gone.
    pub host: HostId,
    /// That host's name then.
    pub host_name: String,
    /// SHA-256 of the endorsement key of the TPM that has the key.
    pub ek_spki_sha256: Sha256,
    /// The number of the authority that issued it.
    pub authority_number: i64,
    /// Name of the key.
    pub key_name: Vec<u8>,
    /// When it was issued.
    pub issued_at_ms: i64,
    /// When it ends.
    pub not_after_ms: i64,
    /// That it was revoked.
    pub revoked: Option<Revocation>,
}

/// The place after which a page of certificates goes on: they come newest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CertificateCursor {
    /// Of the last one seen.
    pub issued_at_ms: i64,
    /// Of the last one seen.
    pub serial: Serial,
}

impl ClientCertificate {
    /// The cursor that goes on after this one.
    #[must_use]
    pub const fn cursor(&self) -> CertificateCursor {
        CertificateCursor { issued_at_ms: self.issued_at_ms, serial: self.serial }
    }

    /// Whether it counts at `now_ms`.
    #[must_use]
    pub const fn counts_at(&self, now_ms: i64) -> bool {
        self.revoked.is_none() && now_ms < self.not_after_ms
    }
}

/// Which certificates of a host are revoked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RevokedKeys {
    /// All.
    All,
    /// Those of keys in other TPMs than that with this endorsement key.
    NotIn(Sha256),
}

/// What is on a list of revoked certificates.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RevokedCertificates {
    /// The list's number: each is larger than the one before, also over a restore.
    pub number: i64,
    /// How many changes it knows: see [`crate::ClientCertificates::client_revocations`].
    pub n_changes: i64,
    /// Serial number, since when, and why; in the order of the serial numbers.
    pub revoked: Vec<(Serial, i64, RevokedFor)>,
}

/// What a store does with client certificates for keys in TPMs of hosts, and their authorities: a part of
/// [`crate::Store`].
pub trait ClientCertificates {
    /// Authorities of this name that are not retired, in the order of their numbers.
    fn client_authorities(&self, name: &str) -> Reply<'_, Vec<ClientAuthorityRow>>;
    /// Adds one. [`Conflict::AuthorityKnown`](crate::Conflict::AuthorityKnown) where its number is not the next one: somebody else was first. At most
    /// [`CLIENT_AUTHORITIES_MAX`](crate::CLIENT_AUTHORITIES_MAX) are known. Counts as a change of the list of revoked certificates.
    fn add_client_authority(&self, new: NewClientAuthority, by: By) -> Reply<'_, ()>;
    /// Retires those that issue no more, whose follower began [`CLIENT_AUTHORITY_GRACE_MS`](crate::CLIENT_AUTHORITY_GRACE_MS) ago, and of whose
    /// certificates none is good any more: their keys are gone afterwards. Their numbers.
    fn retire_client_authorities(&self, name: &str, by: By) -> Reply<'_, Vec<i64>>;
    /// Records a certificate before it is given to its host. Checked in this order: the host is there and
    /// connected ([`Conflict::HostDisconnected`](crate::Conflict::HostDisconnected)), has the identity that certified the key
    /// ([`Conflict::NoIdentity`](crate::Conflict::NoIdentity), [`Conflict::IdentityChanged`](crate::Conflict::IdentityChanged)), its last verdict accepts it
    /// ([`Conflict::HostNotAccepted`](crate::Conflict::HostNotAccepted)), the challenge is newer than those of its other certificates
    /// ([`Conflict::NonceUsed`](crate::Conflict::NonceUsed)), no person revoked the key ([`Conflict::KeyRevoked`](crate::Conflict::KeyRevoked)), there are not too
    /// many ([`CLIENT_CERTIFICATES_PER_HOST_MAX`](crate::CLIENT_CERTIFICATES_PER_HOST_MAX)), and its authority is the one that issues now
    /// ([`Conflict::AuthorityReplaced`](crate::Conflict::AuthorityReplaced)). The host is due for a look afterwards. That the verdict is
    /// not too old is the caller's to check.
    fn add_client_certificate(&self, new: NewClientCertificate, by: By) -> Reply<'_, ()>;
    /// Certificates of one host or of all, newest first, after `after`; at most `n_max` and
    /// [`HISTORY_PAGE_MAX`](crate::HISTORY_PAGE_MAX). Those that ended are kept for [`CLIENT_CERTIFICATES_KEPT_MS`](crate::CLIENT_CERTIFICATES_KEPT_MS).
    fn client_certificates(
        &self,
        host: Option<HostId>,
        after: Option<CertificateCursor>,
        n_max: u32,
    ) -> Reply<'_, Vec<ClientCertificate>>;
    /// Whether a host has a certificate that counts at `now_ms`.
    fn has_client_certificate(&self, host: &HostId, now_ms: i64) -> Reply<'_, bool>;
    /// Revokes certificates of a host that count, and says how many; where there is none nothing is changed.
    fn revoke_client_certificates(
        &self,
        host: &HostId,
        which: RevokedKeys,
        why: RevokedFor,
        reason: &str,
        by: By,
    ) -> Reply<'_, u32>;
    /// How many changes the list of revoked certificates and the authorities had: the cheap question "did it change?".
    fn client_revocations(&self) -> Reply<'_, i64>;
    /// What is on the next list of revoked certificates, with a number of its own.
    fn next_revoked_certificates(&self, now_ms: i64) -> Reply<'_, RevokedCertificates>;
}
