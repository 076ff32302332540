//! `bootproof fleet …`

use api::standing::{StandingHour, StandingQuery};
use client::Client;

use super::{Exit, local_time::time};
use crate::{
    args::Fleet,
    error::CliError,
    output::{Output, Tone, plain},
};

const DAY_MS: i64 = 24 * 3_600_000;

pub(super) async fn run(
    command: &Fleet,
    client: &Client,
    output: &Output,
) -> Result<Exit, CliError> {
    match command {
        Fleet::Standing(command) => standing(command.days, client, output).await,
        Fleet::Attention => attention(client, output).await,
        Fleet::Settings => settings(client, output).await,
    }
}

async fn standing(days: u32, client: &Client, output: &Output) -> Result<Exit, CliError> {
    let query = StandingQuery { days: Some(days) };
    let history = client.get_standing(&query).await?;
    if output.is_json() {
        output.json(&history)?;
        return Ok(Exit::Done);
    }
    let day = |hour: &StandingHour| hour.hour_ms.div_euclid(DAY_MS);
    let mut table = output.table(&["hour", "passed", "not passed", "not appraised", "silent"]);
    let mut hours = history.hours.iter().peekable();
    while let Some(hour) = hours.next() {
        // The last hour of each day says how that ended.
        if hours.peek().is_none_or(|next| day(next) != day(hour)) {
            table.add_row([
                time(Some(hour.hour_ms)),
                hour.n_accepted.to_string(),
                hour.n_not_accepted.to_string(),
                hour.n_not_appraised.to_string(),
                hour.n_not_responding.to_string(),
            ]);
        }
    }
    output.line(&table.to_string())?;
    Ok(Exit::Done)
}

async fn attention(client: &Client, output: &Output) -> Result<Exit, CliError> {
    let attention = client.get_attention().await?;
    let ahead: Vec<_> = attention.findings.iter().filter(|count| count.n_hosts > 0).collect();
    let is_nothing = ahead.is_empty() && attention.minorities.is_empty();
    let exit = if is_nothing { Exit::Done } else { Exit::No };
    if output.is_json() {
        output.json(&attention)?;
        return Ok(exit);
    }
    if is_nothing {
        output.line(&output.paint(Tone::Good, "Nothing wants a look."))?;
    }
    for count in ahead {
        let code = output.paint(Tone::Strong, &plain(&count.code));
        output.line(&format!("{code}: {} hosts: {}", count.n_hosts, plain(&count.title)))?;
        output.line(&format!("  next: {}", plain(&count.next_step)))?;
    }
    for minority in &attention.minorities {
        output.line(&format!(
            "PCR {}: {} of {} hosts of {} are unlike most",
            minority.pcr,
            minority.n_minority,
            minority.n_hosts,
            plain(&minority.cohort)
        ))?;
    }
    Ok(exit)
}

async fn settings(client: &Client, output: &Output) -> Result<Exit, CliError> {
    let settings = client.get_settings().await?;
    let is_well = settings.checks.iter().all(|check| check.state == "ok");
    let exit = if is_well { Exit::Done } else { Exit::No };
    if output.is_json() {
        output.json(&settings)?;
        return Ok(exit);
    }
    output.line(&format!("bootproof-server {}, {}", settings.version, settings.address))?;
    let store = &settings.store;
    output.line(&format!("{}, schema {}, {} bytes", store.kind, store.schema, store.n_bytes))?;
    for check in &settings.checks {
        let tone = if check.state == "ok" { Tone::Good } else { Tone::Bad };
        let reason = check.reason.as_deref().map_or_else(String::new, |said| format!(": {said}"));
        let state = output.paint(tone, &check.state);
        output.line(&format!("{state} {}{}", plain(&check.name), plain(&reason)))?;
    }
    output.line("")?;
    for key in &settings.keys {
        output.line(&match &key.value {
            Some(value) => format!("{} = {}", key.name, plain(value)),
            None => format!("# {} is not set", key.name),
        })?;
    }
    Ok(exit)
}
