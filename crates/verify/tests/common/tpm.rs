//! A TPM in software: attestation keys that sign quotes, endorsement keys that activate.

use aws_lc_rs::agreement::{self, agree};
use aws_lc_rs::cipher::{AES_128, AES_256, DecryptingKey, DecryptionContext, UnboundCipherKey};
use aws_lc_rs::encoding::AsDer;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{
    KeyPair as RsaKeyPair, KeySize, OAEP_SHA256_MGF1SHA256, OAEP_SHA384_MGF1SHA384,
    OAEP_SHA512_MGF1SHA512, OaepPrivateDecryptingKey, PrivateDecryptingKey,
};
use aws_lc_rs::signature::{
    self, EcdsaKeyPair, KeyPair, RsaEncoding, RsaPssSaltLength, RsaSignatureEncoding,
};
use aws_lc_rs::{digest, hmac};
use tpm_wire::{
    Digest, ObjectAttributes, PcrBank, PcrSelection, PcrSet, PublicArea, PublicKey, Scheme,
    Symmetric, TPM_GENERATED, TPM_ST_ATTEST_QUOTE, TpmAlgId, TpmEccCurve, TpmtSignature, Writer,
};
use verify::{
    ActivationProof, BoundAk, Credential, CredentialSecret, Curve, EnrolledKey, Name, StrongHash,
    check_ak, check_ek,
};

pub const AK_ATTRIBUTES: ObjectAttributes = ObjectAttributes(0x0005_0472);
pub const EK_ATTRIBUTES: ObjectAttributes = ObjectAttributes(0x0003_00b2);

/// How a software AK signs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AkKind {
    EcdsaP256,
    EcdsaP384,
    RsaSsa,
    RsaPss,
    RsaPssLongestSalt,
}

enum Secret {
    Ec(EcdsaKeyPair),
    Rsa(RsaKeyPair),
}

/// An attestation key.
pub struct SoftAk {
    pub kind: AkKind,
    pub public: Vec<u8>,
    secret: Secret,
}

impl SoftAk {
    pub fn new(kind: AkKind) -> Self {
        Self::with_attributes(kind, AK_ATTRIBUTES)
    }

    pub fn with_attributes(kind: AkKind, attributes: ObjectAttributes) -> Self {
        let (secret, public) = match kind {
            AkKind::EcdsaP256 | AkKind::EcdsaP384 => {
                let (algorithm, curve, hash) = if kind == AkKind::EcdsaP256 {
                    let algorithm = &signature::ECDSA_P256_SHA256_FIXED_SIGNING;
                    (algorithm, TpmEccCurve::P256, TpmAlgId::SHA256)
                } else {
                    let algorithm = &signature::ECDSA_P384_SHA384_FIXED_SIGNING;
                    (algorithm, TpmEccCurve::P384, TpmAlgId::SHA384)
                };
                let key = EcdsaKeyPair::generate(algorithm).unwrap();
                let point = key.public_key().as_ref();
                let scheme = Scheme::new(TpmAlgId::ECDSA, hash);
                let public = ecc_public(attributes, curve, point, Symmetric::NULL, scheme, hash);
                (Secret::Ec(key), public)
            }
            AkKind::RsaSsa | AkKind::RsaPss | AkKind::RsaPssLongestSalt => {
                let key = RsaKeyPair::generate(KeySize::Rsa2048).unwrap();
                let spki = key.public_key().as_der().unwrap();
                let public = rsa_key(spki.as_ref());
                let modulus = public.modulus();
                let alg = match kind {
                    AkKind::RsaSsa => TpmAlgId::RSASSA,
                    _ => TpmAlgId::RSAPSS,
                };
                let scheme = Scheme::new(alg, TpmAlgId::SHA256);
                let hash = TpmAlgId::SHA256;
                let public = rsa_public(attributes, modulus, Symmetric::NULL, scheme, hash);
                (Secret::Rsa(key), public)
            }
        };
        Self { kind, public, secret }
    }

    /// As the server's store would give it.
    pub fn bound(&self) -> BoundAk {
        let ak_name = *check_ak(&self.public).unwrap().name();
        let enrolled = EnrolledKey { ak_name, ek_spki_sha256: [7; 32] };
        BoundAk::from_enrolled(&enrolled, &self.public).unwrap()
    }

