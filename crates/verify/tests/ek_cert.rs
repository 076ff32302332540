//! EK certificates: each reason to refuse one, and a case that is just not refused.

mod common;

use common::ca::{Ca, KP_EK, TpmKey, ca_params, ek_params, tlv, tpm_names};
use common::tpm::{EkKind, SoftEk};
use rcgen::{
    BasicConstraints, CustomExtension, ExtendedKeyUsagePurpose, IsCa, KeyPair, KeyUsagePurpose,
    PKCS_ECDSA_P384_SHA384, PKCS_ECDSA_P521_SHA512, PKCS_RSA_SHA256, PKCS_RSA_SHA384,
    PKCS_RSA_SHA512, PublicKeyData, RsaKeySize, date_time_ymd,
};
use verify::{
    CertificateError, EkCertDeviation, EkCertError, Fingerprint, INTERMEDIATES_MAX, KeyError,
    PublicKey, RootErrorKind, RootKind, RootStore, UnixTime, UntrustedCause, VerifiedEk, WrongUse,
    check_ek, verify_ek_certificate,
};

/// 1 January 2027.
const NOW: UnixTime = UnixTime(1_798_761_600);

fn check(leaf: &[u8], intermediates: &[&[u8]], ca: &Ca) -> Result<VerifiedEk, EkCertError> {
    verify_ek_certificate(leaf, intermediates, &ca.store(), NOW)
}

fn untrusted(result: Result<VerifiedEk, EkCertError>) -> UntrustedCause {
    match result {
        Err(EkCertError::Untrusted(cause)) => cause,
        other => panic!("expected untrusted, got {other:?}"),
    }
}

fn wrong_use(result: Result<VerifiedEk, EkCertError>) -> WrongUse {
    match result {
        Err(EkCertError::WrongUse(wrong)) => wrong,
        other => panic!("expected the wrong use, got {other:?}"),
    }
}

#[test]
fn a_sound_certificate_says_whose_tpm_it_is() {
    let root = Ca::root("Root");
    let issuer = root.intermediate("Issuer");
    let key = KeyPair::generate().unwrap();
    let leaf = issuer.issue(&ek_params(), &key);
    let ek = check(&leaf, &[&issuer.der], &root).unwrap();
    assert_eq!(ek.root(), Fingerprint::of(&root.der));
    assert_eq!(ek.fingerprint(), Fingerprint::of(&leaf));
    assert_eq!(ek.tpm().manufacturer.as_deref(), Some("id:53544D20"));
    assert_eq!(ek.tpm().manufacturer_id(), Some(0x5354_4D20));
    assert_eq!(ek.tpm().model.as_deref(), Some("Model?X"), "control characters are not shown");
    assert_eq!(ek.tpm().version.as_deref(), Some("id:0102"));
    assert_eq!(ek.deviations(), []);
    assert_eq!(ek.key(), &PublicKey::from_spki_der(&key.subject_public_key_info()).unwrap());
}

#[test]
fn what_lies_around_it_in_nv_does_not_matter() {
    let root = Ca::root("Root");
    let leaf = root.issue(&ek_params(), &KeyPair::generate().unwrap());
    let padded = [leaf.as_slice(), &[0xff; 503]].concat();
    let ek = check(&padded, &[], &root).unwrap();
    assert_eq!(ek.n_padding_bytes(), 503);
    assert_eq!(ek.fingerprint(), Fingerprint::of(&leaf));
    let size = u16::try_from(leaf.len() + 2).unwrap().to_be_bytes();
    let wrapped = [&[0x10, 1, 0], size.as_slice(), &[0x10, 2], &leaf].concat();
    assert_eq!(check(&wrapped, &[], &root).unwrap().fingerprint(), Fingerprint::of(&leaf));
    let followed = [leaf.as_slice(), b"something"].concat();
    let malformed = Err(EkCertError::Malformed(CertificateError::Malformed));
    assert_eq!(check(&followed, &[], &root), malformed);
    assert_eq!(check(&[], &[], &root), malformed);
}

