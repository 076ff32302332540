//! What one hands on: reports as files, and those that are sent by themselves.

use api::{
    fleet_report::{ReportFormat, ReportKind, ReportSchedule},
    inventory::LabelCount,
};
use askama::Template;

use crate::frame::Frame;

/// The page.
#[derive(Debug, Template)]
#[template(path = "reports.html")]
pub struct Reports {
    /// What stands around it.
    pub frame: Frame,
    /// Labels that hosts have.
    pub labels: Vec<LabelCount>,
    /// Reports that are sent by themselves.
    pub schedules: Vec<ReportSchedule>,
    /// The host that a report of a host is about, where one came from its page: identifier and name.
    pub host: Option<(String, String)>,
}

impl Reports {
    fn kinds() -> [(ReportKind, &'static str); 3] {
        [
            (ReportKind::Fleet, "Fleet: verdicts, exceptions, controls, host by host"),
            (ReportKind::Readiness, "Readiness for 2026: keys, dbx, SBAT"),
            (ReportKind::Compliance, "Compliance: controls, and which hosts meet them"),
        ]
    }

    fn formats() -> [(ReportFormat, &'static str); 5] {
        [
            (ReportFormat::Pdf, "PDF, with the signed JSON attached"),
            (ReportFormat::Html, "HTML, one file"),
            (ReportFormat::Csv, "CSV, for spreadsheets"),
            (ReportFormat::Json, "JSON"),
            (ReportFormat::Jws, "JSON inside its signature (JWS)"),
        ]
    }
}
