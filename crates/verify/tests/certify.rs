//! Certified keys: each problem by itself, all of them together, and nothing else.

mod common;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
use common::tpm::{AkKind, SoftAk, ecc_public};
use tpm_wire::template::SIGNING_P256;
use tpm_wire::{
    ObjectAttributes, PcrSet, Scheme, Symmetric, TPM_GENERATED, TPM_ST_ATTEST_CERTIFY,
    TPM_ST_ATTEST_QUOTE, TpmAlgId, TpmEccCurve, TpmtSignature, Writer,
};
use verify::{
    BankRule, CertifiedKey, CertifyProblem, Name, Nonce, QuoteProblem, RawCertification, RawQuote,
    SelectionRule, SignatureProblem, verify_certify, verify_possession, verify_quote,
};

const NONCE: &[u8] = &[0xa5; 32];
const PARENT: &[u8] = &[0, 0x0b, 7];
const MESSAGE: &[u8] = b"what the server asks the host to sign";
const SHA256: TpmAlgId = TpmAlgId::SHA256;

/// A key for handshakes in software.
struct Key {
    pair: EcdsaKeyPair,
    public: Vec<u8>,
}

impl Key {
    fn new() -> Self {
        Self::with(SIGNING_P256.attributes, Scheme::NULL, SHA256)
    }

    fn with(attributes: ObjectAttributes, scheme: Scheme, name_alg: TpmAlgId) -> Self {
        let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
        let point = pair.public_key().as_ref();
        let public =
            ecc_public(attributes, TpmEccCurve::P256, point, Symmetric::NULL, scheme, name_alg);
        Self { pair, public }
    }

    fn sign(&self, hash: TpmAlgId, message: &[u8]) -> Vec<u8> {
        let signature = self.pair.sign(&SystemRandom::new(), message).unwrap();
        let (r, s) = signature.as_ref().split_at(32);
        let mut out = Writer::new();
        TpmtSignature::Ecdsa { hash, r, s }.write(&mut out);
        out.finish().unwrap()
    }
}

/// The name of a public area whose nameAlg is SHA-256.
fn name_of(public: &[u8]) -> Vec<u8> {
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, public);
    [&[0, 0x0b], digest.as_ref()].concat()
}

/// What a TPM says of a key.
struct Certify {
    magic: u32,
    kind: u16,
    nonce: Vec<u8>,
    name: Vec<u8>,
    signer: Vec<u8>,
}

impl Certify {
    fn of(ak: &SoftAk, key: &Key) -> Self {
        let signer = ak.bound().ak().name().under(PARENT).as_bytes().to_vec();
        Self {
            magic: TPM_GENERATED,
            kind: TPM_ST_ATTEST_CERTIFY,
            nonce: NONCE.to_vec(),
            name: name_of(&key.public),
            signer,
        }
    }

    fn bytes(&self) -> Vec<u8> {
        let mut out = Writer::new();
        out.u32(self.magic);
        out.u16(self.kind);
        out.sized("qualifiedSigner", &self.signer);
        out.sized("extraData", &self.nonce);
        out.u64(123_456);
        out.u32(7);
        out.u32(2);
        out.u8(1);
        out.u64(0x2023_0816_0000_0001);
        out.sized("name", &self.name);
        out.sized("qualifiedName", &[&[0, 0x0b], [8; 32].as_slice()].concat());
        out.finish().unwrap()
    }
}

fn check(
    ak: &SoftAk,
    key: &Key,
    attest: &[u8],
    signature: &[u8],
) -> Result<CertifiedKey, Vec<CertifyProblem>> {
    let certification =
        RawCertification { public: &key.public, attest, signature, ak_parent: Some(PARENT) };
    verify_certify(&ak.bound(), certification, &Nonce::new(NONCE).unwrap())
}

/// What is wrong with a certification that the AK really signs.
fn signed(ak: &SoftAk, key: &Key, change: impl FnOnce(&mut Certify)) -> Vec<CertifyProblem> {
    let mut certify = Certify::of(ak, key);
    change(&mut certify);
    let attest = certify.bytes();
    check(ak, key, &attest, &ak.sign(&attest)).err().unwrap_or_default()
}

fn certified(ak: &SoftAk, key: &Key) -> Result<CertifiedKey, Vec<CertifyProblem>> {
    let attest = Certify::of(ak, key).bytes();
    check(ak, key, &attest, &ak.sign(&attest))
}