#[test]
fn every_algorithm_of_a_vendor_ca_is_checked() {
    let rsa = |algorithm, size| KeyPair::generate_rsa_for(algorithm, size).unwrap();
    let keys = [
        rsa(&PKCS_RSA_SHA256, RsaKeySize::_2048),
        rsa(&PKCS_RSA_SHA384, RsaKeySize::_3072),
        rsa(&PKCS_RSA_SHA512, RsaKeySize::_4096),
        KeyPair::generate().unwrap(),
        KeyPair::generate_for(&PKCS_ECDSA_P384_SHA384).unwrap(),
        KeyPair::generate_for(&PKCS_ECDSA_P521_SHA512).unwrap(),
    ];
    for (n, key) in keys.into_iter().enumerate() {
        let root = Ca::root_with_key("Root", key);
        let mut leaf = root.issue(&ek_params(), &KeyPair::generate().unwrap());
        assert!(check(&leaf, &[], &root).is_ok(), "key {n}");
        *leaf.last_mut().unwrap() ^= 1;
        let cause = untrusted(check(&leaf, &[], &root));
        assert!(matches!(cause, UntrustedCause::BadSignature { .. }), "key {n}: {cause:?}");
    }
}

#[test]
fn trust_begins_at_the_roots_only() {
    let (root, other) = (Ca::root("Root"), Ca::root("Root"));
    let issuer = root.intermediate("Issuer");
    let leaf = issuer.issue(&ek_params(), &KeyPair::generate().unwrap());
    let cause = untrusted(check(&leaf, &[], &root));
    assert_eq!(cause, UntrustedCause::NoIssuer { issuer: "CN=Issuer".into() });
    let cause = untrusted(check(&leaf, &[&issuer.der], &other));
    assert_eq!(cause, UntrustedCause::BadSignature { issuer: "CN=Root".into() }, "same name");
    let nobody = verify_ek_certificate(&leaf, &[&issuer.der, &root.der], &RootStore::new(), NOW);
    let cause = untrusted(nobody);
    assert_eq!(cause, UntrustedCause::SelfSigned { subject: "CN=Root".into() });
    let stop_at_issuer = verify_ek_certificate(&leaf, &[], &issuer.store(), NOW).unwrap();
    assert_eq!(stop_at_issuer.root(), Fingerprint::of(&issuer.der), "an operator's choice");
}

#[test]
fn a_trust_anchor_says_what_it_is() {
    let kind = |der: &[u8]| RootStore::from_der(der).unwrap().iter().next().unwrap().kind();
    let root = Ca::root("Root");
    let issuer = root.intermediate("Issuer");
    let leaf = issuer.issue(&ek_params(), &KeyPair::generate().unwrap());
    let alone = ek_params().self_signed(&KeyPair::generate().unwrap()).unwrap().der().to_vec();
    assert_eq!(kind(&root.der), RootKind::SelfSigned);
    assert_eq!(kind(&issuer.der), RootKind::Intermediate);
    assert_eq!([kind(&leaf), kind(&alone)], [RootKind::EndEntity; 2]);
    // An authority that has the name of its issuer, and another key.
    let namesake = Ca::root("Root").issue_ca(ca_params("Root", BasicConstraints::Unconstrained));
    assert_eq!(kind(&namesake.der), RootKind::Intermediate);
}

#[test]
fn a_self_signed_leaf_is_trusted_by_its_fingerprint_only() {
    let key = KeyPair::generate().unwrap();
    let leaf = ek_params().self_signed(&key).unwrap().der().to_vec();
    let root = Ca::root("Root");
    let cause = untrusted(check(&leaf, &[], &root));
    assert_eq!(cause, UntrustedCause::SelfSigned { subject: String::new() });
    assert_eq!(untrusted(check(&leaf, &[&leaf], &root)), cause_of_self_as_issuer());
    let pinned = RootStore::from_der(&leaf).unwrap();
    let ek = verify_ek_certificate(&leaf, &[], &pinned, NOW).unwrap();
    assert_eq!(ek.deviations(), [EkCertDeviation::Pinned]);
    // A pinned EK certificate vouches for itself, not for others that its key might sign.
    let other = Ca { params: ek_params(), key, der: leaf };
    let forged = other.issue(&ek_params(), &KeyPair::generate().unwrap());
    let cause = untrusted(verify_ek_certificate(&forged, &[], &pinned, NOW));
    assert!(matches!(
        cause,
        UntrustedCause::SelfSigned { .. } | UntrustedCause::IssuerNotCa { .. }
    ));
}

