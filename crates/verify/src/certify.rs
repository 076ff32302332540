//! A key beside the attestation key: that it is in the same TPM, what it can do, and that the host has it.

use aws_lc_rs::{constant_time, signature::ParsedPublicKey};
use tpm_wire::{
    Attested, ClockInfo, ObjectAttributes, ParseError, Scheme, TPM_GENERATED, TpmAlgId, TpmsAttest,
    TpmtPublic, TpmtSignature,
};

use crate::ak::{SignatureProblem, plain_signature};
use crate::bind::BoundAk;
use crate::der;
use crate::ek::key_of;
use crate::hash::StrongHash;
use crate::key::{Curve, KeyError, PublicKey};
use crate::name::Name;
use crate::nonce::Nonce;

/// What makes a key one that stays in its TPM and was never anywhere else, and that signs.
const REQUIRED: ObjectAttributes = ObjectAttributes::SIGN
    .union(ObjectAttributes::FIXED_TPM)
    .union(ObjectAttributes::FIXED_PARENT)
    .union(ObjectAttributes::SENSITIVE_DATA_ORIGIN);

/// What a key for handshakes must not be: one that also decrypts, or one that cannot sign what a program
/// brings.
const FORBIDDEN: ObjectAttributes = ObjectAttributes::DECRYPT
    .union(ObjectAttributes::RESTRICTED)
    .union(ObjectAttributes::X509_SIGN);

/// What a host sends of a key. No field has a TPM2B size in front.
#[derive(Clone, Copy, Debug)]
pub struct RawCertification<'a> {
    /// TPMT_PUBLIC of the key.
    pub public: &'a [u8],
    /// TPMS_ATTEST of TPM2_Certify.
    pub attest: &'a [u8],
    /// TPMT_SIGNATURE over it, by the attestation key.
    pub signature: &'a [u8],
    /// The qualified name of the attestation key's parent, where the host says it.
    pub ak_parent: Option<&'a [u8]>,
}

