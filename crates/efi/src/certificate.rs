//! The parts of an X.509 certificate that tell whose it is and how strong it is.
//!
//! Databases of firmware hold certificates that strict readers refuse, so this one checks no more
//! than it needs: tags and lengths of what it walks over. It verifies nothing.

use core::fmt;

use crate::der::{BIT_STRING, CONTEXT_0, Element, Elements, INTEGER, OID, SEQUENCE, SET};
use crate::text::Ascii;

/// An X.509 certificate, as far as it could be walked. [RFC-5280 §4.1]
/// Trust: none by itself; what a measured database holds is only known to be there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Certificate<'a> {
    /// serialNumber, big-endian as it is written.
    pub serial: &'a [u8],
    /// issuer, a DER Name.
    pub issuer: X509Name<'a>,
    /// subject, a DER Name.
    pub subject: X509Name<'a>,
    /// notAfter, as digits: `YYMMDDHHMMSSZ` or `YYYYMMDDHHMMSSZ`.
    pub not_after: Ascii<'a>,
    /// The key.
    pub key: CertificateKey,
    /// The hash under its issuer's signature; `None` where the scheme is not known here.
    pub signature_hash: Option<SignatureHash>,
}

/// The kind and strength of a certificate's key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CertificateKey {
    /// RSA, with the bits of its modulus.
    Rsa {
        /// Bits.
        bits: usize,
    },
    /// On an elliptic curve, with the bits of a coordinate.
    Ec {
        /// Bits.
        bits: usize,
    },
    /// Another kind.
    Other,
}

impl fmt::Display for CertificateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rsa { bits } => write!(f, "RSA {bits}"),
            Self::Ec { bits } => write!(f, "EC {bits}"),
            Self::Other => f.write_str("another kind of key"),
        }
    }
}

/// The hash under a certificate's signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignatureHash {
    /// MD2 or MD5.
    Md5,
    /// SHA-1.
    Sha1,
    /// SHA-256 or better.
    Strong,
}

/// A DER Name: who, in parts. Displays as its common name, else its organisation, escaped.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct X509Name<'a>(pub &'a [u8]);

const BMP_STRING: u8 = 0x1e;

const COMMON_NAME: &[u8] = &[0x55, 4, 3];
const ORGANISATION: &[u8] = &[0x55, 4, 10];
const ORGANISATION_UNIT: &[u8] = &[0x55, 4, 11];

/// pkcs-1; its last number is the scheme.
const PKCS_1: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1];
/// ansi-X9-62 signatures.
const ECDSA_SHA1: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 1];
const ECDSA_SHA2: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3];
const EC_PUBLIC_KEY: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 2, 1];

impl<'a> Certificate<'a> {
    /// Walks over `der`; `None` where it is no certificate. Bytes behind it are tolerated, as
    /// firmware pads entries of one list to one size.
    pub fn parse(der: &'a [u8]) -> Option<Self> {
        let mut tbs = Elements::new(der).enter(SEQUENCE)?.enter(SEQUENCE)?;
        // The version, which those of version 1 do not say.
        tbs.next(CONTEXT_0);
        let serial = tbs.next(INTEGER)?;
        let mut signature = tbs.enter(SEQUENCE)?;
        let issuer = tbs.next(SEQUENCE)?;
        let mut validity = tbs.enter(SEQUENCE)?;
        let subject = tbs.next(SEQUENCE)?;
        let spki = tbs.enter(SEQUENCE)?;
        validity.next_any()?;
        let not_after = validity.next_any()?.content;
        let scheme = signature.next(OID)?;
        Some(Self {
            serial,
            issuer: X509Name(issuer),
            subject: X509Name(subject),
            not_after: Ascii(not_after),
            key: key(spki)?,
            signature_hash: signature_hash(scheme, signature),
        })
    }