fn cause_of_self_as_issuer() -> UntrustedCause {
    UntrustedCause::IssuerNotCa { issuer: String::new() }
}

#[test]
fn only_a_ca_may_issue() {
    let root = Ca::root("Root");
    let leaf_under = |params| {
        let issuer: Ca = root.issue_ca(params);
        let leaf = issuer.issue(&ek_params(), &KeyPair::generate().unwrap());
        check(&leaf, &[&issuer.der], &root)
    };
    let sound = || ca_params("Issuer", BasicConstraints::Unconstrained);
    let not_ca = UntrustedCause::IssuerNotCa { issuer: "CN=Issuer".into() };

    let mut params = sound();
    params.is_ca = IsCa::ExplicitNoCa;
    assert_eq!(untrusted(leaf_under(params)), not_ca);
    let mut params = sound();
    params.is_ca = IsCa::NoCa;
    assert_eq!(untrusted(leaf_under(params)), not_ca, "no basicConstraints");
    let mut params = sound();
    params.key_usages = vec![KeyUsagePurpose::CrlSign];
    assert_eq!(untrusted(leaf_under(params)), not_ca, "keyUsage without keyCertSign");
    let mut params = sound();
    params.key_usages = vec![];
    assert!(leaf_under(params).is_ok(), "no keyUsage");
    for (critical, accepted) in [(true, false), (false, true)] {
        let mut params = sound();
        let mut unknown = CustomExtension::from_oid_content(&[1, 3, 9999, 1], tlv(4, b"x"));
        unknown.set_criticality(critical);
        params.custom_extensions = vec![unknown];
        assert_eq!(leaf_under(params).is_ok(), accepted, "critical: {critical}");
    }
    let mut params = sound();
    let policy = tlv(0x30, &tlv(0x30, &tlv(6, &[0x67, 0x81, 5, 1])));
    let mut policies = CustomExtension::from_oid_content(&[2, 5, 29, 32], policy);
    policies.set_criticality(true);
    params.custom_extensions = vec![policies];
    assert!(leaf_under(params).is_ok(), "critical policies, as vendors have them");
}

#[test]
fn path_lengths_are_kept() {
    let root = Ca::root("Root");
    for (max, accepted) in [(0, false), (1, true)] {
        let top = root.issue_ca(ca_params("Top", BasicConstraints::Constrained(max)));
        let issuer = top.intermediate("Issuer");
        let leaf = issuer.issue(&ek_params(), &KeyPair::generate().unwrap());
        let result = check(&leaf, &[&issuer.der, &top.der], &root);
        assert_eq!(result.is_ok(), accepted);
        if !accepted {
            let cause = UntrustedCause::PathLen { issuer: "CN=Top".into(), n_below: 1 };
            assert_eq!(untrusted(result), cause);
        }
    }
}

