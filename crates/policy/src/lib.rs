//! A policy file: TOML text -> [`appraise::Policy`].
//!
//! One typed file says what must hold for a host to be accepted; `docs/policy.md` has every key.
//! A key that is left out has its default, one that is not known is an error with line and column,
//! and so is each value that would take the proof away: which those are is for `appraise` to say.
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

mod alike;
mod defaults;
mod error;
mod expiry;
mod files;
mod load;
mod read;
mod site_rules;

pub use alike::alike;
pub use defaults::defaults;
pub use error::PolicyError;
pub use files::{FolderFiles, NAMED_FILE_BYTES_MAX, NamedFiles, NoFiles};
pub use load::{LoadError, load};
pub use read::{named_files, read, read_with};

/// Bytes of a policy file. A rule with a long reason for each finding of the catalogue is below
/// 20 KiB.
pub const POLICY_BYTES_MAX: usize = 64 * 1024;

/// Characters of a waiver's reason: a line in a table, or a ticket's address.
pub const REASON_CHARS_MAX: usize = 200;

/// Seconds for which a verdict may count: a year. More is a typing error.
pub const GOOD_FOR_S_MAX: u64 = 366 * 24 * 3600;
