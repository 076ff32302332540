//! Why a manifest is not used.

use references::ContentFault;
use verify::{SignatureMismatch, SignerError};

use crate::rim::FILES_MAX;
use crate::tree::MANIFEST_BYTES_MAX;

/// Characters of the manifest's own words in an error.
const SHOWN_CHARS_MAX: usize = 120;

/// Why a manifest is not used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ManifestError {
    /// More than [`MANIFEST_BYTES_MAX`] bytes.
    #[error("it has {have} bytes, more than {MANIFEST_BYTES_MAX}")]
    Size {
        /// Bytes that came.
        have: usize,
    },
    /// Not XML without a document type.
    #[error("it cannot be read as XML: {why}")]
    Xml {
        /// Why.
        why: String,
    },
    /// A form that no manifest needs, or another one than the standard's.
    #[error("{what}")]
    Form {
        /// Which.
        what: &'static str,
    },
    /// An algorithm, a transform or a reference that is not accepted.
    #[error("its signature has {what} {have:?}, which is not accepted")]
    Algorithm {
        /// Of what.
        what: &'static str,
        /// Its name.
        have: String,
    },
    /// Nobody that is trusted signed it.
    #[error("its signer is not trusted")]
    Signer(#[source] SignerError),
    /// The signature is wrong.
    #[error("its signature is wrong")]
    Signature(#[source] SignatureMismatch),
    /// The signature is right, and what it covers is not what was signed.
    #[error("it was changed after it was signed")]
    Changed,
    /// It does not say something that it must.
    #[error("it does not say {what}")]
    Missing {
        /// What.
        what: &'static str,
    },
    /// It is for something else.
    #[error("it is {have:?}, not a manifest of the firmware of a PC")]
    Other {
        /// What it says to be.
        have: String,
    },
    /// It names more than [`FILES_MAX`] files.
    #[error("it names {have} files, more than {FILES_MAX}")]
    TooManyFiles {
        /// How many.
        have: usize,
    },
    /// It names a file without a digest of SHA-256 or better.
    #[error("it names the file {name:?} without a usable digest")]
    NoDigest {
        /// The file.
        name: String,
    },
    /// A file that it names did not come along.
    #[error("it names the file {name:?}, which is not there")]
    NoFile {
        /// The file.
        name: String,
    },
    /// A file is not the one that it names.
    #[error("{name:?} is not the file that it names: its digest is another")]
    OtherFile {
        /// The file.
        name: String,
    },
    /// A file came along that it does not name.
    #[error("it does not name the file {name:?}")]
    Unnamed {
        /// The file.
        name: String,
    },
    /// Not one log among its files.
    #[error("it names {have} event logs, not one")]
    Logs {
        /// How many.
        have: usize,
    },
    /// The log cannot be read to its end.
    #[error("the log {name:?} cannot be read: {why}")]
    Log {
        /// The file.
        name: String,
        /// Why.
        why: String,
    },
    /// What the log says makes no reference.
    #[error("its log makes no reference")]
    Content(#[source] ContentFault),
}

/// Words of a manifest for an error: some characters, none that steers a terminal.
pub(crate) fn shown(text: &str) -> String {
    let plain = |c: char| if c.is_control() { '\u{fffd}' } else { c };
    text.chars().take(SHOWN_CHARS_MAX).map(plain).collect()
}
