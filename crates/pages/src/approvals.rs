//! What waits for a person.

use api::approval::{Kind, Waiting};
use askama::Template;

use crate::frame::Frame;

/// The page.
#[derive(Debug, Template)]
#[template(path = "approvals.html")]
pub struct Approvals {
    /// What stands around it.
    pub frame: Frame,
    /// What waits.
    pub waiting: Vec<Waiting>,
    /// Where the next page begins.
    pub next_cursor: Option<String>,
}

/// What it is, and what a yes would mean.
pub(crate) const fn what(waiting: &Waiting) -> (&'static str, &'static str) {
    match waiting.kind {
        Kind::Host => ("A new host", "it is judged from then on"),
        Kind::Tpm => ("Another TPM", "it takes the place of the enrolled one"),
        Kind::Reference => ("A reference", "hosts are held to it"),
    }
}
