//! Lists against allow lists and signers.

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair};
use event_log::hash;
use ima::{AllowList, AllowListFault, ObjectionKind, SignatureFault, judge, parse, replay};
use testkit::ima::{Entry, binary, d_ng, n_ng, ng, pcr_of, signed, violation};
use tpm_wire::TpmAlgId;
use verify::FileSigners;

const SHA256: TpmAlgId = TpmAlgId::SHA256;

struct Signer {
    key: rcgen::KeyPair,
    certificate: rcgen::Certificate,
}

impl Signer {
    fn new() -> Self {
        let key = rcgen::KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).unwrap();
        let params = rcgen::CertificateParams::new(vec!["kernel modules".to_owned()]).unwrap();
        let certificate = params.self_signed(&key).unwrap();
        Self { key, certificate }
    }

    fn id(&self) -> [u8; 4] {
        let point = self.key.public_key_raw();
        *hash(TpmAlgId::SHA1, &[point]).unwrap().as_bytes().last_chunk().unwrap()
    }

    fn signers(&self) -> FileSigners {
        let mut signers = FileSigners::new();
        signers.add_file_bytes(self.certificate.pem().as_bytes()).unwrap();
        signers.add_file_bytes(self.certificate.der()).unwrap();
        signers
    }

    /// `security.ima` over `message`, whose SHA-256 is what is signed.
    fn xattr(&self, head: [u8; 3], message: &[u8]) -> Vec<u8> {
        let der = self.key.serialize_der();
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &der).unwrap();
        let signature = pair.sign(&SystemRandom::new(), message).unwrap();
        let signature = signature.as_ref();
        let len = u16::try_from(signature.len()).unwrap().to_be_bytes();
        [&head, &self.id()[..], &len, signature].concat()
    }
}

fn sha256(bytes: &[u8]) -> Vec<u8> {
    hash(SHA256, &[bytes]).unwrap().as_bytes().to_vec()
}

/// What the entries behind the boot aggregate are objected to for, by their number.
fn objections(
    entries: &[Entry],
    allowed: &AllowList,
    signers: &FileSigners,
) -> Vec<(u32, ObjectionKind)> {
    let all = [&[ng("boot_aggregate", &[1; 32])], entries].concat();
    let bytes = binary(&all);
    let (list, problem) = parse(&bytes);
    assert_eq!(problem, None);
    let replayed = replay(&list, 10, SHA256, &pcr_of(SHA256, &all)).unwrap();
    let objections = judge(&replayed, allowed, signers);
    objections.iter().map(|objection| (objection.entry.number, objection.kind)).collect()
}

#[test]
fn a_file_is_allowed_by_its_path_and_digest() {
    let shell = sha256(b"shell");
    let list = format!("# ours\n{}  /bin/sh\n{}  /bin/sh\n", hex::encode(&shell), "33".repeat(32));
    let allowed = AllowList::parse(list.as_bytes()).unwrap();
    assert_eq!((allowed.n_paths(), allowed.n_digests()), (1, 2));
    let nobody = FileSigners::new();
    let judge = |entry: Entry| {
        objections(&[entry], &allowed, &nobody).first().map(|(number, kind)| {
            assert_eq!(*number, 1);
            *kind
        })
    };
    assert_eq!(judge(ng("/bin/sh", &shell)), None);
    assert_eq!(judge(ng("/bin/sh", &[0x33; 32])), None);
    assert_eq!(judge(ng("/bin/sh", &[4; 32])), Some(ObjectionKind::Changed));
    assert_eq!(judge(ng("/bin/bash", &shell)), Some(ObjectionKind::NotListed));
    assert_eq!(judge(violation("/bin/sh")), Some(ObjectionKind::Violation));

    let with = |template, fields| Entry { pcr: 10, template, fields, is_violation: false };
    let old = with("ima", vec![vec![7; 20], b"/bin/sh".to_vec()]);
    assert_eq!(judge(old), Some(ObjectionKind::WeakDigest));
    let sha1 = with("ima-ng", vec![d_ng("sha1", &[7; 20]), n_ng("/bin/sh")]);
    assert_eq!(judge(sha1), Some(ObjectionKind::WeakDigest));
    let buffer =
        with("ima-buf", vec![d_ng("sha256", &shell), n_ng("kexec-cmdline"), b"shell".to_vec()]);
    assert_eq!(judge(buffer), None);
    let tree = with("ima-ngv2", vec![d_ng("verity:sha256", &shell), n_ng("/bin/sh")]);
    assert_eq!(judge(tree), Some(ObjectionKind::Changed), "a tree's root is no file's digest");
    let unknown = with("site-template", vec![shell.clone(), n_ng("/bin/sh")]);
    assert_eq!(judge(unknown), Some(ObjectionKind::Unreadable));
    // A second boot aggregate is a file of that name.
    assert_eq!(judge(ng("boot_aggregate", &[1; 32])), Some(ObjectionKind::NotListed));
}

