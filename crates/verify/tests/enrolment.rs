//! AK, credential and binding: what makes a key of a host one of a known TPM.

mod common;

use common::tpm::{
    AK_ATTRIBUTES, AkKind, EK_ATTRIBUTES, EkKind, SoftAk, SoftEk, ecc_public, proof, rsa_public,
};
use tpm_wire::{ObjectAttributes, Scheme, Symmetric, TpmAlgId, TpmEccCurve};
use verify::{
    AkError, BindError, BoundAk, CredentialSecret, EkError, EnrolledKey, KeyError, Name, PublicKey,
    bind, check_ak, check_ek, make_credential,
};

const SECRET: [u8; 32] = [0x5a; 32];

#[test]
fn each_kind_of_ek_activates_its_credential() {
    let ak = SoftAk::new(AkKind::EcdsaP256);
    let name = *check_ak(&ak.public).unwrap().name();
    let secret = CredentialSecret::new(SECRET);
    for kind in EkKind::ALL {
        let ek = SoftEk::new(kind);
        let checked = check_ek(&ek.public).unwrap();
        let credential = make_credential(&checked, &name, &secret).unwrap();
        assert_eq!(ek.activate(&credential, &name).as_deref(), Some(SECRET.as_slice()), "{kind:?}");

        let other = Name::from_bytes(&[&[0, 0x0b], [1; 32].as_slice()].concat()).unwrap();
        assert_eq!(ek.activate(&credential, &other), None, "{kind:?}: an AK of another name");
        let activated = SoftEk::new(kind).activate(&credential, &name);
        assert_eq!(activated, None, "{kind:?}: another TPM");
        let again = make_credential(&checked, &name, &secret).unwrap();
        assert_ne!(again, credential, "{kind:?}: the seed is fresh");
    }
}

#[test]
fn only_the_secret_for_this_ek_and_ak_binds() {
    let (ek, other_ek) = (SoftEk::new(EkKind::P256), SoftEk::new(EkKind::P256));
    let (ak, other_ak) = (SoftAk::new(AkKind::EcdsaP256), SoftAk::new(AkKind::EcdsaP256));
    let secret = CredentialSecret::new(SECRET);
    let proof = proof(&secret, &ek, &ak);
    let answer = |ek: &SoftEk, ak: &SoftAk, activated: &[u8]| {
        bind(&check_ek(&ek.public).unwrap(), check_ak(&ak.public).unwrap(), &proof, activated)
    };
    let bound = answer(&ek, &ak, &SECRET).unwrap();
    assert_eq!(bound.ek_spki_sha256(), &check_ek(&ek.public).unwrap().spki_sha256());
    assert!(answer(&ek, &other_ak, &SECRET).is_err(), "another AK");
    assert!(answer(&other_ek, &ak, &SECRET).is_err(), "another EK");
    assert!(answer(&ek, &ak, &[0x5b; 32]).is_err(), "another secret");
    assert!(answer(&ek, &ak, &SECRET[..31]).is_err(), "cut");
    assert!(answer(&ek, &ak, &[]).is_err(), "nothing");
    let padded = [SECRET.as_slice(), &[0]].concat();
    assert!(answer(&ek, &ak, &padded).is_err(), "an HMAC key padded with zero is the same key");

    let enrolled = bound.enrolled();
    assert!(BoundAk::from_enrolled(&enrolled, &ak.public).is_ok());
    let have = *check_ak(&other_ak.public).unwrap().name();
    let error = BoundAk::from_enrolled(&enrolled, &other_ak.public).unwrap_err();
    assert_eq!(error, BindError::NotEnrolled { have });
}

#[test]
fn an_ak_can_sign_nothing_that_its_tpm_did_not_make() {
    type Bits = ObjectAttributes;
    for (without, named) in [
        (Bits::RESTRICTED, "restricted"),
        (Bits::SIGN, "sign"),
        (Bits::FIXED_TPM, "fixedTPM"),
        (Bits::FIXED_PARENT, "fixedParent"),
        (Bits::SENSITIVE_DATA_ORIGIN, "sensitiveDataOrigin"),
    ] {
        let attributes = ObjectAttributes(AK_ATTRIBUTES.0 & !without.0);
        let ak = SoftAk::with_attributes(AkKind::EcdsaP256, attributes);
        let error = check_ak(&ak.public).unwrap_err();
        let forbidden = ObjectAttributes(0);
        assert_eq!(error, AkError::Attributes { missing: without, forbidden });
        assert!(error.to_string().contains(named), "{error}");
    }
    let both = AK_ATTRIBUTES.union(Bits::DECRYPT);
    let error = check_ak(&SoftAk::with_attributes(AkKind::RsaSsa, both).public).unwrap_err();
    let (missing, forbidden) = (ObjectAttributes(0), Bits::DECRYPT);
    assert_eq!(error, AkError::Attributes { missing, forbidden });
    for free in [Bits::ST_CLEAR, Bits::NO_DA, Bits::ADMIN_WITH_POLICY] {
        let ak = SoftAk::with_attributes(AkKind::EcdsaP256, AK_ATTRIBUTES.union(free));
        assert!(check_ak(&ak.public).is_ok(), "{free}");
    }
}