#[test]
fn depth_and_work_are_bounded() {
    let root = Ca::root("CA 0");
    let chain = |n: usize| {
        let mut chain = vec![root.intermediate("CA 1")];
        for at in 1..n {
            chain.push(chain[at - 1].intermediate(&format!("CA {}", at + 1)));
        }
        let leaf = chain[n - 1].issue(&ek_params(), &KeyPair::generate().unwrap());
        let ders: Vec<_> = chain.iter().map(|ca| ca.der.as_slice()).collect();
        check(&leaf, &ders, &root)
    };
    assert!(chain(6).is_ok());
    assert_eq!(untrusted(chain(7)), UntrustedCause::TooDeep);

    // Intermediates that all issued each other, under one name: each step has many ways.
    let ring: Vec<_> = (0..INTERMEDIATES_MAX)
        .map(|_| Ca::root_with_key("Ring", KeyPair::generate().unwrap()))
        .collect();
    let ders: Vec<_> = ring.iter().map(|ca| ca.der.as_slice()).collect();
    let leaf = ring[INTERMEDIATES_MAX - 1].issue(&ek_params(), &KeyPair::generate().unwrap());
    assert_eq!(untrusted(check(&leaf, &ders, &root)), UntrustedCause::TooManySignatures);

    let too_many = vec![root.der.as_slice(); INTERMEDIATES_MAX + 1];
    let have = too_many.len();
    assert_eq!(check(&leaf, &too_many, &root), Err(EkCertError::TooManyIntermediates { have }));
    let sound = root.issue(&ek_params(), &KeyPair::generate().unwrap());
    assert!(check(&sound, &too_many[1..], &root).is_ok());
    assert!(check(&sound, &[b"rubbish"], &root).is_ok(), "others cannot spoil a sound chain");
}

#[test]
fn weak_and_contradicting_signatures_are_refused() {
    let key = KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_2048).unwrap();
    let root = Ca::root_with_key("Root", key);
    let leaf = root.issue(&ek_params(), &KeyPair::generate().unwrap());
    let oid = [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0b];
    let places: Vec<_> =
        (0..leaf.len() - oid.len()).filter(|at| leaf[*at..].starts_with(&oid)).collect();
    assert_eq!(places.len(), 2);
    let mut sha1 = leaf.clone();
    places.iter().for_each(|at| sha1[at + 8] = 0x05);
    let cause = untrusted(check(&sha1, &[], &root));
    assert!(matches!(cause, UntrustedCause::WeakSignature { .. }), "{cause:?}");
    let mut contradicting = leaf;
    contradicting[places[1] + 8] = 0x0c;
    let malformed = Err(EkCertError::Malformed(CertificateError::Malformed));
    assert_eq!(check(&contradicting, &[], &root), malformed);
}

#[test]
fn a_certificate_of_something_else_is_not_one_of_an_ek() {
    let root = Ca::root("Root");
    let key = KeyPair::generate().unwrap();
    let with = |change: &dyn Fn(&mut rcgen::CertificateParams)| {
        let mut params = ek_params();
        change(&mut params);
        check(&root.issue(&params, &key), &[], &root)
    };
    let ca = with(&|params| params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained));
    assert_eq!(wrong_use(ca), WrongUse::Ca);
    let signs = KeyUsagePurpose::KeyCertSign;
    let ca = with(&|params| params.key_usages.push(signs));
    assert_eq!(wrong_use(ca), WrongUse::Ca);
    let signing = with(&|params| params.key_usages = vec![KeyUsagePurpose::DigitalSignature]);
    assert_eq!(wrong_use(signing), WrongUse::KeyUsage);
    let server = with(&|params| {
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    });
    assert_eq!(wrong_use(server), WrongUse::ExtendedKeyUsage);
    let bare = with(&|params| {
        params.extended_key_usages.clear();
        params.custom_extensions.clear();
    });
    assert_eq!(wrong_use(bare), WrongUse::NotMarked);
    let unknown = with(&|params| {
        let mut extension = CustomExtension::from_oid_content(&[1, 3, 9999, 1], tlv(4, b"x"));
        extension.set_criticality(true);
        params.custom_extensions.push(extension);
    });
    let expected = WrongUse::UnknownCriticalExtension { oid: "1.3.9999.1".into() };
    assert_eq!(wrong_use(unknown), expected);
    let twice = with(&|params| params.custom_extensions.push(tpm_names()));
    assert_eq!(twice, Err(EkCertError::Malformed(CertificateError::Extension)));
}

