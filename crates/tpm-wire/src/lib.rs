//! TPM 2.0 structures, commands and response codes.
//!
//! Readers are total functions over byte slices: they never panic, never allocate what a length
//! field claims, and keep numbers that they do not know as numbers. What was signed or hashed is
//! kept as the bytes that came, never as something encoded again.
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

mod alg;
mod error;
mod pcr;

pub use alg::{Digest, TpmAlgId};
pub use error::{ParseError, ParseErrorKind};
pub use pcr::{BANKS_MAX, PCR_COUNT, PcrBank, PcrSet};