    /// Whether nobody should rest on it any more: a small key, or a signature over a hash that
    /// collides. A root's own signature is by itself, and its hash does not matter.
    pub fn is_weak(&self) -> bool {
        let weak_key = match self.key {
            CertificateKey::Rsa { bits } => bits < 2048,
            CertificateKey::Ec { bits } => bits < 256,
            CertificateKey::Other => false,
        };
        let weak_hash =
            matches!(self.signature_hash, Some(SignatureHash::Md5 | SignatureHash::Sha1));
        weak_key || (weak_hash && self.issuer != self.subject)
    }
}

fn key(mut spki: Elements<'_>) -> Option<CertificateKey> {
    let oid = spki.enter(SEQUENCE)?.next(OID)?;
    let (_unused, bytes) = spki.next(BIT_STRING)?.split_first()?;
    if oid == EC_PUBLIC_KEY {
        // An uncompressed point: 4, x, y.
        let bits = bytes.len().saturating_sub(1).saturating_mul(4);
        return Some(CertificateKey::Ec { bits });
    }
    // RSAES-OAEP and RSASSA-PSS keys are RSA keys, too.
    if oid.strip_prefix(PKCS_1).is_none() {
        return Some(CertificateKey::Other);
    }
    let modulus = Elements::new(bytes).enter(SEQUENCE)?.next(INTEGER)?;
    let first = modulus.iter().position(|byte| *byte != 0).unwrap_or(modulus.len());
    let modulus = modulus.get(first..)?;
    let zeros = modulus.first().map_or(0, |byte| byte.leading_zeros());
    let bits = modulus.len().saturating_mul(8).saturating_sub(usize::try_from(zeros).ok()?);
    Some(CertificateKey::Rsa { bits })
}

fn signature_hash(scheme: &[u8], mut parameters: Elements<'_>) -> Option<SignatureHash> {
    if scheme == ECDSA_SHA1 {
        return Some(SignatureHash::Sha1);
    }
    if scheme.starts_with(ECDSA_SHA2) {
        return Some(SignatureHash::Strong);
    }
    match scheme.strip_prefix(PKCS_1)? {
        [2 | 4] => Some(SignatureHash::Md5),
        [5] => Some(SignatureHash::Sha1),
        [11..=14] => Some(SignatureHash::Strong),
        // RSASSA-PSS: SHA-1 where its parameters name no hash.
        [10] => match parameters.enter(SEQUENCE)?.next(CONTEXT_0) {
            Some(_) => Some(SignatureHash::Strong),
            None => Some(SignatureHash::Sha1),
        },
        _ => None,
    }
}

impl<'a> X509Name<'a> {
    /// The first part of this type: its text, with the tag that says how it is written.
    fn part(self, oid: &[u8]) -> Option<Element<'a>> {
        let mut sets = Elements::new(self.0);
        while let Some(mut parts) = sets.enter(SET) {
            while let Some(mut part) = parts.enter(SEQUENCE) {
                if part.next(OID) == Some(oid) {
                    return part.next_any();
                }
            }
        }
        None
    }

    fn shown(self) -> Option<Element<'a>> {
        self.part(COMMON_NAME)
            .or_else(|| self.part(ORGANISATION_UNIT))
            .or_else(|| self.part(ORGANISATION))
    }

    /// Whether the common name (else the unit, else the organisation) has `text` in it, letters of
    /// either case alike.
    pub fn contains(self, text: &str) -> bool {
        let text = text.as_bytes();
        self.shown().is_some_and(|name| {
            !text.is_empty()
                && name.content.windows(text.len()).any(|window| window.eq_ignore_ascii_case(text))
        })
    }
}

impl fmt::Display for X509Name<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.shown() {
            None => f.write_str("no name"),
            Some(Element { tag: BMP_STRING, content: text, .. }) => {
                let units = text.chunks_exact(2).filter_map(|pair| pair.first_chunk());
                let mut chars = char::decode_utf16(units.map(|pair| u16::from_be_bytes(*pair)));
                chars.try_for_each(|c| {
                    let c = c.unwrap_or(char::REPLACEMENT_CHARACTER);
                    let mut utf8 = [0; 4];
                    Ascii(c.encode_utf8(&mut utf8).as_bytes()).fmt(f)
                })
            }
            Some(Element { content: text, .. }) => Ascii(text).fmt(f),
        }
    }
}

