//! TPM2_MakeCredential in software: a secret that only the TPM with this EK can read, and only
//! while it holds the key of this name. [TPM2-P1-1.59 §24]

use aws_lc_rs::agreement::{self, EphemeralPrivateKey};
use aws_lc_rs::cipher::{AES_128, AES_256, EncryptingKey, EncryptionContext, UnboundCipherKey};
use aws_lc_rs::error::Unspecified;
use aws_lc_rs::iv::FixedLength;
use aws_lc_rs::rsa::{
    OAEP_SHA256_MGF1SHA256, OAEP_SHA384_MGF1SHA384, OAEP_SHA512_MGF1SHA512,
    OaepPublicEncryptingKey, PublicEncryptingKey,
};
use aws_lc_rs::{hmac, rand};
use tpm_wire::{EncodeError, Writer};
use zeroize::Zeroizing;

use crate::ek::{AesBits, EkPublic};
use crate::hash::{self, StrongHash};
use crate::kdf::{kdfa, kdfe};
use crate::key::{Curve, EcKey, PublicKey};
use crate::name::Name;

/// Bytes of a secret: a TPM takes at most as many as the digest of the EK's nameAlg has, and
/// SHA-256 is the smallest that we accept.
pub const SECRET_LEN: usize = 32;

/// The label of the seed's encryption; its NUL belongs to it for OAEP.
const IDENTITY: &str = "IDENTITY";

/// Why no credential could be made: the EK is not on its curve, or the cryptography refused it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no credential can be made for this EK")]
pub struct CredentialError;

impl From<Unspecified> for CredentialError {
    fn from(_: Unspecified) -> Self {
        Self
    }
}

impl From<EncodeError> for CredentialError {
    fn from(_: EncodeError) -> Self {
        Self
    }
}

/// A secret that a TPM has to prove that it could read. Forgotten when dropped.
#[derive(Clone, PartialEq, Eq)]
pub struct CredentialSecret(Zeroizing<[u8; SECRET_LEN]>);

impl CredentialSecret {
    /// A secret; the bytes have to be random.
    pub fn new(bytes: [u8; SECRET_LEN]) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// The bytes.
    pub fn expose(&self) -> &[u8; SECRET_LEN] {
        &self.0
    }
}

impl core::fmt::Debug for CredentialSecret {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("CredentialSecret(..)")
    }
}

/// What the host needs for TPM2_ActivateCredential. Neither field has a size in front.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credential {
    /// The contents of TPM2B_ID_OBJECT: TPM2B integrityHMAC, then encIdentity.
    pub id_object: Vec<u8>,
    /// The contents of TPM2B_ENCRYPTED_SECRET: RSA ciphertext, or a TPMS_ECC_POINT.
    pub encrypted_secret: Vec<u8>,
}

/// What the server keeps between making a credential and getting its secret back: a MAC under
/// the secret over EK and AK. It gives away neither the secret nor a way to answer for it, and
/// it fits no other EK or AK.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ActivationProof(pub [u8; 32]);

impl ActivationProof {
    /// The proof that [`crate::bind`] will check.
    pub fn new(secret: &CredentialSecret, ek: &EkPublic, ak_name: &Name) -> Self {
        let key = hmac::Key::new(hmac::HMAC_SHA256, secret.expose());
        Self(hash::fixed(hmac::sign(&key, &covered(ek, ak_name)).as_ref()))
    }

    /// Whether `activated` is the secret of this proof, for this EK and AK; in constant time.
    pub(crate) fn holds(&self, activated: &[u8], ek: &EkPublic, ak_name: &Name) -> bool {
        let key = hmac::Key::new(hmac::HMAC_SHA256, activated);
        activated.len() == SECRET_LEN && hmac::verify(&key, &covered(ek, ak_name), &self.0).is_ok()
    }
}

/// What a proof covers. Both names say their own length by their first two bytes.
fn covered(ek: &EkPublic, ak_name: &Name) -> Vec<u8> {
    [b"bootproof activation 1\0".as_slice(), ek.name().as_bytes(), ak_name.as_bytes()].concat()
}

