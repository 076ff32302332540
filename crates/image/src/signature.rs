//! What is in the signatures of an image.

use efi::Reader;
use efi::der::{CONTEXT_0, Elements, OCTETS, OID, SEQUENCE, SET};
use event_log::hash;
use tpm_wire::{Digest, TpmAlgId};
use x509_parser::prelude::{FromDer as _, X509Certificate};

use crate::Image;

/// Signatures of one image: real ones have one to three.
pub const SIGNATURES_MAX: usize = 8;
/// Certificates of one signature: real ones have up to five.
pub const CERTIFICATES_MAX: usize = 16;
/// Characters of a name of a certificate that are kept for people.
const NAME_CHARS_MAX: usize = 256;

/// One signature. Nothing of it was verified: it is what the file says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signature<'a> {
    /// Hash of the digest that was signed.
    pub untrusted_alg: TpmAlgId,
    /// The Authenticode digest that was signed.
    pub untrusted_digest: &'a [u8],
    /// The certificates that the signer put in, in their order.
    pub untrusted_certificates: Vec<UntrustedCertificate<'a>>,
}

/// A certificate of a signature.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UntrustedCertificate<'a> {
    /// As it is in the file.
    pub der: &'a [u8],
    /// SHA-256 over `der`.
    pub fingerprint: Digest,
    /// Whom it names, for people.
    pub subject: String,
    /// Who issued it, for people.
    pub issuer: String,
}

/// Why a signature cannot be shown. The digest of the image does not depend on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignatureFault {
    /// More than [`SIGNATURES_MAX`].
    #[error("more than {SIGNATURES_MAX} signatures")]
    TooMany,
    /// An entry of the table of signatures whose length is not right.
    #[error("an entry of the table of signatures ends early")]
    Entry,
    /// Another kind than PKCS #7.
    #[error("a signature of kind {kind:#06x}, not PKCS #7")]
    Kind {
        /// wCertificateType.
        kind: u16,
    },
    /// It is not laid out as an Authenticode signature.
    #[error("not laid out as a signature of Authenticode: {what}")]
    Layout {
        /// Where reading ended.
        what: &'static str,
    },
}

/// 1.2.840.113549.1.7.2
const SIGNED_DATA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x02];
/// 1.3.6.1.4.1.311.2.1.4
const SPC_INDIRECT_DATA: &[u8] = &[0x2b, 0x06, 0x01, 0x04, 0x01, 0x82, 0x37, 0x02, 0x01, 0x04];
const HASHES: [(&[u8], TpmAlgId); 4] = [
    (&[0x2b, 0x0e, 0x03, 0x02, 0x1a], TpmAlgId::SHA1),
    (&[0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01], TpmAlgId::SHA256),
    (&[0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x02], TpmAlgId::SHA384),
    (&[0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x03], TpmAlgId::SHA512),
];
/// WIN_CERT_TYPE_PKCS_SIGNED_DATA. [UEFI-2.10 §32.2.4]
const PKCS_SIGNED_DATA: u16 = 0x0002;

impl<'a> Image<'a> {
    /// The signatures, in the order of the file; what cannot be read is told beside those before.
    pub fn signatures(&self) -> (Vec<Signature<'a>>, Option<SignatureFault>) {
        let mut found = Vec::new();
        let mut table = Reader::new(self.bytes.get(self.signed_at..).unwrap_or(&[]));
        while !table.is_empty() {
            if found.len() == SIGNATURES_MAX {
                return (found, Some(SignatureFault::TooMany));
            }
            match entry(&mut table).and_then(signature) {
                Ok(signature) => found.push(signature),
                Err(fault) => return (found, Some(fault)),
            }
        }
        (found, None)
    }
}

impl Signature<'_> {
    /// Whether the digest that was signed is that of `image`.
    pub fn names(&self, image: &Image<'_>) -> bool {
        let digest = image.authenticode(self.untrusted_alg);
        digest.is_some_and(|digest| digest.as_bytes() == self.untrusted_digest)
    }
}

