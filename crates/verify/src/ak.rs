//! The attestation key: what it must be, and whether it signed.

use core::fmt;

use aws_lc_rs::signature::{
    self, ParsedPublicKey, RsaParameters, RsaPssSaltLength, VerificationAlgorithm,
};
use tpm_wire::{ObjectAttributes, ParseError, Scheme, TpmAlgId, TpmtPublic, TpmtSignature};

use crate::der;
use crate::ek::key_of;
use crate::hash::StrongHash;
use crate::key::{Curve, KeyError, PublicKey};
use crate::name::Name;

/// What makes a signature the word of a TPM: the key was made in it, never leaves it, and signs
/// nothing that begins like an attestation and was not made by the TPM.
const REQUIRED: ObjectAttributes = ObjectAttributes::RESTRICTED
    .union(ObjectAttributes::SIGN)
    .union(ObjectAttributes::FIXED_TPM)
    .union(ObjectAttributes::FIXED_PARENT)
    .union(ObjectAttributes::SENSITIVE_DATA_ORIGIN);

/// Why a public area is not one of an attestation key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AkError {
    /// Not a TPMT_PUBLIC.
    #[error("the public area of the AK cannot be read")]
    Parse(#[source] ParseError),
    /// Attributes are missing, or it may decrypt.
    #[error("attributes of the AK: missing {missing}, not allowed {forbidden}")]
    Attributes {
        /// Those that an AK must have and this has not.
        missing: ObjectAttributes,
        /// Those that an AK must not have and this has.
        forbidden: ObjectAttributes,
    },
    /// Its nameAlg is not SHA-256, SHA-384 or SHA-512.
    #[error("the name of the AK uses {alg}")]
    NameAlg {
        /// What it is.
        alg: TpmAlgId,
    },
    /// Its scheme is not RSASSA, RSAPSS or ECDSA with SHA-256, SHA-384 or SHA-512, as its kind of
    /// key demands. A restricted key always has one. [TPM2-P1-1.59 §27.2.2]
    #[error("the AK signs with scheme {alg} and hash {hash}", alg = scheme.alg, hash = scheme.hash)]
    Scheme {
        /// What it is.
        scheme: Scheme,
    },
    /// Its key cannot be used; an elliptic curve has to be P-256 or P-384.
    #[error("the key of the AK cannot be used")]
    Key(#[source] KeyError),
}

/// Why a signature is not the AK's over these bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SignatureProblem {
    /// Not a TPMT_SIGNATURE.
    #[error("the signature cannot be read")]
    Parse(#[source] ParseError),
    /// It says that it uses SHA-1.
    #[error("the signature uses SHA-1")]
    Sha1,
    /// It is of another scheme or hash than the AK has.
    #[error("the signature is of scheme {have}, the AK has {want}")]
    Scheme {
        /// The scheme of the AK.
        want: TpmAlgId,
        /// The scheme of the signature.
        have: TpmAlgId,
    },
    /// It is of another hash than the AK has.
    #[error("the signature uses hash {have}, the AK has {want}")]
    Hash {
        /// The hash of the AK.
        want: TpmAlgId,
        /// The hash of the signature.
        have: TpmAlgId,
    },
    /// Another key made it, or over other bytes.
    #[error("the signature does not match")]
    Wrong,
}

/// How an AK signs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct AkScheme {
    /// TPM_ALG_RSASSA, TPM_ALG_RSAPSS or TPM_ALG_ECDSA.
    pub alg: TpmAlgId,
    /// The hash of the signature, which also is the one of the PCR digest in a quote.
    pub hash: StrongHash,
}

/// The public area of a key with the properties of an AK. Trust: only [`crate::BoundAk`] says
/// that the key is in a particular TPM; before that the properties are a claim of the host.
#[derive(Clone)]
pub struct AkPublic {
    raw: Vec<u8>,
    name: Name,
    key: PublicKey,
    scheme: AkScheme,
    verifying: ParsedPublicKey,
}