    /// The hash of its scheme.
    pub fn hash(&self) -> TpmAlgId {
        if self.kind == AkKind::EcdsaP384 { TpmAlgId::SHA384 } else { TpmAlgId::SHA256 }
    }

    pub fn sign(&self, message: &[u8]) -> Vec<u8> {
        static LONGEST: RsaSignatureEncoding =
            signature::RSA_PSS_SHA256.with_pss_salt_length(RsaPssSaltLength::Max);
        let hash = self.hash();
        let mut out = Writer::new();
        match &self.secret {
            Secret::Ec(key) => {
                let signature = key.sign(&SystemRandom::new(), message).unwrap();
                let (r, s) = signature.as_ref().split_at(signature.as_ref().len() / 2);
                // As some TPMs do: no leading zeros.
                let strip =
                    |n: &[u8]| n.iter().copied().skip_while(|b| *b == 0).collect::<Vec<_>>();
                TpmtSignature::Ecdsa { hash, r: &strip(r), s: &strip(s) }.write(&mut out);
            }
            Secret::Rsa(key) => {
                let encoding: &'static dyn RsaEncoding = match self.kind {
                    AkKind::RsaSsa => &signature::RSA_PKCS1_SHA256,
                    AkKind::RsaPss => &signature::RSA_PSS_SHA256,
                    _ => &LONGEST,
                };
                let mut signature = vec![0; key.public_modulus_len()];
                key.sign(encoding, &SystemRandom::new(), message, &mut signature).unwrap();
                let signature = &signature;
                if self.kind == AkKind::RsaSsa {
                    TpmtSignature::RsaSsa { hash, signature }.write(&mut out);
                } else {
                    TpmtSignature::RsaPss { hash, signature }.write(&mut out);
                }
            }
        }
        out.finish().unwrap()
    }
}

/// A TPMS_ATTEST to be written and bent.
#[derive(Clone)]
pub struct Attest {
    pub magic: u32,
    pub kind: u16,
    pub nonce: Vec<u8>,
    pub selection: PcrSelection,
    pub pcr_digest: Vec<u8>,
}

impl Attest {
    /// A quote as a TPM would make it.
    pub fn new(nonce: &[u8], selection: PcrSelection, banks: &[PcrBank], hash: TpmAlgId) -> Self {
        let mut values = Vec::new();
        for (alg, index) in selection.iter() {
            let bank = banks.iter().find(|bank| bank.alg() == alg).unwrap();
            values.extend_from_slice(bank.get(index).unwrap().as_bytes());
        }
        Self {
            magic: TPM_GENERATED,
            kind: TPM_ST_ATTEST_QUOTE,
            nonce: nonce.to_vec(),
            selection,
            pcr_digest: digest::digest(algorithm(hash), &values).as_ref().to_vec(),
        }
    }

    pub fn bytes(&self) -> Vec<u8> {
        let mut out = Writer::new();
        out.u32(self.magic);
        out.u16(self.kind);
        out.sized("qualifiedSigner", &[&[0, 0x0b], [9; 32].as_slice()].concat());
        out.sized("extraData", &self.nonce);
        out.u64(123_456);
        out.u32(7);
        out.u32(2);
        out.u8(1);
        out.u64(0x2023_0816_0000_0001);
        self.selection.write(&mut out);
        out.sized("pcrDigest", &self.pcr_digest);
        out.finish().unwrap()
    }
}

/// A bank whose PCR `n` holds `n` in each byte.
pub fn bank(alg: TpmAlgId) -> PcrBank {
    let mut bank = PcrBank::new(alg);
    for index in PcrSet::ALL.iter() {
        let fill = u8::try_from(index).unwrap();
        assert!(bank.set(index, Digest::filled(fill, alg.digest_len().unwrap()).unwrap()));
    }
    bank
}

/// The kinds of EK of the TCG templates, and P-521.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EkKind {
    /// L-1.
    Rsa2048,
    /// H-6.
    Rsa3072,
    /// H-7.
    Rsa4096,
    /// L-2.
    P256,
    /// H-3.
    P384,
    /// H-4.
    P521,
}

