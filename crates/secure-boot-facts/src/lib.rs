//! What the world knows of Secure Boot, apart from any host: the certificate authorities that
//! firmware ships with, keys that were made for tests and got into products, images that were
//! revoked, and levels of SBAT.
//!
//! Tables are data with a source and a date each; `cargo xtask dbx-table` writes the large one.
//! Nothing here trusts or refuses anything: that is decided where a host is judged.
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

mod authority;
mod date;
mod dbx;
mod revocations;
mod sbat;
mod test_key;

pub use authority::{
    Era, KNOWN_AUTHORITIES, KnownAuthority, Place, fingerprint, is_authority_of, known_authority,
};
pub use date::Date;
pub use dbx::{Architecture, DBX_DATE, Release, Revoked, published, releases};
pub use revocations::{
    DbxState, DbxUpdateError, REVOCATIONS_BYTES_MAX, REVOCATIONS_MAX, Revocations, RevokedBy,
};
pub use sbat::{SBAT_LEVELS, SbatLevel, sbat_date};
pub use test_key::{TestKey, is_test_subject, test_key};