#[test]
fn what_vendors_leave_out_is_a_deviation() {
    let root = Ca::root("Root");
    let key = KeyPair::generate().unwrap();
    let with = |change: &dyn Fn(&mut rcgen::CertificateParams)| {
        let mut params = ek_params();
        change(&mut params);
        check(&root.issue(&params, &key), &[], &root).unwrap().deviations().to_vec()
    };
    let deviation = with(&|params| params.extended_key_usages.clear());
    assert_eq!(deviation, [EkCertDeviation::NoExtendedKeyUsage]);
    let deviation = with(&|params| params.custom_extensions.clear());
    assert_eq!(deviation, [EkCertDeviation::NoManufacturer]);
    let deviation = with(&|params| params.key_usages.clear());
    assert_eq!(deviation, [EkCertDeviation::NoKeyUsage]);
    let deviation = with(&|params| params.key_usages = vec![KeyUsagePurpose::KeyEncipherment]);
    assert_eq!(deviation, [EkCertDeviation::EccKeyEncipherment]);
    let others =
        vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::Other(KP_EK.to_vec())];
    assert_eq!(with(&|params| params.extended_key_usages = others.clone()), []);
}

#[test]
fn dates_are_told_apart_from_trust() {
    let root = Ca::root("Root");
    let key = KeyPair::generate().unwrap();
    let mut params = ek_params();
    params.not_before = date_time_ymd(2020, 1, 1);
    params.not_after = date_time_ymd(9999, 12, 31);
    let forever = root.issue(&params, &key);
    let (begin, end) = (1_577_836_800, 253_402_214_400);
    let at = |time| verify_ek_certificate(&forever, &[], &root.store(), UnixTime(time));
    assert_eq!(at(begin).unwrap().not_after(), UnixTime(end));
    assert!(at(end).is_ok());
    assert!(matches!(at(begin - 1), Err(EkCertError::NotYetValid(_))));
    assert!(matches!(at(i64::MIN), Err(EkCertError::NotYetValid(_))));
    let Err(EkCertError::Expired(expired)) = at(end + 1) else { panic!("not expired") };
    assert_eq!(expired.not_after, UnixTime(end));
    assert_eq!(expired.intermediate, None);
    assert_eq!(expired.permit().fingerprint(), Fingerprint::of(&forever));

    let mut ca = ca_params("Issuer", BasicConstraints::Unconstrained);
    ca.not_after = date_time_ymd(2021, 1, 1);
    let issuer = root.issue_ca(ca);
    let leaf = issuer.issue(&params, &key);
    let Err(EkCertError::Expired(expired)) = check(&leaf, &[&issuer.der], &root) else {
        panic!("the intermediate has not expired");
    };
    assert_eq!(expired.intermediate.as_deref(), Some("CN=Issuer"));
    // The same, renewed: whichever comes first.
    let renewed = root.issue(&ca_params("Issuer", BasicConstraints::Unconstrained), &issuer.key);
    assert!(check(&leaf, &[&issuer.der, &renewed], &root).is_ok());
    assert!(check(&leaf, &[&renewed, &issuer.der], &root).is_ok());
    // A policy may permit what has expired, and that hides nothing that is not valid yet.
    let mut params = params.clone();
    params.not_after = date_time_ymd(2021, 1, 1);
    let mut early = ca_params("Issuer", BasicConstraints::Unconstrained);
    early.not_before = date_time_ymd(9000, 1, 1);
    early.not_after = date_time_ymd(9999, 1, 1);
    let early = root.issue(&early, &issuer.key);
    let expired = issuer.issue(&params, &key);
    let Err(EkCertError::NotYetValid(found)) = check(&expired, &[&early], &root) else {
        panic!("the intermediate is valid already");
    };
    assert_eq!(found.intermediate.as_deref(), Some("CN=Issuer"));
    let Err(EkCertError::Expired(found)) = check(&expired, &[&renewed], &root) else {
        panic!("the certificate has not expired");
    };
    assert_eq!(found.intermediate, None);

    let mut forged = leaf;
    *forged.last_mut().unwrap() ^= 1;
    let cause = untrusted(check(&forged, &[&issuer.der], &root));
    assert!(matches!(cause, UntrustedCause::BadSignature { .. }), "never hidden by a date");
}

