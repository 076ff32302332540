//! What a BMC's Redfish resources say of a host's TPM, Secure Boot and TXT settings, what is wrong
//! with them, and an exact plan to mend it.
//!
//! No network and no clock. [`Walk`] says which resources it wants and takes what came; whether they
//! come over HTTPS or out of a saved [`Tree`] it does not know. What it gathered is a [`Snapshot`].
//! Everything in it is what a BMC says: it is untrusted, bounded, and proves nothing about a boot.
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

pub mod assess;
mod json;
mod path;
pub mod plan;
mod profile;
pub mod registry;
mod scalar;
mod snapshot;
pub mod system;
mod tree;
pub mod vendor;
mod walk;

pub use assess::assess;
pub use path::{PATH_BYTES_MAX, PathError, ResourcePath};
pub use plan::plan;
pub use profile::{Profile, TxtRule};
pub use scalar::{Scalar, TEXT_CHARS_MAX};
pub use snapshot::{Resource, Snapshot, Unread};
pub use system::{System, read};
pub use tree::{Tree, TreeError};
pub use walk::{Answer, Ask, BODY_BYTES_MAX, Expand, RESOURCES_MAX, Walk};
