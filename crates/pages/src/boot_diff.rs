//! Two boots of a host beside each other.

use api::boot_diff::BootDiff;
use askama::Template;

use crate::{frame::Frame, host::Past};

/// The page.
#[derive(Debug, Template)]
#[template(path = "boot_diff.html")]
pub struct BootDiffPage {
    /// What stands around it.
    pub frame: Frame,
    /// The host's identifier.
    pub host_id: String,
    /// What is different.
    pub diff: BootDiff,
    /// Judgements that can be compared, newest first.
    pub history: Vec<Past>,
    /// Whether the later one is the host's last, and only references speak against it: then it can be accepted.
    pub can_be_accepted: bool,
}