#[test]
fn the_certified_key_is_the_one_of_the_tpm() {
    let root = Ca::root("Root");
    for kind in [EkKind::Rsa2048, EkKind::P256, EkKind::P384] {
        let (ek, other) = (SoftEk::new(kind), SoftEk::new(kind));
        let (ek, other) = (check_ek(&ek.public).unwrap(), check_ek(&other.public).unwrap());
        let spki = TpmKey::new(ek.key());
        let mut params = ek_params();
        params.key_usages = vec![KeyUsagePurpose::KeyAgreement, KeyUsagePurpose::KeyEncipherment];
        let verified = check(&root.issue(&params, &spki), &[], &root).unwrap();
        assert_eq!(verified.check_key(&ek), Ok(()), "{kind:?}");
        assert_eq!(verified.check_key(&other), Err(EkCertError::KeyMismatch), "{kind:?}");
        assert_eq!(verified.check_spki_sha256(&ek.spki_sha256()), Ok(()));
        let mismatch = verified.check_spki_sha256(&other.spki_sha256());
        assert_eq!(mismatch, Err(EkCertError::KeyMismatch));
    }
}

#[test]
fn an_oaep_key_is_an_rsa_key() {
    let ek = SoftEk::new(EkKind::Rsa2048);
    let key = check_ek(&ek.public).unwrap().key().clone();
    let mut spki = key.spki_der();
    let at = (0..spki.len()).find(|at| spki[*at..].starts_with(&[0xf7, 0x0d, 1, 1, 1])).unwrap();
    spki[at + 4] = 7;
    assert_eq!(PublicKey::from_spki_der(&spki), Ok(key.clone()));
    spki[at + 4] = 8;
    assert_eq!(PublicKey::from_spki_der(&spki), Err(KeyError::Unsupported));
    let pem = key.spki_pem();
    assert!(pem.starts_with("-----BEGIN PUBLIC KEY-----\nMIIB"));
    assert!(pem.lines().all(|line| line.len() <= 64));
}

#[test]
fn a_root_file_is_read_whole_or_refused() {
    let (a, b) = (Ca::root("A"), Ca::root("B"));
    let pem = |ca: &Ca| ca.params.self_signed(&ca.key).unwrap().pem();
    let (pem_a, pem_b) = (pem(&a), pem(&b));
    let store = RootStore::from_pem(&format!("# two roots\n{pem_a}\ntext\n{pem_b}")).unwrap();
    let names: Vec<_> = store.iter().map(|root| root.subject().to_owned()).collect();
    assert_eq!(names, ["CN=A", "CN=B"]);
    assert_eq!(RootStore::from_pem(&pem_a.repeat(2)).unwrap().len(), 1, "the same one twice");
    assert_eq!(RootStore::from_pem("").unwrap_err().source, RootErrorKind::Pem);
    let cut = format!("{pem_a}{}", &pem_b[..100]);
    let error = RootStore::from_pem(&cut).unwrap_err();
    assert_eq!((error.n, error.source), (2, RootErrorKind::Pem));
    let mut both = a.store();
    both.extend(b.store());
    both.extend(a.store());
    assert_eq!(both.len(), 2);
}

#[test]
fn no_byte_of_a_certificate_can_be_changed() {
    let root = Ca::root("Root");
    let issuer = root.intermediate("Issuer");
    let leaf = issuer.issue(&ek_params(), &KeyPair::generate().unwrap());
    assert!(check(&leaf, &[&issuer.der], &root).is_ok());
    for at in 0..leaf.len() {
        let cut = check(&leaf[..at], &[&issuer.der], &root);
        assert!(cut.is_err(), "cut at {at}");
        for flip in [1, 0x80, 0xff] {
            let mut changed = leaf.clone();
            changed[at] ^= flip;
            let result = check(&changed, &[&issuer.der], &root);
            assert!(result.is_err(), "byte {at} xor {flip:#x}");
        }
    }
    for at in 0..issuer.der.len() {
        let mut changed = issuer.der.clone();
        changed[at] ^= 0x01;
        assert!(check(&leaf, &[&changed], &root).is_err(), "byte {at} of the issuer");
        assert!(check(&leaf, &[&issuer.der[..at]], &root).is_err(), "issuer cut at {at}");
    }
}
