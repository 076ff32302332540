//! Manifests as vendors write and sign them: base RIMs, and CoRIMs.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, SigningKey as _,
};

/// The namespace of XML signatures.
pub const DSIG: &str = "http://www.w3.org/2000/09/xmldsig#";

/// A vendor: an authority, and a signer with a certificate by it and a key on P-256.
#[derive(Debug)]
pub struct Vendor {
    /// The certificate of the authority.
    pub authority: Vec<u8>,
    /// The certificate of the signer.
    pub signer: Vec<u8>,
    key: KeyPair,
}

impl Vendor {
    /// A new one, for code signing.
    #[expect(clippy::new_without_default, reason = "each is another")]
    pub fn new() -> Self {
        Self::with(|_| {})
    }

    /// A new one whose signer's certificate is changed by `change`.
    pub fn with(change: impl FnOnce(&mut CertificateParams)) -> Self {
        let named = |name: &str| {
            let mut params = CertificateParams::default();
            params.distinguished_name = rcgen::DistinguishedName::new();
            params.distinguished_name.push(DnType::CommonName, name);
            params
        };
        let authority_key = KeyPair::generate().expect("a key");
        let mut params = named("Vendor CA");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        let authority = params.self_signed(&authority_key).expect("a certificate");
        let issuer = Issuer::from_params(&params, &authority_key);
        let key = KeyPair::generate().expect("a key");
        let mut params = named("Vendor signer");
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::CodeSigning];
        change(&mut params);
        let signer = params.signed_by(&key, &issuer).expect("a certificate");
        Self { authority: authority.der().to_vec(), signer: signer.der().to_vec(), key }
    }

    /// The signature over `message`: r and s of 32 bytes.
    pub fn sign(&self, message: &[u8]) -> Vec<u8> {
        let der = self.key.sign(message).expect("a signature");
        // SEQUENCE { INTEGER r, INTEGER s }, all of them short.
        let (r, s) = der[4..].split_at(usize::from(der[3]));
        let padded = |number: &[u8]| {
            let number = &number[number.len().saturating_sub(32)..];
            [vec![0; 32 - number.len()], number.to_vec()].concat()
        };
        [padded(r), padded(&s[2..])].concat()
    }

    /// A base RIM of `model` that names `files`, signed, with the signer's certificate.
    pub fn rim(&self, model: [&str; 3], files: &[(&str, &[u8])]) -> String {
        let mut rim = Rim::of(model, files);
        rim.certificates = vec![self.signer.clone()];
        rim.signed(|message| self.sign(message))
    }
}

impl Vendor {
    /// A CoRIM of `payload`, signed, with the signer's certificate.
    pub fn corim(&self, payload: &[u8]) -> Vec<u8> {
        use cbor::{array, bytes, map, tag, text, uint};
        const ES256: u8 = 0x26;
        let chain = bytes(&self.signer);
        let content_type = text("application/rim+cbor");
        let protected = map(&[(uint(1), vec![ES256]), (uint(3), content_type), (uint(33), chain)]);
        let signed = array(&[text("Signature1"), bytes(&protected), bytes(&[]), bytes(payload)]);
        let signature = self.sign(&signed);
        tag(18, &array(&[bytes(&protected), map(&[]), bytes(payload), bytes(&signature)]))
    }
}

/// What a CoRIM says.
pub mod corim {
    use super::cbor::{array, bytes, map, tag, text, uint};

    /// A CoRIM that gives PCRs of `[vendor, product, firmware version]` these values, of SHA-256.
    pub fn payload(model: [&str; 3], values: &[(u64, Vec<u8>)]) -> Vec<u8> {
        let [vendor, product, firmware] = model.map(text);
        let class = map(&[(uint(1), vendor), (uint(2), product)]);
        let registers: Vec<_> = values
            .iter()
            .map(|(pcr, value)| (uint(*pcr), array(&[array(&[uint(1), bytes(value)])])))
            .collect();
        let version = map(&[(uint(0), firmware)]);
        let measured = map(&[(uint(0), version), (uint(14), map(&registers))]);
        let measurement = map(&[(uint(1), measured)]);
        let triple = array(&[map(&[(uint(0), class)]), array(&[measurement])]);
        let comid = map(&[
            (uint(1), map(&[(uint(0), text("a tag"))])),
            (uint(4), map(&[(uint(0), array(&[triple]))])),
        ]);
        let tags = array(&[tag(506, &bytes(&comid))]);
        tag(501, &map(&[(uint(0), text("firmware-1")), (uint(1), tags)]))
    }
}

/// CBOR, in its shortest form.
pub mod cbor {
    fn head(major: u8, n: u64) -> Vec<u8> {
        let all = n.to_be_bytes();
        match n {
            0..=23 => vec![major << 5 | all[7]],
            24..=0xff => vec![major << 5 | 24, all[7]],
            0x100..=0xffff => [&[major << 5 | 25], &all[6..]].concat(),
            0x1_0000..=0xffff_ffff => [&[major << 5 | 26], &all[4..]].concat(),
            _ => [&[major << 5 | 27], &all[..]].concat(),
        }
    }

    fn with_len(major: u8, n: usize, content: &[u8]) -> Vec<u8> {
        [head(major, u64::try_from(n).expect("a length")), content.to_vec()].concat()
    }

    /// A number.
    pub fn uint(n: u64) -> Vec<u8> {
        head(0, n)
    }

    /// A byte string.
    pub fn bytes(content: &[u8]) -> Vec<u8> {
        with_len(2, content.len(), content)
    }

