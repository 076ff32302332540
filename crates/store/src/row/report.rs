//! Reports that are sent by themselves.

use crate::{By, ChannelLease, Reply};

/// How far a report is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReportRun {
    /// Its name in the configuration.
    pub name: String,
    /// The last of its times that was served, or that had passed when the report was first known.
    pub served_ms: i64,
    /// When it was sent last.
    pub sent_at_ms: Option<i64>,
    /// Tries since then that failed.
    pub n_failed: u32,
    /// Why the last of them did.
    pub last_error: Option<String>,
}

/// What became of a try.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReportTry {
    /// It was sent, for the time that was due. Audited with this detail, a JSON object.
    Sent(serde_json::Value),
    /// It was not, and may be tried again then.
    Failed {
        /// Why.
        error: String,
        /// Not before this time.
        again_at_ms: i64,
    },
}

/// What the audit log calls a report.
pub(crate) fn subject(name: &str) -> String {
    format!("report-schedule:{name}")
}

/// What a store knows of reports that are sent by themselves: a part of
/// [`crate::Store`].
pub trait ReportRuns {
    /// How far reports are, by name.
    fn report_runs(&self) -> Reply<'_, Vec<ReportRun>>;
    /// Takes a report that was due at `due_ms` and was not sent for that time, nor is somebody at it. One that
    /// is not known yet is noted and not taken: its times of before are nobody's. The lease of a server that
    /// died ends by time; where the store is one server's, at once.
    fn claim_report(
        &self,
        name: &str,
        due_ms: i64,
        lease: ChannelLease,
        now_ms: i64,
    ) -> Reply<'_, bool>;
    /// Notes what became of a report that `holder` took; `false` where it is not the holder's any more, and
    /// nothing was noted.
    fn note_report(
        &self,
        name: &str,
        due_ms: i64,
        became: ReportTry,
        holder: &str,
        by: By,
    ) -> Reply<'_, bool>;
}
