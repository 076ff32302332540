//! What is kept of the lines with one signature on one host.

use std::{collections::BTreeSet, sync::Arc};

use crate::{host::HostName, time::LogTime};

/// How much of a line is kept as evidence: a line of vpxd with its fields has about 300 bytes.
pub const EVIDENCE_BYTES_MAX: usize = 512;
/// How many lines are kept of one signature on one host: the first, and two that show it lasts.
pub const EVIDENCE_LINES_MAX: usize = 3;

/// Where a line stands.
#[derive(Clone, Debug)]
pub struct Place {
    /// The file, as it is called.
    pub file: Arc<str>,
    /// The host that wrote the file, where its name or folder says so.
    pub host: Option<HostName>,
    /// The year of lines without one.
    pub year: crate::time::Year,
}

/// A line that proves something. Untrusted: it may hold any character but line feeds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EvidenceLine {
    /// The file.
    pub file: Arc<str>,
    /// The line's number, from 1.
    pub number: u64,
    /// When it was written.
    pub time: LogTime,
    /// The first [`EVIDENCE_BYTES_MAX`] bytes of it.
    pub text: String,
}

impl EvidenceLine {
    fn order(&self) -> (u8, i64) {
        match self.time {
            LogTime::Utc(ms) => (0, ms),
            LogTime::AfterBoot(ms) => (1, ms),
            LogTime::Unknown => (2, 0),
        }
    }
}

/// What is kept of one signature on one host.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tally {
    pub(crate) n_lines: u64,
    pub(crate) first_ms: Option<i64>,
    pub(crate) last: Option<Last>,
    pub(crate) evidence: Vec<EvidenceLine>,
}

/// The last line of a case that has a time. Of equal times the one counts that stands further down.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Last {
    pub(crate) ms: i64,
    pub(crate) file: Arc<str>,
    number: u64,
}

impl Last {
    /// Whether this one came after `other`. In one file the order of its lines tells, also where the
    /// clock was set back between them; across files, and in one of `turned`, which begin with their
    /// newest line, only the time can.
    pub(crate) fn is_after(&self, other: &Self, turned: &BTreeSet<Arc<str>>) -> bool {
        match self.file == other.file && !turned.contains(&self.file) {
            true => self.number > other.number,
            false => self.ms > other.ms,
        }
    }
}

impl Tally {
    /// Counts a line of `time`, the `number`th of `file`.
    pub(crate) fn count(&mut self, time: LogTime, file: &Arc<str>, number: u64) {
        self.n_lines = self.n_lines.saturating_add(1);
        if let LogTime::Utc(ms) = time {
            self.first_ms = Some(self.first_ms.map_or(ms, |first| first.min(ms)));
            if self
                .last
                .as_ref()
                .is_none_or(|last| (last.ms, &last.file, last.number) < (ms, file, number))
            {
                self.last = Some(Last { ms, file: file.clone(), number });
            }
        }
    }

    /// Whether a line of `time` would be kept: there is room, or it is earlier than one that is.
    pub(crate) fn wants(&self, time: LogTime) -> bool {
        let line = EvidenceLine { file: Arc::from(""), number: 0, time, text: String::new() };
        self.evidence.len() < EVIDENCE_LINES_MAX
            || self.evidence.last().is_some_and(|last| line.order() < last.order())
    }

    /// Keeps `line` in its place, the earliest first.
    pub(crate) fn keep(&mut self, line: EvidenceLine) {
        let at = self.evidence.partition_point(|kept| kept.order() <= line.order());
        self.evidence.insert(at, line);
        self.evidence.truncate(EVIDENCE_LINES_MAX);
    }

    /// Both together.
    pub(crate) fn join(&mut self, other: Self) {
        self.n_lines = self.n_lines.saturating_add(other.n_lines);
        self.first_ms = [self.first_ms, other.first_ms].into_iter().flatten().min();
        self.last = self.last.take().max(other.last);
        other.evidence.into_iter().for_each(|line| self.keep(line));
    }
}

/// The start of `line`, as text: what is no UTF-8 is replaced, and is no longer for that.
pub(crate) fn excerpt(line: &[u8]) -> String {
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    let cut = line.get(..EVIDENCE_BYTES_MAX).unwrap_or(line);
    let mut text = String::from_utf8_lossy(cut).into_owned();
    text.truncate(text.floor_char_boundary(EVIDENCE_BYTES_MAX));
    text.shrink_to_fit();
    text
}
