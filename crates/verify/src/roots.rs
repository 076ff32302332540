//! The certificates in which trust begins.

use core::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::certificate::{CERTIFICATE_BYTES_MAX, Certificate, CertificateError, SignatureFault};
use crate::key::PublicKey;
use crate::{hash, nv};

/// SHA-256 of a whole certificate in DER.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Fingerprint(pub [u8; 32]);

impl Fingerprint {
    /// The fingerprint of this certificate.
    pub fn of(der: &[u8]) -> Self {
        Self(hash::sha256(der))
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", tpm_wire::Hex(&self.0))
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Fingerprint({self})")
    }
}

/// A trusted certificate: of a vendor's root, of an intermediate that the operator chose to stop
/// at, or of a single endorsement key.
#[derive(Clone, Debug)]
pub struct Root {
    der: Vec<u8>,
    fingerprint: Fingerprint,
    subject: String,
    subject_der: Vec<u8>,
    key: PublicKey,
    may_issue: bool,
}

/// What a trusted certificate is, by what it says and who signed it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RootKind {
    /// An authority's, signed by itself.
    SelfSigned,
    /// An authority's, signed by another one: an intermediate to stop at.
    Intermediate,
    /// Of no authority: it vouches for itself alone.
    EndEntity,
}

impl RootKind {
    /// In words.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::SelfSigned => "root",
            Self::Intermediate => "intermediate",
            Self::EndEntity => "end entity",
        }
    }
}

impl Root {
    /// What it is. Checks its signature, where it says that it is its own.
    pub fn kind(&self) -> RootKind {
        match self.may_issue {
            false => RootKind::EndEntity,
            true if self.signed_itself() => RootKind::SelfSigned,
            true => RootKind::Intermediate,
        }
    }

    /// That a root signed itself with a weak hash proves as little as if it had not, and matters as
    /// little: it is trusted by its fingerprint.
    fn signed_itself(&self) -> bool {
        Certificate::from_der(&self.der).is_ok_and(|certificate| {
            let wrong = || certificate.check_signature(&self.key) == Err(SignatureFault::Wrong);
            certificate.is_self_issued() && !wrong()
        })
    }

    /// The certificate.
    pub fn der(&self) -> &[u8] {
        &self.der
    }

    /// Its fingerprint.
    pub const fn fingerprint(&self) -> Fingerprint {
        self.fingerprint
    }

    /// Its subject, as text for people.
    pub fn subject(&self) -> &str {
        &self.subject
    }

    /// The subject, exactly as encoded.
    pub(crate) fn subject_der(&self) -> &[u8] {
        &self.subject_der
    }

    pub(crate) const fn key(&self) -> &PublicKey {
        &self.key
    }

    /// Whether certificates may be issued by it, or only it itself is trusted.
    pub(crate) const fn may_issue(&self) -> bool {
        self.may_issue
    }
}

/// Why a certificate was not taken as a root.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("certificate {n} of the file cannot be a trust anchor")]
pub struct RootError {
    /// Which certificate of the file, from 1.
    pub n: usize,
    /// Why.
    #[source]
    pub source: RootErrorKind,
}

/// The reason of a [`RootError`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RootErrorKind {
    /// A PEM block without its end, or whose content is not Base64, or no block at all.
    #[error("no complete PEM block of a certificate")]
    Pem,
    /// Not a certificate that we can read and use.
    #[error(transparent)]
    Certificate(#[from] CertificateError),
}

/// The trusted certificates. Empty trusts nothing.
#[derive(Clone, Debug, Default)]
pub struct RootStore {
    roots: Vec<Root>,
}

impl RootStore {
    /// A store that trusts nothing.
    pub const fn new() -> Self {
        Self { roots: Vec::new() }
    }

    /// The certificates of all `CERTIFICATE` blocks in `pem`; other blocks and text between are
    /// passed over. An error where one cannot be used, or there is none.
    pub fn from_pem(pem: &str) -> Result<Self, RootError> {
        let mut store = Self::new();
        let mut n = 0;
        for block in (PemBlocks { rest: pem }) {
            n += 1;
            let der = block.ok_or(RootError { n, source: RootErrorKind::Pem })?;
            store.add(n, &der)?;
        }
        if n == 0 {
            return Err(RootError { n: 1, source: RootErrorKind::Pem });
        }
        Ok(store)
    }

    /// One certificate in DER, perhaps with padding behind it.
    pub fn from_der(der: &[u8]) -> Result<Self, RootError> {
        let mut store = Self::new();
        store.add(1, der)?;
        Ok(store)
    }

    /// The certificates of a file: PEM where it has a PEM block, else one certificate in DER.
    pub fn from_file_bytes(bytes: &[u8]) -> Result<Self, RootError> {
        match core::str::from_utf8(bytes) {
            Ok(text) if text.contains("-----BEGIN") => Self::from_pem(text),
            _ => Self::from_der(bytes),
        }
    }

    fn add(&mut self, n: usize, der: &[u8]) -> Result<(), RootError> {
        let root = read(der).map_err(|kind| RootError { n, source: kind.into() })?;
        if self.find(&root.fingerprint).is_none() {
            self.roots.push(root);
        }
        Ok(())
    }

    /// Takes over the certificates of `other` that are not here yet.
    pub fn extend(&mut self, other: Self) {
        for root in other.roots {
            if self.find(&root.fingerprint).is_none() {
                self.roots.push(root);
            }
        }
    }

    /// The trusted certificates, in the order in which they came.
    pub fn iter(&self) -> impl Iterator<Item = &Root> {
        self.roots.iter()
    }

    /// The certificate with this fingerprint.
    pub fn find(&self, fingerprint: &Fingerprint) -> Option<&Root> {
        self.iter().find(|root| root.fingerprint == *fingerprint)
    }

    /// Whether nothing is trusted.
    pub fn is_empty(&self) -> bool {
        self.roots.is_empty()
    }

    /// How many certificates are trusted.
    pub fn len(&self) -> usize {
        self.roots.len()
    }
}

fn read(file: &[u8]) -> Result<Root, CertificateError> {
    // Vendors publish files with a line break or padding behind the certificate.
    let der = nv::certificate(file).ok_or(CertificateError::Malformed)?.der;
    let certificate = Certificate::from_der(der)?;
    let key = certificate.key()?;
    // Roots older than X.509 v3 say nothing about themselves: the operator's choice says it.
    let may_issue = certificate.is_before_v3() || certificate.is_ca();
    Ok(Root {
        fingerprint: Fingerprint::of(der),
        subject: certificate.subject(),
        subject_der: certificate.subject_der().to_vec(),
        key,
        may_issue,
        der: der.to_vec(),
    })
}

/// The contents of the CERTIFICATE blocks of a PEM file; `None` stands for a broken one.
struct PemBlocks<'a> {
    rest: &'a str,
}

impl Iterator for PemBlocks<'_> {
    type Item = Option<Vec<u8>>;

    fn next(&mut self) -> Option<Self::Item> {
        let (_, block) = self.rest.split_once("-----BEGIN CERTIFICATE-----")?;
        let Some((text, rest)) = block.split_once("-----END CERTIFICATE-----") else {
            self.rest = "";
            return Some(None);
        };
        self.rest = rest;
        // Base64 is a third longer than what it holds, and a line break follows each 64 bytes.
        if text.len() > CERTIFICATE_BYTES_MAX * 2 {
            return Some(None);
        }
        let text: String = text.split_ascii_whitespace().collect();
        Some(STANDARD.decode(text).ok())
    }
}
