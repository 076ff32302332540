//! Manifests of vendors: signed statements of what the firmware of a model measures.
//!
//! [`BaseRim::verify`] reads a base RIM of the TCG: a SWID tag with a signature. Only what that
//! signature covers is ever looked at, and only the log that it names by its digests becomes a
//! [`Baseline`](references::Baseline), by [`BaseRim::baseline`]. [`Corim::verify`] does the same for a
//! signed CoRIM that says values of PCRs.
//!
//! Trust: an operator names the certificate of the signer, or roots; nothing is read without.
//! [TCG-RIM-1.01], [PC-RIM-1.04], [CORIM-11]
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

mod canonical;
mod cbor;
mod corim;
mod error;
mod rim;
mod signature;
mod tree;

pub use corim::Corim;
pub use error::ManifestError;
pub use rim::{BaseRim, FILES_MAX, FIRMWARE_PCRS, NamedFile};
pub use tree::MANIFEST_BYTES_MAX;
