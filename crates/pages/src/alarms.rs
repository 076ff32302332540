//! What stands against hosts: by cause, and the hosts under each.

use api::alarm::{Alarm, AlarmGroup};
use askama::Template;

use crate::frame::Frame;

/// All causes.
#[derive(Debug, Template)]
#[template(path = "alarms.html")]
pub struct Alarms {
    /// What stands around it.
    pub frame: Frame,
    /// The causes, the worst first.
    pub groups: Vec<AlarmGroup>,
}

/// One cause, with its hosts.
#[derive(Debug, Template)]
#[template(path = "alarm.html")]
pub struct AlarmHosts {
    /// What stands around it.
    pub frame: Frame,
    /// The finding's code.
    pub code: String,
    /// A line that names it.
    pub title: String,
    /// Its alarms, newest first.
    pub alarms: Vec<Alarm>,
    /// What to pass as `cursor` for the next page.
    pub next_cursor: Option<String>,
    /// Whether those that are over are shown, too.
    pub cleared: bool,
}

impl AlarmHosts {
    /// Whether somebody knows of one of them, or may, on another page.
    fn is_acknowledged(&self) -> bool {
        self.next_cursor.is_some()
            || self.alarms.iter().any(|alarm| alarm.acknowledgement.is_some())
    }
}
