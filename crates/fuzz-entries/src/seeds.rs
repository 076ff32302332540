//! Seeds: sound and odd examples of each structure, made by the project's own writers.

use std::collections::BTreeMap;

use efi::{CertType, Guid};
use event_log::EventType;
use rcgen::{
    BasicConstraints, CertificateParams, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, PublicKeyData as _,
};
use testkit::cabinet::{lzx, of_block};
use testkit::log::{
    BootLog, BuiltLog, Device, certificates, image_load, load_option, signature_data,
    signature_list, variable,
};
use testkit::{ima, pe};
use tpm_wire::template::{AK_P256, AK_RSA2048, EK_TEMPLATES};
use tpm_wire::{
    PcrSelection, PcrSet, PublicArea, PublicKey, TPM_GENERATED, TPM_ST_ATTEST_QUOTE, TpmAlgId,
    TpmtSignature, Writer,
};

/// Bytes for one target to begin with.
#[derive(Clone, Debug)]
pub struct Seed {
    /// Name of the target.
    pub target: &'static str,
    /// Number among the seeds of the target.
    pub n: usize,
    /// The bytes.
    pub bytes: Vec<u8>,
}

/// The seeds of all targets, a few KiB each at most. Keys and certificates are new in each process.
///
/// # Panics
/// Where a certificate cannot be made.
pub fn seeds() -> Vec<Seed> {
    let all = [
        ("event_log", logs().into_iter().map(|log| log.bytes).collect()),
        ("efi_variable", events(is_variable)),
        ("signature_lists", lists()),
        ("device_path", paths()),
        ("attest", attests()),
        ("public", publics()),
        ("signature", signatures()),
        ("certificate", authorities()),
        ("evidence_json", evidence()),
        ("ima_list", ima_lists()),
        ("allow_list", allow_lists()),
        ("image", images()),
        ("base_rim", crate::manifest::seeds()),
        ("corim", crate::manifest::corim_seeds()),
        ("policy", policies()),
        ("cabinet", cabinets()),
        ("log_lines", crate::log_lines::seeds()),
        ("log_time", crate::log_lines::heads()),
        ("redfish_registry", crate::redfish::registry_seeds()),
        ("redfish_walk", crate::redfish::walk_seeds()),
        ("redaction", crate::redaction::redaction_seeds()),
        ("report_pdf", crate::report::seeds()),
        ("esxi_outputs", crate::redaction::esxi_seeds()),
    ];
    let all = all.into_iter().chain(crate::archive::seeds());
    let numbered = all.flat_map(|(target, seeds): (_, Vec<Vec<u8>>)| {
        seeds.into_iter().enumerate().map(move |(n, bytes)| Seed { target, n, bytes })
    });
    numbered.collect()
}

/// Cabinets of one file in one block: stored, deflated, and in LZX, each without compression.
fn cabinets() -> Vec<Vec<u8>> {
    let content = b"a root of trust!";
    let len = u16::try_from(content.len()).expect("short");
    let mszip = [b"CK\x01", &len.to_le_bytes()[..], &(!len).to_le_bytes(), content].concat();
    let blocks = [(0, content.to_vec()), (1, mszip), (0x1203, lzx(content))];
    let name = b"AMD\\RootCA\\a.cer";
    blocks.into_iter().map(|(kind, packed)| of_block(kind, &packed, len, name)).collect()
}

fn images() -> Vec<Vec<u8>> {
    let sbat: &[u8] = b"sbat,1,SBAT Version,sbat,1,x\nours,2,Us,ours,1,x\n";
    let plain = pe::image(&[(".text", &[0x90; 9]), (".sbat", sbat)]);
    let uki = pe::uki(257, &[(".linux", &plain), (".cmdline", b"quiet"), (".sbat", sbat)]);
    let signed = pe::with_signature(&plain, &[7; 32], &[&authorities()[0]]);
    vec![plain, uki, signed]
}

fn ima_lists() -> Vec<Vec<u8>> {
    let old = ima::Entry {
        pcr: 10,
        template: "ima",
        fields: vec![vec![7; 20], b"/sbin/init".to_vec()],
        is_violation: false,
    };
    let entries = [
        ima::ng("boot_aggregate", &[1; 32]),
        old,
        ima::signed("/usr/bin/env", &[2; 32], &[3, 2, 4, 1, 2, 3, 4, 0, 2, 9, 9]),
        ima::signed("/usr/bin/true", &[2; 32], &[]),
        ima::violation("/var/log/journal"),
    ];
    vec![ima::binary(&entries), ima::ascii(&entries)]
}

fn allow_lists() -> Vec<Vec<u8>> {
    let line = |len: usize, path: &str| format!("{}  {path}\n", "5a".repeat(len));
    vec![
        format!("# ours\n{}{}", line(32, "/bin/sh"), line(64, "/opt/a b")).into_bytes(),
        line(20, "/bin/sh").replace("  ", " *").into_bytes(),
    ]
}

