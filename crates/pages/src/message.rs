//! A page that says one thing.

use askama::Template;

use crate::frame::Frame;

/// What is wrong, and what to do.
#[derive(Debug, Template)]
#[template(path = "message.html")]
pub struct Message {
    /// What stands around it.
    pub frame: Frame,
    /// What is wrong, in a line.
    pub title: String,
    /// What to do.
    pub next_step: String,
    /// The request's number, by which its lines are found in the log.
    pub request: Option<String>,
}
