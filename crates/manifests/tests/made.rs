//! Manifests that a vendor of these tests signs: what is right is read, and nothing else.

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _, RSA_PKCS1_SHA256, RSA_PSS_SHA384,
    RsaEncoding, RsaKeyPair,
};
use event_log::{EventType, LogWriter};
use manifests::{BaseRim, FIRMWARE_PCRS, MANIFEST_BYTES_MAX, ManifestError};
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, KeyUsagePurpose,
};
use references::{Model, Origin};
use testkit::rim::{DSIG, Rim, Vendor};
use tpm_wire::{PcrSet, TpmAlgId};
use verify::{AnchorError, RootStore, SignerAnchor, SignerError, UnixTime};

/// rcgen's certificates are valid from 1975 to 4096.
const NOW: UnixTime = UnixTime(1_790_000_000);
const MODEL: [&str; 3] = ["Vendor & Sons", "Model \"9\"", "1.2"];

fn pinned(vendor: &Vendor) -> SignerAnchor {
    SignerAnchor::pinned(&vendor.signer).unwrap()
}

fn trusted(vendor: &Vendor) -> SignerAnchor {
    SignerAnchor::roots(RootStore::from_der(&vendor.authority).unwrap()).unwrap()
}

fn rim(vendor: &Vendor) -> Rim {
    let mut rim = Rim::of(MODEL, &[("firmware.rimel", &log())]);
    rim.certificates = vec![vendor.signer.clone()];
    rim
}

fn signed(vendor: &Vendor, rim: &Rim) -> String {
    rim.signed(|message| vendor.sign(message))
}

/// What the firmware of the model measures.
fn log() -> Vec<u8> {
    let mut writer = LogWriter::new([TpmAlgId::SHA256]);
    let version: Vec<u8> = "1.2\0".encode_utf16().flat_map(u16::to_le_bytes).collect();
    writer.measure(0, EventType::S_CRTM_VERSION, &version, &version);
    writer.measure(7, EventType::ACTION, b"keys", b"keys");
    for pcr in 0..8 {
        writer.measure(pcr, EventType::SEPARATOR, &[0; 4], &[0; 4]);
    }
    writer.measure(4, EventType::ACTION, b"an installer", b"an installer");
    writer.finish()
}

fn verify(text: &str, anchor: &SignerAnchor) -> Result<BaseRim, ManifestError> {
    BaseRim::verify(text.as_bytes(), anchor, NOW)
}

#[test]
fn a_signed_manifest_becomes_a_reference_of_its_model() {
    let vendor = Vendor::new();
    let text = signed(&vendor, &rim(&vendor));
    for anchor in [pinned(&vendor), trusted(&vendor)] {
        let rim = verify(&text, &anchor).unwrap();
        let log = log();
        let files: [(&str, &[u8]); 1] = [("firmware.rimel", &log)];
        let baseline = rim.baseline("firmware.swidtag", &files, FIRMWARE_PCRS).unwrap();
        let content = baseline.content();
        assert_eq!(content.origin, Origin::Vendor);
        let held: PcrSet = [0, 1, 2, 3, 6].into_iter().collect();
        assert_eq!((content.complete, content.events.len()), (held, 6));
        let manifest = content.manifest.as_deref().unwrap();
        let [system_vendor, product_name, firmware_version] = MODEL.map(str::to_owned);
        assert_eq!(manifest.model, Model { system_vendor, product_name, firmware_version });
        assert_eq!(manifest.signer, "CN=Vendor signer");
        let names: Vec<_> = manifest.files.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["firmware.swidtag", "firmware.rimel"]);
        assert_eq!(manifest.files[1].1, event_log::sha256(&[&log]));
        // What firmware starts is held only where somebody asks for it.
        let asked = rim.baseline("firmware.swidtag", &files, PcrSet::EMPTY.with(4)).unwrap();
        assert_eq!(asked.content().events.len(), 2);
        assert!(rim.baseline("firmware.swidtag", &files, PcrSet::EMPTY.with(9)).is_err());
    }
}