/// The content of a WIN_CERTIFICATE. [UEFI-2.10 §32.2.4]
fn entry<'a>(table: &mut Reader<'a>) -> Result<&'a [u8], SignatureFault> {
    let read = |table: &mut Reader<'a>| {
        let len = table.u32("dwLength")?;
        table.u16("wRevision")?;
        let kind = table.u16("wCertificateType")?;
        let len = usize::try_from(len).unwrap_or(usize::MAX).saturating_sub(8);
        let content = table.take("bCertificate", len)?;
        // Entries begin at multiples of eight; the last may end without the padding.
        let padding = (8 - len % 8) % 8;
        table.take("padding", padding.min(table.rest().len()))?;
        Ok::<_, tpm_wire::ParseError>((kind, content))
    };
    match read(table).map_err(|_| SignatureFault::Entry)? {
        (PKCS_SIGNED_DATA, content) => Ok(content),
        (kind, _) => Err(SignatureFault::Kind { kind }),
    }
}

fn signature(der: &[u8]) -> Result<Signature<'_>, SignatureFault> {
    let fault = |what| SignatureFault::Layout { what };
    let signed = signed_data(der).ok_or(fault("SignedData"))?;
    let (signed, algorithm, digest) =
        indirect_data(signed).ok_or(fault("SpcIndirectDataContent"))?;
    let alg = HASHES.iter().find(|(oid, _)| *oid == algorithm).map(|(_, alg)| *alg);
    let mut rest = signed;
    let mut certificates = Vec::new();
    let mut inside = rest.enter(CONTEXT_0).unwrap_or(Elements::new(&[]));
    while let Some(found) = inside.next_any() {
        if certificates.len() == CERTIFICATES_MAX {
            return Err(fault("more certificates than are read"));
        }
        if found.tag == SEQUENCE {
            certificates.push(certificate(found.whole).ok_or(fault("a certificate"))?);
        }
    }
    Ok(Signature {
        untrusted_alg: alg.ok_or(fault("an unknown hash"))?,
        untrusted_digest: digest,
        untrusted_certificates: certificates,
    })
}

/// The elements of SignedData behind its version and algorithms.
fn signed_data(der: &[u8]) -> Option<Elements<'_>> {
    let mut content_info = Elements::new(der).enter(SEQUENCE)?;
    (content_info.next(OID)? == SIGNED_DATA).then_some(())?;
    let mut signed = content_info.enter(CONTEXT_0)?.enter(SEQUENCE)?;
    signed.next_any()?;
    signed.next(SET)?;
    Some(signed)
}

/// What is behind the content of SignedData, and the hash and digest that are in it.
fn indirect_data(mut signed: Elements<'_>) -> Option<(Elements<'_>, &[u8], &[u8])> {
    let mut content = signed.enter(SEQUENCE)?;
    (content.next(OID)? == SPC_INDIRECT_DATA).then_some(())?;
    let mut indirect = content.enter(CONTEXT_0)?.enter(SEQUENCE)?;
    indirect.next(SEQUENCE)?;
    let mut message = indirect.enter(SEQUENCE)?;
    let algorithm = message.enter(SEQUENCE)?.next(OID)?;
    Some((signed, algorithm, message.next(OCTETS)?))
}

fn certificate(der: &[u8]) -> Option<UntrustedCertificate<'_>> {
    let (_, certificate) = X509Certificate::from_der(der).ok()?;
    let plain = |name: String| {
        let shown = |c: char| if c.is_control() { '\u{fffd}' } else { c };
        name.chars().take(NAME_CHARS_MAX).map(shown).collect()
    };
    Some(UntrustedCertificate {
        der,
        fingerprint: hash(TpmAlgId::SHA256, &[der])?,
        subject: plain(certificate.subject().to_string()),
        issuer: plain(certificate.issuer().to_string()),
    })
}