impl EkKind {
    pub const ALL: [Self; 6] =
        [Self::Rsa2048, Self::Rsa3072, Self::Rsa4096, Self::P256, Self::P384, Self::P521];

    fn hash(self) -> StrongHash {
        match self {
            Self::Rsa2048 | Self::P256 => StrongHash::Sha256,
            Self::Rsa3072 | Self::Rsa4096 | Self::P384 => StrongHash::Sha384,
            Self::P521 => StrongHash::Sha512,
        }
    }
}

enum Decryptor {
    Rsa(OaepPrivateDecryptingKey),
    Ec(agreement::PrivateKey, Curve),
}

/// An endorsement key that can activate credentials.
pub struct SoftEk {
    kind: EkKind,
    pub public: Vec<u8>,
    decryptor: Decryptor,
}

impl SoftEk {
    pub fn new(kind: EkKind) -> Self {
        let hash = kind.hash().alg();
        let symmetric = match kind {
            EkKind::Rsa2048 | EkKind::P256 => Symmetric::AES_128_CFB,
            _ => Symmetric::AES_256_CFB,
        };
        let rsa = |size| {
            let key = PrivateDecryptingKey::generate(size).unwrap();
            let spki = key.public_key().as_der().unwrap();
            let public = rsa_key(spki.as_ref());
            let public = rsa_public(EK_ATTRIBUTES, public.modulus(), symmetric, Scheme::NULL, hash);
            (public, Decryptor::Rsa(OaepPrivateDecryptingKey::new(key).unwrap()))
        };
        let ecc = |algorithm, curve, tpm_curve| {
            let key = agreement::PrivateKey::generate(algorithm).unwrap();
            let point = key.compute_public_key().unwrap();
            let point = point.as_ref();
            let public = ecc_public(EK_ATTRIBUTES, tpm_curve, point, symmetric, Scheme::NULL, hash);
            (public, Decryptor::Ec(key, curve))
        };
        let (public, decryptor) = match kind {
            EkKind::Rsa2048 => rsa(KeySize::Rsa2048),
            EkKind::Rsa3072 => rsa(KeySize::Rsa3072),
            EkKind::Rsa4096 => rsa(KeySize::Rsa4096),
            EkKind::P256 => ecc(&agreement::ECDH_P256, Curve::P256, TpmEccCurve::P256),
            EkKind::P384 => ecc(&agreement::ECDH_P384, Curve::P384, TpmEccCurve::P384),
            EkKind::P521 => ecc(&agreement::ECDH_P521, Curve::P521, TpmEccCurve::P521),
        };
        Self { kind, public, decryptor }
    }

