//! The public area of an endorsement key.

use tpm_wire::{ObjectAttributes, ParseError, Symmetric, TpmAlgId, TpmEccCurve, TpmtPublic};

use crate::hash::StrongHash;
use crate::key::{Curve, EcKey, KeyError, PublicKey, RsaKey};
use crate::name::Name;

/// The exponent that TPM keys have. [TPM2-P2-1.59 §12.2.3.5]
const RSA_EXPONENT: u32 = 65537;

/// What an EK must be to protect a credential: a storage key that the TPM made and that never
/// leaves it.
const REQUIRED: ObjectAttributes = ObjectAttributes::RESTRICTED
    .union(ObjectAttributes::DECRYPT)
    .union(ObjectAttributes::FIXED_TPM)
    .union(ObjectAttributes::FIXED_PARENT)
    .union(ObjectAttributes::SENSITIVE_DATA_ORIGIN);

/// Why a public area is not one of an endorsement key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EkError {
    /// Not a TPMT_PUBLIC.
    #[error("the public area of the EK cannot be read")]
    Parse(#[source] ParseError),
    /// Attributes are missing, or it may sign.
    #[error("attributes of the EK: missing {missing}, not allowed {forbidden}")]
    Attributes {
        /// Those that an EK must have and this has not.
        missing: ObjectAttributes,
        /// Those that an EK must not have and this has.
        forbidden: ObjectAttributes,
    },
    /// Its nameAlg is not SHA-256, SHA-384 or SHA-512.
    #[error("the name of the EK uses {alg}")]
    NameAlg {
        /// What it is.
        alg: TpmAlgId,
    },
    /// Its symmetric cipher is not AES-128 or AES-256 in CFB mode.
    #[error("the EK protects with a cipher that is not AES-128 or AES-256 CFB")]
    Symmetric,
    /// Its key cannot be used.
    #[error("the key of the EK cannot be used")]
    Key(#[source] KeyError),
}

/// The public area of an EK, as the host gave it. Trust: none by itself. A [`crate::VerifiedEk`]
/// with the same key says whose it is; an activated credential proves that a TPM has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EkPublic {
    raw: Vec<u8>,
    name: Name,
    name_alg: StrongHash,
    key: PublicKey,
    aes: AesBits,
}

/// Bits of the AES key that protects what is sent to an EK.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AesBits {
    Aes128,
    Aes256,
}

impl EkPublic {
    /// The TPMT_PUBLIC, as it came.
    pub fn raw(&self) -> &[u8] {
        &self.raw
    }

    /// The name of this EK.
    pub const fn name(&self) -> &Name {
        &self.name
    }

    /// The hash of its name, which protects credentials too.
    pub const fn name_alg(&self) -> StrongHash {
        self.name_alg
    }

    /// The key.
    pub const fn key(&self) -> &PublicKey {
        &self.key
    }

    /// SHA-256 of the key as [`PublicKey::spki_der`].
    pub fn spki_sha256(&self) -> [u8; 32] {
        self.key.spki_sha256()
    }

    pub(crate) const fn aes(&self) -> AesBits {
        self.aes
    }
}

/// Reads the public area of an EK: `public` is a TPMT_PUBLIC without the TPM2B size. Checks the
/// attributes, nameAlg, the cipher and the key, in this order. [TCG-EK-2.6 §B.3, §B.4]
pub fn check_ek(public: &[u8]) -> Result<EkPublic, EkError> {
    let parsed = TpmtPublic::parse(public).map_err(EkError::Parse)?;
    let attributes = parsed.area.attributes;
    let missing = attributes.missing(REQUIRED);
    let forbidden = ObjectAttributes(attributes.0 & ObjectAttributes::SIGN.0);
    if missing.0 != 0 || forbidden.0 != 0 {
        return Err(EkError::Attributes { missing, forbidden });
    }
    let alg = parsed.area.name_alg;
    let name_alg = StrongHash::from_alg(alg).ok_or(EkError::NameAlg { alg })?;
    let aes = match parsed.area.key.symmetric() {
        Symmetric::AES_128_CFB => AesBits::Aes128,
        Symmetric::AES_256_CFB => AesBits::Aes256,
        _ => return Err(EkError::Symmetric),
    };
    let key = key_of(&parsed).map_err(EkError::Key)?;
    let name = Name::of_public(name_alg, public);
    Ok(EkPublic { raw: public.to_vec(), name, name_alg, key, aes })
}

/// The key in a TPMT_PUBLIC. A modulus must have the bits that keyBits says.
pub(crate) fn key_of(public: &TpmtPublic<'_>) -> Result<PublicKey, KeyError> {
    match public.area.key {
        tpm_wire::PublicKey::Rsa { key_bits, modulus, .. } => {
            let exponent = public.area.key.rsa_exponent();
            let exponent = exponent.filter(|exponent| *exponent == RSA_EXPONENT);
            let key = RsaKey::new(modulus, exponent.ok_or(KeyError::RsaExponent)?)?;
            if key.bits() != usize::from(key_bits) {
                return Err(KeyError::Malformed);
            }
            Ok(PublicKey::Rsa(key))
        }
        tpm_wire::PublicKey::Ecc { curve, x, y, .. } => {
            let curve = match curve {
                TpmEccCurve::P256 => Curve::P256,
                TpmEccCurve::P384 => Curve::P384,
                TpmEccCurve::P521 => Curve::P521,
                _ => return Err(KeyError::Unsupported),
            };
            EcKey::new(curve, x, y).map(PublicKey::Ec)
        }
        tpm_wire::PublicKey::Other { .. } => Err(KeyError::Unsupported),
    }
}
