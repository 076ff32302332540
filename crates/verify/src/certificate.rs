//! An X.509 certificate as its bytes are, read leniently and checked strictly.
//!
//! Vendors' certificates break DER in ways that a strict reader refuses (sets out of order, odd
//! integers, an explicit `critical FALSE`). What decides is the signature over the exact bytes
//! that came, so nothing is ever encoded again to check it.

use aws_lc_rs::signature::{self, UnparsedPublicKey, VerificationAlgorithm};
use x509_parser::certificate::{X509Certificate, X509CertificateParser};
use x509_parser::extensions::{ParsedExtension, X509Extension};
use x509_parser::nom::Parser as _;

use crate::key::{Curve, KeyError, PublicKey};
use crate::time::UnixTime;
use crate::{der, oid};

/// Bytes of one certificate. An NV index of a PC holds about 2 KiB; the largest that the EK
/// profile foresees, ML-DSA-87 keys and signatures, are about 8 KiB; twice that.
pub const CERTIFICATE_BYTES_MAX: usize = 16 * 1024;

/// Tag of the version in a TBSCertificate: \[0\], explicit.
const VERSION: u8 = 0xa0;

/// Why a certificate cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CertificateError {
    /// More than [`CERTIFICATE_BYTES_MAX`] bytes.
    #[error("the certificate has {have} bytes, more than {CERTIFICATE_BYTES_MAX}")]
    Size {
        /// Bytes that came.
        have: usize,
    },
    /// Not one X.509 certificate, or something other than padding behind it.
    #[error("not an X.509 certificate")]
    Malformed,
    /// An extension that we need cannot be read, or occurs twice.
    #[error("an extension of the certificate cannot be read or occurs twice")]
    Extension,
    /// Its public key cannot be used.
    #[error(transparent)]
    Key(#[from] KeyError),
}

/// Why the signature of a certificate does not hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SignatureFault {
    /// SHA-1, or an older hash.
    Weak,
    /// An algorithm that we cannot check, or one that does not go with the issuer's key.
    Unsupported,
    /// Not made by this key over these bytes.
    Wrong,
}

/// A certificate and the bytes from which it was read.
#[derive(Debug)]
pub(crate) struct Certificate<'a> {
    x509: X509Certificate<'a>,
}

impl<'a> Certificate<'a> {
    /// Reads `der`, which must be one certificate and nothing else.
    pub(crate) fn from_der(der: &'a [u8]) -> Result<Self, CertificateError> {
        if der.len() > CERTIFICATE_BYTES_MAX {
            return Err(CertificateError::Size { have: der.len() });
        }
        let (rest, x509) =
            X509CertificateParser::new().parse(der).map_err(|_| CertificateError::Malformed)?;
        if !rest.is_empty() {
            return Err(CertificateError::Malformed);
        }
        let certificate = Self { x509 };
        if !certificate.is_plainly_framed(der) {
            return Err(CertificateError::Malformed);
        }
        certificate.check_extensions()?;
        Ok(certificate)
    }

    /// Whether what the signature does not cover is plain: a SEQUENCE of the signed part, the same
    /// algorithm as inside of that, byte for byte, and a BIT STRING. The parser does not look at
    /// all of it, and RFC 5280 demands it.
    fn is_plainly_framed(&self, der: &[u8]) -> bool {
        let framed = || {
            let (signed, behind) = der::split_element(der::content(der)?)?;
            let (outer, signature) = der::split_element(behind)?;
            let mut rest = der::content(signed)?;
            if rest.first() == Some(&VERSION) {
                rest = der::split_element(rest)?.1;
            }
            let (_serial, rest) = der::split_element(rest)?;
            let (inner, _) = der::split_element(rest)?;
            let is_plain = signed == self.x509.tbs_certificate.as_ref() && inner == outer;
            Some(is_plain && signature.first() == Some(&der::BIT_STRING))
        };
        der.first() == Some(&der::SEQUENCE) && framed() == Some(true)
    }

    /// Refuses an extension that occurs twice, and one that we decide by and cannot read.
    fn check_extensions(&self) -> Result<(), CertificateError> {
        let extensions = self.x509.extensions();
        for (n, extension) in extensions.iter().enumerate() {
            if extensions.iter().skip(n + 1).any(|other| other.oid == extension.oid) {
                return Err(CertificateError::Extension);
            }
            let decides = extension.critical
                || matches!(
                    extension.oid.as_bytes(),
                    oid::EXT_BASIC_CONSTRAINTS
                        | oid::EXT_KEY_USAGE
                        | oid::EXT_EXTENDED_KEY_USAGE
                        | oid::EXT_SUBJECT_ALT_NAME
                );
            if decides && extension.parsed_extension().error().is_some() {
                return Err(CertificateError::Extension);
            }
        }
        Ok(())
    }

    /// The serial number, big-endian, without leading zeros.
    pub(crate) fn serial(&self) -> Vec<u8> {
        let bytes = self.x509.raw_serial();
        bytes.iter().copied().skip_while(|byte| *byte == 0).collect()
    }