fn policies() -> Vec<Vec<u8>> {
    let waiver = "[findings.secure-boot-off]\nseverity = 'warn'\nreason = 'lab'\n\
                  expires = 2027-01-31\n[pcrs]\nrequired = [0, 1, 2, 3, 4, 5, 6, 7, 14]\n";
    let ima = "[ima]\nmode = 'enforce'\npcr = 11\nallow_list = 'a'\n[verdict]\ngood_for_s = 60\n\
               [banks]\nminimum = 'sha384'\n[endorsement]\npermit_expired = true\n";
    vec![policy::defaults().into_bytes(), waiver.into(), ima.into()]
}

fn logs() -> Vec<BuiltLog> {
    let small = || BootLog::sound().dbx_hashes(2);
    let all = [TpmAlgId::SHA1, TpmAlgId::SHA256, TpmAlgId::SHA384, TpmAlgId::SM3_256];
    let odd = [
        small(),
        small().banks(&[TpmAlgId::SHA1]),
        small().banks(&all).option_rom().mok_kernel(),
        small().startup_locality(3).padding(0xff, 64),
        small().h_crtm().secure_boot_off().without_separator(7),
        small().error_separator(2).no_secure_boot_variable(),
    ];
    odd.iter().map(BootLog::build).collect()
}

fn is_variable(event_type: EventType) -> bool {
    matches!(
        event_type,
        EventType::EFI_VARIABLE_DRIVER_CONFIG
            | EventType::EFI_VARIABLE_AUTHORITY
            | EventType::EFI_VARIABLE_BOOT
    )
}

/// The data of the events of a boot that have such a type.
fn events(wanted: fn(EventType) -> bool) -> Vec<Vec<u8>> {
    let entries = BootLog::sound().dbx_hashes(2).option_rom().mok_kernel().entries();
    entries.into_iter().filter(|entry| wanted(entry.event_type)).map(|entry| entry.data).collect()
}

fn lists() -> Vec<Vec<u8>> {
    let owner = Guid::MICROSOFT;
    let c = certificates();
    let digests = signature_list(CertType::SHA256, owner, &[vec![1; 32], vec![2; 32]]);
    let x509 = signature_list(CertType::X509, owner, std::slice::from_ref(&c.db_vendor));
    let revoked = signature_list(CertType::X509_SHA256, owner, &[vec![3; 48]]);
    let both = [&digests[..], &x509, &revoked].concat();
    vec![digests, x509, both, signature_data(owner, &c.mok)]
}

fn paths() -> Vec<Vec<u8>> {
    let devices = [
        Device::Disk("\\EFI\\debian\\shimx64.efi"),
        Device::File("\\EFI\\debian\\grubx64.efi"),
        Device::OptionRom,
        Device::Unnamed,
    ];
    let of = |device: Device<'_>| {
        [device.to_bytes(), image_load(device, 0x1000), load_option("debian", device)]
    };
    let tables = events(|event_type| event_type == EventType::EFI_GPT_EVENT);
    devices.into_iter().flat_map(of).chain(tables).collect()
}

fn attest(nonce: &[u8], selection: &PcrSelection, digest: &[u8]) -> Vec<u8> {
    let mut out = Writer::new();
    out.u32(TPM_GENERATED);
    out.u16(TPM_ST_ATTEST_QUOTE);
    out.sized("qualifiedSigner", &[&[0, 0x0b], [9; 32].as_slice()].concat());
    out.sized("extraData", nonce);
    out.u64(123_456);
    out.u32(7);
    out.u32(2);
    out.u8(1);
    out.u64(0x2023_0816_0000_0001);
    selection.write(&mut out);
    out.sized("pcrDigest", digest);
    out.finish().expect("a small structure")
}

fn attests() -> Vec<Vec<u8>> {
    let both = PcrSelection::of_banks([TpmAlgId::SHA256, TpmAlgId::SHA384], PcrSet::ALL);
    let one = PcrSelection::one(TpmAlgId::SHA256, PcrSet::FIRMWARE);
    let quote = attest(&[5; 32], &one, &[6; 32]);
    // TPM_ST_ATTEST_CERTIFY: another kind, kept as bytes.
    let mut other = quote.clone();
    other[5] = 0x17;
    vec![attest(&[5; 32], &both.expect("two banks"), &[6; 48]), quote, other]
}

/// A P-256 key that nobody keeps, as TPMT_PUBLIC of an attestation key.
fn ak_p256() -> Vec<u8> {
    let key = KeyPair::generate().expect("a key pair");
    let (x, y) = key.der_bytes()[1..].split_at(32);
    let PublicKey::Ecc { symmetric, scheme, curve, kdf, .. } = AK_P256.key else {
        unreachable!("the template is one of an elliptic curve");
    };
    let key = PublicKey::Ecc { symmetric, scheme, curve, kdf, x, y };
    PublicArea { key, ..AK_P256 }.to_bytes().expect("a small structure")
}

