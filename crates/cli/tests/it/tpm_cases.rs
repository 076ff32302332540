//! Findings about the TPM itself: its firmware, its keys, its certificate.

use appraise::Policy;
use cli::evidence_dir::{Enrolled, EvidenceFolder};
use findings::Code;
use rcgen::{
    BasicConstraints, CertificateParams, CustomExtension, DistinguishedName, DnType,
    ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose, PKCS_RSA_SHA256,
    PublicKeyData, SignatureAlgorithm,
};
use testkit::log::BootLog;
use tpm_wire::TpmAlgId;
use verify::{PublicKey, RootStore, RsaKey, UnixTime};

use crate::{
    finding_cases::{Bench, boot_pcrs, codes},
    recorded::NOW,
};

/// An authority of an invented vendor of chips.
pub(crate) struct ChipMaker {
    params: CertificateParams,
    key: KeyPair,
    pub(crate) roots: RootStore,
}

/// An RSA key as it stands in a certificate.
struct Modulus(Vec<u8>);

impl PublicKeyData for Modulus {
    fn der_bytes(&self) -> &[u8] {
        &self.0
    }

    fn algorithm(&self) -> &'static SignatureAlgorithm {
        &PKCS_RSA_SHA256
    }
}

fn tlv(tag: u8, content: &[u8]) -> Vec<u8> {
    let len = u8::try_from(content.len()).unwrap();
    assert!(len < 128);
    [&[tag, len], content].concat()
}

impl ChipMaker {
    pub(crate) fn new() -> Self {
        let mut params = CertificateParams::default();
        params.distinguished_name = DistinguishedName::new();
        params.distinguished_name.push(DnType::CommonName, "Example TPM Root CA");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        let key = KeyPair::generate().unwrap();
        let roots = RootStore::from_der(params.self_signed(&key).unwrap().der()).unwrap();
        Self { params, key, roots }
    }

    /// The certificate of a chip with this RSA modulus, and its SubjectPublicKeyInfo's SHA-256.
    pub(crate) fn certify(
        &self,
        modulus: &[u8],
        (manufacturer, model, version): (&str, &str, &str),
    ) -> (Vec<u8>, [u8; 32]) {
        let names = [(1, manufacturer), (2, model), (3, version)].map(|(last, value)| {
            let oid = tlv(0x06, &[0x67, 0x81, 0x05, 0x02, last]);
            tlv(0x31, &tlv(0x30, &[oid, tlv(0x0c, value.as_bytes())].concat()))
        });
        let directory = tlv(0xa4, &tlv(0x30, &names.concat()));
        let mut names = CustomExtension::from_oid_content(&[2, 5, 29, 17], tlv(0x30, &directory));
        names.set_criticality(true);
        let mut params = CertificateParams::default();
        params.distinguished_name = DistinguishedName::new();
        params.is_ca = IsCa::ExplicitNoCa;
        params.key_usages = vec![KeyUsagePurpose::KeyEncipherment];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::Other(vec![2, 23, 133, 8, 1])];
        params.custom_extensions = vec![names];
        let key = PublicKey::Rsa(RsaKey::new(modulus, 65537).unwrap());
        // SEQUENCE, the algorithm and the head of the BIT STRING come before the key.
        let bare = key.spki_der().split_off(4 + 15 + 5);
        let issuer = Issuer::from_params(&self.params, &self.key);
        let certificate = params.signed_by(&Modulus(bare), &issuer).unwrap();
        (certificate.der().to_vec(), key.spki_sha256())
    }
}

/// Made for tests as the weak library made its keys.
fn weak_modulus() -> Vec<u8> {
    hex::decode(include_str!("../../../tpm-vendors/tests/roca-modulus.hex").trim()).unwrap()
}

fn sound_modulus() -> Vec<u8> {
    let mut modulus = weak_modulus();
    modulus[9] ^= 2;
    modulus
}

/// `base` as evidence of a host whose endorsement key is that of `modulus`.
fn of_chip(
    base: &EvidenceFolder,
    maker: &ChipMaker,
    modulus: &[u8],
    names: (&str, &str, &str),
) -> EvidenceFolder {
    let (certificate, ek_spki_sha256) = maker.certify(modulus, names);
    EvidenceFolder {
        ek_certificate: Some(certificate),
        enrolled: Some(Enrolled { ek_spki_sha256, ..base.enrolled.unwrap() }),
        ..base.clone()
    }
}

const INFINEON: (&str, &str, &str) = ("id:49465800", "SLB9670", "id:00070055");

/// The findings of this file, each with the case that just does not raise it.
pub(crate) fn raise(
    base: &EvidenceFolder,
    raises: &mut impl FnMut(Code, &EvidenceFolder, &RootStore, UnixTime),
) {
    let maker = ChipMaker::new();
    let sound = EvidenceFolder { tpm: None, ..of_chip(base, &maker, &sound_modulus(), INFINEON) };
    assert_eq!(codes(&sound, &maker.roots, NOW), Vec::<String>::new(), "a chip");

    let weak = EvidenceFolder { tpm: None, ..of_chip(base, &maker, &weak_modulus(), INFINEON) };
    raises(Code::KeyWeakRoca, &weak, &maker.roots, NOW);

    let old = ("id:49465800", "SLB9670", "id:0007003D");
    let old = EvidenceFolder { tpm: None, ..of_chip(base, &maker, &sound_modulus(), old) };
    raises(Code::TpmFirmwareAdvisory, &old, &maker.roots, NOW);
    // Firmware that was updated since is the host's word.
    let mut updated = old.clone();
    let mut said = base.tpm.clone().unwrap();
    said.firmware_version = [0x0007_0055, 0];
    updated.tpm = Some(said.clone());
    assert_eq!(codes(&updated, &maker.roots, NOW), Vec::<String>::new());
    said.firmware_version = [0x0007_003D, 0];
    let downgraded = EvidenceFolder { tpm: Some(said), ..sound };
    raises(Code::TpmFirmwareAdvisory, &downgraded, &maker.roots, NOW);

    let mut other = base.clone();
    let name = other.tpm.as_mut().unwrap().ak_parent.as_mut().unwrap();
    *name.0.last_mut().unwrap() ^= 1;
    raises(Code::QualifiedSigner, &other, &RootStore::new(), NOW);
}

