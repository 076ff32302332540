//! What is printed on a certificate, for people to compare.

use crate::certificate::Certificate;

/// Names of a certificate. Trust: none; whoever made it wrote them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertificateLabel {
    /// Its serial number, big-endian, without leading zeros.
    pub serial: Vec<u8>,
    /// Its subject, as text for people.
    pub subject: String,
    /// Its issuer, as text for people.
    pub issuer: String,
    /// SHA-256 of its SubjectPublicKeyInfo.
    pub spki_sha256: [u8; 32],
}

impl CertificateLabel {
    /// That of the certificate in `der`; `None` where that is none, or has a key that we do not know.
    #[must_use]
    pub fn of(der: &[u8]) -> Option<Self> {
        let certificate = Certificate::from_der(der).ok()?;
        Some(Self {
            serial: certificate.serial(),
            subject: certificate.subject(),
            issuer: certificate.issuer(),
            spki_sha256: certificate.key().ok()?.spki_sha256(),
        })
    }
}
