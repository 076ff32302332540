//! A store in one file: what a server needs to go on elsewhere.
//!
//! A file is a tar archive, compressed with zstd, and encrypted to recipients in the format of age where there
//! are any: `age -d`, `zstd -d` and `tar -x` open it without us. In it lie, in this order: `HEADER.json`
//! ([`Header`]), files of the server, rows of the store as JSON lines, and `MANIFEST.json` ([`Manifest`]) with the
//! number and the SHA-256 of all before, and the end of the audit log. It is written and read in one pass, and
//! memory does not grow with it.
//!
//! Trust: nothing in a file counts before [`read`] returned its manifest. Digests find damage, not deceit: who can
//! write to an unencrypted file can make a sound one. What vouches for a backup is who kept it.
#![cfg_attr(
    not(test),
    deny(
        clippy::as_conversions,
        clippy::indexing_slicing,
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic
    )
)]

pub mod age;
mod audit;
mod manifest;
mod ratio;
mod read;
mod rows;
mod write;

pub use audit::AuditFault;
pub use manifest::{AuditEnd, FORMAT, FileKind, Header, KeptFile, Manifest, Part, TableCount};
pub use read::{Item, ReadError, read};
pub use write::Writer;

/// Most bytes of one file of the server: a policy has 64 KiB at most, a list of revoked images some megabytes.
pub const FILE_BYTES_MAX: u64 = 16 * 1024 * 1024;
