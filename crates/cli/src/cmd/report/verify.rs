//! `bootproof report verify`: who signed a report, when, and over what; and whether pages are those of it.

mod file;

use std::{
    fs::File,
    io::Read as _,
    path::{Path, PathBuf},
};

use anyhow::Context as _;
use api::fleet_report::{REPORT_BYTES_MAX, REPORT_SCHEMA, REPORT_TYPE, Report};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use client::Client;
use fleet_report::Attached;
use serde_json::json;

use super::super::{Exit, local_time::time, signed};
use crate::{
    args::ReportVerify,
    error::CliError,
    output::{Output, Tone, plain},
};

/// What a file holds.
struct Held {
    json: Vec<u8>,
    /// Detached.
    jws: String,
    /// What shows it.
    drawn: Option<Drawn>,
}

/// A document that is made of a report.
enum Drawn {
    Pdf(Vec<u8>),
    Html(Vec<u8>),
    Csv(Vec<u8>),
}

/// What a file is, by its beginning.
enum Found {
    Report(Held),
    /// HTML or CSV, with a signature over itself.
    Signed(file::Signed),
}

/// Whether pages are those that the signed report makes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Pages {
    /// There are none.
    None,
    Same,
    Other,
    /// Another version made them, and may have drawn them otherwise.
    NotCompared,
}

pub(super) async fn run(
    command: &ReportVerify,
    client: impl FnOnce() -> Result<Client, CliError>,
    output: &Output,
) -> Result<Exit, CliError> {
    let held = match read(command)? {
        Ok(Found::Report(held)) => held,
        Ok(Found::Signed(signed)) => {
            let keys = signed::keys(command.keys.as_deref(), client).await?;
            return file::run(&signed, &keys, output);
        }
        Err(why) => return refuse(&why, output),
    };
    let keys = signed::keys(command.keys.as_deref(), client).await?;
    let key = match signed::detached(&held.jws, &held.json, REPORT_TYPE, &keys) {
        Ok(key) => key,
        Err(why) => return refuse(&why, output),
    };
    let Ok(report) = serde_json::from_slice::<Report>(&held.json) else {
        return refuse("what was signed is no report that this version knows", output);
    };
    if report.schema != REPORT_SCHEMA {
        let why =
            format!("it has the schema {}, and this version knows {REPORT_SCHEMA}", report.schema);
        return Err(anyhow::anyhow!(why).into());
    }
    let pages = pages(&held, &report);
    if pages == Pages::Other {
        let why = "it shows another thing than the signed report does: somebody changed it";
        return refuse(why, output);
    }
    show(&report, &held, &key, pages, output)?;
    Ok(if pages == Pages::NotCompared { Exit::Unsure } else { Exit::Done })
}

/// A file with its limit.
fn bytes(file: &Path) -> Result<Vec<u8>, CliError> {
    let mut bytes = Vec::new();
    let limit = u64::try_from(REPORT_BYTES_MAX).unwrap_or(u64::MAX).saturating_add(1);
    File::open(file)
        .and_then(|file| file.take(limit).read_to_end(&mut bytes))
        .with_context(|| format!("{} cannot be read", file.display()))?;
    if bytes.len() > REPORT_BYTES_MAX {
        let why = format!("{} is larger than any report", file.display());
        return Err(anyhow::anyhow!(why).into());
    }
    Ok(bytes)
}

