//! `bootproof channel …`

use std::path::Path;

use anyhow::Context as _;
use api::channel::{
    Channel as ChannelView, ChannelChange, ChannelFilter, ChannelRequest, ChannelSettings,
    DeadLetterQuery, RedeliverRequest, SmtpSecurity,
};
use client::Client;
use comfy_table::Cell;

use super::{Exit, local_time::time};
use crate::{
    args::{Channel, ChannelAdd},
    error::CliError,
    output::{Output, Tone, plain},
};

/// Bytes of a file with a secret or certificates.
const FILE_BYTES_MAX: u64 = 64 * 1024;

pub(super) async fn run(
    command: &Channel,
    client: &Client,
    output: &Output,
) -> Result<Exit, CliError> {
    match command {
        Channel::List => list(client, output).await,
        Channel::Show(one) => {
            let channel = client.get_channel(name(&one.name)?).await?;
            show(&channel, output)
        }
        Channel::Add(command) => add(command, client, output).await,
        Channel::Change(command) => change(command, client, output).await,
        Channel::Remove(one) => {
            client.remove_channel(name(&one.name)?).await?;
            output.note(&format!("channel {} is removed", one.name));
            Ok(Exit::Done)
        }
        Channel::Pause(one) => {
            let channel = client.pause_channel(name(&one.name)?).await?;
            tell(&channel, "is paused", output)
        }
        Channel::Resume(one) => {
            let channel = client.resume_channel(name(&one.name)?).await?;
            tell(&channel, "goes on where it was", output)
        }
        Channel::Test(one) => test(&one.name, client, output).await,
        Channel::DeadLetters(one) => dead_letters(&one.name, client, output).await,
        Channel::Redeliver { name: named, ids } => {
            let ids = (!ids.is_empty()).then(|| ids.clone());
            let request = RedeliverRequest { ids };
            let done = client.redeliver(name(named)?, &request).await?;
            if output.is_json() {
                output.json(&done)?;
            }
            output.note(&format!("{} dead letters will be told again", done.n));
            Ok(Exit::Done)
        }
    }
}

/// The name of a channel, where it can be one.
fn name(name: &str) -> Result<&str, CliError> {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    if name.is_empty() || matches!(name, "." | "..") || !name.chars().all(is_plain) {
        return Err(anyhow::anyhow!("{name:?} is no name of a channel").into());
    }
    Ok(name)
}

fn read(file: &Path) -> Result<String, CliError> {
    let shown = || format!("{} cannot be read", file.display());
    let n_bytes = std::fs::metadata(file).with_context(shown)?.len();
    if n_bytes > FILE_BYTES_MAX {
        return Err(anyhow::anyhow!("{} is over {FILE_BYTES_MAX} bytes", file.display()).into());
    }
    Ok(std::fs::read_to_string(file).with_context(shown)?)
}

fn secret(command: &ChannelAdd) -> Result<Option<String>, CliError> {
    let Some(file) = &command.secret_file else { return Ok(None) };
    Ok(Some(read(file)?.trim_end_matches(['\r', '\n']).to_owned()))
}

fn settings(command: &ChannelAdd) -> Result<Option<ChannelSettings>, CliError> {
    let ca_pem = command.ca.as_deref().map(read).transpose()?;
    if let Some(url) = command.webhook.clone() {
        return Ok(Some(ChannelSettings::Webhook { url, ca_pem }));
    }
    if let Some(url) = command.alertmanager.clone() {
        return Ok(Some(ChannelSettings::Alertmanager { url, ca_pem }));
    }
    if let Some(server) = command.syslog.clone() {
        return Ok(Some(ChannelSettings::Syslog { server, ca_pem }));
    }
    Ok(command.smtp.clone().map(|server| ChannelSettings::Smtp {
        server,
        security: if command.starttls { SmtpSecurity::Starttls } else { SmtpSecurity::Tls },
        from: command.from.clone().unwrap_or_default(),
        to: command.to.clone(),
        username: command.username.clone(),
        gather_s: command.gather.map(|gather| u32::try_from(gather).unwrap_or(u32::MAX)),
        ca_pem,
    }))
}

fn filter(command: &ChannelAdd) -> ChannelFilter {
    ChannelFilter {
        types: command.types.clone(),
        severities: command.severity.clone(),
        labels: command.select.clone(),
    }
}

async fn add(command: &ChannelAdd, client: &Client, output: &Output) -> Result<Exit, CliError> {
    let settings = settings(command)?.ok_or_else(|| {
        CliError::with_hint(
            anyhow::anyhow!("a channel needs a receiver"),
            "name one with --webhook, --alertmanager, --smtp or --syslog",
        )
    })?;
    let (name, secret) = (command.name.clone(), secret(command)?);
    let request = ChannelRequest { name, settings, secret, filter: filter(command) };
    let new = client.add_channel(&request).await?;
    if output.is_json() {
        output.json(&new)?;
        return Ok(Exit::Done);
    }
    if let Some(secret) = &new.secret {
        output.line(secret)?;
        output.note("This is the signing secret for the receiver. It is shown this once.");
    }
    output.note(&format!("channel {0} is added; `bootproof channel test {0}` tries it", new.name));
    Ok(Exit::Done)
}

