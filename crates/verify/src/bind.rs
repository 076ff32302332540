//! From a claim of a host to a key that is known to be in its TPM.

use crate::ak::{AkError, AkPublic, check_ak};
use crate::credential::ActivationProof;
use crate::ek::EkPublic;
use crate::name::Name;

/// The host did not give back the secret that only its TPM could read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the answer is not the secret of the credential for this EK and AK")]
pub struct ActivationError;

/// Why an AK does not count as bound.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BindError {
    /// Its public area is not one of an AK.
    #[error("the AK cannot be used")]
    Ak(#[source] AkError),
    /// It is an AK, but another than the one that was enrolled.
    #[error("AK {have} is not the enrolled one")]
    NotEnrolled {
        /// The name of what came.
        have: Name,
    },
}

/// What a server keeps of an enrolled key. Trust: that of the store that it comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EnrolledKey {
    /// The AK's name, which pins its attributes, scheme and key.
    pub ak_name: Name,
    /// [`crate::PublicKey::spki_sha256`] of the EK that it is bound to.
    pub ek_spki_sha256: [u8; 32],
}

/// An AK that is in the TPM of a known EK. Made by [`bind`] from an activated credential, or by
/// [`BoundAk::from_enrolled`] from what that once gave.
#[derive(Clone, Debug)]
pub struct BoundAk {
    ak: AkPublic,
    ek_spki_sha256: [u8; 32],
}

/// Binds `ak` to `ek`: `activated` has to be the secret of the credential of which `proof` was
/// kept. Compared in constant time. Trust: the EK is as good as what vouches for it, which is
/// not asked here: a [`crate::VerifiedEk`] with its key, or a person.
pub fn bind(
    ek: &EkPublic,
    ak: AkPublic,
    proof: &ActivationProof,
    activated: &[u8],
) -> Result<BoundAk, ActivationError> {
    if !proof.holds(activated, ek, ak.name()) {
        return Err(ActivationError);
    }
    Ok(BoundAk { ak, ek_spki_sha256: ek.spki_sha256() })
}

impl BoundAk {
    /// The AK that was enrolled. `public`, a TPMT_PUBLIC without size, may come from anywhere: its
    /// name must be the enrolled one, and it is checked again as at enrolment.
    pub fn from_enrolled(enrolled: &EnrolledKey, public: &[u8]) -> Result<Self, BindError> {
        let ak = check_ak(public).map_err(BindError::Ak)?;
        if *ak.name() != enrolled.ak_name {
            return Err(BindError::NotEnrolled { have: *ak.name() });
        }
        Ok(Self { ak, ek_spki_sha256: enrolled.ek_spki_sha256 })
    }

    /// The key.
    pub const fn ak(&self) -> &AkPublic {
        &self.ak
    }

    /// [`crate::PublicKey::spki_sha256`] of the EK that it is bound to.
    pub const fn ek_spki_sha256(&self) -> &[u8; 32] {
        &self.ek_spki_sha256
    }

    /// What to keep of it, together with [`AkPublic::raw`].
    pub const fn enrolled(&self) -> EnrolledKey {
        EnrolledKey { ak_name: *self.ak.name(), ek_spki_sha256: self.ek_spki_sha256 }
    }
}