#[test]
fn a_manifest_is_nobodys_without_the_signer_that_was_named() {
    let (vendor, other) = (Vendor::new(), Vendor::new());
    let text = signed(&vendor, &rim(&vendor));
    let cause = |text: &str, anchor: &SignerAnchor| match verify(text, anchor) {
        Err(ManifestError::Signer(cause)) => cause,
        found => panic!("{found:?}"),
    };
    assert!(matches!(cause(&text, &pinned(&other)), SignerError::Another { .. }));
    assert!(matches!(cause(&text, &trusted(&other)), SignerError::Untrusted { .. }));
    // Nobody to trust is no anchor, and a file with a chain is no single signer.
    assert_eq!(SignerAnchor::roots(RootStore::new()).unwrap_err(), AnchorError::Empty);
    assert!(SignerAnchor::pinned(b"").is_err());
    let pem = |der: &[u8]| {
        use base64::Engine as _;
        let text = base64::engine::general_purpose::STANDARD.encode(der);
        format!("-----BEGIN CERTIFICATE-----\n{text}\n-----END CERTIFICATE-----\n")
    };
    let chain = pem(&vendor.signer) + &pem(&vendor.authority);
    assert_eq!(SignerAnchor::pinned(chain.as_bytes()).unwrap_err(), AnchorError::Several { n: 2 });

    // A manifest that only names its key: the pinned certificate is the one to check with.
    let bare = Rim { certificates: Vec::new(), ..rim(&vendor) };
    let bare = signed(&vendor, &bare);
    assert!(verify(&bare, &pinned(&vendor)).is_ok());
    assert_eq!(cause(&bare, &trusted(&vendor)), SignerError::NoCertificate);
    assert!(matches!(verify(&bare, &pinned(&other)), Err(ManifestError::Signature(_))));
    // Signed by another than the certificate that came along.
    let foreign = rim(&vendor).signed(|message| other.sign(message));
    for anchor in [pinned(&vendor), trusted(&vendor)] {
        assert!(matches!(verify(&foreign, &anchor), Err(ManifestError::Signature(_))));
    }
    // The pinned certificate of an authority does not vouch for those below it.
    let authority = SignerAnchor::pinned(&vendor.authority).unwrap();
    assert!(matches!(cause(&text, &authority), SignerError::Another { .. }));
}

#[test]
fn a_certificate_for_something_else_signs_no_manifest() {
    let cause = |vendor: &Vendor, now| {
        let text = signed(vendor, &rim(vendor));
        BaseRim::verify(text.as_bytes(), &trusted(vendor), now).unwrap_err()
    };
    for change in [
        (|params| params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained))
            as fn(&mut CertificateParams),
        |params| params.key_usages = vec![KeyUsagePurpose::KeyEncipherment],
        |params| params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth],
    ] {
        let found = cause(&Vendor::with(change), NOW);
        assert!(matches!(found, ManifestError::Signer(SignerError::WrongUse { .. })), "{found:?}");
    }
    let short = Vendor::with(|params| params.not_after = rcgen::date_time_ymd(2020, 1, 1));
    let found = cause(&short, NOW);
    assert!(matches!(found, ManifestError::Signer(SignerError::OutOfDate { .. })), "{found:?}");
    // Firmware outlives it: the operator may say that it was the right one.
    let text = signed(&short, &rim(&short));
    assert!(verify(&text, &pinned(&short)).is_ok());
    let then = UnixTime(1_500_000_000);
    assert!(BaseRim::verify(text.as_bytes(), &trusted(&short), then).is_ok());
}

#[test]
fn no_changed_byte_of_a_manifest_passes() {
    let vendor = Vendor::new();
    let text = signed(&vendor, &rim(&vendor));
    let anchor = pinned(&vendor);
    let whole = verify(&text, &anchor).unwrap();
    let mut same = 0;
    for at in 0..text.len() {
        for flip in [0x01, 0x20] {
            let mut bytes = text.clone().into_bytes();
            bytes[at] ^= flip;
            let Ok(found) = BaseRim::verify(&bytes, &anchor, NOW) else { continue };
            // What says the same in other bytes: white space within Base64, a name of the key.
            assert_eq!((found.model(), found.files()), (whole.model(), whole.files()), "{at}");
            same += 1;
        }
        assert!(BaseRim::verify(&text.as_bytes()[..at], &anchor, NOW).is_err(), "{at}");
    }
    assert!(same < 120, "{same}");
    for (from, to) in [
        ("rim:platformModel=\"Model", "rim:platformModel=\"Modell"),
        ("firmwareVersion=\"1.2\"", "firmwareVersion=\"1.3\""),
        ("firmware.rimel", "firmware.rime1"),
        ("tagId=\"firmware-1\"", "tagId=\"firmware-2\""),
        ("</Payload>", "<!-- --> </Payload>"),
        ("<Payload>", "<Payload xmlns:a=\"urn:a\">"),
    ] {
        let changed = text.replacen(from, to, 1);
        assert_ne!(changed, text, "{from}");
        assert_eq!(verify(&changed, &anchor), Err(ManifestError::Changed), "{from}");
    }
    // A comment says nothing, and is not what is signed.
    let comment = text.replacen("<Payload>", "<!-- a comment --><Payload>", 1);
    assert_eq!(verify(&comment, &anchor).unwrap().files(), whole.files());
}

