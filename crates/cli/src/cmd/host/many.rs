//! The same to several hosts: those that are named, in a file, or chosen by labels.

use std::{
    collections::{HashMap, HashSet},
    path::Path,
    time::Duration,
};

use anyhow::anyhow;
use api::{
    admin::Host as HostView,
    inventory::{ACTION_HOSTS_MAX, Action, ActionOutcome, ActionRequest, HostQuery},
};
use client::Client;
use comfy_table::Cell;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::{all, find, no_host};
use crate::{
    args::Hosts,
    cmd::{Exit, input},
    error::CliError,
    output::{Output, Tone, n_hosts, plain},
};

/// A file of the names of a fleet of 100,000 hosts is below a tenth of it.
const FILE_BYTES_MAX: u64 = 64 * 1024 * 1024;

/// Names that are looked up one by one; for more the whole list costs less.
const ONE_BY_ONE_MAX: usize = 20;

/// Hosts that are named before a person is asked.
const NAMED_MAX: usize = 5;

/// How an action is told.
pub(super) struct Words {
    /// What is asked for: `disconnect`.
    pub(super) verb: &'static str,
    /// What became of them: `disconnected: not attested until …`.
    pub(super) done: String,
}

/// Does `action` to the chosen hosts, and tells what became of it.
pub(super) async fn run(
    chosen: &Hosts,
    action: Action,
    words: &Words,
    client: &Client,
    output: &Output,
) -> Result<Exit, CliError> {
    let hosts = choose(chosen, client).await?;
    if chosen.dry_run {
        return preview(&hosts, words, output);
    }
    if hosts.is_empty() {
        output.note("no host fits: nothing was done");
        return Ok(Exit::Done);
    }
    confirm(chosen, &hosts, words, output)?;
    let outcomes = act(&hosts, &action, words, client).await?;
    tell(&hosts, &outcomes, words, output)
}

/// The hosts that were named, are in the file, or have the labels.
pub(super) async fn choose(chosen: &Hosts, client: &Client) -> Result<Vec<HostView>, CliError> {
    if let Some(labels) = &chosen.select {
        return all(client, HostQuery { labels: Some(labels.clone()), ..HostQuery::default() })
            .await;
    }
    if chosen.all {
        return all(client, HostQuery::default()).await;
    }
    let names = match &chosen.file {
        Some(file) => names_in(file)?,
        None => chosen.hosts.clone(),
    };
    let mut hosts = Vec::new();
    if names.len() <= ONE_BY_ONE_MAX {
        for name in &names {
            hosts.push(find(name, client).await?);
        }
    } else {
        hosts = of_all(&names, all(client, HostQuery::default()).await?)?;
    }
    let mut seen = HashSet::new();
    hosts.retain(|host| seen.insert(host.id.clone()));
    Ok(hosts)
}

/// Those of `all` that have these names or identifiers.
fn of_all(names: &[String], all: Vec<HostView>) -> Result<Vec<HostView>, CliError> {
    let mut by_name: HashMap<&str, Vec<&HostView>> = HashMap::new();
    for host in &all {
        by_name.entry(&host.name).or_default().push(host);
        by_name.entry(&host.id).or_default().push(host);
    }
    let one = |name: &String| match by_name.get(name.as_str()).map(Vec::as_slice) {
        Some([host]) => Ok((*host).clone()),
        Some([_, ..]) => Err(super::several(name)),
        Some([]) | None => Err(no_host(name)),
    };
    names.iter().map(one).collect()
}

/// One name a line; empty lines and what follows a `#` say nothing.
fn names_in(file: &Path) -> Result<Vec<String>, CliError> {
    let text = input::text(file, FILE_BYTES_MAX, "is no list of hosts: it is too long")?;
    let name = |line: &str| line.split('#').next().unwrap_or_default().trim().to_owned();
    Ok(text.lines().map(name).filter(|name| !name.is_empty()).collect())
}

