//! `bootproof alarm …`

use api::alarm::{
    AcknowledgeRequest, Alarm as AlarmView, AlarmGroup, AlarmQuery, Alarms, AlarmsChanged,
    WithdrawRequest,
};
use client::Client;

use super::{
    Exit, host,
    local_time::{after, time},
};
use crate::{
    args::{Alarm, AlarmAcknowledge, AlarmShow, WhichAlarms},
    error::CliError,
    output::{Output, Tone, plain},
};

/// Alarms of one request.
const PAGE_LEN: u32 = 1_000;

pub(super) async fn run(
    command: &Alarm,
    client: &Client,
    output: &Output,
) -> Result<Exit, CliError> {
    match command {
        Alarm::List => list(client, output).await,
        Alarm::Show(command) => show(command, client, output).await,
        Alarm::Acknowledge(command) => acknowledge(command, client, output).await,
        Alarm::Withdraw(which) => {
            let alarms = meant(which, client).await?;
            let request = WithdrawRequest { alarms };
            let changed = client.withdraw_acknowledgements(&request).await?;
            tell(changed, "nobody's any more", output)
        }
    }
}

async fn list(client: &Client, output: &Output) -> Result<Exit, CliError> {
    let groups = client.list_alarm_groups().await?;
    let is_new = |group: &AlarmGroup| group.n_acknowledged + group.n_muted < group.n_hosts;
    let exit = if groups.iter().any(is_new) { Exit::No } else { Exit::Done };
    if output.is_json() {
        output.json(&groups)?;
        return Ok(exit);
    }
    if groups.is_empty() {
        output.line(&output.paint(Tone::Good, "No alarm stands."))?;
        return Ok(exit);
    }
    let mut table = output.table(&["alarm", "hosts", "since", "cause", "next step"]);
    for group in &groups {
        let tone = if is_new(group) { Tone::of_severity(&group.severity) } else { Tone::Plain };
        let mut hosts = group.n_hosts.to_string();
        for (n, word) in [(group.n_acknowledged, "known"), (group.n_muted, "in maintenance")] {
            if n > 0 {
                hosts.push_str(&format!(", {n} {word}"));
            }
        }
        table.add_row([
            output.paint(tone, &group.code),
            hosts,
            time(Some(group.since_ms)),
            plain(&group.cause),
            plain(&group.next_step),
        ]);
    }
    output.line(&table.to_string())?;
    Ok(exit)
}

/// All alarms that are meant.
async fn all(
    which: &WhichAlarms,
    cleared: bool,
    client: &Client,
) -> Result<Vec<AlarmView>, CliError> {
    let of_host = match &which.host {
        None => None,
        Some(name) => Some(host::find(name, client).await?.id),
    };
    let query = AlarmQuery {
        limit: Some(PAGE_LEN),
        code: which.code.clone(),
        host: of_host,
        cleared,
        ..AlarmQuery::default()
    };
    Ok(client.pages_of_alarms(query).all().await?)
}

async fn show(command: &AlarmShow, client: &Client, output: &Output) -> Result<Exit, CliError> {
    let alarms = all(&command.which, command.cleared, client).await?;
    if output.is_json() {
        output.json(&alarms)?;
        return Ok(Exit::Done);
    }
    if alarms.is_empty() {
        output.note("no such alarm");
        return Ok(Exit::Done);
    }
    let mut table = output.table(&["host", "alarm", "raised", "state", "cause"]);
    for alarm in &alarms {
        let state = state(alarm);
        let tone = match alarm.cleared_at_ms {
            Some(_) => Tone::Good,
            None => Tone::of_severity(&alarm.severity),
        };
        table.add_row([
            plain(&alarm.host),
            output.paint(tone, &alarm.code),
            time(Some(alarm.raised_at_ms)),
            state,
            plain(&alarm.cause),
        ]);
    }
    output.line(&table.to_string())?;
    Ok(Exit::Done)
}

/// Whether it stands, and who knows of it.
fn state(alarm: &AlarmView) -> String {
    if let Some(cleared_at_ms) = alarm.cleared_at_ms {
        return format!("cleared {}", time(Some(cleared_at_ms)));
    }
    let mut words = Vec::new();
    if let Some(ack) = &alarm.acknowledgement {
        let until =
            ack.until_ms.map_or_else(String::new, |at| format!(" until {}", time(Some(at))));
        words.push(format!("{} knows{until}: {}", plain(&ack.by), plain(&ack.reason)));
    }
    if alarm.muted {
        words.push("in maintenance".to_owned());
    }
    if words.is_empty() { "new".to_owned() } else { words.join("; ") }
}

/// What a request names: a cause, or the alarms of a host by their numbers.
async fn meant(which: &WhichAlarms, client: &Client) -> Result<Alarms, CliError> {
    match (&which.code, &which.host) {
        (Some(code), None) => Ok(Alarms::Code(code.clone())),
        _ => {
            let alarms = all(which, false, client).await?;
            Ok(Alarms::Ids(alarms.into_iter().map(|alarm| alarm.id).collect()))
        }
    }
}

async fn acknowledge(
    command: &AlarmAcknowledge,
    client: &Client,
    output: &Output,
) -> Result<Exit, CliError> {
    let request = AcknowledgeRequest {
        alarms: meant(&command.which, client).await?,
        reason: command.reason.clone(),
        until_ms: command.lasts_s.map(after),
    };
    let changed = client.acknowledge_alarms(&request).await?;
    tell(changed, "known now; they stand until their cause is gone", output)
}

fn tell(changed: AlarmsChanged, done: &str, output: &Output) -> Result<Exit, CliError> {
    if output.is_json() {
        output.json(&changed)?;
    }
    match changed.n {
        0 => output.note("no such alarm stands: nothing was done"),
        1 => output.note(&format!("1 alarm is {done}")),
        n => output.note(&format!("{n} alarms are {done}")),
    }
    Ok(Exit::Done)
}
