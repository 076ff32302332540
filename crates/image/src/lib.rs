//! UEFI images as files: what firmware measures of one before it runs, and what it is made of.
//!
//! [`Image::parse`] reads the headers of a PE/COFF file; [`Image::authenticode`] is the digest that
//! stands in PCR 4 and in db and dbx, which leaves the signature out; [`Image::flat`] is another
//! thing, the digest of the file as it lies on disk, that boot loaders measure into PCR 9.
//! [`Image::signatures`] shows what is in the signatures, [`uki::measured_sections`] what the stub
//! of a unified kernel image measures into PCR 11.
//!
//! Trust: files come from whoever gives them. No signature is verified here: names of signers are
//! what the file says, and fields say so. What an administrator vouches for are the files.
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

mod authenticode;
mod pe;
mod sbat;
mod signature;
pub mod uki;

pub use pe::{IMAGE_BYTES_MAX, Image, ImageError, SECTIONS_MAX, Section};
pub use sbat::{SBAT_ROWS_MAX, SbatRow, sbat_rows};
pub use signature::{
    CERTIFICATES_MAX, SIGNATURES_MAX, Signature, SignatureFault, UntrustedCertificate,
};