#[test]
fn each_kind_of_ak_certifies_a_key() {
    for kind in [AkKind::EcdsaP256, AkKind::EcdsaP384, AkKind::RsaSsa, AkKind::RsaPss] {
        let (ak, key) = (SoftAk::new(kind), Key::new());
        let proved = certified(&ak, &key).unwrap();
        assert_eq!(proved.name().as_bytes(), name_of(&key.public));
        assert_eq!((proved.clock_info().reset_count, proved.clock_info().restart_count), (7, 2));
        assert_eq!(proved.firmware_version(), 0x2023_0816_0000_0001);
    }
    // A key that can sign in our way alone is as good.
    let scheme = Scheme::new(TpmAlgId::ECDSA, SHA256);
    let key = Key::with(SIGNING_P256.attributes, scheme, SHA256);
    certified(&SoftAk::new(AkKind::EcdsaP256), &key).unwrap();
}

#[test]
fn each_attribute_is_looked_at() {
    let ak = SoftAk::new(AkKind::EcdsaP256);
    let sound = SIGNING_P256.attributes;
    let none = ObjectAttributes(0);
    for wanted in [
        ObjectAttributes::FIXED_TPM,
        ObjectAttributes::FIXED_PARENT,
        ObjectAttributes::SENSITIVE_DATA_ORIGIN,
        ObjectAttributes::SIGN,
    ] {
        let key = Key::with(ObjectAttributes(sound.0 & !wanted.0), Scheme::NULL, SHA256);
        let problem = CertifyProblem::Attributes { missing: wanted, forbidden: none };
        assert_eq!(certified(&ak, &key).unwrap_err(), [problem]);
    }
    for forbidden in
        [ObjectAttributes::RESTRICTED, ObjectAttributes::DECRYPT, ObjectAttributes::X509_SIGN]
    {
        let scheme = Scheme::new(TpmAlgId::ECDSA, SHA256);
        let key = Key::with(sound.union(forbidden), scheme, SHA256);
        let problem = CertifyProblem::Attributes { missing: none, forbidden };
        assert_eq!(certified(&ak, &key).unwrap_err(), [problem]);
    }
    // What does not touch on whose key it is, is free.
    for free in [ObjectAttributes::NO_DA, ObjectAttributes::USER_WITH_AUTH] {
        let key = Key::with(ObjectAttributes(sound.0 & !free.0), Scheme::NULL, SHA256);
        certified(&ak, &key).unwrap();
    }
}

#[test]
fn curve_scheme_and_name_algorithm_are_looked_at() {
    let ak = SoftAk::new(AkKind::EcdsaP256);
    for scheme in [
        Scheme::new(TpmAlgId::ECDSA, TpmAlgId::SHA1),
        Scheme::new(TpmAlgId::ECDSA, TpmAlgId::SHA384),
        Scheme::new(TpmAlgId(0x001C), SHA256),
    ] {
        let key = Key::with(SIGNING_P256.attributes, scheme, SHA256);
        assert_eq!(certified(&ak, &key).unwrap_err(), [CertifyProblem::Scheme { scheme }]);
    }
    let alg = TpmAlgId::SHA1;
    let key = Key::with(SIGNING_P256.attributes, Scheme::NULL, alg);
    assert_eq!(certified(&ak, &key).unwrap_err(), [CertifyProblem::NameAlg { alg }]);
    let mut key = Key::new();
    key.public = ecc_public(
        SIGNING_P256.attributes,
        TpmEccCurve::P384,
        &[4; 97],
        Symmetric::NULL,
        Scheme::NULL,
        SHA256,
    );
    assert_eq!(certified(&ak, &key).unwrap_err(), [CertifyProblem::Curve]);
    key.public.truncate(20);
    let problems = certified(&ak, &key).unwrap_err();
    assert!(matches!(problems[..], [CertifyProblem::Public(_)]), "{problems:?}");
}