impl fmt::Debug for X509Name<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{self}\"")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const UTF8_STRING: u8 = 0x0c;

    fn der(tag: u8, content: &[u8]) -> Vec<u8> {
        let len = u16::try_from(content.len()).unwrap().to_be_bytes();
        [&[tag, 0x82], &len[..], content].concat()
    }

    fn name(text: &str) -> Vec<u8> {
        let part = [der(OID, COMMON_NAME), der(UTF8_STRING, text.as_bytes())].concat();
        der(SEQUENCE, &der(SET, &der(SEQUENCE, &part)))
    }

    fn certificate(issuer: &str, subject: &str, scheme: u8, modulus: &[u8]) -> Vec<u8> {
        let scheme = der(SEQUENCE, &der(OID, &[PKCS_1, &[scheme]].concat()));
        let rsa = der(SEQUENCE, &[der(INTEGER, modulus), der(INTEGER, &[1, 0, 1])].concat());
        let key = [
            der(SEQUENCE, &der(OID, &[PKCS_1, &[1]].concat())),
            der(BIT_STRING, &[&[0], &rsa[..]].concat()),
        ];
        let dates = [der(0x17, b"240101000000Z"), der(0x17, b"340101000000Z")].concat();
        let tbs = [
            der(CONTEXT_0, &der(INTEGER, &[2])),
            der(INTEGER, &[7, 7]),
            scheme,
            name(issuer),
            der(SEQUENCE, &dates),
            name(subject),
            der(SEQUENCE, &key.concat()),
        ];
        der(SEQUENCE, &der(SEQUENCE, &tbs.concat()))
    }

    #[test]
    fn a_certificate_tells_whose_it_is_and_how_strong() {
        let modulus = [&[0, 0x80][..], &[1; 255]].concat();
        let bytes = certificate("An Authority", "A Signer", 11, &modulus);
        let read = Certificate::parse(&bytes).unwrap();
        assert_eq!(read.serial, [7, 7]);
        assert_eq!(read.issuer.to_string(), "An Authority");
        assert_eq!(read.subject.to_string(), "A Signer");
        assert_eq!(read.not_after, Ascii(b"340101000000Z"));
        assert_eq!(read.key, CertificateKey::Rsa { bits: 2048 });
        assert_eq!(read.signature_hash, Some(SignatureHash::Strong));
        assert!(!read.is_weak());
        assert!(read.subject.contains("SIGNER") && !read.subject.contains("Authority"));
    }

    #[test]
    fn small_keys_and_colliding_hashes_are_weak() {
        let good = [&[0x80][..], &[1; 255]].concat();
        let small = [&[0x80][..], &[1; 127]].concat();
        let is_weak = |bytes: Vec<u8>| Certificate::parse(&bytes).unwrap().is_weak();
        assert!(is_weak(certificate("An Authority", "A Signer", 11, &small)));
        assert!(is_weak(certificate("An Authority", "A Signer", 5, &good)));
        assert!(!is_weak(certificate("A Root", "A Root", 5, &good)), "nobody checks that");
    }

    #[test]
    fn no_cut_and_no_changed_byte_panics() {
        let bytes = certificate("An Authority", "A Signer", 11, &[1; 256]);
        for n in 0..bytes.len() {
            assert_eq!(Certificate::parse(&bytes[..n]), None, "cut at {n}");
            let mut changed = bytes.clone();
            changed[n] ^= 0xff;
            if let Some(read) = Certificate::parse(&changed) {
                let _ = (read.is_weak(), read.subject.to_string(), read.issuer.to_string());
            }
        }
    }
}