/// Encrypts `secret` so that the TPM with `ek` gives it out only while it has a key with
/// `ak_name` loaded. [TPM2-P3-1.59 §12.6]
///
/// Randomness: the seed, the padding of OAEP and the ephemeral key come from the cryptographic
/// library, which takes them from nobody. The secret is the caller's.
pub fn make_credential(
    ek: &EkPublic,
    ak_name: &Name,
    secret: &CredentialSecret,
) -> Result<Credential, CredentialError> {
    let hash = ek.name_alg();
    let (seed, encrypted_secret) = match ek.key() {
        PublicKey::Rsa(_) => rsa_seed(ek.key(), hash)?,
        PublicKey::Ec(key) => ecc_seed(key, hash)?,
    };

    let mut enc_identity = Zeroizing::new(Vec::with_capacity(2 + SECRET_LEN));
    let size = u16::try_from(SECRET_LEN).map_err(|_| CredentialError)?;
    enc_identity.extend_from_slice(&size.to_be_bytes());
    enc_identity.extend_from_slice(secret.expose());
    encrypt(ek.aes(), hash, &seed, ak_name, &mut enc_identity)?;

    let hmac_key = kdfa(hash, &seed, "INTEGRITY", &[], hash.digest_len());
    let mut mac = hmac::Context::with_key(&hmac::Key::new(hash.hmac(), &hmac_key));
    mac.update(&enc_identity);
    mac.update(ak_name.as_bytes());

    let mut id_object = Writer::new();
    id_object.sized("TPMS_ID_OBJECT.integrityHMAC", mac.sign().as_ref());
    id_object.bytes(&enc_identity);
    Ok(Credential { id_object: id_object.finish()?, encrypted_secret })
}

type Seed = Zeroizing<Vec<u8>>;

/// A random seed, and it encrypted with OAEP. [TPM2-P1-1.59 §B.10.3]
fn rsa_seed(key: &PublicKey, hash: StrongHash) -> Result<(Seed, Vec<u8>), CredentialError> {
    let mut seed = Zeroizing::new(vec![0; hash.digest_len()]);
    rand::fill(&mut seed)?;
    let algorithm = match hash {
        StrongHash::Sha256 => &OAEP_SHA256_MGF1SHA256,
        StrongHash::Sha384 => &OAEP_SHA384_MGF1SHA384,
        StrongHash::Sha512 => &OAEP_SHA512_MGF1SHA512,
    };
    let key = PublicEncryptingKey::from_der(&key.spki_der()).map_err(|_| CredentialError)?;
    let key = OaepPublicEncryptingKey::new(key)?;
    let label = [IDENTITY.as_bytes(), &[0]].concat();
    let mut encrypted = vec![0; key.ciphertext_size()];
    let len = key.encrypt(algorithm, &seed, &mut encrypted, Some(&label))?.len();
    encrypted.truncate(len);
    Ok((seed, encrypted))
}

/// A seed agreed on with an ephemeral key, and the public part of that. [TPM2-P1-1.59 §C.6.4]
fn ecc_seed(key: &EcKey, hash: StrongHash) -> Result<(Seed, Vec<u8>), CredentialError> {
    let algorithm = match key.curve() {
        Curve::P256 => &agreement::ECDH_P256,
        Curve::P384 => &agreement::ECDH_P384,
        Curve::P521 => &agreement::ECDH_P521,
    };
    let ephemeral = EphemeralPrivateKey::generate(algorithm, &rand::SystemRandom::new())?;
    let public = ephemeral.compute_public_key()?;
    let point = public.as_ref();
    let len = key.curve().field_len();
    let (x, y) = point
        .strip_prefix(&[4])
        .and_then(|coordinates| coordinates.split_at_checked(len))
        .ok_or(CredentialError)?;
    let peer = agreement::UnparsedPublicKey::new(algorithm, key.point());
    let seed = agreement::agree_ephemeral(ephemeral, peer, CredentialError, |z| {
        Ok(kdfe(hash, z, IDENTITY, x, key.x()))
    })?;
    let mut encrypted = Writer::new();
    encrypted.sized("TPMS_ECC_POINT.x", x);
    encrypted.sized("TPMS_ECC_POINT.y", y);
    Ok((seed, encrypted.finish()?))
}

/// AES in CFB mode with a key of seed and name, in place. The vector is zero: a key is used once.
fn encrypt(
    aes: AesBits,
    hash: StrongHash,
    seed: &[u8],
    ak_name: &Name,
    in_out: &mut [u8],
) -> Result<(), CredentialError> {
    let (algorithm, key_len) = match aes {
        AesBits::Aes128 => (&AES_128, 16),
        AesBits::Aes256 => (&AES_256, 32),
    };
    let key = kdfa(hash, seed, "STORAGE", ak_name.as_bytes(), key_len);
    let key = EncryptingKey::cfb128(UnboundCipherKey::new(algorithm, &key)?)?;
    key.less_safe_encrypt(in_out, EncryptionContext::Iv128(FixedLength::from([0; 16])))?;
    Ok(())
}
