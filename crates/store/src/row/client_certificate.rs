//! Client certificates for keys in TPMs of hosts.

use super::word_enum;
use crate::{HostId, Sha256};

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
    /// How many changes it knows: see [`crate::Store::client_revocations`].
    pub n_changes: i64,
    /// Serial number, since when, and why; in the order of the serial numbers.
    pub revoked: Vec<(Serial, i64, RevokedFor)>,
}
