//! Who may sign files: certificates of an operator, against which signatures over digests that
//! somebody else made are checked.

use aws_lc_rs::digest::{self, Digest};
use aws_lc_rs::signature::UnparsedPublicKey;
use x509_parser::extensions::ParsedExtension;

use crate::certificate::{Certificate, CertificateError};
use crate::hash::StrongHash;
use crate::key::PublicKey;
use crate::roots::{Fingerprint, RootError, RootStore};

/// Signers in one keyring. Each signature of a file may name only some of them, and a
/// distribution has fewer than ten.
pub const FILE_SIGNERS_MAX: usize = 256;

/// One who may sign files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileSigner {
    subject: String,
    fingerprint: Fingerprint,
    key: PublicKey,
    ids: Vec<[u8; 4]>,
}

/// Those who may sign files. Empty: nobody may.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FileSigners {
    signers: Vec<FileSigner>,
}

/// Why a file was not taken as one of signers.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FileSignersError {
    /// It has no certificates, or one that cannot be read or used.
    #[error("the file holds no certificates that can be read")]
    Unreadable(#[source] RootError),
    /// More than [`FILE_SIGNERS_MAX`].
    #[error("more than {FILE_SIGNERS_MAX} certificates of signers")]
    TooMany,
}

impl FileSigner {
    /// The subject of its certificate, for people.
    pub fn subject(&self) -> &str {
        &self.subject
    }

    /// SHA-256 of its certificate.
    pub const fn fingerprint(&self) -> Fingerprint {
        self.fingerprint
    }

    /// Whether it made `signature`, PKCS #1 v1.5 or ECDSA in DER, over what `hash` gave `digest`
    /// for. Trust: `digest` must be the one that was measured; nothing here has seen the file.
    pub fn signed(&self, hash: StrongHash, digest: &[u8], signature: &[u8]) -> bool {
        let Ok(digest) = Digest::import_less_safe(digest, hash.digest()) else { return false };
        let Some(algorithm) = crate::ak::plain_signature(&self.key, hash) else { return false };
        UnparsedPublicKey::new(algorithm, self.key.bare()).verify_digest(&digest, signature).is_ok()
    }
}

impl FileSigners {
    /// Nobody.
    pub const fn new() -> Self {
        Self { signers: Vec::new() }
    }

    /// Adds the certificates of a file, PEM or DER. They need not be of a CA, and their dates do
    /// not count: a file stays signed when the certificate of its signer has ended.
    pub fn add_file_bytes(&mut self, bytes: &[u8]) -> Result<(), FileSignersError> {
        let unreadable = FileSignersError::Unreadable;
        let read = RootStore::from_file_bytes(bytes).map_err(unreadable)?;
        for (n, root) in read.iter().enumerate() {
            if self.signers.len() >= FILE_SIGNERS_MAX {
                return Err(FileSignersError::TooMany);
            }
            let fault = |source| unreadable(RootError { n: n + 1, source });
            let certificate = Certificate::from_der(root.der()).map_err(|err| fault(err.into()))?;
            let key = certificate.key().map_err(|err| fault(CertificateError::from(err).into()))?;
            self.signers.push(FileSigner {
                subject: certificate.subject(),
                fingerprint: root.fingerprint(),
                ids: key_ids(&certificate, &key),
                key,
            });
        }
        Ok(())
    }

    /// Those with this key identifier: the last four bytes of the subject key identifier of the
    /// certificate, or of the SHA-1 of the bare key.
    pub fn with_id(&self, id: [u8; 4]) -> impl Iterator<Item = &FileSigner> {
        self.signers.iter().filter(move |signer| signer.ids.contains(&id))
    }

    /// Whether nobody may sign.
    pub fn is_empty(&self) -> bool {
        self.signers.is_empty()
    }

    /// How many may sign.
    pub fn len(&self) -> usize {
        self.signers.len()
    }
}

fn key_ids(certificate: &Certificate<'_>, key: &PublicKey) -> Vec<[u8; 4]> {
    let hashed = digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, &key.bare());
    let said = certificate.extensions().find_map(|extension| match extension.parsed_extension() {
        ParsedExtension::SubjectKeyIdentifier(id) => id.0.last_chunk::<4>().copied(),
        _ => None,
    });
    let mut ids: Vec<_> = hashed.as_ref().last_chunk::<4>().copied().into_iter().collect();
    ids.extend(said.filter(|said| !ids.contains(said)));
    ids
}
