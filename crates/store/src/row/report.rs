//! Reports that are sent by themselves.

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