#[test]
fn the_files_are_those_that_were_signed() {
    let vendor = Vendor::new();
    let rim = verify(&signed(&vendor, &rim(&vendor)), &pinned(&vendor)).unwrap();
    let log = log();
    let named: (&str, &[u8]) = ("firmware.rimel", &log);
    let baseline = |files: &[(&str, &[u8])]| rim.baseline("m", files, FIRMWARE_PCRS);
    assert!(baseline(&[named]).is_ok());
    let file = |name: &str| name.to_owned();
    let none = ManifestError::NoFile { name: file("firmware.rimel") };
    assert_eq!(baseline(&[]).unwrap_err(), none);
    assert_eq!(baseline(&[named, named]).unwrap_err(), ManifestError::Logs { have: 2 });
    // The digest names it, whatever somebody called the file.
    assert!(baseline(&[("other.rimel", &log)]).is_ok());
    assert_eq!(baseline(&[("other.rimel", b"")]).unwrap_err(), none);
    let unnamed = ManifestError::Unnamed { name: file("more") };
    assert_eq!(baseline(&[named, ("more", b"")]).unwrap_err(), unnamed);
    for at in (0..log.len()).step_by(7) {
        let mut other = log.clone();
        other[at] ^= 1;
        let changed = ManifestError::OtherFile { name: file("firmware.rimel") };
        assert_eq!(baseline(&[("firmware.rimel", &other)]).unwrap_err(), changed);
        assert_eq!(baseline(&[("firmware.rimel", &log[..at])]).unwrap_err(), changed);
    }

    // Signed, and no log: two of them, one that is cut, one of SHA-1 alone.
    let of = |files: &[(&str, &[u8])]| {
        let mut made = Rim::of(MODEL, files);
        made.certificates = vec![vendor.signer.clone()];
        let rim = verify(&signed(&vendor, &made), &pinned(&vendor)).unwrap();
        rim.baseline("m", files, FIRMWARE_PCRS).unwrap_err()
    };
    let second: (&str, &[u8]) = ("second.rimel", &log);
    assert_eq!(of(&[named, second]), ManifestError::Logs { have: 2 });
    let cut = of(&[("firmware.rimel", &log[..log.len() - 1])]);
    assert!(matches!(cut, ManifestError::Log { .. }), "{cut:?}");
    let mut weak = LogWriter::new([TpmAlgId::SHA1]);
    weak.measure(0, EventType::SEPARATOR, &[0; 4], &[0; 4]);
    let weak = of(&[("firmware.rimel", &weak.finish())]);
    assert!(matches!(weak, ManifestError::Content(_)), "{weak:?}");
}

