//! What an import of trust anchors did, as `bootproof trust import --json` prints it.

use serde::{Deserialize, Serialize};

/// What was found in the files, and what became of it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct TrustImport {
    /// Whether nothing was sent: only what would be imported is told.
    pub dry_run: bool,
    /// Certificates that are trusted now and were not before.
    pub imported: Vec<FoundCertificate>,
    /// Certificates that were trusted already.
    pub already_trusted: Vec<FoundCertificate>,
    /// Certificates that were not taken, with the reason.
    pub left_out: Vec<FoundCertificate>,
    /// Files that hold no certificate that can be used, with the reason.
    pub skipped: Vec<SkippedFile>,
}

/// A certificate in a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct FoundCertificate {
    /// SHA-256 of the certificate, in hex.
    pub sha256: String,
    /// Its subject.
    pub subject: String,
    /// `root`, `intermediate` or `end entity`, by what it says and who signed it.
    pub kind: String,
    /// Whose authority it is, where that is known by its fingerprint.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub known_as: Option<String>,
    /// The file, and the path in a cabinet.
    pub place: String,
    /// Why it was left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
}

/// A file without a certificate that can be used.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct SkippedFile {
    /// The file, and the path in a cabinet.
    pub place: String,
    /// Why.
    pub why: String,
}