    /// The subject as text for people.
    pub(crate) fn subject(&self) -> String {
        self.x509.subject().to_string()
    }

    /// The issuer as text for people.
    pub(crate) fn issuer(&self) -> String {
        self.x509.issuer().to_string()
    }

    /// The subject, exactly as encoded.
    pub(crate) fn subject_der(&self) -> &[u8] {
        self.x509.subject().as_raw()
    }

    /// The issuer, exactly as encoded.
    pub(crate) fn issuer_der(&self) -> &[u8] {
        self.x509.issuer().as_raw()
    }

    /// Whether subject and issuer are the same name.
    pub(crate) fn is_self_issued(&self) -> bool {
        self.subject_der() == self.issuer_der()
    }

    pub(crate) fn key(&self) -> Result<PublicKey, KeyError> {
        PublicKey::from_spki(self.x509.public_key())
    }

    pub(crate) fn not_before(&self) -> UnixTime {
        UnixTime(self.x509.validity().not_before.timestamp())
    }

    pub(crate) fn not_after(&self) -> UnixTime {
        UnixTime(self.x509.validity().not_after.timestamp())
    }

    /// Whether it is of a version without extensions.
    pub(crate) fn is_before_v3(&self) -> bool {
        self.x509.version().0 < 2
    }

    pub(crate) fn extensions(&self) -> impl Iterator<Item = &X509Extension<'a>> {
        self.x509.iter_extensions()
    }

    /// Whether basicConstraints says that it is one of a CA.
    pub(crate) fn is_ca(&self) -> bool {
        self.extensions().any(|extension| {
            matches!(extension.parsed_extension(), ParsedExtension::BasicConstraints(c) if c.ca)
        })
    }

    /// How many intermediates may follow, where basicConstraints limits that.
    pub(crate) fn path_len_max(&self) -> Option<u32> {
        self.extensions().find_map(|extension| match extension.parsed_extension() {
            ParsedExtension::BasicConstraints(constraints) => constraints.path_len_constraint,
            _ => None,
        })
    }

    /// Whether `issuer` signed the exact bytes of this certificate.
    pub(crate) fn check_signature(&self, issuer: &PublicKey) -> Result<(), SignatureFault> {
        let algorithm = algorithm(self.x509.signature_algorithm.algorithm.as_bytes(), issuer)?;
        let signature = &self.x509.signature_value;
        if signature.unused_bits != 0 {
            return Err(SignatureFault::Wrong);
        }
        UnparsedPublicKey::new(algorithm, issuer.bare())
            .verify(self.x509.tbs_certificate.as_ref(), &signature.data)
            .map_err(|_| SignatureFault::Wrong)
    }
}

/// The check for a signature algorithm with a key of the issuer's kind.
fn algorithm(
    oid: &[u8],
    issuer: &PublicKey,
) -> Result<&'static dyn VerificationAlgorithm, SignatureFault> {
    let algorithm: &'static dyn VerificationAlgorithm = match (oid, issuer) {
        (oid::RSA_SHA1 | oid::ECDSA_SHA1, _) => return Err(SignatureFault::Weak),
        (oid::RSA_SHA256, PublicKey::Rsa(_)) => &signature::RSA_PKCS1_2048_8192_SHA256,
        (oid::RSA_SHA384, PublicKey::Rsa(_)) => &signature::RSA_PKCS1_2048_8192_SHA384,
        (oid::RSA_SHA512, PublicKey::Rsa(_)) => &signature::RSA_PKCS1_2048_8192_SHA512,
        (oid, PublicKey::Ec(key)) => match (oid, key.curve()) {
            (oid::ECDSA_SHA256, Curve::P256) => &signature::ECDSA_P256_SHA256_ASN1,
            (oid::ECDSA_SHA384, Curve::P256) => &signature::ECDSA_P256_SHA384_ASN1,
            (oid::ECDSA_SHA512, Curve::P256) => &signature::ECDSA_P256_SHA512_ASN1,
            (oid::ECDSA_SHA256, Curve::P384) => &signature::ECDSA_P384_SHA256_ASN1,
            (oid::ECDSA_SHA384, Curve::P384) => &signature::ECDSA_P384_SHA384_ASN1,
            (oid::ECDSA_SHA512, Curve::P384) => &signature::ECDSA_P384_SHA512_ASN1,
            (oid::ECDSA_SHA256, Curve::P521) => &signature::ECDSA_P521_SHA256_ASN1,
            (oid::ECDSA_SHA384, Curve::P521) => &signature::ECDSA_P521_SHA384_ASN1,
            (oid::ECDSA_SHA512, Curve::P521) => &signature::ECDSA_P521_SHA512_ASN1,
            _ => return Err(SignatureFault::Unsupported),
        },
        _ => return Err(SignatureFault::Unsupported),
    };
    Ok(algorithm)
}
