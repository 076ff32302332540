//! Reports: what counts of a fleet at one moment, collected, written, and signed.

mod collect;
mod decision;
mod mail;
mod packed;
mod schedule;

use std::sync::Arc;

use api::fleet_report::{
    REPORT_FILE_TYPE, REPORT_TYPE, Report, ReportFormat, ReportKind, ReportQuery,
};
use fleet_report::Attached;
use store::AuditNote;
use tokio::{sync::Semaphore, time::timeout};

use super::{App, AppError, Caller, RefusalKind};

/// Reports that are made at one time: one of 10,000 hosts needs some hundred MiB, and the server has its
/// hosts to judge meanwhile.
const AT_ONCE: usize = 1;

/// How long one waits for its turn: as long as a large one takes, some times over.
const TURN_MAX: std::time::Duration = std::time::Duration::from_secs(45);

/// Hosts of a report: above it a program with the API does it better than a person with a document.
const HOSTS_MAX: usize = 100_000;

/// Hosts of a PDF, with its structure for readers that do not see pages: 25 KiB of memory each.
const PDF_HOSTS_MAX: usize = 20_000;

/// Whether a report is of all hosts: only then it tells what concerns no host of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Covers {
    All,
    Some,
}

/// Whose turn it is to make a report.
pub(super) struct Turns(Arc<Semaphore>);

impl Default for Turns {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(AT_ONCE)))
    }
}

/// A report in one format, and what it is of.
#[derive(Debug, Clone)]
pub struct WrittenReport {
    /// The document.
    pub bytes: Vec<u8>,
    /// How it is written.
    pub format: ReportFormat,
    /// A name for its file.
    pub file_name: String,
    /// SHA-256 of the report's JSON, in hex.
    pub sha256: String,
    /// The detached signature over that JSON.
    pub jws: String,
    /// The detached signature over the document itself, of HTML and CSV.
    pub file_jws: Option<String>,
    /// Hosts in it.
    pub n_hosts: usize,
}

/// A report with what is signed of it.
pub(super) struct Signed {
    pub(super) report: Report,
    pub(super) json: Vec<u8>,
    pub(super) sha256: String,
    pub(super) jws: String,
}

fn invalid(title: &str, hint: &str) -> AppError {
    AppError::refused(RefusalKind::Invalid, "report-invalid", title, hint)
}

fn too_large(n: usize, format: ReportFormat, max: usize) -> AppError {
    let format = format.as_str();
    AppError::refused(
        RefusalKind::TooLarge,
        "report-too-large",
        format!("{n} hosts are more than a report as {format} has, which is {max}"),
        "choose hosts by labels, or take csv or json",
    )
}

impl App {
    /// Makes a report for `caller`, of hosts that it may know of, and notes in the audit log that it did.
    pub async fn write_report(
        &self,
        kind: ReportKind,
        query: ReportQuery,
        caller: &Caller,
    ) -> Result<WrittenReport, AppError> {
        let format = query.format;
        let _turn = self.report_turn().await?;
        let signed = self.signed_report(kind, &query, caller).await?;
        let (n_hosts, sha256) = (signed.report.hosts.len(), signed.sha256.clone());
        let max = if format == ReportFormat::Pdf { PDF_HOSTS_MAX } else { HOSTS_MAX };
        if n_hosts > max {
            return Err(too_large(n_hosts, format, max));
        }
        let detail = serde_json::json!({
            "format": format.as_str(),
            "sha256": sha256,
            "n_hosts": n_hosts,
            "labels": query.labels,
            "host": query.host,
        });
        let subject = format!("report:{}", kind.as_str());
        let note = AuditNote { action: "report.make", subject, detail };
        self.store.note_for_audit(note, caller.by.clone()).await?;
        let mut written = written(signed, format).await?;
        if matches!(format, ReportFormat::Html | ReportFormat::Csv) {
            written.file_jws = Some(self.signer.sign_detached(REPORT_FILE_TYPE, &written.bytes)?);
        }
        Ok(written)
    }

    /// A report that is collected and signed, and not yet written.
    async fn signed_report(
        &self,
        kind: ReportKind,
        query: &ReportQuery,
        caller: &Caller,
    ) -> Result<Signed, AppError> {
        let report = self.collect_report(kind, query, caller).await?;
        let json = fleet_report::json(&report).map_err(|err| AppError::Bug(err.into()))?;
        let sha256 = fleet_report::sha256(&json);
        let jws = self.signer.sign_detached(REPORT_TYPE, &json)?;
        Ok(Signed { report, json, sha256, jws })
    }

    async fn report_turn(&self) -> Result<tokio::sync::OwnedSemaphorePermit, AppError> {
        let turn = Arc::clone(&self.report_turns.0).acquire_owned();
        match timeout(TURN_MAX, turn).await {
            Ok(Ok(turn)) => Ok(turn),
            Ok(Err(err)) => Err(AppError::Bug(err.into())),
            Err(_) => Err(AppError::refused(
                RefusalKind::TooMany,
                "report-busy",
                "others make reports at this moment, and they take long",
                "try again in a minute",
            )),
        }
    }
}

/// Writes a report, on a thread for work: a large one takes seconds.
async fn written(signed: Signed, format: ReportFormat) -> Result<WrittenReport, AppError> {
    let written = tokio::task::spawn_blocking(move || write(signed, format));
    written.await.map_err(|err| AppError::Bug(err.into()))?
}

fn write(signed: Signed, format: ReportFormat) -> Result<WrittenReport, AppError> {
    let Signed { report, json, sha256, jws } = signed;
    let (kind, n_hosts, at_ms) = (report.kind, report.hosts.len(), report.made.at_ms);
    let bytes = match format {
        ReportFormat::Json => json,
        ReportFormat::Jws => whole_jws(&jws, &json)
            .ok_or_else(|| AppError::Bug("the signature has no place for its payload".into()))?,
        ReportFormat::Csv => {
            fleet_report::csv(&report, &sha256).map_err(|err| AppError::Bug(err.into()))?
        }
        ReportFormat::Html => {
            fleet_report::html(&report, &sha256).map_err(|err| AppError::Bug(err.into()))?
        }
        ReportFormat::Pdf => fleet_report::pdf(&report, Attached { json: &json, jws: &jws })
            .map_err(|err| AppError::Bug(err.into()))?,
    };
    let at = jiff::Timestamp::from_millisecond(at_ms).unwrap_or_default();
    let file_name = format!(
        "bootproof-{}-{}.{}",
        kind.as_str(),
        at.strftime("%Y-%m-%dT%H%M%SZ"),
        format.as_str()
    );
    Ok(WrittenReport { bytes, format, file_name, sha256, jws, file_jws: None, n_hosts })
}

/// A detached signature with its payload put back. [RFC 7515 §F]
fn whole_jws(detached: &str, payload: &[u8]) -> Option<Vec<u8>> {
    use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
    let (header, signature) = detached.split_once("..")?;
    Some(format!("{header}.{}.{signature}", URL_SAFE_NO_PAD.encode(payload)).into_bytes())
}