impl AkPublic {
    /// The TPMT_PUBLIC, as it came: what has to be stored.
    pub fn raw(&self) -> &[u8] {
        &self.raw
    }

    /// The name of this AK.
    pub const fn name(&self) -> &Name {
        &self.name
    }

    /// The key.
    pub const fn key(&self) -> &PublicKey {
        &self.key
    }

    /// How it signs.
    pub const fn scheme(&self) -> AkScheme {
        self.scheme
    }

    /// SHA-256 of the key as [`PublicKey::spki_der`].
    pub fn spki_sha256(&self) -> [u8; 32] {
        self.key.spki_sha256()
    }

    /// Whether `signature`, a TPMT_SIGNATURE, is the one of this key over `message`: its form, its
    /// hash and scheme, then the mathematics.
    pub(crate) fn check_signature(
        &self,
        message: &[u8],
        signature: &[u8],
    ) -> Result<(), SignatureProblem> {
        let parsed = TpmtSignature::parse(signature).map_err(SignatureProblem::Parse)?;
        if parsed.hash() == Some(TpmAlgId::SHA1) {
            return Err(SignatureProblem::Sha1);
        }
        let (want, have) = (self.scheme.alg, parsed.scheme());
        if want != have {
            return Err(SignatureProblem::Scheme { want, have });
        }
        let want = self.scheme.hash.alg();
        let holds = match parsed {
            TpmtSignature::RsaSsa { hash, .. }
            | TpmtSignature::RsaPss { hash, .. }
            | TpmtSignature::Ecdsa { hash, .. }
                if hash != want =>
            {
                return Err(SignatureProblem::Hash { want, have: hash });
            }
            TpmtSignature::RsaSsa { signature, .. } => {
                self.verifying.verify_sig(message, signature).is_ok()
            }
            TpmtSignature::RsaPss { signature, .. } => self.pss_holds(message, signature),
            TpmtSignature::Ecdsa { r, s, .. } => {
                let signature = der::sequence(&[&der::unsigned(r), &der::unsigned(s)]);
                self.verifying.verify_sig(message, &signature).is_ok()
            }
            TpmtSignature::Other { .. } => false,
        };
        if holds { Ok(()) } else { Err(SignatureProblem::Wrong) }
    }

    /// A TPM does not say how long its salt is: as long as the digest, or on older chips the
    /// longest that fits. [TPM2-P1-1.59 §B.7] The length is no part of what PSS protects.
    fn pss_holds(&self, message: &[u8], signature: &[u8]) -> bool {
        self.verifying.verify_sig(message, signature).is_ok()
            || (ParsedPublicKey::new(pss_longest_salt(self.scheme.hash), self.key.bare()))
                .is_ok_and(|key| key.verify_sig(message, signature).is_ok())
    }
}

impl fmt::Debug for AkPublic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AkPublic")
            .field("name", &self.name)
            .field("scheme", &self.scheme)
            .finish_non_exhaustive()
    }
}

