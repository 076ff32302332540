//! What a backup says of itself.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// The version of the format: what is written here. Older ones are read, newer ones are refused.
pub const FORMAT: u32 = 1;

/// The name of the first entry.
pub(crate) const HEADER: &str = "HEADER.json";
/// The name of the last entry.
pub(crate) const MANIFEST: &str = "MANIFEST.json";
/// The folder of rows.
pub(crate) const TABLES: &str = "tables/";

/// What comes first: enough to refuse what cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    /// See [`FORMAT`].
    pub format: u32,
    /// 16 random bytes, in hex: which backup this is.
    pub id: String,
    /// The program that wrote it.
    pub program: String,
    /// The version of the store's schema.
    pub schema: i64,
    /// The kind of store that it was: `sqlite` or `postgresql`. It may be restored into the other one.
    pub store: String,
    /// When it was begun, Unix milliseconds. What was acknowledged before is in it.
    pub created_at_ms: i64,
}

/// What comes last: all that is in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// The header once more.
    pub header: Header,
    /// How many rows each table has, in the order in which they come.
    pub tables: Vec<TableCount>,
    /// The highest numbers that were given, by table.
    pub numbers: BTreeMap<String, i64>,
    /// Entries of the archive with rows.
    pub parts: Vec<Part>,
    /// Files of the server.
    pub files: Vec<KeptFile>,
    /// The end of the audit log.
    pub audit: AuditEnd,
}

/// A table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TableCount {
    /// Its name.
    pub name: String,
    /// Its rows.
    pub n_rows: u64,
}

/// An entry of the archive.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    /// Its name.
    pub name: String,
    /// Its length.
    pub n_bytes: u64,
    /// SHA-256 of its bytes, in hex.
    pub sha256: String,
}

/// What a file of the server is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileKind {
    /// Of its data folder: it is put back.
    Data,
    /// Named by its configuration, or the configuration itself: it is shown to who restores.
    Config,
}

impl FileKind {
    /// The folder of the archive.
    pub(crate) const fn folder(self) -> &'static str {
        match self {
            Self::Data => "files/data/",
            Self::Config => "files/config/",
        }
    }
}

/// Whether a name of a file leads out of no folder, and hides nothing.
pub(crate) fn is_plain(name: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    !name.is_empty() && !name.starts_with('.') && name.chars().all(plain)
}

/// A file of the server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptFile {
    /// Its entry.
    #[serde(flatten)]
    pub part: Part,
    /// Where it lay.
    pub path: String,
}

/// The last row of the audit log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditEnd {
    /// Its number; 0 where there is none.
    pub seq: i64,
    /// Its seal, in hex; zeros where there is none. Compare it with a checkpoint that was kept elsewhere.
    pub sha256: String,
}
