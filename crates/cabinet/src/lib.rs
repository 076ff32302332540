//! Cabinets: the archives in which Microsoft publishes the roots of TPM vendors (TrustedTpm.cab).
//!
//! [`read`] unpacks one in memory, each folder once, within limits. Nothing is ever written to a
//! file, so that names are only shown. A signature of the cabinet (Authenticode) is not looked at:
//! what is in it is as good as the way it came, and certificates are known by their fingerprints.
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

mod block;
mod error;
mod read;

pub use error::CabinetError;
pub use read::{
    Cabinet, FILES_MAX, FOLDERS_MAX, File, NAME_BYTES_MAX, UNPACKED_BYTES_MAX, is_cabinet, read,
};
