//! A report as a mail: the words, and what is attached.

use api::fleet_report::{Report, ReportFormat};

use super::Signed;
use crate::{
    app::AppError,
    deliver::{Attachment, Mail},
};

/// Bytes of what is attached: most relays refuse more than 25 MB, and base64 makes it by a third longer.
const ATTACHED_BYTES_MAX: usize = 16 * 1024 * 1024;

/// The mail that brings a report. What is too large for a mail is named by its digest, and left for who
/// asks the server.
pub(super) fn mail(
    name: &str,
    due_ms: i64,
    signed: Signed,
    format: ReportFormat,
) -> Result<Mail, AppError> {
    let Report { kind, ref summary, ref made, .. } = signed.report;
    let subject = format!(
        "Bootproof report {name}: {} of {} hosts passed",
        summary.n_accepted, summary.n_hosts
    );
    let mut body = format!(
        "This is the report \"{name}\" ({}) of {}, as of {}.\n\n\
         Passed: {}\nNot passed: {}\nNot appraised: {}\n",
        kind.as_str(),
        made.server,
        jiff::Timestamp::from_millisecond(made.at_ms).unwrap_or_default(),
        summary.n_accepted,
        summary.n_not_accepted,
        summary.n_not_appraised,
    );
    for cause in summary.causes.iter().take(10) {
        body.push_str(&format!("\n{} hosts: {} ({})", cause.n_hosts, cause.title, cause.code));
    }
    body.push_str(&format!(
        "\n\nSHA-256 of the report's JSON: {}\nCheck it: bootproof report verify FILE\n",
        signed.sha256
    ));
    let (json, jws) = (signed.json.clone(), signed.jws.clone());
    let written = super::write(signed, format)?;
    let mut attachments = vec![Attachment {
        name: written.file_name.clone(),
        media_type: written.format.media_type(),
        bytes: written.bytes,
    }];
    let base = written.file_name.rsplit_once('.').map_or("report", |(base, _)| base);
    if format != ReportFormat::Json {
        attachments.push(Attachment {
            name: format!("{base}.json"),
            media_type: ReportFormat::Json.media_type(),
            bytes: json,
        });
    }
    attachments.push(Attachment {
        name: format!("{base}.json.jws"),
        media_type: ReportFormat::Jws.media_type(),
        bytes: jws.into_bytes(),
    });
    let n_bytes: usize = attachments.iter().map(|attached| attached.bytes.len()).sum();
    if n_bytes > ATTACHED_BYTES_MAX {
        body.push_str(
            "\nThe report is too large for a mail: get it with `bootproof report`, or from the page Reports.\n",
        );
        attachments.clear();
    }
    // One report of one time: who gets it twice, since a server died after it was taken, sees one mail.
    let id = format!("report-{name}-{due_ms}");
    Ok(Mail { id, subject, body, attachments })
}
