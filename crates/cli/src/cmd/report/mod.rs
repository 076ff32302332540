//! `bootproof report …`

mod verify;

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use api::fleet_report::{
    REPORT_FILE_SIGNATURE_HEADER, REPORT_SHA256_HEADER, REPORT_SIGNATURE_HEADER,
    ReportFormat as Format, ReportKind, ReportQuery, ReportSchedule,
};
use clap::ValueEnum as _;
use client::Client;
use serde_json::json;

use super::{Exit, host, local_time::time};
use crate::{
    args::{Report, ReportFormat, ReportMake},
    error::CliError,
    output::{Output, Tone, plain},
};

pub(super) async fn run(
    command: &Report,
    client: impl Fn() -> Result<Client, CliError>,
    output: &Output,
) -> Result<Exit, CliError> {
    let fleet = |make: &ReportMake| ReportQuery {
        format: format(make.format, make.out.as_deref()),
        labels: make.labels.clone(),
        host: None,
    };
    let (kind, query, out) = match command {
        Report::Fleet(make) => (ReportKind::Fleet, fleet(make), &make.out),
        Report::Readiness(make) => (ReportKind::Readiness, fleet(make), &make.out),
        Report::Compliance(make) => (ReportKind::Compliance, fleet(make), &make.out),
        Report::Host(make) => {
            let id = host::find(&make.host, &client()?).await?.id;
            let format = format(make.format, make.out.as_deref());
            let query = ReportQuery { format, labels: None, host: Some(id) };
            (ReportKind::Host, query, &make.out)
        }
        Report::Verify(command) => return verify::run(command, client, output).await,
        Report::Schedules => return schedules(&client()?, output).await,
        Report::Send { name } => return send(name, &client()?, output).await,
    };
    make(kind, &query, out.as_deref(), &client()?, output).await
}

/// The format that was asked for, else the one by which the file is called.
fn format(said: Option<ReportFormat>, out: Option<&Path>) -> Format {
    let called = || {
        let extension = out?.extension()?.to_str()?;
        ReportFormat::from_str(extension, true).ok()
    };
    match said.or_else(called).unwrap_or(ReportFormat::Pdf) {
        ReportFormat::Pdf => Format::Pdf,
        ReportFormat::Html => Format::Html,
        ReportFormat::Csv => Format::Csv,
        ReportFormat::Json => Format::Json,
        ReportFormat::Jws => Format::Jws,
    }
}

async fn make(
    kind: ReportKind,
    query: &ReportQuery,
    out: Option<&Path>,
    client: &Client,
    output: &Output,
) -> Result<Exit, CliError> {
    let (bytes, headers) = client.get_report(kind, query).await?;
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let sha256 = header(REPORT_SHA256_HEADER).unwrap_or_default();
    if out == Some(Path::new("-")) {
        output.bytes(&bytes).context("standard output")?;
        return Ok(Exit::Done);
    }
    let file = match out {
        Some(file) => file.to_owned(),
        None => file_name(kind, query.format, header("content-disposition")),
    };
    write(&file, &bytes)?;
    let mut files = vec![file.clone()];
    let signature = match query.format {
        Format::Json => Some(REPORT_SIGNATURE_HEADER),
        Format::Html | Format::Csv => Some(REPORT_FILE_SIGNATURE_HEADER),
        // They carry it.
        Format::Pdf | Format::Jws => None,
    };
    if let Some(signature) = signature {
        let jws = header(signature).context("the server sent no signature")?;
        let mut beside = file.into_os_string();
        beside.push(".jws");
        let beside = PathBuf::from(beside);
        write(&beside, jws.as_bytes())?;
        files.push(beside);
    }
    if output.is_json() {
        output.json(&json!({ "files": files, "sha256": sha256 }))?;
    } else {
        let written = output.paint(Tone::Good, "Written");
        for file in &files {
            output.line(&format!("{written}: {}", file.display()))?;
        }
        output.line(&format!("SHA-256 of the report's JSON: {}", plain(sha256)))?;
    }
    Ok(Exit::Done)
}

