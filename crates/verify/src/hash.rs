//! Hashes by their TPM identifier.

use aws_lc_rs::{digest, hmac};
use tpm_wire::TpmAlgId;

/// SHA-256, the hash of every fingerprint in this crate.
pub(crate) fn sha256(bytes: &[u8]) -> [u8; 32] {
    fixed(digest::digest(&digest::SHA256, bytes).as_ref())
}

/// The first 32 bytes; shorter input is followed by zeros, which no caller has.
pub(crate) fn fixed(bytes: &[u8]) -> [u8; 32] {
    let mut out = [0; 32];
    out.iter_mut().zip(bytes).for_each(|(to, from)| *to = *from);
    out
}

/// A hash that we let sign or name a key: SHA-256, SHA-384, SHA-512.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum StrongHash {
    /// SHA-256.
    Sha256,
    /// SHA-384.
    Sha384,
    /// SHA-512.
    Sha512,
}

impl StrongHash {
    /// The hash with this identifier, or `None` where it is weaker, unknown or not a hash.
    pub const fn from_alg(alg: TpmAlgId) -> Option<Self> {
        match alg {
            TpmAlgId::SHA256 => Some(Self::Sha256),
            TpmAlgId::SHA384 => Some(Self::Sha384),
            TpmAlgId::SHA512 => Some(Self::Sha512),
            _ => None,
        }
    }

    /// Its identifier.
    pub const fn alg(self) -> TpmAlgId {
        match self {
            Self::Sha256 => TpmAlgId::SHA256,
            Self::Sha384 => TpmAlgId::SHA384,
            Self::Sha512 => TpmAlgId::SHA512,
        }
    }

    /// Bytes of its digest.
    pub const fn digest_len(self) -> usize {
        match self {
            Self::Sha256 => 32,
            Self::Sha384 => 48,
            Self::Sha512 => 64,
        }
    }

    pub(crate) fn digest(self) -> &'static digest::Algorithm {
        match self {
            Self::Sha256 => &digest::SHA256,
            Self::Sha384 => &digest::SHA384,
            Self::Sha512 => &digest::SHA512,
        }
    }

    pub(crate) const fn hmac(self) -> hmac::Algorithm {
        match self {
            Self::Sha256 => hmac::HMAC_SHA256,
            Self::Sha384 => hmac::HMAC_SHA384,
            Self::Sha512 => hmac::HMAC_SHA512,
        }
    }
}
