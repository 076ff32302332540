//! Reports of a fleet as documents: facts in, bytes out; no clock, no socket, no store.
//!
//! The report is its JSON ([`json`]): those bytes are signed. PDF, HTML and CSV are made of the same facts,
//! and name the SHA-256 of the JSON. What a report tells stands in `section`, once, as headings,
//! paragraphs and tables; [`pdf`] and [`html`] only draw it, so that they cannot say two things.
//!
//! Host names, paths and what machines say of themselves are untrusted: all text goes through the rules of
//! [`pages::text`]. What no evidence shows is `not checked`, and never counts as met.
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

mod attachments;
mod control;
mod host;
mod html;
mod pdf;
mod readiness;
mod section;
mod summary;
mod table;
mod time;
mod zip;

pub use attachments::attachments;
pub use control::{ControlRow, control_answers, controls};
pub use host::{Standing, reported};
pub use html::html;
pub use pdf::{Attached, PdfError, pdf};
pub use readiness::{READINESS, ReadinessRow, readiness};
pub use summary::summarise;
pub use table::{cell, csv};
pub use zip::{ZipError, ZipFile, zip};

use api::fleet_report::Report;

/// The bytes of a report that are signed: its JSON, in one line. Fields have the order of their
/// declaration and maps that of their keys, so that equal reports have equal bytes.
pub fn json(report: &Report) -> Result<Vec<u8>, serde_json::Error> {
    let mut json = serde_json::to_vec(report)?;
    // It grew by doubling, and is kept while its pages are made: of a large fleet that is some 20 MiB.
    json.shrink_to_fit();
    Ok(json)
}

/// SHA-256 in hex.
pub fn sha256(bytes: &[u8]) -> String {
    hex::encode(aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, bytes))
}
