//! The event log of a host's last judgement, event by event.

use std::borrow::Borrow;

use askama::Template;

use crate::{frame::Frame, words::Badge};

/// One event, as the log has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoggedEvent {
    /// Its number, from 0.
    pub number: u32,
    /// The PCR; absent where it belongs to none.
    pub pcr: Option<u32>,
    /// What kind it says it is. No digest covers that.
    pub kind: String,
    /// What its data say, in words.
    pub description: String,
    /// `matches`, `contradicts`, `not-measured` or `unverifiable`: whether the digests are of the data.
    pub check: &'static str,
    /// Digests by bank, in hex.
    pub digests: Vec<(String, String)>,
    /// The data as lines of hex and text.
    pub hex: String,
    /// Bytes of the data that are not shown.
    pub n_hidden: usize,
}

impl LoggedEvent {
    fn checked(&self) -> Badge {
        match self.check {
            "matches" => Badge { word: "Data proved", look: "good" },
            "contradicts" => Badge { word: "Data contradicted", look: "bad" },
            "not-measured" => Badge { word: "Not measured", look: "note" },
            _ => Badge { word: "Digest alone", look: "note" },
        }
    }
}

/// The page.
#[derive(Debug, Template)]
#[template(path = "event_log.html")]
pub struct EventLog {
    /// What stands around it.
    pub frame: Frame,
    /// The host's identifier.
    pub host_id: String,
    /// The host's name.
    pub host: String,
    /// What was sought.
    pub sought: String,
    /// The PCR alone whose events are shown.
    pub pcr: Option<u32>,
    /// Events that fit.
    pub events: Vec<LoggedEvent>,
    /// Events of the whole log.
    pub n_events: usize,
    /// The number of the first event of the next page.
    pub next: Option<u32>,
    /// What is wrong with the log, in sentences.
    pub problems: Vec<String>,
}

impl EventLog {
    fn is_sought(&self, pcr: impl Borrow<u32>) -> bool {
        self.pcr == Some(*pcr.borrow())
    }

    fn address(&self, from: impl Borrow<u32>) -> String {
        let pcr = self.pcr.map(|pcr| format!("&pcr={pcr}")).unwrap_or_default();
        let sought = crate::text::in_address(&self.sought);
        format!("/hosts/{}/log?q={sought}{pcr}&from={}", self.host_id, from.borrow())
    }
}
