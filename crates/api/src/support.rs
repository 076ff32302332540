//! What lies in a support bundle: `MANIFEST.json` and the documents beside it.

use serde::{Deserialize, Serialize};

use crate::finding::Finding;

/// The number of this layout: it goes up where a reader of before would be wrong.
pub const FORMAT: u32 = 1;

/// `MANIFEST.json`: what is in the bundle, what was removed from it, and what is not in it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// [`FORMAT`].
    pub format: u32,
    /// Which program made it.
    pub program: String,
    /// Its version.
    pub version: String,
    /// When, in milliseconds since 1970; absent where the program reads no time of day.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub made_at_ms: Option<i64>,
    /// The machine's own name.
    pub machine: String,
    /// The files, but for this one.
    pub files: Vec<File>,
    /// What was removed.
    pub removed: Vec<Removed>,
    /// What is not in it, and why.
    pub left_out: Vec<LeftOut>,
}

/// A file of the bundle.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct File {
    /// Its name in the archive.
    pub name: String,
    /// Its bytes.
    pub n_bytes: u64,
    /// SHA-256 of them, in hex.
    pub sha256: String,
    /// Whether it is evidence, which is of use only as it was: nothing was looked for in it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub verbatim: bool,
}

/// Something that was removed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Removed {
    /// From which file.
    pub file: String,
    /// What kind of thing: `recovery key`, `private key`, `password`, `token`, `authorization`,
    /// `setting`, `comment`.
    pub what: String,
    /// The key of a setting.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// How often.
    pub n: u32,
}

/// Something that is not in the bundle, or not all of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeftOut {
    /// What.
    pub what: String,
    /// Why.
    pub why: String,
}

/// One host in `findings.json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct HostFindings {
    /// Its name.
    pub host: String,
    /// Its identifier on the server.
    pub host_id: String,
    /// Its last verdict; absent where there was none.
    pub verdict: Option<String>,
    /// When its evidence came, in milliseconds since 1970.
    pub at_ms: Option<i64>,
    /// When it was last heard of.
    pub last_seen_at_ms: Option<i64>,
    /// What was found.
    pub findings: Vec<Finding>,
}