#[test]
fn what_was_signed_is_looked_at() {
    let (ak, key) = (SoftAk::new(AkKind::EcdsaP256), Key::new());
    assert_eq!(signed(&ak, &key, |_| {}), []);
    let have = 0xff54_4346;
    assert_eq!(signed(&ak, &key, |said| said.magic = have), [CertifyProblem::Magic { have }]);
    let have = 0x801a;
    assert_eq!(signed(&ak, &key, |said| said.kind = have), [CertifyProblem::Type { have }]);
    let problems = signed(&ak, &key, |said| said.kind = TPM_ST_ATTEST_QUOTE);
    assert!(matches!(problems[..], [CertifyProblem::Attest(_)]), "{problems:?}");
    for nonce in [&[][..], &NONCE[..31], &[0xa6; 32]] {
        let problems = signed(&ak, &key, |said| said.nonce = nonce.to_vec());
        assert_eq!(problems, [CertifyProblem::NonceMismatch]);
    }
    let other = name_of(&Key::new().public);
    assert_eq!(signed(&ak, &key, |said| said.name = other), [CertifyProblem::OtherKey]);
    assert_eq!(signed(&ak, &key, |said| said.name = Vec::new()), [CertifyProblem::OtherKey]);
    let signer = [&[0, 0x0b], [1; 32].as_slice()].concat();
    assert_eq!(signed(&ak, &key, |said| said.signer = signer.clone()), [CertifyProblem::Signer]);
    // All at once: none hides another.
    let problems = signed(&ak, &key, |said| {
        said.magic = 0;
        said.nonce.clear();
        said.name.clear();
        said.signer = signer;
    });
    assert_eq!(problems.len(), 4, "{problems:?}");
}

#[test]
fn a_certified_key_is_no_quote() {
    let (ak, key) = (SoftAk::new(AkKind::EcdsaP256), Key::new());
    let attest = Certify::of(&ak, &key).bytes();
    let signature = ak.sign(&attest);
    let quote = RawQuote { attest: &attest, signature: &signature };
    let rule = SelectionRule::AtLeast { pcrs: PcrSet::FIRMWARE, banks: BankRule::Strong };
    let check = verify_quote(&ak.bound(), quote, &[], &Nonce::new(NONCE).unwrap(), &rule);
    assert_eq!(check.problems, [QuoteProblem::Type { have: TPM_ST_ATTEST_CERTIFY }]);
    assert!(check.verified().is_none());
}

#[test]
fn another_tpms_word_is_none() {
    let (ak, other, key) =
        (SoftAk::new(AkKind::EcdsaP256), SoftAk::new(AkKind::EcdsaP256), Key::new());
    let attest = Certify::of(&ak, &key).bytes();
    let problems = check(&ak, &key, &attest, &other.sign(&attest)).unwrap_err();
    assert_eq!(problems, [CertifyProblem::Signature(SignatureProblem::Wrong)]);
    let mut changed = attest.clone();
    for at in 0..attest.len() {
        changed[at] ^= 1;
        check(&ak, &key, &changed, &ak.sign(&attest)).unwrap_err();
        changed[at] ^= 1;
    }
    for end in 0..attest.len() {
        check(&ak, &key, &attest[..end], &ak.sign(&attest[..end])).unwrap_err();
    }
}

#[test]
fn who_has_the_key_signs_with_it() {
    let (ak, key) = (SoftAk::new(AkKind::EcdsaP256), Key::new());
    let proved = || certified(&ak, &key).unwrap();
    let has = |signature: &[u8]| verify_possession(proved(), MESSAGE, signature);
    let possessed = has(&key.sign(SHA256, MESSAGE)).unwrap();
    assert_eq!(possessed.certified().name(), &Name::from_bytes(&name_of(&key.public)).unwrap());
    assert_eq!(has(&key.sign(SHA256, b"another")), Err(SignatureProblem::Wrong));
    assert_eq!(has(&Key::new().sign(SHA256, MESSAGE)), Err(SignatureProblem::Wrong));
    assert_eq!(has(&key.sign(TpmAlgId::SHA1, MESSAGE)), Err(SignatureProblem::Sha1));
    let (want, have) = (SHA256, TpmAlgId::SHA384);
    assert_eq!(has(&key.sign(have, MESSAGE)), Err(SignatureProblem::Hash { want, have }));
    let rsa = SoftAk::new(AkKind::RsaSsa).sign(MESSAGE);
    let (want, have) = (TpmAlgId::ECDSA, TpmAlgId::RSASSA);
    assert_eq!(has(&rsa), Err(SignatureProblem::Scheme { want, have }));
    assert!(matches!(has(&[]), Err(SignatureProblem::Parse(_))));
}
