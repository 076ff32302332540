//! Parts of evidence as objects, in an S3-compatible store or in a folder.
//!
//! An object is written once under a name of its own ([`ObjectName`]) and never changed: a name that was removed is
//! never used again, so that a removal cannot meet a new reference, and no store needs conditional writes. What
//! refers to objects is a database, not this crate. The store is trusted for nothing: whoever reads an object checks
//! its digest.
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

mod activity;
mod connector;
mod error;
mod name;
mod objects;
mod place;

pub use activity::ObjectActivity;
pub use error::ObjectError;
pub use name::{ObjectName, ObjectNameError, Packed};
pub use objects::{Claim, Listed, Objects, STEP_MAX};
pub use place::{Addressing, Encryption, Place, PlaceError, S3, S3Keys};