#[test]
fn a_file_is_allowed_by_its_signer() {
    let (ours, other) = (Signer::new(), Signer::new());
    let content = b"a module";
    let digest = sha256(content);
    let nothing = AllowList::default();
    let judge = |signature: &[u8], digest: &[u8], signers: &FileSigners| {
        let entry = signed("/lib/a.ko", digest, signature);
        objections(&[entry], &nothing, signers).first().map(|(_, kind)| *kind)
    };
    let signers = ours.signers();
    let good = ours.xattr([3, 2, 4], content);
    assert_eq!(judge(&good, &digest, &signers), None);

    let fault = |fault| Some(ObjectionKind::Signature(fault));
    assert_eq!(judge(&good, &sha256(b"another"), &signers), fault(SignatureFault::Wrong));
    let foreign = other.xattr([3, 2, 4], content);
    assert_eq!(judge(&foreign, &digest, &signers), fault(SignatureFault::UnknownKey));
    let mut feigned = foreign.clone();
    feigned[3..7].copy_from_slice(&ours.id());
    assert_eq!(judge(&feigned, &digest, &signers), fault(SignatureFault::Wrong));
    assert_eq!(judge(&good, &digest, &FileSigners::new()), Some(ObjectionKind::NotListed));

    for (at, byte) in [(0, 2), (0, 6), (1, 1), (1, 3), (7, 9)] {
        let mut odd = good.clone();
        odd[at] = byte;
        assert_eq!(judge(&odd, &digest, &signers), fault(SignatureFault::Malformed), "{at} {byte}");
    }
    for hash in [2, 5, 99] {
        let odd = ours.xattr([3, 2, hash], content);
        assert_eq!(judge(&odd, &digest, &signers), fault(SignatureFault::Digest), "{hash}");
    }
    for end in 0..good.len() {
        assert!(judge(&good[..end], &digest, &signers).is_some(), "cut at {end}");
    }
}

#[test]
fn a_tree_is_signed_with_its_type_and_hash() {
    let ours = Signer::new();
    let root = sha256(b"root of a tree");
    let id = [&[6, 4], root.as_slice()].concat();
    let entry = |name: &str, signature: Vec<u8>| {
        let fields = vec![d_ng(name, &root), n_ng("/usr/lib/x.so"), signature];
        Entry { pcr: 10, template: "ima-sigv2", fields, is_violation: false }
    };
    let judge = |entry| objections(&[entry], &AllowList::default(), &ours.signers());
    assert_eq!(judge(entry("verity:sha256", ours.xattr([6, 3, 4], &id))), []);
    let as_file = judge(entry("ima:sha256", ours.xattr([6, 3, 4], &id)));
    assert_eq!(as_file, [(1, ObjectionKind::Signature(SignatureFault::Digest))]);
}

#[test]
fn allow_lists_are_read_by_line() {
    let fault = |text: &str| AllowList::parse(text.as_bytes()).map(|_| ()).unwrap_err();
    let digest = "ab".repeat(32);
    assert!(AllowList::parse(b"\n# nothing\n\n").unwrap().is_empty());
    let spaces = format!("{digest} */opt/a b\r\n");
    let list = AllowList::parse(spaces.as_bytes()).unwrap();
    assert!(list.digests(b"/opt/a_b").is_some() && list.digests(b"/opt/a b").is_none());

    let err = fault(&format!("{digest}  /a\n{digest} /b\n"));
    assert_eq!((err.line, err.fault), (2, AllowListFault::Line));
    assert!(err.to_string().contains("line 2: not a digest"), "{err}");
    assert_eq!(fault(&format!("{digest}  ")).fault, AllowListFault::Line);
    assert_eq!(fault(&format!("{}  /a", "ab".repeat(20))).fault, AllowListFault::Digest);
    assert_eq!(fault("xy  /a").fault, AllowListFault::Line);
}

/// No digest covers the name of a template: it must not make a buffer, which nobody lists, of a file.
#[test]
fn a_file_is_no_buffer_whatever_its_template_is_called() {
    let nobody = FileSigners::new();
    let allowed = AllowList::parse(format!("{}  /bin/sh\n", "33".repeat(32)).as_bytes()).unwrap();
    let objection = |template, fields| {
        let entry = Entry { pcr: 10, template, fields, is_violation: false };
        objections(&[entry], &allowed, &nobody).first().map(|(_, kind)| *kind)
    };
    let digest = d_ng("sha256", &sha256(b"an implant"));
    let file = [digest.clone(), n_ng("/usr/bin/implant")];
    let unlisted = Some(ObjectionKind::NotListed);
    assert_eq!(objection("ima-ng", file.to_vec()), unlisted);
    assert_eq!(objection("d-ng|buf", file.to_vec()), unlisted);
    let [digest, name] = file;
    for template in ["ima-sig", "ima-buf", "d-ng|n-ng|buf"] {
        let fields = vec![digest.clone(), name.clone(), Vec::new()];
        assert_eq!(objection(template, fields), unlisted, "{template}");
    }
    // Nor does it say which bytes are the digest, or the name.
    let listed = d_ng("sha256", &[0x33; 32]);
    for template in ["d-ng|n-ng|d-ng", "d-ng|x|n-ng", "x|n-ng|d-ng"] {
        let fields = vec![digest.clone(), n_ng("/bin/sh"), listed.clone()];
        assert_eq!(objection(template, fields), Some(ObjectionKind::Unreadable), "{template}");
    }
    // A file that holds its own path is none either, and a buffer of the kernel is.
    let command_line = b"root=/dev/sda1 ro";
    let buffer =
        |name: &str| vec![d_ng("sha256", &sha256(command_line)), n_ng(name), command_line.to_vec()];
    assert_eq!(objection("ima-buf", buffer("kexec-cmdline")), None);
    assert_eq!(objection("ima-buf", buffer("/tmp/file")), unlisted);
}
