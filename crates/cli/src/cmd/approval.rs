//! `bootproof approval …`

use std::collections::BTreeSet;

use anyhow::anyhow;
use api::{
    approval::{
        ApprovalQuery, DECISIONS_MAX, DecideRequest, Decision, DecisionOutcome, Kind, Waiting,
    },
    inventory::selector,
};
use client::Client;

use super::{Exit, input, local_time::time};
use crate::{
    args::{Approval, Decide, WhatWaits},
    error::CliError,
    output::{Output, Tone, plain},
};

/// Things of one request.
const PAGE_LEN: u32 = 500;

/// A file of the digests of a fleet of 100,000 hosts is below a sixth of it.
const FILE_BYTES_MAX: u64 = 64 * 1024 * 1024;

/// Things that are named before a person is asked.
const NAMED_MAX: usize = 5;

pub(super) async fn run(
    command: &Approval,
    client: &Client,
    output: &Output,
) -> Result<Exit, CliError> {
    match command {
        Approval::List(command) => {
            let waiting = all(&command.which, client).await?;
            list(&waiting, output)
        }
        Approval::Approve(command) => decide(command, Decision::Approve, client, output).await,
        Approval::Refuse(command) => decide(command, Decision::Refuse, client, output).await,
    }
}

/// All that waits and fits, the longest waiting first.
async fn all(which: &WhatWaits, client: &Client) -> Result<Vec<Waiting>, CliError> {
    let query = ApprovalQuery { limit: Some(PAGE_LEN), ..ApprovalQuery::default() };
    let mut waiting = client.pages_of_approvals(query).all().await?;
    if let Some(kind) = &which.kind {
        waiting.retain(|one| one.kind.as_str() == kind);
    }
    if let Some(labels) = &which.select {
        // Its shape was checked with the arguments.
        let wanted = selector(labels).unwrap_or_default();
        waiting.retain(|one| {
            wanted.iter().all(|(key, value)| match (one.labels.get(key), value) {
                (Some(have), Some(value)) => have == value,
                (Some(_), None) => true,
                (None, _) => false,
            })
        });
    }
    waiting.sort_by_key(|one| one.since_ms);
    Ok(waiting)
}

fn list(waiting: &[Waiting], output: &Output) -> Result<Exit, CliError> {
    let exit = if waiting.is_empty() { Exit::Done } else { Exit::No };
    if output.is_json() {
        output.json(&waiting)?;
        return Ok(exit);
    }
    if waiting.is_empty() {
        output.line(&output.paint(Tone::Good, "Nothing waits for a person."))?;
        return Ok(exit);
    }
    let mut table = output.table(&["waits", "name", "since", "compare", "identifier"]);
    for one in waiting {
        let kind = match one.kind {
            Kind::Host => "a host",
            Kind::Tpm => "another TPM",
            Kind::Reference => "a reference",
        };
        table.add_row([
            kind.to_owned(),
            plain(&one.name),
            time(Some(one.since_ms)),
            plain(&to_compare(one).join("\n")),
            one.id.clone(),
        ]);
    }
    output.line(&table.to_string())?;
    Ok(exit)
}

/// What a person looks at before he decides.
fn to_compare(one: &Waiting) -> Vec<String> {
    let mut lines = Vec::new();
    if let Some(ek_sha256) = &one.ek_sha256 {
        let proved = if one.ek_proved { "" } else { " (not proved yet)" };
        lines.push(format!("EK {ek_sha256}{proved}"));
    }
    if let Some(enrolled) = &one.enrolled_ek_sha256 {
        lines.push(format!("instead of {enrolled}"));
    }
    if let Some(serial) = &one.certificate_serial {
        let issuer = one.certificate_issuer.as_deref().unwrap_or_default();
        lines.push(format!("certificate {serial} by {issuer}"));
    }
    if !one.labels.is_empty() {
        let labels = one.labels.iter().map(|(key, value)| format!("{key}={value}"));
        lines.push(labels.collect::<Vec<_>>().join(", "));
    }
    if let (Some(by), Some(reason)) = (&one.by, &one.reason) {
        lines.push(format!("by {by}: {reason}"));
    }
    let problems = one.problems.iter();
    lines.extend(problems.map(|finding| format!("{}: {}", finding.code, finding.cause)));
    lines
}