fn publics() -> Vec<Vec<u8>> {
    let PublicKey::Rsa { symmetric, scheme, key_bits, exponent, .. } = AK_RSA2048.key else {
        unreachable!("the template is one of RSA");
    };
    let key = PublicKey::Rsa { symmetric, scheme, key_bits, exponent, modulus: &[0xc5; 256] };
    let rsa = PublicArea { key, ..AK_RSA2048 }.to_bytes().expect("a small structure");
    let sized = [&[1, 0x1a][..], &rsa].concat();
    let templates = EK_TEMPLATES.iter().map(|ek| ek.area.to_bytes().expect("a template"));
    [rsa, sized, ak_p256()].into_iter().chain(templates).collect()
}

fn signatures() -> Vec<Vec<u8>> {
    let hash = TpmAlgId::SHA256;
    let all = [
        TpmtSignature::RsaSsa { hash, signature: &[1; 256] },
        TpmtSignature::RsaPss { hash, signature: &[2; 256] },
        TpmtSignature::Ecdsa { hash, r: &[3; 32], s: &[4; 31] },
        TpmtSignature::Other { scheme: TpmAlgId::NULL, body: &[] },
    ];
    let write = |signature: &TpmtSignature<'_>| {
        let mut out = Writer::new();
        signature.write(&mut out);
        out.finish().expect("a small structure")
    };
    all.iter().map(write).collect()
}

/// A root, an endorsement certificate by it, the same in the frame of a TPM 1.2 NV index, and the
/// root as PEM.
fn authorities() -> Vec<Vec<u8>> {
    let key = KeyPair::generate().expect("a key pair");
    let mut ca = CertificateParams::default();
    ca.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    ca.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    let root = ca.self_signed(&key).expect("a certificate");
    let mut leaf = CertificateParams::new(["tpm.example".to_owned()]).expect("a name");
    leaf.is_ca = IsCa::ExplicitNoCa;
    leaf.key_usages = vec![KeyUsagePurpose::KeyAgreement];
    leaf.extended_key_usages = vec![ExtendedKeyUsagePurpose::Other(vec![2, 23, 133, 8, 1])];
    let ek = KeyPair::generate().expect("a key pair");
    let signed = leaf.signed_by(&ek, &Issuer::from_params(&ca, &key)).expect("a certificate");
    let padded = [signed.der(), &[0xff; 32][..]].concat();
    vec![root.der().to_vec(), signed.der().to_vec(), padded, root.pem().into_bytes()]
}

fn evidence() -> Vec<Vec<u8>> {
    let log = BootLog::sound().dbx_hashes(2).build();
    let values = log.bank(TpmAlgId::SHA256);
    let values = values.iter().map(|(index, value)| (index, value.to_string())).collect();
    let hash = TpmAlgId::SHA256;
    let mut signature = Writer::new();
    TpmtSignature::Ecdsa { hash, r: &[3; 32], s: &[4; 31] }.write(&mut signature);
    let selection = PcrSelection::one(TpmAlgId::SHA256, PcrSet::FIRMWARE);
    let whole = api::agent::Evidence {
        nonce: vec![5; 32].into(),
        quote: Some(api::agent::Quote {
            attest: attest(&[5; 32], &selection, &[6; 32]).into(),
            signature: signature.finish().expect("a small structure").into(),
        }),
        pcrs: api::pcrs::Pcrs(BTreeMap::from([("sha256".to_owned(), values)])),
        event_log: Some(log.bytes.into()),
        event_log_sha256: None,
        userspace_log: Some(b"\x1e{\"pcr\":11,\"digests\":[]}\n".as_slice().into()),
        ima_list: Some(ima_lists().concat().into()),
        ak_public: Some(ak_p256().into()),
        active_banks: vec!["sha1".to_owned(), "sha256".to_owned()],
        acpi_tpm2: Some(b"TPM2".as_slice().into()),
        tpm_error: None,
        machine: Some(api::machine::Machine {
            system_vendor: Some("Vendor Inc.".to_owned()),
            ..api::machine::Machine::default()
        }),
        tpm: Some(api::agent::TpmProperties {
            manufacturer: 0x4946_5800,
            vendor_string: "SLB9670".to_owned(),
            firmware_version: [0x0007_0055, 0],
            ak_parent: Some(vec![0, 11, 3].into()),
        }),
    };
    let fault = api::agent::Evidence {
        tpm_error: Some("TPM_RC_FAILURE".to_owned()),
        quote: None,
        event_log: None,
        ..whole.clone()
    };
    let json = |evidence| serde_json::to_vec(evidence).expect("JSON");
    let named = api::agent::Evidence {
        event_log: None,
        event_log_sha256: Some(vec![7; 32].into()),
        ..whole.clone()
    };
    let no_log = variable_as_log(whole.clone());
    vec![json(&whole), json(&fault), json(&named), json(&no_log)]
}

/// A log that is none, so that reading it stops at once.
fn variable_as_log(evidence: api::agent::Evidence) -> api::agent::Evidence {
    let log = variable(Guid::GLOBAL_VARIABLE, "SecureBoot", &[1]);
    api::agent::Evidence { event_log: Some(log.into()), ..evidence }
}