/// A signed manifest around or beside another: what was signed must be what is read.
#[test]
fn a_signature_covers_all_that_is_read_or_nothing_is() {
    let vendor = Vendor::new();
    let anchor = pinned(&vendor);
    let text = signed(&vendor, &rim(&vendor));
    let refused = |text: &str, why: &str| {
        let found = verify(text, &anchor);
        assert!(found.is_err(), "{why}: {found:?}");
        found.unwrap_err()
    };
    let forged = {
        let mut forged = Rim::of(MODEL, &[("firmware.rimel", b"forged")]);
        forged.certificates = vec![vendor.signer.clone()];
        forged
    };
    let whole_signature = {
        let at = text.find("<Signature").unwrap();
        let end = text.find("</SoftwareIdentity>").unwrap();
        text[at..end].to_owned()
    };
    // The signed one within the signature of the forged one, and the other way about.
    let stolen = |object: &str| {
        let signature = whole_signature.replacen(
            "</Signature>",
            &format!("<Object>{object}</Object></Signature>"),
            1,
        );
        forged.unsigned().replacen(
            "</SoftwareIdentity>",
            &format!("{signature}</SoftwareIdentity>"),
            1,
        )
    };
    refused(&stolen(""), "a stolen signature");
    refused(&stolen(&rim(&vendor).unsigned()), "the signed one in an object");
    refused(&stolen(&text), "the signed one with its signature in an object");
    let inner = text.replacen("<Payload>", &format!("{}<Payload>", forged.unsigned()), 1);
    refused(&inner, "a second one inside");
    let around = format!("<a>{text}</a>");
    assert!(matches!(refused(&around, "around"), ManifestError::Other { .. }));
    refused(&format!("{text}{text}"), "two roots");
    // Two signatures, one deeper, none.
    let end = "</SoftwareIdentity>";
    let twice = text.replacen(end, &format!("{whole_signature}{end}"), 1);
    assert!(matches!(refused(&twice, "two signatures"), ManifestError::Form { .. }));
    let deeper = text.replacen(&whole_signature, "", 1);
    let deeper = deeper.replacen("</Payload>", &format!("{whole_signature}</Payload>"), 1);
    assert!(matches!(refused(&deeper, "deeper"), ManifestError::Form { .. }));
    let bare = rim(&vendor).unsigned();
    assert_eq!(refused(&bare, "none"), ManifestError::Missing { what: "who signed it" });

    // What the signature refers to.
    let with = |change: &dyn Fn(&mut Rim)| {
        let mut rim = rim(&vendor);
        change(&mut rim);
        signed(&vendor, &rim)
    };
    let id = |rim: &mut Rim| rim.attributes = format!(" Id=\"all\"{}", rim.attributes);
    let own = with(&|rim| {
        id(rim);
        rim.uri = "#all".to_owned();
    });
    assert!(verify(&own, &anchor).is_ok());
    for uri in
        ["#other", "#", "http://example.org/rim", "firmware.swidtag", "#xpointer(/)", "#payload"]
    {
        let other = with(&|rim| {
            id(rim);
            rim.content = rim.content.replacen("<Payload>", "<Payload Id=\"payload\">", 1);
            rim.uri = uri.to_owned();
        });
        assert!(matches!(refused(&other, uri), ManifestError::Algorithm { .. }), "{uri}");
    }
    let double = with(&|rim| {
        id(rim);
        rim.content = rim.content.replacen("<Payload>", "<Payload Id=\"all\">", 1);
        rim.uri = "#all".to_owned();
    });
    assert!(matches!(refused(&double, "one name twice"), ManifestError::Algorithm { .. }));
    let absent = text.replacen(" URI=\"\"", "", 1);
    assert!(matches!(refused(&absent, "no reference"), ManifestError::Algorithm { .. }));
}

#[test]
fn algorithms_that_are_weak_or_that_no_manifest_needs_are_refused() {
    let vendor = Vendor::new();
    let with = |change: &dyn Fn(&mut Rim)| {
        let mut rim = rim(&vendor);
        change(&mut rim);
        verify(&signed(&vendor, &rim), &pinned(&vendor))
    };
    let enveloped = format!("{DSIG}enveloped-signature");
    let exclusive = "http://www.w3.org/2001/10/xml-exc-c14n#";
    let forms = ["http://www.w3.org/2006/12/xml-c14n11", exclusive];
    for form in forms {
        let found = with(&|rim| {
            form.clone_into(&mut rim.form);
            rim.transforms = vec![enveloped.clone(), form.to_owned()];
            // Nothing but what the exclusive form keeps.
        });
        assert!(found.is_ok(), "{form}: {found:?}");
    }
    let refused = |change: &dyn Fn(&mut Rim)| {
        let found = with(change);
        assert!(matches!(found, Err(ManifestError::Algorithm { .. })), "{found:?}");
    };
    refused(&|rim| rim.form = format!("{exclusive}WithComments"));
    refused(&|rim| rim.form.push_str("#WithComments"));
    refused(&|rim| rim.digest = format!("{DSIG}sha1"));
    for method in ["rsa-sha1", "hmac-sha1", "dsa-sha1"] {
        refused(&|rim| rim.method = format!("{DSIG}{method}"));
    }
    let xpath = "http://www.w3.org/TR/1999/REC-xpath-19991116";
    for transforms in [
        vec![xpath.to_owned()],
        vec![enveloped.clone(), xpath.to_owned()],
        vec![xpath.to_owned(), enveloped.clone()],
        vec![exclusive.to_owned(), enveloped.clone()],
        vec![enveloped.clone(), enveloped.clone()],
        vec![enveloped.clone(), exclusive.to_owned(), exclusive.to_owned()],
        vec![enveloped.clone(), "http://www.w3.org/TR/1999/REC-xslt-19991116".to_owned()],
    ] {
        refused(&|rim| rim.transforms.clone_from(&transforms));
    }
    let none = with(&|rim| rim.transforms.clear());
    assert!(none.is_err(), "{none:?}");
    // An algorithm of another kind of key than the signer's.
    let more = "http://www.w3.org/2001/04/xmldsig-more#";
    for method in ["rsa-sha256", "ecdsa-sha384"] {
        let found = with(&|rim| rim.method = format!("{more}{method}"));
        assert!(matches!(found, Err(ManifestError::Signature(_))), "{method}: {found:?}");
    }
}