async fn decide(
    command: &Decide,
    decision: Decision,
    client: &Client,
    output: &Output,
) -> Result<Exit, CliError> {
    let (verb, done) = match decision {
        Decision::Approve => ("approve", "approved"),
        Decision::Refuse => ("refuse", "refused"),
    };
    let waiting = all(&command.which, client).await?;
    let chosen = choose(command, waiting)?;
    if command.dry_run {
        if output.is_json() {
            output.json(&chosen)?;
        } else {
            for one in &chosen {
                output.line(&format!("{}  {}", plain(&one.name), one.id))?;
            }
        }
        output.note(&format!("would {verb} {}; nothing was done", chosen.len()));
        return Ok(Exit::Done);
    }
    if chosen.is_empty() {
        output.note("nothing that waits fits: nothing was done");
        return Ok(Exit::Done);
    }
    confirm(command, verb, &chosen, output)?;
    let mut outcomes: Vec<DecisionOutcome> = Vec::with_capacity(chosen.len());
    for part in chosen.chunks(DECISIONS_MAX) {
        let ids = part.iter().map(|one| one.id.clone()).collect();
        let request = DecideRequest { ids, decision, reason: command.reason.clone() };
        let reply = client.decide_approvals(&request).await?;
        outcomes.extend(reply.outcomes);
    }
    let mut n_done = 0;
    for (one, outcome) in chosen.iter().zip(&outcomes) {
        match &outcome.problem {
            None => n_done += 1,
            Some(_) if output.is_json() => {}
            Some(problem) => {
                let title = format!("{}: {}", plain(&one.name), plain(&problem.title));
                output.error(&title, problem.hint.as_deref());
            }
        }
    }
    if output.is_json() {
        output.json(&outcomes)?;
    }
    output.note(&format!("{n_done} of {} {done}", chosen.len()));
    Ok(if n_done == chosen.len() { Exit::Done } else { Exit::No })
}

/// What of `waiting` is meant. Each that is named must be there, and be one.
fn choose(command: &Decide, waiting: Vec<Waiting>) -> Result<Vec<Waiting>, CliError> {
    let named: Vec<String> = match &command.file {
        Some(file) => {
            let text =
                input::text(file, FILE_BYTES_MAX, "is no list of what waits: it is too long")?;
            let word = |line: &str| line.split('#').next().unwrap_or_default().trim().to_owned();
            text.lines().map(word).filter(|word| !word.is_empty()).collect()
        }
        None => command.named.clone(),
    };
    if named.is_empty() && command.file.is_none() {
        // Who takes the place of an enrolled TPM is never one of many.
        let is_meant = |one: &Waiting| one.kind != Kind::Tpm || command.which.kind.is_some();
        return Ok(waiting.into_iter().filter(is_meant).collect());
    }
    let mut chosen = BTreeSet::new();
    for word in &named {
        let digest = word.to_ascii_lowercase();
        let fits = |one: &Waiting| {
            one.id == *word
                || one.name == *word
                || one.host_id.as_ref() == Some(word)
                || one.ek_sha256.as_ref() == Some(&digest)
        };
        let found: Vec<_> = (0..).zip(&waiting).filter(|(_, one)| fits(one)).collect();
        match found.as_slice() {
            [(index, _)] => drop(chosen.insert(*index)),
            // A list of a purchase names also what has not come yet.
            [] if command.file.is_some() => {}
            [] => {
                let hint = "`bootproof approval list` shows what waits";
                return Err(CliError::with_hint(anyhow!("nothing waits that is {word:?}"), hint));
            }
            [_, ..] => {
                let hint = "name it by its identifier: `bootproof approval list` shows it";
                return Err(CliError::with_hint(anyhow!("several wait that are {word:?}"), hint));
            }
        }
    }
    let is_chosen = |(index, one): (usize, Waiting)| chosen.contains(&index).then_some(one);
    Ok(waiting.into_iter().enumerate().filter_map(is_chosen).collect())
}

/// Asks a person before more is decided than he named one by one.
fn confirm(
    command: &Decide,
    verb: &str,
    chosen: &[Waiting],
    output: &Output,
) -> Result<(), CliError> {
    if command.yes || !command.named.is_empty() {
        return Ok(());
    }
    let n = chosen.len();
    let mut names: Vec<_> = chosen.iter().take(NAMED_MAX).map(|one| plain(&one.name)).collect();
    if n > NAMED_MAX {
        names.push(format!("and {} more", n - NAMED_MAX));
    }
    match output.ask(&format!("{verb} {n} ({})?", names.join(", ")))? {
        Some(true) => Ok(()),
        Some(false) => Err(anyhow!("nothing was done").into()),
        None => Err(CliError::with_hint(
            anyhow!("nobody can be asked whether to {verb} {n}"),
            "--yes goes on without asking; --dry-run shows what it would be",
        )),
    }
}