/// Reads the public area of an AK: `public` is a TPMT_PUBLIC without the TPM2B size. Checks the
/// attributes, nameAlg, the scheme, then the key. Attributes that do not touch on what a signature
/// says (noDA, userWithAuth, stClear) are free.
pub fn check_ak(public: &[u8]) -> Result<AkPublic, AkError> {
    let parsed = TpmtPublic::parse(public).map_err(AkError::Parse)?;
    let attributes = parsed.area.attributes;
    let missing = attributes.missing(REQUIRED);
    let forbidden = ObjectAttributes(attributes.0 & ObjectAttributes::DECRYPT.0);
    if missing.0 != 0 || forbidden.0 != 0 {
        return Err(AkError::Attributes { missing, forbidden });
    }
    let alg = parsed.area.name_alg;
    let name_alg = StrongHash::from_alg(alg).ok_or(AkError::NameAlg { alg })?;
    let key = key_of(&parsed).map_err(AkError::Key)?;

    let scheme = parsed.area.key.scheme();
    let unsupported = AkError::Scheme { scheme };
    let hash = StrongHash::from_alg(scheme.hash).ok_or(unsupported)?;
    let algorithm = match (&key, scheme.alg) {
        (PublicKey::Rsa(_), TpmAlgId::RSASSA) => rsassa(hash),
        (PublicKey::Rsa(_), TpmAlgId::RSAPSS) => pss_salt_of_digest(hash),
        (PublicKey::Ec(key), TpmAlgId::ECDSA) => {
            ecdsa(key.curve(), hash).ok_or(AkError::Key(KeyError::Unsupported))?
        }
        _ => return Err(unsupported),
    };
    let verifying = ParsedPublicKey::new(algorithm, key.bare())
        .map_err(|_| AkError::Key(KeyError::Malformed))?;
    let name = Name::of_public(name_alg, public);
    let scheme = AkScheme { alg: scheme.alg, hash };
    Ok(AkPublic { raw: public.to_vec(), name, key, scheme, verifying })
}

/// The check of PKCS #1 v1.5 or of ECDSA in DER, whichever goes with `key`.
pub(crate) fn plain_signature(
    key: &PublicKey,
    hash: StrongHash,
) -> Option<&'static dyn VerificationAlgorithm> {
    match key {
        PublicKey::Rsa(_) => Some(rsassa(hash)),
        PublicKey::Ec(key) => ecdsa(key.curve(), hash),
    }
}

fn rsassa(hash: StrongHash) -> &'static dyn VerificationAlgorithm {
    match hash {
        StrongHash::Sha256 => &signature::RSA_PKCS1_2048_8192_SHA256,
        StrongHash::Sha384 => &signature::RSA_PKCS1_2048_8192_SHA384,
        StrongHash::Sha512 => &signature::RSA_PKCS1_2048_8192_SHA512,
    }
}

pub(crate) fn pss_salt_of_digest(hash: StrongHash) -> &'static dyn VerificationAlgorithm {
    match hash {
        StrongHash::Sha256 => &signature::RSA_PSS_2048_8192_SHA256,
        StrongHash::Sha384 => &signature::RSA_PSS_2048_8192_SHA384,
        StrongHash::Sha512 => &signature::RSA_PSS_2048_8192_SHA512,
    }
}

fn pss_longest_salt(hash: StrongHash) -> &'static dyn VerificationAlgorithm {
    const SHA256: RsaParameters =
        signature::RSA_PSS_2048_8192_SHA256.with_pss_salt_length(RsaPssSaltLength::Max);
    const SHA384: RsaParameters =
        signature::RSA_PSS_2048_8192_SHA384.with_pss_salt_length(RsaPssSaltLength::Max);
    const SHA512: RsaParameters =
        signature::RSA_PSS_2048_8192_SHA512.with_pss_salt_length(RsaPssSaltLength::Max);
    match hash {
        StrongHash::Sha256 => &SHA256,
        StrongHash::Sha384 => &SHA384,
        StrongHash::Sha512 => &SHA512,
    }
}

fn ecdsa(curve: Curve, hash: StrongHash) -> Option<&'static dyn VerificationAlgorithm> {
    Some(match (curve, hash) {
        (Curve::P256, StrongHash::Sha256) => &signature::ECDSA_P256_SHA256_ASN1,
        (Curve::P256, StrongHash::Sha384) => &signature::ECDSA_P256_SHA384_ASN1,
        (Curve::P256, StrongHash::Sha512) => &signature::ECDSA_P256_SHA512_ASN1,
        (Curve::P384, StrongHash::Sha256) => &signature::ECDSA_P384_SHA256_ASN1,
        (Curve::P384, StrongHash::Sha384) => &signature::ECDSA_P384_SHA384_ASN1,
        (Curve::P384, StrongHash::Sha512) => &signature::ECDSA_P384_SHA512_ASN1,
        (Curve::P521, _) => return None,
    })
}
