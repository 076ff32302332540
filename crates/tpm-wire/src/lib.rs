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
mod attest;
mod attributes;
pub mod command;
mod error;
mod handle;
mod hex;
mod pcr;
mod policy_digest;
mod public;
mod rc;
mod rc_table;
mod reader;
mod selection;
mod signature;
pub mod template;
mod writer;

pub use alg::{Digest, TpmAlgId};
pub use attest::{
    ATTEST_LEN_MAX, Attested, ClockInfo, DIGEST_LEN_MAX, NAME_LEN_MAX, QUALIFYING_DATA_LEN_MAX,
    TPM_GENERATED, TPM_ST_ATTEST_CERTIFY, TPM_ST_ATTEST_QUOTE, TpmsAttest,
};
pub use attributes::ObjectAttributes;
pub use error::{ParseError, ParseErrorKind};
pub use handle::Handle;
pub use hex::Hex;
pub use pcr::{BANKS_MAX, PCR_COUNT, PcrBank, PcrSet};
pub use public::{
    PUBLIC_LEN_MAX, PublicArea, PublicKey, Scheme, Symmetric, TpmEccCurve, TpmtPublic,
};
pub use rc::{Position, ResponseCode};
pub use reader::Reader;
pub use selection::PcrSelection;
pub use signature::{ECC_LEN_MAX, RSA_LEN_MAX, TpmtSignature};
pub use writer::{EncodeError, Writer};