#[test]
fn an_ak_is_strong() {
    let sha256 = TpmAlgId::SHA256;
    let ssa = Scheme::new(TpmAlgId::RSASSA, sha256);
    let rsa = |len: usize, scheme, name_alg| {
        let mut modulus = vec![0x5d; len];
        modulus[0] = 0xc1;
        check_ak(&rsa_public(AK_ATTRIBUTES, &modulus, Symmetric::NULL, scheme, name_alg))
    };
    assert!(rsa(256, ssa, sha256).is_ok());
    assert!(rsa(512, ssa, sha256).is_ok());
    let bits = AkError::Key(KeyError::RsaBits { bits: 1024 });
    assert_eq!(rsa(128, ssa, sha256).unwrap_err(), bits);
    let alg = TpmAlgId::SHA1;
    assert_eq!(rsa(256, ssa, alg).unwrap_err(), AkError::NameAlg { alg });
    for scheme in [
        Scheme::NULL,
        Scheme::new(TpmAlgId::RSASSA, TpmAlgId::SHA1),
        Scheme::new(TpmAlgId::ECDSA, sha256),
        Scheme::new(TpmAlgId::RSASSA, TpmAlgId::SHA3_256),
    ] {
        assert_eq!(rsa(256, scheme, sha256).unwrap_err(), AkError::Scheme { scheme });
    }
    let short = rsa_public(AK_ATTRIBUTES, &[0x01; 257], Symmetric::NULL, ssa, sha256);
    let malformed = AkError::Key(KeyError::Malformed);
    assert_eq!(check_ak(&short).unwrap_err(), malformed, "2049 bits under the name of 2056");

    let ecdsa = Scheme::new(TpmAlgId::ECDSA, sha256);
    let off_curve =
        ecc_public(AK_ATTRIBUTES, TpmEccCurve::P256, &[4; 65], Symmetric::NULL, ecdsa, sha256);
    assert_eq!(check_ak(&off_curve).unwrap_err(), malformed);
    let ek = SoftEk::new(EkKind::P521);
    let PublicKey::Ec(key) = check_ek(&ek.public).unwrap().key().clone() else { panic!() };
    let p521 =
        ecc_public(AK_ATTRIBUTES, TpmEccCurve::P521, key.point(), Symmetric::NULL, ecdsa, sha256);
    assert_eq!(check_ak(&p521).unwrap_err(), AkError::Key(KeyError::Unsupported));
}

#[test]
fn an_ek_is_a_storage_key_of_its_tpm() {
    let sha256 = TpmAlgId::SHA256;
    let modulus = [0xc1; 256];
    let ek = |attributes, symmetric, name_alg| {
        check_ek(&rsa_public(attributes, &modulus, symmetric, Scheme::NULL, name_alg))
    };
    let aes = Symmetric::AES_128_CFB;
    assert!(ek(EK_ATTRIBUTES, aes, sha256).is_ok());
    assert_eq!(ek(EK_ATTRIBUTES, Symmetric::NULL, sha256), Err(EkError::Symmetric));
    let alg = TpmAlgId::SHA1;
    assert_eq!(ek(EK_ATTRIBUTES, aes, alg), Err(EkError::NameAlg { alg }));
    let signs = EK_ATTRIBUTES.union(ObjectAttributes::SIGN);
    assert!(matches!(ek(signs, aes, sha256), Err(EkError::Attributes { .. })));
    let ak = SoftAk::new(AkKind::RsaSsa);
    assert!(matches!(check_ek(&ak.public), Err(EkError::Attributes { .. })), "an AK is no EK");
}

#[test]
fn no_credential_goes_to_a_point_off_the_curve() {
    let attributes = EK_ATTRIBUTES;
    let (aes, hash) = (Symmetric::AES_128_CFB, TpmAlgId::SHA256);
    let off = ecc_public(attributes, TpmEccCurve::P256, &[4; 65], aes, Scheme::NULL, hash);
    let ek = check_ek(&off).unwrap();
    let ak = SoftAk::new(AkKind::EcdsaP256);
    let name = *check_ak(&ak.public).unwrap().name();
    assert!(make_credential(&ek, &name, &CredentialSecret::new(SECRET)).is_err());
}

#[test]
fn any_change_of_an_ak_is_another_name_or_none() {
    let ak = SoftAk::new(AkKind::EcdsaP256);
    let ak_name = *check_ak(&ak.public).unwrap().name();
    let enrolled = EnrolledKey { ak_name, ek_spki_sha256: [0; 32] };
    for at in 0..ak.public.len() {
        assert!(BoundAk::from_enrolled(&enrolled, &ak.public[..at]).is_err(), "cut at {at}");
        for bit in 0..8 {
            let mut changed = ak.public.clone();
            changed[at] ^= 1 << bit;
            assert!(BoundAk::from_enrolled(&enrolled, &changed).is_err(), "bit {bit} of {at}");
        }
    }
    assert_eq!(Name::from_bytes(ak_name.as_bytes()), Some(ak_name));
    assert_eq!(Name::from_bytes(&ak_name.as_bytes()[..33]), None);
    assert_eq!(Name::from_bytes(&[0, 4, 0]), None);
}
