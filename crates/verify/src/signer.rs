//! Who signed a document of a vendor: its certificate, up to what an operator named.

use aws_lc_rs::signature::UnparsedPublicKey;
use x509_parser::extensions::ParsedExtension;

use crate::ak::{plain_signature, pss_salt_of_digest};
use crate::certificate::{Certificate, CertificateError};
use crate::chain::{self, UntrustedCause};
use crate::ek_cert::{INTERMEDIATES_MAX, is_known_critical};
use crate::hash::StrongHash;
use crate::key::{KeyError, PublicKey};
use crate::roots::{Fingerprint, RootError, RootStore};
use crate::time::UnixTime;
use crate::{der, nv};

/// What vouches for the signer of a document. There is none that trusts everybody.
#[derive(Clone, Debug)]
pub struct SignerAnchor(Kind);

#[derive(Clone, Debug)]
enum Kind {
    Pinned(Vec<u8>),
    Roots(RootStore),
}

/// Why there is nothing that could vouch for a signer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AnchorError {
    /// No certificates, or one that cannot be read or used.
    #[error("the file holds no certificates that can be read")]
    Unreadable(#[source] RootError),
    /// More than one certificate where the signer's own is meant.
    #[error("the file holds {n} certificates: which is the signer's is not clear")]
    Several {
        /// How many.
        n: usize,
    },
    /// Nobody is trusted.
    #[error("no certificate is trusted")]
    Empty,
}

impl SignerAnchor {
    /// Exactly the certificate in this file, PEM or DER, may have signed. Its dates do not count
    /// then: the operator says that it is right, and firmware outlives its signer's certificate.
    pub fn pinned(file: &[u8]) -> Result<Self, AnchorError> {
        let read = RootStore::from_file_bytes(file).map_err(AnchorError::Unreadable)?;
        let mut certificates = read.iter();
        match (certificates.next(), certificates.next()) {
            (Some(only), None) => Ok(Self(Kind::Pinned(only.der().to_vec()))),
            _ => Err(AnchorError::Several { n: read.len() }),
        }
    }

    /// Whoever has a certificate of one of `roots` for signing may have signed.
    pub fn roots(roots: RootStore) -> Result<Self, AnchorError> {
        if roots.is_empty() {
            return Err(AnchorError::Empty);
        }
        Ok(Self(Kind::Roots(roots)))
    }
}

/// Why nobody that is trusted signed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SignerError {
    /// The document has no certificate of its signer, and the operator named only roots.
    #[error("it does not carry the certificate of its signer")]
    NoCertificate,
    /// The document names another signer than the one that the operator pinned.
    #[error("it was signed by {subject:?}, which is not the pinned certificate")]
    Another {
        /// Who it says that signed.
        subject: String,
    },
    /// More certificates than a chain has.
    #[error("{have} certificates came along, more than {INTERMEDIATES_MAX}")]
    TooManyCertificates {
        /// How many came.
        have: usize,
    },
    /// The certificate cannot be read.
    #[error("the certificate of the signer cannot be read")]
    Malformed(#[source] CertificateError),
    /// No way leads to what the operator trusts.
    #[error("no chain leads from the signer {subject:?} to a trusted certificate")]
    Untrusted {
        /// Its subject.
        subject: String,
        /// Why.
        #[source]
        cause: UntrustedCause,
    },
    /// The certificate is not one for signing.
    #[error("the certificate {subject:?} is not one for signing code or data: {why}")]
    WrongUse {
        /// Its subject.
        subject: String,
        /// In which way.
        why: &'static str,
    },
    /// The key cannot be used.
    #[error("the key of the signer cannot be used")]
    Key(#[source] KeyError),
    /// A certificate of the chain is not valid at this time.
    #[error("the certificate {subject:?} has expired, or is not valid yet")]
    OutOfDate {
        /// Its subject.
        subject: String,
    },
}

/// Somebody whose certificate leads to what the operator trusts. Only [`verify_signer`] makes one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifiedSigner {
    subject: String,
    fingerprint: Fingerprint,
    anchor: Fingerprint,
    key: PublicKey,
}

/// How a document was signed. ECDSA signatures are r and s, each as long as the field of the curve.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignatureScheme {
    /// RSASSA-PKCS1-v1_5.
    RsaPkcs1(StrongHash),
    /// RSASSA-PSS with a salt as long as the digest.
    RsaPss(StrongHash),
    /// ECDSA.
    Ecdsa(StrongHash),
}

/// A signature that the signer's key did not make over these bytes, or cannot make at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the signature is not one by the signer's key over these bytes")]
pub struct SignatureMismatch;

impl VerifiedSigner {
    /// The subject of the certificate.
    pub fn subject(&self) -> &str {
        &self.subject
    }

    /// SHA-256 of the certificate.
    pub const fn fingerprint(&self) -> Fingerprint {
        self.fingerprint
    }

    /// SHA-256 of the certificate that the operator trusts: the same where it was pinned.
    pub const fn anchor(&self) -> Fingerprint {
        self.anchor
    }