async fn change(command: &ChannelAdd, client: &Client, output: &Output) -> Result<Exit, CliError> {
    let known = client.get_channel(name(&command.name)?).await?;
    let new = filter(command);
    let pick = |new: Vec<String>, known: Vec<String>| if new.is_empty() { known } else { new };
    let merged = ChannelFilter {
        types: pick(new.types, known.filter.types.clone()),
        severities: pick(new.severities, known.filter.severities.clone()),
        labels: new.labels.or(known.filter.labels.clone()),
    };
    let change = ChannelChange {
        settings: settings(command)?,
        secret: secret(command)?,
        filter: (merged != known.filter).then_some(merged),
    };
    if change == ChannelChange::default() {
        output.note("nothing was named to change");
        return Ok(Exit::Done);
    }
    let changed = client.change_channel(&command.name, &change).await?;
    show(&changed, output)
}

fn tell(channel: &ChannelView, done: &str, output: &Output) -> Result<Exit, CliError> {
    if output.is_json() {
        output.json(channel)?;
    }
    output.note(&format!("channel {} {done}", channel.name));
    Ok(Exit::Done)
}

const fn receiver(settings: &ChannelSettings) -> (&'static str, &String) {
    match settings {
        ChannelSettings::Webhook { url, .. } => ("webhook", url),
        ChannelSettings::Alertmanager { url, .. } => ("alertmanager", url),
        ChannelSettings::Smtp { server, .. } => ("smtp", server),
        ChannelSettings::Syslog { server, .. } => ("syslog", server),
    }
}

fn tone(channel: &ChannelView) -> Tone {
    match &*channel.state {
        "failing" => Tone::Bad,
        "paused" => Tone::Unsure,
        _ => Tone::Good,
    }
}

async fn list(client: &Client, output: &Output) -> Result<Exit, CliError> {
    let channels = client.list_channels().await?;
    let is_ill = |channel: &ChannelView| channel.state == "failing" || channel.n_dead > 0;
    let exit = if channels.iter().any(is_ill) { Exit::No } else { Exit::Done };
    if output.is_json() {
        output.json(&channels)?;
        return Ok(exit);
    }
    if channels.is_empty() {
        output.note("there is no channel: alarms are told to nobody");
        return Ok(exit);
    }
    let mut table =
        output.table(&["channel", "kind", "receiver", "state", "told last", "dead", "error"]);
    for channel in &channels {
        let (kind, receiver) = receiver(&channel.settings);
        table.add_row([
            Cell::new(&channel.name),
            Cell::new(kind),
            Cell::new(plain(receiver)),
            output.cell(tone(channel), &channel.state),
            Cell::new(time(channel.delivered_at_ms)),
            Cell::new(channel.n_dead),
            Cell::new(plain(channel.last_error.as_deref().unwrap_or_default())),
        ]);
    }
    output.line(&table.to_string())?;
    Ok(exit)
}

fn show(channel: &ChannelView, output: &Output) -> Result<Exit, CliError> {
    if output.is_json() {
        output.json(channel)?;
        return Ok(Exit::Done);
    }
    let (kind, receiver) = receiver(&channel.settings);
    let line = |name: &str, value: &str| output.line(&format!("{name:<12} {}", plain(value)));
    line("channel", &channel.name)?;
    line("kind", kind)?;
    line("receiver", receiver)?;
    output.line(&format!("{:<12} {}", "state", output.paint(tone(channel), &channel.state)))?;
    let any = |list: &[String], otherwise: &str| match list {
        [] => otherwise.to_owned(),
        list => list.join(", "),
    };
    line("types", &any(&channel.filter.types, "alarms raised, cleared, told again"))?;
    line("severities", &any(&channel.filter.severities, "all"))?;
    line("labels", channel.filter.labels.as_deref().unwrap_or("all hosts"))?;
    line("told last", &time(channel.delivered_at_ms))?;
    if let Some(error) = &channel.last_error {
        line("error", &format!("{error} ({} tries)", channel.n_failed))?;
    }
    if let Some(at_ms) = channel.next_try_at_ms {
        line("next try", &time(Some(at_ms)))?;
    }
    line("dead letters", &channel.n_dead.to_string())?;
    Ok(Exit::Done)
}

async fn test(named: &str, client: &Client, output: &Output) -> Result<Exit, CliError> {
    let test = client.test_channel(name(named)?).await?;
    let exit = if test.delivered { Exit::Done } else { Exit::No };
    if output.is_json() {
        output.json(&test)?;
        return Ok(exit);
    }
    for step in &test.steps {
        let (tone, sign) = if step.well { (Tone::Good, "ok") } else { (Tone::Bad, "no") };
        let line = format!("{:<12} {}", step.step, plain(&step.said));
        output.line(&format!("{}  {line}", output.paint(tone, sign)))?;
    }
    output.note(if test.delivered {
        "the receiver took it"
    } else {
        "the receiver did not take it"
    });
    Ok(exit)
}

async fn dead_letters(named: &str, client: &Client, output: &Output) -> Result<Exit, CliError> {
    let query = DeadLetterQuery { cursor: None, limit: Some(1_000) };
    let all = client.pages_of_dead_letters(name(named)?, query).all().await?;
    if output.is_json() {
        output.json(&all)?;
        return Ok(Exit::Done);
    }
    if all.is_empty() {
        output.note("there is no dead letter");
        return Ok(Exit::Done);
    }
    let mut table = output.table(&["number", "died", "type", "host", "error"]);
    for letter in &all {
        let field = |pointer: &str| {
            let value = letter.event.pointer(pointer).and_then(serde_json::Value::as_str);
            plain(value.unwrap_or("-"))
        };
        let due = if letter.due { " (to be told again)" } else { "" };
        table.add_row([
            letter.id.to_string(),
            time(Some(letter.died_at_ms)),
            field("/type"),
            field("/data/host/name"),
            plain(&format!("{}{due}", letter.error)),
        ]);
    }
    output.line(&table.to_string())?;
    Ok(Exit::Done)
}