fn preview(hosts: &[HostView], words: &Words, output: &Output) -> Result<Exit, CliError> {
    if output.is_json() {
        output.json(&hosts)?;
        return Ok(Exit::Done);
    }
    for host in hosts {
        output.line(&format!("{}  {}, {}", plain(&host.name), host.verdict, host.connection))?;
    }
    output.note(&format!("would {}: {}; nothing was done", words.verb, n_hosts(hosts.len())));
    Ok(Exit::Done)
}

/// Asks a person before hosts are changed that were not named one by one.
fn confirm(
    chosen: &Hosts,
    hosts: &[HostView],
    words: &Words,
    output: &Output,
) -> Result<(), CliError> {
    let n = hosts.len();
    if chosen.yes || !chosen.hosts.is_empty() {
        return Ok(());
    }
    let mut named: Vec<_> = hosts.iter().take(NAMED_MAX).map(|host| host.name.clone()).collect();
    if n > NAMED_MAX {
        named.push(format!("and {} more", n - NAMED_MAX));
    }
    match output.ask(&format!("{} {} ({})?", words.verb, n_hosts(n), named.join(", ")))? {
        Some(true) => Ok(()),
        Some(false) => Err(anyhow!("nothing was done").into()),
        None => Err(CliError::with_hint(
            anyhow!("nobody can be asked whether to {} {}", words.verb, n_hosts(n)),
            "--yes goes on without asking; --dry-run shows which hosts it would be",
        )),
    }
}

async fn act(
    hosts: &[HostView],
    action: &Action,
    words: &Words,
    client: &Client,
) -> Result<Vec<ActionOutcome>, CliError> {
    let n = u64::try_from(hosts.len()).unwrap_or(u64::MAX);
    let progress = match hosts.len() > ACTION_HOSTS_MAX {
        true => ProgressBar::with_draw_target(Some(n), ProgressDrawTarget::stderr()),
        false => ProgressBar::hidden(),
    };
    if let Ok(style) = ProgressStyle::with_template("{msg} {wide_bar} {pos}/{len} {eta}") {
        progress.set_style(style);
    }
    progress.set_message(words.verb);
    progress.enable_steady_tick(Duration::from_millis(200));
    let mut outcomes = Vec::with_capacity(hosts.len());
    for part in hosts.chunks(ACTION_HOSTS_MAX) {
        let hosts = part.iter().map(|host| host.id.clone()).collect();
        let request = ActionRequest { hosts, action: action.clone() };
        let reply = client.act_on_hosts(&request).await?;
        progress.inc(u64::try_from(reply.outcomes.len()).unwrap_or(0));
        outcomes.extend(reply.outcomes);
    }
    progress.finish_and_clear();
    Ok(outcomes)
}

fn tell(
    hosts: &[HostView],
    outcomes: &[ActionOutcome],
    words: &Words,
    output: &Output,
) -> Result<Exit, CliError> {
    let refused: Vec<_> = hosts
        .iter()
        .zip(outcomes)
        .filter_map(|(host, outcome)| Some((host, outcome.problem.as_ref()?)))
        .collect();
    if output.is_json() {
        output.json(&outcomes)?;
    } else if let ([host], [(_, problem)]) = (hosts, refused.as_slice()) {
        let hint = problem.hint.clone().unwrap_or_default();
        let title = anyhow!("{}: {}", host.name, problem.title);
        return Err(CliError::with_hint(title, hint));
    } else if !refused.is_empty() {
        let mut table = output.table(&["host", "refused", "next step"]);
        for (host, problem) in &refused {
            table.add_row([
                Cell::new(plain(&host.name)),
                output.cell(Tone::Bad, &plain(&problem.title)),
                Cell::new(plain(problem.hint.as_deref().unwrap_or_default())),
            ]);
        }
        output.line(&table.to_string())?;
    }
    match hosts {
        [host] => output.note(&format!("{} {}", host.name, words.done)),
        _ => {
            let n_done = hosts.len().saturating_sub(refused.len());
            output.note(&format!("{} {}", n_hosts(n_done), words.done));
        }
    }
    Ok(if refused.is_empty() { Exit::Done } else { Exit::No })
}