/// The verdict, and the codes of what fails, under `policy`.
fn judged(policy: &str, folder: &EvidenceFolder, roots: &RootStore) -> (String, Vec<String>) {
    let policy: Policy = policy::read(policy).unwrap();
    let judged = cli::judge_under(&policy, folder, roots, NOW);
    let fails = judged.findings.into_iter().filter(|finding| finding.severity == "fail");
    (judged.verdict, fails.map(|finding| finding.code).collect())
}

#[test]
fn a_policy_names_the_oldest_firmware_of_a_vendor() {
    let mut bench = Bench::new("sha256");
    let log = BootLog::sound().banks(&[TpmAlgId::SHA256]).build();
    let base = bench.evidence(&log, boot_pcrs());
    let maker = ChipMaker::new();
    let chip = |version, said: Option<[u32; 2]>| {
        let names = ("id:49465800", "SLB9670", version);
        let mut folder = of_chip(&base, &maker, &sound_modulus(), names);
        match said {
            Some(version) => folder.tpm.as_mut().unwrap().firmware_version = version,
            None => folder.tpm = None,
        }
        folder
    };
    let minimum = "[tpm.minimum_firmware]\nIFX = \"7.85\"\n";
    let accepted = ("accepted".to_owned(), Vec::new());
    let below = ("not accepted".to_owned(), vec!["tpm-firmware-below-minimum".to_owned()]);
    for (version, said, expected) in [
        ("id:00070055", None, &accepted),
        ("id:00070054", None, &below),
        ("id:00070054", Some([0x0007_0055, 0]), &accepted),
        ("id:00070055", Some([0x0007_0054, 0xffff_ffff]), &below),
        // A version that nobody can read is not known, which is not enough.
        ("firmware 9", None, &below),
    ] {
        let folder = chip(version, said);
        assert_eq!(&judged(minimum, &folder, &maker.roots), expected, "{version} {said:?}");
    }
    let of_others = "[tpm.minimum_firmware]\nSTM = \"74.64\"\n";
    assert_eq!(judged(of_others, &chip("id:00070001", None), &maker.roots).0, "accepted");
    let exact = "[tpm.minimum_firmware]\nIFX = \"7.85.1.0\"\n";
    assert_eq!(judged(exact, &chip("id:00070055", None), &maker.roots), below, "two of four");
    for wrong in ["ACME = \"1.2\"", "IFX = \"7\"", "IFX = 7.85"] {
        let text = format!("[tpm.minimum_firmware]\n{wrong}\n");
        assert_eq!(policy::read(&text).unwrap_err().line, 2, "{wrong}");
    }
    // A program that plays a TPM can be refused.
    let refuse = "[findings.tpm-virtual]\nseverity = \"fail\"\n";
    assert_eq!(judged(refuse, &chip("id:00070055", None), &maker.roots).0, "accepted");
    let virtual_tpm = ("not accepted".to_owned(), vec!["tpm-virtual".to_owned()]);
    assert_eq!(judged(refuse, &base, &bench.roots()), virtual_tpm);
}

#[test]
fn a_quote_names_its_signer_where_the_parent_is_said() {
    let mut bench = Bench::new("sha256");
    let log = BootLog::sound().banks(&[TpmAlgId::SHA256]).build();
    let base = bench.evidence(&log, boot_pcrs());
    let signer = |folder: &EvidenceFolder| {
        cli::judge(folder, &bench.roots(), NOW).facts.quote.unwrap().signer
    };
    assert_eq!(signer(&base), "verified");
    assert_eq!(signer(&EvidenceFolder { tpm: None, ..base.clone() }), "not checked");
    let mut silent = base.clone();
    silent.tpm.as_mut().unwrap().ak_parent = None;
    assert_eq!(signer(&silent), "not checked");
    let mut wrong = base;
    wrong.tpm.as_mut().unwrap().ak_parent = Some(vec![0; 34].into());
    assert_eq!(signer(&wrong), "contradicted");
}

#[test]
fn an_expired_certificate_that_is_permitted_still_names_its_chip() {
    let mut bench = Bench::new("sha256");
    let log = BootLog::sound().banks(&[TpmAlgId::SHA256]).build();
    let base = bench.evidence(&log, boot_pcrs());
    let late = UnixTime(253_402_300_800);
    let policy = policy::read("[endorsement]\npermit_expired = true\n").unwrap();
    let judged = cli::judge_under(&policy, &base, &bench.roots(), late);
    assert_eq!(judged.verdict, "accepted");
    let endorsement = judged.facts.endorsement.unwrap();
    assert!(endorsement.out_of_date);
    assert_eq!(endorsement.manufacturer.as_deref(), Some("id:00001014"));
    assert_eq!(endorsement.root, None, "no vendor's root");
}
