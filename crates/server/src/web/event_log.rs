//! `GET /hosts/{id}/log`.

use std::sync::Arc;

use axum::extract::{Path, RawQuery, State};
use event_log::{
    DataCheck, Event, Log, NO_PCR, ProblemKind, check_data, parse, untrusted::EventData,
};
use pages::{EventLog, LoggedEvent, Place};

use super::{
    answer::{Page, page},
    form::Form,
    visitor::Visiting,
};
use crate::app::{App, AppError, RefusalKind};

/// Events on a page: real logs have below five hundred.
const PAGE_LEN: usize = 250;

/// Bytes of an event that are shown: a key database has some thousand, and is told in words.
const HEX_BYTES_MAX: usize = 512;

/// What is looked for in the log.
struct Sought {
    text: String,
    pcr: Option<u32>,
    from: u32,
}

pub(super) async fn event_log(
    State(app): State<Arc<App>>,
    visiting: Visiting,
    Path(id): Path<String>,
    RawQuery(raw): RawQuery,
) -> Page {
    app.require_host(&visiting.caller.hosts, &id).await?;
    let form = Form::read(raw.unwrap_or_default().as_bytes());
    let sought = Sought {
        text: form.text("q").chars().take(128).collect(),
        pcr: form.number("pcr")?,
        from: form.number("from")?.unwrap_or(0),
    };
    let host = app.host_name(&id).await?.ok_or_else(|| AppError::no_host(&id))?;
    let Some(bytes) = app.evidence(&id).await?.event_log else {
        let title = "the host sent no event log with its last evidence";
        let hint = "the page Help says why under no-event-log";
        return Err(AppError::refused(RefusalKind::NotFound, "no-event-log", title, hint).into());
    };
    let frame = visiting.frame(Place::Hosts);
    // A log may be large, and its digests are computed anew.
    let reading = tokio::task::spawn_blocking(move || read(frame, id, host, &bytes, sought));
    page(&reading.await.map_err(|err| AppError::Bug(err.into()))?)
}

fn read(
    frame: pages::Frame,
    host_id: String,
    host: String,
    bytes: &[u8],
    sought: Sought,
) -> EventLog {
    let parsed = parse(bytes);
    let log = &parsed.log;
    let text = sought.text.to_lowercase();
    let fits = |event: &&Event<'_>| {
        event.number >= sought.from && sought.pcr.is_none_or(|pcr| event.pcr_index == pcr)
    };
    let mut found = log
        .events()
        .iter()
        .filter(fits)
        .map(|event| logged(event, log))
        .filter(|event| text.is_empty() || has(event, &text));
    let events: Vec<_> = found.by_ref().take(PAGE_LEN).collect();
    let next = found.next().map(|event| event.number);
    let problems = parsed.problems.iter().filter(|found| found.kind != ProblemKind::AnotherLog);
    EventLog {
        frame,
        host_id,
        host,
        pcr: sought.pcr,
        sought: sought.text,
        events,
        n_events: log.events().len(),
        next,
        problems: problems
            .map(|problem| {
                format!("The log was read up to byte {}: {}", problem.offset, problem.kind)
            })
            .collect(),
    }
}

fn logged(event: &Event<'_>, log: &Log<'_>) -> LoggedEvent {
    let kind = event.untrusted_event_type;
    let data = event.untrusted_data;
    let shown = data.get(..HEX_BYTES_MAX).unwrap_or(data);
    LoggedEvent {
        number: event.number,
        pcr: (event.pcr_index != NO_PCR).then_some(event.pcr_index),
        kind: kind.name().map_or_else(|| format!("{:#010x}", kind.0), str::to_owned),
        description: EventData::read(event, log.format()).to_string(),
        check: match check_data(event, |alg| log.algorithms().any(|bank| bank == alg)) {
            DataCheck::Matches(_) => "matches",
            DataCheck::Unverifiable => "unverifiable",
            DataCheck::Contradicts(_) => "contradicts",
            DataCheck::NotMeasured => "not-measured",
        },
        digests: event
            .digests
            .iter()
            .map(|(alg, digest)| (alg.to_string(), hex::encode(digest)))
            .collect(),
        hex: lines_of_hex(shown),
        n_hidden: data.len().saturating_sub(shown.len()),
    }
}

fn has(event: &LoggedEvent, text: &str) -> bool {
    let LoggedEvent { kind, description, digests, hex, .. } = event;
    kind.to_lowercase().contains(text)
        || description.to_lowercase().contains(text)
        || digests.iter().any(|(_, digest)| digest.contains(text))
        || hex.to_lowercase().contains(text)
}

/// Sixteen bytes a line: offset, hex, and what is text of it.
fn lines_of_hex(bytes: &[u8]) -> String {
    let mut lines = String::new();
    for (n, line) in bytes.chunks(16).enumerate() {
        let hex: Vec<String> = line.iter().map(|byte| format!("{byte:02x}")).collect();
        let text: String = line
            .iter()
            .map(|byte| if matches!(byte, 0x20..=0x7e) { char::from(*byte) } else { '.' })
            .collect();
        lines.push_str(&format!("{:04x}  {:<47}  {text}\n", n * 16, hex.join(" ")));
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_shown_sixteen_a_line() {
        let lines = lines_of_hex(b"Boot0001\0<b>\x1b[2Jx");
        let expected = "0000  42 6f 6f 74 30 30 30 31 00 3c 62 3e 1b 5b 32 4a  Boot0001.<b>.[2J\n\
                        0010  78                                               x\n";
        assert_eq!(lines, expected);
    }
}