#[test]
fn rsa_and_larger_curves_sign_too() {
    let self_signed = |pkcs8: &[u8], algorithm| {
        let der = rcgen::KeyPair::from_pkcs8_der_and_sign_algo(&pkcs8.into(), algorithm).unwrap();
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, "Vendor");
        params.self_signed(&der).unwrap().der().to_vec()
    };
    let more = |name: &str| format!("http://www.w3.org/2001/04/xmldsig-more#{name}");
    let verify = |method: String, certificate: &[u8], sign: &dyn Fn(&[u8]) -> Vec<u8>| {
        let mut rim = Rim::of(MODEL, &[("firmware.rimel", &log())]);
        rim.method = method;
        verify(&rim.signed(sign), &SignerAnchor::pinned(certificate).unwrap())
    };
    let rsa = RsaKeyPair::generate(KeySize::Rsa2048).unwrap();
    let pkcs8 = aws_lc_rs::encoding::AsDer::<aws_lc_rs::encoding::Pkcs8V1Der<'_>>::as_der(&rsa);
    let certificate = self_signed(pkcs8.unwrap().as_ref(), &rcgen::PKCS_RSA_SHA256);
    let sign = |encoding: &'static dyn RsaEncoding, message: &[u8]| {
        let mut out = vec![0; rsa.public_modulus_len()];
        rsa.sign(encoding, &SystemRandom::new(), message, &mut out).unwrap();
        out
    };
    let pkcs1 = |message: &[u8]| sign(&RSA_PKCS1_SHA256, message);
    let pss = |message: &[u8]| sign(&RSA_PSS_SHA384, message);
    let named_pss = "http://www.w3.org/2007/05/xmldsig-more#sha384-rsa-MGF1".to_owned();
    assert!(verify(more("rsa-sha256"), &certificate, &pkcs1).is_ok());
    assert!(verify(named_pss.clone(), &certificate, &pss).is_ok());
    assert!(verify(named_pss, &certificate, &pkcs1).is_err());
    assert!(verify(more("rsa-sha384"), &certificate, &pkcs1).is_err());

    let key = EcdsaKeyPair::generate(&ECDSA_P384_SHA384_FIXED_SIGNING).unwrap();
    assert_eq!(key.public_key().as_ref().len(), 97);
    let certificate =
        self_signed(key.to_pkcs8v1().unwrap().as_ref(), &rcgen::PKCS_ECDSA_P384_SHA384);
    let ecdsa = |message: &[u8]| key.sign(&SystemRandom::new(), message).unwrap().as_ref().to_vec();
    assert!(verify(more("ecdsa-sha384"), &certificate, &ecdsa).is_ok());
    assert!(verify(more("ecdsa-sha256"), &certificate, &ecdsa).is_err());
}