/// What is wrong with a certified key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CertifyProblem {
    /// The public area is not a TPMT_PUBLIC.
    #[error("the public area of the key cannot be read")]
    Public(#[source] ParseError),
    /// The attestation is not a TPMS_ATTEST.
    #[error("the certification cannot be read")]
    Attest(#[source] ParseError),
    /// The AK did not sign it.
    #[error("the AK did not sign the certification")]
    Signature(#[source] SignatureProblem),
    /// No TPM made it.
    #[error("the certification begins with {have:#010x}: no TPM made it")]
    Magic {
        /// What stands in the place of [`TPM_GENERATED`].
        have: u32,
    },
    /// A TPM attests something else with it.
    #[error("attestation type {have:#06x} does not certify a key")]
    Type {
        /// What stands in the place of TPM_ST_ATTEST_CERTIFY.
        have: u16,
    },
    /// It does not answer this challenge.
    #[error("the certification does not answer the challenge")]
    NonceMismatch,
    /// Another key than the one in the public area was certified.
    #[error("another key than this one was certified")]
    OtherKey,
    /// It carries another signer's name than the AK has under this parent.
    #[error("the certification carries another signer's name")]
    Signer,
    /// Attributes are missing, or there are some that such a key must not have.
    #[error("attributes of the key: missing {missing}, not allowed {forbidden}")]
    Attributes {
        /// Those that it must have and has not.
        missing: ObjectAttributes,
        /// Those that it must not have and has.
        forbidden: ObjectAttributes,
    },
    /// Its nameAlg is not SHA-256, SHA-384 or SHA-512.
    #[error("the name of the key uses {alg}")]
    NameAlg {
        /// What it is.
        alg: TpmAlgId,
    },
    /// It can only sign in another way than ECDSA with SHA-256.
    #[error("the key signs with scheme {alg} and hash {hash}", alg = scheme.alg, hash = scheme.hash)]
    Scheme {
        /// What it is.
        scheme: Scheme,
    },
    /// It is not on P-256.
    #[error("the key is not on P-256")]
    Curve,
    /// Its key cannot be used.
    #[error("the key cannot be used")]
    Key(#[source] KeyError),
}

/// A key on P-256 that was made in the TPM of a [`BoundAk`], stays there, and signs what programs bring. Only
/// [`verify_certify`] makes one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertifiedKey {
    name: Name,
    key: PublicKey,
    clock_info: ClockInfo,
    firmware_version: u64,
}

impl CertifiedKey {
    /// Its name.
    pub const fn name(&self) -> &Name {
        &self.name
    }

    /// The key.
    pub const fn key(&self) -> &PublicKey {
        &self.key
    }

    /// Clock and counters of boots when it was certified. The counters are hidden by the same number as in
    /// quotes of the same attestation key, so that the two can be compared. [TPM2-P1-1.59 §36.7]
    pub const fn clock_info(&self) -> &ClockInfo {
        &self.clock_info
    }

    /// The vendor's number for the TPM's firmware, hidden as in quotes.
    pub const fn firmware_version(&self) -> u64 {
        self.firmware_version
    }
}

/// A [`CertifiedKey`] with which the host signed what it was asked to. Only [`verify_possession`] makes one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PossessedKey(CertifiedKey);

impl PossessedKey {
    /// The key.
    pub const fn certified(&self) -> &CertifiedKey {
        &self.0
    }
}

/// Checks that `certification` is the word of the TPM of `ak` about a key for handshakes: that it can be
/// read, the AK's signature, magic and type, that it answers `nonce` exactly, that the certified name is that
/// of the public area, and where the host names the AK's parent, the signer's qualified name; then of the key
/// attributes, nameAlg, curve and scheme. Returns all that is wrong. [TPM2-P2-1.59 §10.12.3 TPMS_CERTIFY_INFO,
/// TPM2-P3-1.59 §18.2] Trust: `ak` is bound to its TPM.
pub fn verify_certify(
    ak: &BoundAk,
    certification: RawCertification<'_>,
    nonce: &Nonce,
) -> Result<CertifiedKey, Vec<CertifyProblem>> {
    let mut problems = Vec::new();
    let public = key_for_handshakes(certification.public, &mut problems);
    let attest = TpmsAttest::parse(certification.attest);
    if let Err(error) = attest {
        problems.push(CertifyProblem::Attest(error));
    }
    if let Err(problem) = ak.ak().check_signature(certification.attest, certification.signature) {
        problems.push(CertifyProblem::Signature(problem));
    }
    let Ok(attest) = attest else { return Err(problems) };
    if attest.magic != TPM_GENERATED {
        problems.push(CertifyProblem::Magic { have: attest.magic });
    }
    if constant_time::verify_slices_are_equal(attest.extra_data, nonce.as_bytes()).is_err() {
        problems.push(CertifyProblem::NonceMismatch);
    }
    match (attest.attested, &public) {
        (Attested::Certify { name, .. }, Some((own, _))) if name != own.as_bytes() => {
            problems.push(CertifyProblem::OtherKey);
        }
        (Attested::Certify { .. }, _) => {}
        (Attested::Quote { .. } | Attested::Other { .. }, _) => {
            problems.push(CertifyProblem::Type { have: attest.kind });
        }
    }
    if let Some(parent) = certification.ak_parent
        && ak.ak().name().under(parent).as_bytes() != attest.qualified_signer
    {
        problems.push(CertifyProblem::Signer);
    }
    match public {
        Some((name, key)) if problems.is_empty() => Ok(CertifiedKey {
            name,
            key,
            clock_info: attest.clock_info,
            firmware_version: attest.firmware_version,
        }),
        _ => Err(problems),
    }
}

/// Name and key of a public area. What is wrong with it is added to `problems`; where it has no name or no
/// key there is nothing.
fn key_for_handshakes(
    public: &[u8],
    problems: &mut Vec<CertifyProblem>,
) -> Option<(Name, PublicKey)> {
    let parsed = match TpmtPublic::parse(public) {
        Ok(parsed) => parsed,
        Err(error) => {
            problems.push(CertifyProblem::Public(error));
            return None;
        }
    };
    let attributes = parsed.area.attributes;
    let missing = attributes.missing(REQUIRED);
    let forbidden = ObjectAttributes(attributes.0 & FORBIDDEN.0);
    if missing.0 != 0 || forbidden.0 != 0 {
        problems.push(CertifyProblem::Attributes { missing, forbidden });
    }
    let scheme = parsed.area.key.scheme();
    let any_or_ours = [Scheme::NULL, Scheme::new(TpmAlgId::ECDSA, TpmAlgId::SHA256)];
    if !any_or_ours.contains(&scheme) {
        problems.push(CertifyProblem::Scheme { scheme });
    }
    let key = match key_of(&parsed) {
        Ok(key @ PublicKey::Ec(_)) if matches!(&key, PublicKey::Ec(ec) if ec.curve() == Curve::P256) => {
            Some(key)
        }
        Ok(_) => {
            problems.push(CertifyProblem::Curve);
            None
        }
        Err(error) => {
            problems.push(CertifyProblem::Key(error));
            None
        }
    };
    let alg = parsed.area.name_alg;
    match StrongHash::from_alg(alg) {
        Some(hash) => Some((Name::of_public(hash, public), key?)),
        None => {
            problems.push(CertifyProblem::NameAlg { alg });
            None
        }
    }
}

/// Whether `signature`, a TPMT_SIGNATURE, is that of the key over `message`: ECDSA with SHA-256. That the key
/// is in the TPM says the certification; that the host may use it says this.
pub fn verify_possession(
    key: CertifiedKey,
    message: &[u8],
    signature: &[u8],
) -> Result<PossessedKey, SignatureProblem> {
    let (r, s) = match TpmtSignature::parse(signature).map_err(SignatureProblem::Parse)? {
        TpmtSignature::Ecdsa { hash: TpmAlgId::SHA256, r, s } => (r, s),
        TpmtSignature::Ecdsa { hash: TpmAlgId::SHA1, .. } => return Err(SignatureProblem::Sha1),
        TpmtSignature::Ecdsa { hash: have, .. } => {
            return Err(SignatureProblem::Hash { want: TpmAlgId::SHA256, have });
        }
        other => {
            return Err(SignatureProblem::Scheme { want: TpmAlgId::ECDSA, have: other.scheme() });
        }
    };
    let algorithm = plain_signature(&key.key, StrongHash::Sha256).ok_or(SignatureProblem::Wrong)?;
    let der = der::sequence(&[&der::unsigned(r), &der::unsigned(s)]);
    let holds = ParsedPublicKey::new(algorithm, key.key.bare())
        .is_ok_and(|parsed| parsed.verify_sig(message, &der).is_ok());
    if holds { Ok(PossessedKey(key)) } else { Err(SignatureProblem::Wrong) }
}