/// A file of the present folder: what the server names, where that is a plain name.
fn file_name(kind: ReportKind, format: Format, disposition: Option<&str>) -> PathBuf {
    let named = disposition
        .and_then(|text| text.split_once("filename=\""))
        .and_then(|(_, rest)| rest.split_once('"'))
        .map(|(name, _)| name);
    let is_plain = |name: &&str| {
        !name.starts_with('.')
            && name.len() < 128
            && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._".contains(&byte))
    };
    match named.filter(is_plain) {
        Some(name) => PathBuf::from(name),
        None => PathBuf::from(format!("bootproof-{}.{}", kind.as_str(), format.as_str())),
    }
}

fn write(file: &Path, bytes: &[u8]) -> Result<(), CliError> {
    Ok(std::fs::write(file, bytes)
        .with_context(|| format!("{} cannot be written", file.display()))?)
}

async fn schedules(client: &Client, output: &Output) -> Result<Exit, CliError> {
    let schedules = client.list_report_schedules().await?;
    if output.is_json() {
        output.json(&schedules)?;
        return Ok(Exit::Done);
    }
    if schedules.is_empty() {
        output.note("the server's configuration has no [[report]]");
    }
    for schedule in schedules {
        let ReportSchedule { name, kind, format, every, channel, next_ms, sent_at_ms, .. } =
            &schedule;
        let name = output.paint(Tone::Strong, &plain(name));
        output.line(&format!(
            "{name}  {}, {}  {every}  through {}",
            kind.as_str(),
            format.as_str(),
            plain(channel)
        ))?;
        output.line(&format!("  sent {}, next {}", time(*sent_at_ms), time(Some(*next_ms))))?;
        if let Some(error) = &schedule.error {
            let failed = output.paint(Tone::Bad, "failed");
            output.line(&format!("  {failed}: {}", plain(error)))?;
        }
    }
    Ok(Exit::Done)
}

async fn send(name: &str, client: &Client, output: &Output) -> Result<Exit, CliError> {
    let sent = client.send_report(name).await?;
    if output.is_json() {
        output.json(&sent)?;
    } else {
        for step in &sent.steps {
            let (tone, word) = if step.well { (Tone::Good, "ok") } else { (Tone::Bad, "failed") };
            let word = output.paint(tone, word);
            output.line(&format!("{word}  {}: {}", plain(&step.step), plain(&step.said)))?;
        }
        output.line(&format!("SHA-256 of the report's JSON: {}", plain(&sent.sha256)))?;
    }
    Ok(if sent.sent { Exit::Done } else { Exit::No })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_is_written_as_its_file_is_called() {
        for (said, out, expected) in [
            (None, None, Format::Pdf),
            (None, Some("fleet.html"), Format::Html),
            (None, Some("a.b/fleet.CSV"), Format::Csv),
            (None, Some("fleet"), Format::Pdf),
            (None, Some("fleet.txt"), Format::Pdf),
            (None, Some("-"), Format::Pdf),
            (Some(ReportFormat::Json), Some("fleet.html"), Format::Json),
        ] {
            assert_eq!(format(said, out.map(Path::new)), expected, "{said:?} {out:?}");
        }
    }

    #[test]
    fn a_server_names_a_file_of_this_folder_or_none() {
        let of = |said: &str| file_name(ReportKind::Fleet, Format::Pdf, Some(said));
        assert_eq!(of("attachment; filename=\"a-1.pdf\""), PathBuf::from("a-1.pdf"));
        for wrong in
            ["", "attachment", "attachment; filename=\"../x\"", "attachment; filename=\".x\""]
        {
            assert_eq!(of(wrong), PathBuf::from("bootproof-fleet.pdf"), "{wrong}");
        }
    }
}