#[test]
fn a_document_that_could_be_read_in_two_ways_or_costs_much_is_refused() {
    let vendor = Vendor::new();
    let text = signed(&vendor, &rim(&vendor));
    let refused = |text: &str| {
        let found = verify(text, &pinned(&vendor));
        assert!(
            matches!(found, Err(ManifestError::Xml { .. } | ManifestError::Form { .. })),
            "{found:?}"
        );
    };
    let dtd =
        "<!DOCTYPE SoftwareIdentity [<!ENTITY a \"b\"><!ENTITY c SYSTEM \"file:///etc/passwd\">]>";
    refused(&format!("{dtd}{text}"));
    refused(&format!("<!DOCTYPE SoftwareIdentity>{text}"));
    refused(&text.replacen("1.2", "&a;", 1));
    refused(&format!("<?xml-stylesheet href=\"a\"?>{text}"));
    refused(&text.replacen("<Payload>", "<?a b?><Payload>", 1));
    refused(&text.replacen("<Payload>", "<a:Payload>", 1));
    refused(&text.replacen("name=\"Firmware\"", "name=\"Firmware\" name=\"Other\"", 1));
    refused("");
    refused(&"<a>".repeat(10_000));
    refused(&format!("{}{}", "<a>".repeat(9_000), "</a>".repeat(9_000)));
    let deep = format!("{}{}", "<Link>".repeat(30), "</Link>".repeat(30));
    refused(&text.replacen("<Payload>", &format!("{deep}<Payload>"), 1));
    refused(&text.replacen("<Payload>", &format!("{}<Payload>", "<a/>".repeat(20_000)), 1));
    let many: String = (0..40).map(|n| format!(" xmlns:a{n}=\"urn:{n}\"")).collect();
    refused(&text.replacen("<Payload>", &format!("<Payload{many}>"), 1));
    let large = format!("{text}{}", " ".repeat(MANIFEST_BYTES_MAX));
    assert_eq!(verify(&large, &pinned(&vendor)), Err(ManifestError::Size { have: large.len() }));
    assert!(BaseRim::verify(b"\xff\xfe<\0a\0/\0>\0", &pinned(&vendor), NOW).is_err());
    // What most tools write before the root, and a byte order mark.
    let header = "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"no\"?>\r\n";
    assert!(verify(&format!("{header}{text}\n"), &pinned(&vendor)).is_ok());
    assert!(verify(&format!("\u{feff}{header}{text}"), &pinned(&vendor)).is_ok());
}

#[test]
fn a_manifest_says_which_machine_it_is_for_and_stands_by_itself() {
    let vendor = Vendor::new();
    let with = |from: &str, to: &str| {
        let mut rim = rim(&vendor);
        let all = format!("{}\0{}", rim.attributes, rim.content);
        let changed = all.replacen(from, to, 1);
        assert_ne!(all, changed, "{from}");
        let (attributes, content) = changed.split_once('\0').unwrap();
        (rim.attributes, rim.content) = (attributes.to_owned(), content.to_owned());
        verify(&signed(&vendor, &rim), &pinned(&vendor))
    };
    let missing = |from: &str, what: &'static str| {
        assert_eq!(with(from, ""), Err(ManifestError::Missing { what }), "{from}");
    };
    missing(" rim:platformManufacturerStr=\"Vendor &amp; Sons\"", "who made the machine");
    missing(" rim:platformModel=\"Model &quot;9&quot;\"", "the model of the machine");
    missing(" rim:firmwareVersion=\"1.2\"", "the version of the firmware");
    missing(" rim:bindingSpec=\"PC Client RIM\"", "what it is a manifest of");
    missing(" tagId=\"firmware-1\"", "its identifier");
    let other = |from: &str, to: &str| {
        let found = with(from, to);
        assert!(matches!(found, Err(ManifestError::Other { .. })), "{from}: {found:?}");
    };
    other("\"PC Client RIM\"", "\"Component RIM\"");
    other(" tagId", " patch=\"true\" tagId");
    other(" tagId", " supplemental=\"true\" tagId");
    let file = "SHA256:hash=";
    other(
        "<Payload>",
        "<Payload xmlns:rim=\"https://trustedcomputinggroup.org/wp-content/uploads/TCG_RIM_Model\" rim:supportRIMFormat=\"TPM_PCR_Assertion\">",
    );
    assert!(with(" tagId", " supplemental=\"false\" tagId").is_ok());
    // Indirect, said twice, a file without a strong digest or a name.
    let form = |from: &str, to: &str| {
        let found = with(from, to);
        assert!(matches!(found, Err(ManifestError::Form { .. })), "{from}: {found:?}");
    };
    form(" rim:bindingSpec=", " rim:PayloadType=\"indirect\" rim:bindingSpec=");
    form(" rim:bindingSpec=", " rim:PlatformModel=\"Other\" rim:bindingSpec=");
    form(" name=\"firmware.rimel\"", "");
    for (from, to) in [("xmlenc#sha256", "xmlenc#sha1"), (file, "SHA256:hash=\"00\" SHA256:other=")]
    {
        let found = with(from, to);
        assert!(matches!(found, Err(ManifestError::NoDigest { .. })), "{from}: {found:?}");
    }
}