    /// A text.
    pub fn text(content: &str) -> Vec<u8> {
        with_len(3, content.len(), content.as_bytes())
    }

    /// An array of these items.
    pub fn array(items: &[Vec<u8>]) -> Vec<u8> {
        with_len(4, items.len(), &items.concat())
    }

    /// A map of these keys and values.
    pub fn map(entries: &[(Vec<u8>, Vec<u8>)]) -> Vec<u8> {
        let content: Vec<u8> =
            entries.iter().flat_map(|(key, value)| [&key[..], value].concat()).collect();
        with_len(5, entries.len(), &content)
    }

    /// An item with a tag.
    pub fn tag(number: u64, item: &[u8]) -> Vec<u8> {
        [head(6, number), item.to_vec()].concat()
    }
}

/// A base RIM in parts, each written as it is canonical: what is written is what is hashed.
#[derive(Clone, Debug)]
pub struct Rim {
    /// Attributes of the root behind its namespace, in order of their names.
    pub attributes: String,
    /// What lies below the root.
    pub content: String,
    /// What the signature refers to.
    pub uri: String,
    /// The transforms, by their names.
    pub transforms: Vec<String>,
    /// The canonical form of what is signed.
    pub form: String,
    /// The algorithm of the digest; it is always SHA-256 that is written.
    pub digest: String,
    /// The algorithm of the signature.
    pub method: String,
    /// Certificates that come along, in DER; none: the signature only names a key.
    pub certificates: Vec<Vec<u8>>,
    /// What stands in the signature behind the key.
    pub object: String,
}

impl Rim {
    /// A RIM of the model `[vendor, product, firmware version]` that names `files`.
    pub fn of(model: [&str; 3], files: &[(&str, &[u8])]) -> Self {
        let [vendor, product, firmware] = model.map(escaped);
        let mut content = format!(
            "\n  <Meta xmlns:rim=\"https://trustedcomputinggroup.org/resource/\
             tcg-reference-integrity-manifest-rim-information-model/\" \
             rim:bindingSpec=\"PC Client RIM\" rim:bindingSpecVersion=\"1.04\" \
             rim:firmwareVersion=\"{firmware}\" rim:platformManufacturerStr=\"{vendor}\" \
             rim:platformModel=\"{product}\"></Meta>\n  <Payload><Directory name=\"rim\">"
        );
        for (name, bytes) in files {
            let digest = hex::encode(event_log::sha256(&[bytes]));
            write!(
                content,
                "<File xmlns:SHA256=\"http://www.w3.org/2001/04/xmlenc#sha256\" name=\"{name}\" \
                 size=\"{}\" SHA256:hash=\"{digest}\"></File>",
                bytes.len()
            )
            .unwrap();
        }
        content.push_str("</Directory></Payload>\n");
        Self {
            attributes: " name=\"Firmware\" tagId=\"firmware-1\" version=\"1\"".to_owned(),
            content,
            uri: String::new(),
            transforms: vec![format!("{DSIG}enveloped-signature")],
            form: "http://www.w3.org/TR/2001/REC-xml-c14n-20010315".to_owned(),
            digest: "http://www.w3.org/2001/04/xmlenc#sha256".to_owned(),
            method: "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256".to_owned(),
            certificates: Vec::new(),
            object: String::new(),
        }
    }

    /// What is signed, in its canonical form.
    pub fn unsigned(&self) -> String {
        self.with("")
    }

    fn with(&self, signature: &str) -> String {
        let Self { attributes, content, .. } = self;
        let swid = "http://standards.iso.org/iso/19770/-2/2015/schema.xsd";
        format!(
            "<SoftwareIdentity xmlns=\"{swid}\"{attributes}>{content}{signature}</SoftwareIdentity>"
        )
    }

    /// The whole of it; `sign` gives the signature over what it is given.
    pub fn signed(&self, sign: impl FnOnce(&[u8]) -> Vec<u8>) -> String {
        let Self { uri, form, digest, method, object, .. } = self;
        let all = self.transforms.iter();
        let transforms: String =
            all.map(|name| format!("<Transform Algorithm=\"{name}\"></Transform>")).collect();
        let value = STANDARD.encode(event_log::sha256(&[self.unsigned().as_bytes()]));
        let info = format!(
            "<CanonicalizationMethod Algorithm=\"{form}\"></CanonicalizationMethod>\
             <SignatureMethod Algorithm=\"{method}\"></SignatureMethod>\
             <Reference URI=\"{uri}\"><Transforms>{transforms}</Transforms>\
             <DigestMethod Algorithm=\"{digest}\"></DigestMethod>\
             <DigestValue>{value}</DigestValue></Reference></SignedInfo>"
        );
        let canonical = format!("<SignedInfo xmlns=\"{DSIG}\">{info}");
        let value = STANDARD.encode(sign(canonical.as_bytes()));
        let all = self.certificates.iter().map(|der| STANDARD.encode(der));
        let key: String =
            all.map(|der| format!("<X509Certificate>{der}</X509Certificate>")).collect();
        let key = match key.as_str() {
            "" => "<KeyName>a key</KeyName>".to_owned(),
            key => format!("<X509Data>{key}</X509Data>"),
        };
        self.with(&format!(
            "<Signature xmlns=\"{DSIG}\"><SignedInfo>{info}<SignatureValue>{value}\
             </SignatureValue><KeyInfo>{key}</KeyInfo>{object}</Signature>"
        ))
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('"', "&quot;")
}
