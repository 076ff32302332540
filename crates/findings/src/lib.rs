//! The catalogue of findings.
//!
//! A finding says what was found, never that a step could not be done (that is an error, which
//! becomes a finding at the edge). Each has a stable kebab-case code, typed arguments, a pointer
//! into the evidence, a severity, a cause and a next step. One table, [`CATALOGUE`], holds what
//! does not depend on the arguments; command line, pages, documents and log analysis read it.
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

mod catalogue;
mod finding;
pub mod response_code;

pub use catalogue::{CATALOGUE, Code, Entry, Group, Severity};
pub use finding::{Argument, Finding, Pointer};