    /// TPM2_ActivateCredential, written from the specification and not from the crate's own
    /// functions: the secret, or `None` where the integrity does not hold for `ak_name`.
    pub fn activate(&self, credential: &Credential, ak_name: &Name) -> Option<Vec<u8>> {
        let hash = self.kind.hash();
        let mac_algorithm = match hash {
            StrongHash::Sha256 => hmac::HMAC_SHA256,
            StrongHash::Sha384 => hmac::HMAC_SHA384,
            StrongHash::Sha512 => hmac::HMAC_SHA512,
        };
        let kdfa = |key: &[u8], label: &[u8], context: &[u8], bits: u32| -> Vec<u8> {
            let key = hmac::Key::new(mac_algorithm, key);
            let input = [&[0, 0, 0, 1], label, &[0], context, &bits.to_be_bytes()].concat();
            let out = hmac::sign(&key, &input);
            out.as_ref()[..usize::try_from(bits).unwrap() / 8].to_vec()
        };
        let seed = match &self.decryptor {
            Decryptor::Rsa(key) => {
                let algorithm = match hash {
                    StrongHash::Sha256 => &OAEP_SHA256_MGF1SHA256,
                    StrongHash::Sha384 => &OAEP_SHA384_MGF1SHA384,
                    StrongHash::Sha512 => &OAEP_SHA512_MGF1SHA512,
                };
                let mut out = vec![0; key.min_output_size()];
                let encrypted = &credential.encrypted_secret;
                key.decrypt(algorithm, encrypted, &mut out, Some(b"IDENTITY\0")).ok()?.to_vec()
            }
            Decryptor::Ec(key, curve) => {
                let len = curve.field_len();
                let secret = &credential.encrypted_secret;
                let size = u16::try_from(len).unwrap().to_be_bytes();
                assert_eq!(secret.len(), 2 * (2 + len));
                assert_eq!(secret[..2], size);
                assert_eq!(secret[2 + len..4 + len], size);
                let (x, y) = (&secret[2..2 + len], &secret[4 + len..]);
                let point = [&[4], x, y].concat();
                let peer = agreement::UnparsedPublicKey::new(key.algorithm(), &point);
                let own = key.compute_public_key().unwrap();
                let own_x = &own.as_ref()[1..1 + len];
                agree(key, peer, (), |z| {
                    let input = [&[0, 0, 0, 1], z, b"IDENTITY\0", x, own_x].concat();
                    Ok(digest::digest(algorithm(hash.alg()), &input).as_ref().to_vec())
                })
                .ok()?
            }
        };
        assert_eq!(seed.len(), hash.digest_len());
        let (size, rest) = credential.id_object.split_at(2);
        let size = usize::from(u16::from_be_bytes([size[0], size[1]]));
        let (mac, encrypted) = rest.split_at(size);
        let bits = u32::try_from(hash.digest_len() * 8).unwrap();
        let key = hmac::Key::new(mac_algorithm, &kdfa(&seed, b"INTEGRITY", &[], bits));
        let covered = [encrypted, ak_name.as_bytes()].concat();
        hmac::verify(&key, &covered, mac).ok()?;

        let (aes, bits) = match self.kind {
            EkKind::Rsa2048 | EkKind::P256 => (&AES_128, 128),
            _ => (&AES_256, 256),
        };
        let key = kdfa(&seed, b"STORAGE", ak_name.as_bytes(), bits);
        let key = DecryptingKey::cfb128(UnboundCipherKey::new(aes, &key).unwrap()).unwrap();
        let mut secret = encrypted.to_vec();
        let zero_iv = DecryptionContext::Iv128([0; 16].into());
        let secret = key.decrypt(&mut secret, zero_iv).unwrap();
        assert_eq!(usize::from(u16::from_be_bytes([secret[0], secret[1]])), secret.len() - 2);
        Some(secret[2..].to_vec())
    }
}

/// A proof for tests that do not care for its credential.
pub fn proof(secret: &CredentialSecret, ek: &SoftEk, ak: &SoftAk) -> ActivationProof {
    let ak = check_ak(&ak.public).unwrap();
    ActivationProof::new(secret, &check_ek(&ek.public).unwrap(), ak.name())
}

pub fn algorithm(hash: TpmAlgId) -> &'static digest::Algorithm {
    match hash {
        TpmAlgId::SHA256 => &digest::SHA256,
        TpmAlgId::SHA384 => &digest::SHA384,
        TpmAlgId::SHA512 => &digest::SHA512,
        _ => panic!("{hash} is not used in these tests"),
    }
}

fn rsa_key(spki: &[u8]) -> verify::RsaKey {
    match verify::PublicKey::from_spki_der(spki).unwrap() {
        verify::PublicKey::Rsa(key) => key,
        verify::PublicKey::Ec(_) => panic!("an RSA key is read as one"),
    }
}

pub fn rsa_public(
    attributes: ObjectAttributes,
    modulus: &[u8],
    symmetric: Symmetric,
    scheme: Scheme,
    name_alg: TpmAlgId,
) -> Vec<u8> {
    let key_bits = u16::try_from(modulus.len() * 8).unwrap();
    let key = PublicKey::Rsa { symmetric, scheme, key_bits, exponent: 0, modulus };
    PublicArea { name_alg, attributes, auth_policy: &[], key }.to_bytes().unwrap()
}

pub fn ecc_public(
    attributes: ObjectAttributes,
    curve: TpmEccCurve,
    point: &[u8],
    symmetric: Symmetric,
    scheme: Scheme,
    name_alg: TpmAlgId,
) -> Vec<u8> {
    let (x, y) = point[1..].split_at(curve.coordinate_len().unwrap());
    let key = PublicKey::Ecc { symmetric, scheme, curve, kdf: Scheme::NULL, x, y };
    PublicArea { name_alg, attributes, auth_policy: &[], key }.to_bytes().unwrap()
}
