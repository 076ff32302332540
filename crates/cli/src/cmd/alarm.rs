//! `bootproof alarm …`

use api::{
    alarm::{
        AcknowledgeRequest, Alarm as AlarmView, AlarmGroup, AlarmQuery, Alarms, AlarmsChanged,
        WithdrawRequest,
    },
    finding::catalogue,
};
use client::Client;
use comfy_table::Cell;

use super::{
    Exit,
    explain::ALIKE_MIN,
    host,
    local_time::{after, time},
    watch,
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
        Alarm::List(watch) => watch::run(&List, **watch, client, output).await,
        Alarm::Show(command) => watch::run(&Show { command }, command.watch, client, output).await,
        Alarm::Acknowledge(command) => acknowledge(command, client, output).await,
        Alarm::Withdraw(which) => {
            let alarms = meant(which, client).await?;
            let request = WithdrawRequest { alarms };
            let changed = client.withdraw_acknowledgements(&request).await?;
            tell(changed, which, "nobody knows of it any more", output)
        }
    }
}

struct List;

/// Whether an alarm of a cause stands of which nobody knows.
const fn is_new(group: &AlarmGroup) -> bool {
    group.n_acknowledged + group.n_muted < group.n_hosts
}

impl watch::Sight for List {
    type Fact = Vec<AlarmGroup>;

    async fn look(&self, client: &Client) -> Result<Self::Fact, CliError> {
        Ok(client.list_alarm_groups().await?)
    }

    fn show(&self, groups: &Self::Fact, output: &Output) -> Result<(), CliError> {
        if groups.is_empty() {
            return Ok(output.line(&output.paint(Tone::Good, "No alarm stands."))?);
        }
        let mut table = output.table(&["alarm", "hosts", "since", "cause", "next step"]);
        for group in groups {
            let tone = if is_new(group) { Tone::of_severity(&group.severity) } else { Tone::Plain };
            let mut hosts = group.n_hosts.to_string();
            for (n, word) in [(group.n_acknowledged, "known"), (group.n_muted, "in maintenance")] {
                if n > 0 {
                    hosts.push_str(&format!(", {n} {word}"));
                }
            }
            table.add_row([
                output.cell(tone, &group.code),
                Cell::new(hosts),
                Cell::new(time(Some(group.since_ms))),
                Cell::new(plain(&group.cause)),
                Cell::new(plain(&group.next_step)),
            ]);
        }
        Ok(output.show_table(table)?)
    }

    fn exit(&self, groups: &Self::Fact) -> Exit {
        if groups.iter().any(is_new) { Exit::No } else { Exit::Done }
    }
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

/// Refuses a cause that no finding has: nothing of that name was looked for. Asked only where there is no such alarm,
/// as a newer server may know findings that this program does not.
fn known(which: &WhichAlarms) -> Result<(), CliError> {
    let Some(code) = &which.code else { return Ok(()) };
    let catalogue = catalogue();
    if catalogue.iter().any(|entry| entry.code == *code) {
        return Ok(());
    }
    let hint = match policy::alike(code, catalogue.iter().map(|entry| &*entry.code), ALIKE_MIN) {
        Some(name) => format!("is `{name}` meant? For the alarms of a host say `--host HOST`"),
        None => {
            "`bootproof explain` lists the findings; for the alarms of a host say `--host HOST`"
                .to_owned()
        }
    };
    Err(CliError::with_hint(anyhow::anyhow!("there is no finding {code:?}"), hint))
}

struct Show<'a> {
    command: &'a AlarmShow,
}

impl watch::Sight for Show<'_> {
    type Fact = Vec<AlarmView>;

    async fn look(&self, client: &Client) -> Result<Self::Fact, CliError> {
        all(&self.command.which, self.command.cleared, client).await
    }

    fn show(&self, alarms: &Self::Fact, output: &Output) -> Result<(), CliError> {
        if alarms.is_empty() {
            known(&self.command.which)?;
            return Ok(output.remark(match self.command.cleared {
                true => "there was no such alarm",
                false => "no such alarm stands",
            })?);
        }
        let mut table = output.table(&["host", "alarm", "raised", "state", "cause"]);
        for alarm in alarms {
            let tone = match alarm.cleared_at_ms {
                Some(_) => Tone::Good,
                None => Tone::of_severity(&alarm.severity),
            };
            table.add_row([
                Cell::new(plain(&alarm.host)),
                output.cell(tone, &alarm.code),
                Cell::new(time(Some(alarm.raised_at_ms))),
                Cell::new(state(alarm)),
                Cell::new(plain(&alarm.cause)),
            ]);
        }
        Ok(output.show_table(table)?)
    }

    fn exit(&self, _: &Self::Fact) -> Exit {
        Exit::Done
    }
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
    tell(changed, &command.which, "known now, until the cause is gone", output)
}

fn tell(
    changed: AlarmsChanged,
    which: &WhichAlarms,
    done: &str,
    output: &Output,
) -> Result<Exit, CliError> {
    if changed.n == 0 {
        known(which)?;
    }
    if output.is_json() {
        output.json(&changed)?;
    }
    match changed.n {
        0 => output.note("no such alarm stands: nothing was done"),
        1 => output.note(&format!("1 alarm: {done}")),
        n => output.note(&format!("{n} alarms: {done}")),
    }
    Ok(Exit::Done)
}
