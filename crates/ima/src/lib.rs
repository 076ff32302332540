//! The run-time measurement list of the Linux Integrity Measurement Architecture (IMA): which files
//! the kernel executed, mapped or opened, each extended into a PCR, most often PCR 10.
//!
//! [`parse`] reads a list, binary or as text; [`replay`] says up to which entry it is the one that
//! a quoted PCR stands for; [`judge`] holds those entries against an [`AllowList`] and the
//! certificates of who may sign files. Only what a replay covers is believed. Entries behind that
//! were measured between the quote and the reading of the list: the next quote covers them.
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

mod aggregate;
mod allow;
mod ascii;
mod binary;
mod judge;
mod list;
mod replay;
mod signature;
mod template;

pub use aggregate::{BootAggregate, boot_aggregate};
pub use allow::{ALLOW_LIST_BYTES_MAX, AllowList, AllowListError, AllowListFault};
pub use judge::{Objection, ObjectionKind, judge};
pub use list::{ENTRIES_MAX, Entry, Format, LIST_BYTES_MAX, List, Problem, ProblemKind, parse};
pub use replay::{Convention, Mismatch, Replayed, replay};
pub use signature::{FileSignature, SignatureFault};
pub use template::{FileDigest, Measured};