    /// Whether this signer made `signature` over `message`.
    pub fn check(
        &self,
        scheme: SignatureScheme,
        message: &[u8],
        signature: &[u8],
    ) -> Result<(), SignatureMismatch> {
        let (algorithm, der) = match (scheme, &self.key) {
            (SignatureScheme::RsaPkcs1(hash), PublicKey::Rsa(_)) => {
                (plain_signature(&self.key, hash).ok_or(SignatureMismatch)?, None)
            }
            (SignatureScheme::RsaPss(hash), PublicKey::Rsa(_)) => (pss_salt_of_digest(hash), None),
            (SignatureScheme::Ecdsa(hash), PublicKey::Ec(key)) => {
                let len = key.curve().field_len();
                let (r, s) = signature.split_at_checked(len).ok_or(SignatureMismatch)?;
                if s.len() != len {
                    return Err(SignatureMismatch);
                }
                let der = der::sequence(&[&der::unsigned(r), &der::unsigned(s)]);
                (plain_signature(&self.key, hash).ok_or(SignatureMismatch)?, Some(der))
            }
            _ => return Err(SignatureMismatch),
        };
        UnparsedPublicKey::new(algorithm, self.key.bare())
            .verify(message, der.as_deref().unwrap_or(signature))
            .map_err(|_| SignatureMismatch)
    }
}

/// Checks whose certificate a document carries: `untrusted_chain` begins with the signer's own, and
/// may be empty where the signer is pinned.
///
/// In order: the pinned certificate, or the chain to a root; then, where it is not pinned, that it
/// is one for signing, and the dates of each certificate below the root. Revocation lists are not
/// read. Trust: that this signer made a signature is for [`VerifiedSigner::check`] to say.
pub fn verify_signer(
    untrusted_chain: &[&[u8]],
    anchor: &SignerAnchor,
    now: UnixTime,
) -> Result<VerifiedSigner, SignerError> {
    if untrusted_chain.len() > INTERMEDIATES_MAX {
        return Err(SignerError::TooManyCertificates { have: untrusted_chain.len() });
    }
    let read = |bytes| {
        let malformed = SignerError::Malformed(CertificateError::Malformed);
        let der = nv::certificate(bytes).ok_or(malformed)?.der;
        Ok((Certificate::from_der(der).map_err(SignerError::Malformed)?, Fingerprint::of(der)))
    };
    let signer = |leaf: &Certificate<'_>, fingerprint, anchor| {
        let key = leaf.key().map_err(SignerError::Key)?;
        Ok(VerifiedSigner { subject: leaf.subject(), fingerprint, anchor, key })
    };
    let (roots, Some((leaf, above))) = (match &anchor.0 {
        Kind::Pinned(der) => {
            let (pinned, fingerprint) = read(der)?;
            if let Some(named) = untrusted_chain.first() {
                let (named, other) = read(named)?;
                if other != fingerprint {
                    return Err(SignerError::Another { subject: named.subject() });
                }
            }
            return signer(&pinned, fingerprint, fingerprint);
        }
        Kind::Roots(roots) => (roots, untrusted_chain.split_first()),
    }) else {
        return Err(SignerError::NoCertificate);
    };
    let (leaf, fingerprint) = read(leaf)?;
    let above: Vec<_> = above.iter().filter_map(|bytes| read(bytes).ok()).collect();
    let above: Vec<_> = above.into_iter().map(|(certificate, _)| certificate).collect();
    let subject = || leaf.subject();
    let path = chain::find(&leaf, &fingerprint, &above, roots)
        .map_err(|cause| SignerError::Untrusted { subject: subject(), cause })?;
    check_use(&leaf).map_err(|why| SignerError::WrongUse { subject: subject(), why })?;
    let issuers = path.intermediates.iter().filter_map(|at| above.get(*at));
    for part in core::iter::once(&leaf).chain(issuers) {
        if !(part.not_before()..=part.not_after()).contains(&now) {
            return Err(SignerError::OutOfDate { subject: part.subject() });
        }
    }
    signer(&leaf, fingerprint, path.root)
}

/// Not of a CA; keyUsage, where present, allows signatures; extKeyUsage, where present, allows code
/// signing: a certificate of a web server by the same CA vouches for nothing.
fn check_use(leaf: &Certificate<'_>) -> Result<(), &'static str> {
    if leaf.is_ca() {
        return Err("it is one of a certificate authority");
    }
    for extension in leaf.extensions() {
        match extension.parsed_extension() {
            ParsedExtension::KeyUsage(usage)
                if !usage.digital_signature() && !usage.non_repudiation() =>
            {
                return Err("its key may not make signatures");
            }
            ParsedExtension::ExtendedKeyUsage(usage) if !usage.code_signing && !usage.any => {
                return Err("its extended key usage is another than code signing");
            }
            _ => {}
        }
        if extension.critical && !is_known_critical(extension.oid.as_bytes()) {
            return Err("it has a critical extension that is not known");
        }
    }
    Ok(())
}
