//! Reports as tables for spreadsheets.

use std::borrow::Cow;

use api::fleet_report::{Report, ReportKind, ReportedHost};
use csv::{QuoteStyle, Terminator, WriterBuilder};
use pages::text::{is_hidden, numbered};

use crate::{readiness::READINESS, time::time};

/// Characters of a cell that are kept: spreadsheets hold 32,767. The report's JSON has them all.
const CELL_CHARS_MAX: usize = 32_000;

/// A cell. Tables take what begins with these characters for a formula, and names are the hosts' own
/// words, so an apostrophe goes before them; control characters become spaces, and what is not seen but turns the
/// reading direction is written by its number. [RFC 4180 §2]
pub fn cell(text: &str) -> Cow<'_, str> {
    let is_formula = text.starts_with(['=', '+', '-', '@', '\t', '\r']);
    let n_more = text.chars().skip(CELL_CHARS_MAX).count();
    if !is_formula && n_more == 0 && !text.contains(is_hidden) {
        return Cow::Borrowed(text);
    }
    let mut plain = String::from(if is_formula { "'" } else { "" });
    for c in text.chars().take(CELL_CHARS_MAX) {
        match c {
            c if c.is_control() => plain.push(' '),
            c if is_hidden(c) => plain.push_str(&numbered(c)),
            c => plain.push(c),
        }
    }
    if n_more > 0 {
        plain.push_str(&format!("… ({n_more} more characters)"));
    }
    Cow::Owned(plain)
}

/// The report as CSV: of a fleet a line for each host; of compliance one for each control and host; of a
/// host one for each judgement. The last column of each line names the report's JSON.
pub fn csv(report: &Report, json_sha256: &str) -> Result<Vec<u8>, csv::Error> {
    let mut writer = WriterBuilder::new()
        .quote_style(QuoteStyle::Always)
        .terminator(Terminator::CRLF)
        .from_writer(Vec::new());
    // The head of the last column stands in the first line.
    let mut last = "report sha256";
    let mut line = |cells: &[&str]| -> Result<(), csv::Error> {
        let cells = cells.iter().copied().chain([std::mem::replace(&mut last, json_sha256)]);
        writer.write_record(cells.map(|text| cell(text).into_owned()))
    };
    match report.kind {
        ReportKind::Fleet => fleet(report, &mut line)?,
        ReportKind::Readiness => readiness(report, &mut line)?,
        ReportKind::Compliance => compliance(report, &mut line)?,
        ReportKind::Host => history(report, &mut line)?,
    }
    writer.into_inner().map_err(|err| err.into_error().into())
}

/// What writes a line.
type Line<'a> = dyn FnMut(&[&str]) -> Result<(), csv::Error> + 'a;

fn labels(host: &ReportedHost) -> String {
    let labels: Vec<_> = host.labels.iter().map(|(key, value)| format!("{key}={value}")).collect();
    labels.join(" ")
}

fn fleet(report: &Report, line: &mut Line<'_>) -> Result<(), csv::Error> {
    line(&[
        "name",
        "id",
        "verdict",
        "code",
        "cause",
        "next step",
        "since",
        "connection",
        "judged",
        "counts until",
        "labels",
        "secure boot",
        "tpm",
        "machine",
        "firmware",
        "dbx",
        "reference",
        "pcr digest",
    ])?;
    for host in &report.hosts {
        let finding = host.findings.first().filter(|_| host.verdict != "accepted");
        let shown = host.evidence.as_ref();
        let text = |text: Option<&String>| text.cloned().unwrap_or_default();
        line(&[
            &host.name,
            &host.id,
            &host.verdict,
            finding.map_or("", |finding| finding.code.as_str()),
            finding.map_or("", |finding| finding.cause.as_str()),
            finding.map_or("", |finding| finding.next_step.as_str()),
            &host.since_ms.map(|ms| time(Some(ms))).unwrap_or_default(),
            &host.connection,
            &host.appraised_at_ms.map(|ms| time(Some(ms))).unwrap_or_default(),
            &host.good_until_ms.map(|ms| time(Some(ms))).unwrap_or_default(),
            &labels(host),
            match shown.and_then(|shown| shown.secure_boot) {
                Some(true) => "on",
                Some(false) => "off",
                None => "not known",
            },
            &text(
                shown.and_then(|shown| {
                    shown.certified_tpm.as_ref().or(shown.untrusted_tpm.as_ref())
                }),
            ),
            &text(shown.and_then(|shown| shown.untrusted_machine.as_ref())),
            &text(shown.and_then(|shown| shown.untrusted_firmware.as_ref())),
            &text(shown.and_then(|shown| shown.dbx.as_ref())),
            &text(shown.and_then(|shown| shown.reference.as_ref())),
            &text(shown.and_then(|shown| shown.pcr_digest.as_ref())),
        ])?;
    }
    Ok(())
}

fn readiness(report: &Report, line: &mut Line<'_>) -> Result<(), csv::Error> {
    let titles = READINESS.iter().map(|row| row.title);
    let head: Vec<_> = ["name", "id", "verdict", "labels"].into_iter().chain(titles).collect();
    line(&head)?;
    for host in &report.hosts {
        let labels = labels(host);
        let mut cells = vec![host.name.as_str(), &host.id, &host.verdict, &labels];
        cells.extend(READINESS.iter().map(|row| {
            host.readiness.get(&row.item).map_or("not checked", |answer| answer.as_str())
        }));
        line(&cells)?;
    }
    Ok(())
}

fn compliance(report: &Report, line: &mut Line<'_>) -> Result<(), csv::Error> {
    line(&["control", "standard", "asks", "name", "id", "verdict", "answer"])?;
    for control in &report.controls {
        for host in &report.hosts {
            let answer = host.controls.get(&control.id);
            line(&[
                &control.id,
                &control.standard,
                &control.asks,
                &host.name,
                &host.id,
                &host.verdict,
                answer.map_or("not checked", |answer| answer.as_str()),
            ])?;
        }
    }
    Ok(())
}

fn history(report: &Report, line: &mut Line<'_>) -> Result<(), csv::Error> {
    line(&["name", "id", "judged", "verdict", "codes", "boot"])?;
    let Some(host) = report.hosts.first() else { return Ok(()) };
    for past in &report.history {
        let boot = past.reset_count.map(|n| n.to_string()).unwrap_or_default();
        let codes = past.codes.join(" ");
        line(&[&host.name, &host.id, &time(Some(past.at_ms)), &past.verdict, &codes, &boot])?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_no_formula() {
        assert_eq!(cell("=cmd|'/c calc'!A1"), "'=cmd|'/c calc'!A1");
        assert_eq!(cell("web-1"), "web-1");
        assert_eq!(cell("a\"b\r\n-1"), "a\"b  -1");
        for first in ["=", "+", "-", "@", "\t", "\r"] {
            assert!(cell(&format!("{first}1")).starts_with('\''), "{first:?}");
        }
    }

    #[test]
    fn a_cell_hides_nothing_and_fits() {
        assert_eq!(cell("a\u{202e}b\u{200b}\u{7}"), "a\\u{202e}b\\u{200b} ");
        assert_eq!(cell("\u{200b}=1"), "\\u{200b}=1");
        let fits = "x".repeat(CELL_CHARS_MAX);
        assert_eq!(cell(&fits), fits);
        let cut = cell(&format!("{fits}yz")).into_owned();
        assert_eq!(cut, format!("{fits}… (2 more characters)"));
        assert!(cut.chars().count() <= 32_767);
    }
}