/// What the file holds; the inner error says why it is no report.
fn read(command: &ReportVerify) -> Result<Result<Found, String>, CliError> {
    let content = bytes(&command.file)?;
    let beside = |file: &Path| {
        let mut beside = file.to_owned().into_os_string();
        beside.push(".jws");
        PathBuf::from(beside)
    };
    let is_signed_beside =
        content.starts_with(b"{") || file::is_html(&content) || file::is_csv(&content);
    let signature = command.signature.clone().unwrap_or_else(|| beside(&command.file));
    if is_signed_beside && !signature.exists() {
        return Err(CliError::with_hint(
            anyhow::anyhow!("the signature {} is not there", signature.display()),
            "a report in HTML, CSV or JSON comes with it: keep both files in one folder, or name it with --signature",
        ));
    }
    if file::is_html(&content) || file::is_csv(&content) {
        let beside_it = bytes(&signature)?;
        if !beside_it.starts_with(b"{") {
            let jws = signed::text(&signature)?;
            return Ok(Ok(Found::Signed(file::Signed { content, jws })));
        }
        let jws = signed::text(&beside(&signature))?;
        let is_html = file::is_html(&content);
        let drawn = Some(if is_html { Drawn::Html(content) } else { Drawn::Csv(content) });
        return Ok(Ok(Found::Report(Held { json: beside_it, jws, drawn })));
    }
    if content.starts_with(b"%PDF") {
        let found = fleet_report::attachments(&content);
        return Ok(match found {
            Some((json, jws)) => {
                Ok(Found::Report(Held { json, jws, drawn: Some(Drawn::Pdf(content)) }))
            }
            None => Err("the PDF carries no report.json with its signature".to_owned()),
        });
    }
    if content.starts_with(b"{") {
        let jws = signed::text(&signature)?;
        return Ok(Ok(Found::Report(Held { json: content, jws, drawn: None })));
    }
    if content.starts_with(b"PK") {
        let why = "it is a ZIP: unpack it, and verify the report that is in it";
        return Err(anyhow::anyhow!(why).into());
    }
    // A whole JWS.
    let parts = std::str::from_utf8(&content).ok().and_then(|text| {
        let mut parts = text.trim().split('.');
        let parts = (parts.next()?, parts.next()?, parts.next()?, parts.next());
        matches!(parts, (_, _, _, None)).then_some((parts.0, parts.1, parts.2))
    });
    let payload = parts.and_then(|(_, payload, _)| URL_SAFE_NO_PAD.decode(payload).ok());
    Ok(match (parts, payload) {
        (Some((header, _, signature)), Some(json)) => {
            let jws = format!("{header}..{signature}");
            Ok(Found::Report(Held { json, jws, drawn: None }))
        }
        _ => Err("it is no PDF, HTML, CSV, JSON or JWS of a report".to_owned()),
    })
}

fn pages(held: &Held, report: &Report) -> Pages {
    let sha256 = || fleet_report::sha256(&held.json);
    let (made, drawn) = match &held.drawn {
        None => return Pages::None,
        Some(Drawn::Pdf(drawn)) => {
            let attached = Attached { json: &held.json, jws: &held.jws };
            (fleet_report::pdf(report, attached).ok(), drawn)
        }
        Some(Drawn::Html(drawn)) => (fleet_report::html(report, &sha256()).ok(), drawn),
        Some(Drawn::Csv(drawn)) => (fleet_report::csv(report, &sha256()).ok(), drawn),
    };
    match made {
        Some(made) if made == *drawn => Pages::Same,
        _ if report.made.version == env!("CARGO_PKG_VERSION") => Pages::Other,
        _ => Pages::NotCompared,
    }
}

fn refuse(why: &str, output: &Output) -> Result<Exit, CliError> {
    if output.is_json() {
        output.json(&json!({ "genuine": false, "cause": why }))?;
    } else {
        let title = output.paint(Tone::Bad, "This report proves nothing");
        output.line(&format!("{title}: {}", plain(why)))?;
        output.line(
            "  next: make a new one (`bootproof report`), and ask where this one came from",
        )?;
    }
    Ok(Exit::No)
}

fn show(
    report: &Report,
    held: &Held,
    key: &str,
    pages: Pages,
    output: &Output,
) -> Result<(), CliError> {
    let sha256 = fleet_report::sha256(&held.json);
    let said = match pages {
        Pages::None => "none",
        Pages::Same | Pages::Other => "those of the signed report",
        Pages::NotCompared => "not compared",
    };
    if output.is_json() {
        output.json(&json!({
            "genuine": true, "kind": report.kind, "at_ms": report.made.at_ms, "by": report.made.by,
            "server": report.made.server, "key": key, "sha256": sha256, "pages": said,
            "n_hosts": report.summary.n_hosts, "n_accepted": report.summary.n_accepted,
        }))?;
        return Ok(());
    }
    let title = output.paint(Tone::Good, "This report is genuine");
    let line = |name: &str, value: &str| output.line(&format!("{name:<12} {}", plain(value)));
    output.line(&title)?;
    line("kind", report.kind.as_str())?;
    line("as of", &time(Some(report.made.at_ms)))?;
    line("made by", &report.made.by)?;
    line("server", &report.made.server)?;
    line("key", key)?;
    line("SHA-256", &sha256)?;
    let summary = &report.summary;
    line("hosts", &format!("{} of {} passed", summary.n_accepted, summary.n_hosts))?;
    line("pages", said)?;
    if pages == Pages::NotCompared {
        output.note(&format!(
            "what it shows was made by version {}: what counts is the signed JSON, which a PDF carries \
             (`pdfdetach -saveall FILE`)",
            plain(&report.made.version)
        ));
    }
    Ok(())
}
