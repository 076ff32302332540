//! `bootproof events`

use std::time::Duration;

use api::event::{CloudEvent, EventQuery, kind_of};
use client::{Client, EventStream};

use super::{Exit, local_time::time};
use crate::{
    args::Events,
    error::CliError,
    output::{Output, Tone, plain},
};

/// Between two tries to listen again.
const PAUSE: Duration = Duration::from_secs(2);

pub(super) async fn run(
    command: &Events,
    client: &Client,
    output: &Output,
) -> Result<Exit, CliError> {
    let query = EventQuery {
        cursor: command.after.clone(),
        limit: None,
        types: command.types.clone(),
        host: command.host.clone(),
        labels: command.select.clone(),
    };
    if command.follow {
        follow(query, client, output).await
    } else {
        list(query, client, output).await
    }
}

async fn list(query: EventQuery, client: &Client, output: &Output) -> Result<Exit, CliError> {
    let mut pages = client.pages_of_events(query);
    while let Some(page) = pages.next().await? {
        for event in &page.events {
            show(event, output)?;
        }
    }
    Ok(Exit::Done)
}

/// Until the user ends it. What a server that goes away did not say comes when it is back.
async fn follow(mut query: EventQuery, client: &Client, output: &Output) -> Result<Exit, CliError> {
    let mut heard = false;
    loop {
        match client.event_stream(&query).await {
            Ok(stream) => {
                heard = true;
                hear(stream, &mut query, output).await?;
            }
            Err(err) if err.is_transient() && heard => {
                output.note(&format!("{err}; trying again"));
            }
            Err(err) => return Err(err.into()),
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// Until the stream ends.
async fn hear(
    mut stream: EventStream,
    query: &mut EventQuery,
    output: &Output,
) -> Result<(), CliError> {
    loop {
        let next = stream.next().await;
        if let Some(cursor) = stream.cursor() {
            query.cursor = Some(cursor.to_owned());
        }
        match next {
            Ok(Some(event)) => show(&event, output)?,
            Ok(None) => return Ok(()),
            Err(err) if err.is_transient() => return Ok(()),
            Err(err) => return Err(err.into()),
        }
    }
}

fn show(event: &CloudEvent, output: &Output) -> Result<(), CliError> {
    if output.is_json() {
        return Ok(output.json_line(event)?);
    }
    let kind = kind_of(&event.event_type);
    let data = &event.data;
    let at = event.time.parse::<jiff::Timestamp>().ok().map(|time| time.as_millisecond());
    let tone = match (kind, &data.alarm) {
        ("alarm.cleared", _) => Tone::Good,
        (_, Some(alarm)) => Tone::of_severity(&alarm.severity),
        _ => data.verdict.as_ref().map_or(Tone::Plain, |told| Tone::of_verdict(&told.verdict)),
    };
    let line = format!(
        "{}  {}  {}  {}",
        time(at),
        output.paint(tone, kind),
        plain(&data.host.name),
        plain(&words(event)).replace('\n', " "),
    );
    Ok(output.line(line.trim_end())?)
}

fn words(event: &CloudEvent) -> String {
    let data = &event.data;
    let mut words = Vec::new();
    if let Some(alarm) = &data.alarm {
        words.push(format!("{}: {}", alarm.code, alarm.cause));
        if alarm.muted {
            words.push("in maintenance".to_owned());
        }
        if let Some(known) = &alarm.acknowledgement {
            words.push(known.reason.clone());
        }
    }
    if let Some(verdict) = &data.verdict {
        let before = verdict.before.as_deref().unwrap_or("never judged");
        words.push(format!("{before} -> {}", verdict.verdict));
    }
    if let Some(state) = &data.state {
        words.extend(state.changed.clone());
        words.extend(state.connection.clone());
        words.extend(state.approval.as_ref().map(|approval| format!("approval {approval}")));
        words.extend(state.maintenance.as_ref().map(|now| now.reason.clone()));
    }
    if let Some(by) = &data.by {
        words.push(format!("by {by}"));
    }
    words.join(", ")
}
