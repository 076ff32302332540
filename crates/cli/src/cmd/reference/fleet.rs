//! References in the inventory of a server.

use std::{fs, path::Path};

use anyhow::{Context as _, anyhow};
use api::{
    fleet::{
        AcceptChangeRequest, BeginsAs, ImportReference, KeptReference, LearnRequest,
        ReferenceDetail, ReferenceScope, ReferenceState, ReferenceStateRequest, ReferenceUses,
    },
    machine::Cohort,
};
use client::{Client, PageQuery};
use references::Baseline;

use super::{file_name, offline, vendor};
use crate::{
    args::{AcceptChange, HostLearn, ReferenceExport, ReferenceImport, ReferenceStep},
    cmd::{Exit, host::find, local_time::time, verify::show_findings},
    error::CliError,
    output::{Output, Tone, plain},
};

pub(crate) async fn list(client: &Client, output: &Output) -> Result<Exit, CliError> {
    let query = PageQuery { cursor: None, limit: Some(1_000) };
    let references = client.pages_of_references(query).all().await?;
    if output.is_json() {
        output.json(&references)?;
        return Ok(Exit::Done);
    }
    if references.is_empty() {
        output.note("no reference is kept: `bootproof host learn HOST` makes one");
        return Ok(Exit::Done);
    }
    let mut table = output.table(&["identifier", "state", "for", "name", "by", "since"]);
    for reference in &references {
        table.add_row([
            reference.id.clone(),
            state_in_words(reference),
            plain(&scope_in_words(&reference.scope)),
            plain(&reference.name),
            plain(&reference.created_by),
            time(Some(reference.created_at_ms)),
        ]);
    }
    output.line(&table.to_string())?;
    Ok(Exit::Done)
}

fn state_in_words(reference: &KeptReference) -> String {
    let mut words = reference.state.as_str().to_owned();
    if reference.uses == ReferenceUses::OneBoot {
        words.push_str(", for one boot");
    }
    if let Some(until_ms) = reference.until_ms {
        words.push_str(&format!(", until {}", time(Some(until_ms))));
    }
    words
}

fn scope_in_words(scope: &ReferenceScope) -> String {
    match scope {
        ReferenceScope::Host(id) => format!("host {id}"),
        ReferenceScope::Cohort(cohort) => cohort.to_string(),
    }
}

pub(crate) async fn show(id: &str, client: &Client, output: &Output) -> Result<Exit, CliError> {
    let detail = detail(id, client).await?;
    if output.is_json() {
        output.json(&detail)?;
        return Ok(Exit::Done);
    }
    let reference = &detail.reference;
    let line = |name: &str, value: &str| output.line(&format!("{name:<16} {}", plain(value)));
    line("identifier", &reference.id)?;
    line("name", &reference.name)?;
    line("for", &scope_in_words(&reference.scope))?;
    line("state", &state_in_words(reference))?;
    line("origin", &reference.origin)?;
    line("sha256", &reference.sha256)?;
    for step in &detail.life {
        let state = step.state.as_str();
        line(state, &format!("{} by {}: {}", time(Some(step.at_ms)), step.by, step.reason))?;
    }
    output.line("")?;
    offline::show_document(&detail.document, &reference.id, output)
}

async fn detail(id: &str, client: &Client) -> Result<ReferenceDetail, CliError> {
    Ok(client.get_reference(identifier(id)?).await?)
}

/// The identifier of a reference; those of ours have these characters only.
fn identifier(id: &str) -> Result<&str, CliError> {
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    if id.is_empty() || !id.chars().all(fits) {
        return Err(CliError::with_hint(
            anyhow!("there is no reference {id:?}"),
            "`bootproof reference list` shows them",
        ));
    }
    Ok(id)
}

pub(crate) async fn export(
    command: &ReferenceExport,
    client: &Client,
    output: &Output,
) -> Result<Exit, CliError> {
    let detail = detail(&command.id, client).await?;
    let file = &command.out;
    fs::write(file, &*detail.document)
        .with_context(|| format!("{} cannot be written", file.display()))?;
    output.note(&format!("written; `bootproof reference show {}` shows it", file.display()));
    Ok(Exit::Done)
}

/// `brought` is the file that `baseline` is of.
pub(crate) async fn import(
    command: &ReferenceImport,
    brought: &Path,
    baseline: &Baseline,
    client: &Client,
    output: &Output,
) -> Result<Exit, CliError> {
    let document = report::reference::write(baseline).context("the reference is too large")?;
    let meant = baseline.content().manifest.as_deref();
    let meant = meant.map(|manifest| report::reference::cohort(&manifest.model));
    let scope = match (meant, &command.host, &command.cohort_of) {
        (Some(_), Some(_), _) => {
            return Err(CliError::with_hint(
                anyhow!("a manifest of a vendor is for all hosts of its model"),
                "leave --host out",
            ));
        }
        (Some(meant), None, None) => ReferenceScope::Cohort(meant),
        (Some(meant), None, Some(host)) => {
            let id = find(host, client).await?.id;
            let named = cohort_of(&id, client).await?;
            if named != meant {
                return Err(anyhow!("it is for {meant}, and {host} is {named}").into());
            }
            ReferenceScope::Cohort(meant)
        }
        (None, Some(host), None) => ReferenceScope::Host(find(host, client).await?.id),
        (None, None, Some(host)) => {
            let id = find(host, client).await?.id;
            ReferenceScope::Cohort(cohort_of(&id, client).await?)
        }
        // The parser refuses both.
        (None, _, _) => {
            return Err(CliError::with_hint(
                anyhow!("it is not said for whom this reference is"),
                "name a host with --host or --cohort-of",
            ));
        }
    };
    let request = ImportReference {
        document: document.into(),
        scope,
        name: command.name.clone().unwrap_or_else(|| file_name(brought)),
        reason: command.reason.clone().unwrap_or_default(),
        state: if command.active { BeginsAs::Active } else { BeginsAs::Pending },
        until_ms: None,
    };
    let kept = client.import_reference(&request).await?;
    if !output.is_json() {
        vendor::show(baseline, output)?;
    }
    say_kept(&kept, output)
}

async fn cohort_of(id: &str, client: &Client) -> Result<Cohort, CliError> {
    let detail = client.get_host(id).await?;
    let machine = detail.appraisal.and_then(|appraisal| appraisal.facts.untrusted_machine);
    machine.and_then(|machine| machine.cohort()).ok_or_else(|| {
        CliError::with_hint(
            anyhow!("{} does not say vendor, model and firmware", detail.host.name),
            "attest it once, with an agent that is up to date",
        )
    })
}

fn say_kept(kept: &KeptReference, output: &Output) -> Result<Exit, CliError> {
    if output.is_json() {
        output.json(kept)?;
        return Ok(Exit::Done);
    }
    let id = output.paint(Tone::Strong, &kept.id);
    let scope = plain(&scope_in_words(&kept.scope));
    output.line(&format!("{id} is {} for {scope}", state_in_words(kept)))?;
    if kept.state == ReferenceState::Pending {
        output.note(&format!(
            "nobody is held to it yet: `bootproof reference activate {} --reason TEXT`",
            kept.id
        ));
    }
    Ok(Exit::Done)
}

pub(crate) async fn step(
    command: &ReferenceStep,
    state: ReferenceState,
    client: &Client,
    output: &Output,
) -> Result<Exit, CliError> {
    let request = ReferenceStateRequest { state, reason: command.reason.clone() };
    let kept = client.set_reference_state(identifier(&command.id)?, &request).await?;
    say_kept(&kept, output)
}

/// `bootproof host learn`.
pub(crate) async fn learn(
    command: &HostLearn,
    client: &Client,
    output: &Output,
) -> Result<Exit, CliError> {
    let host = find(&command.host, client).await?;
    let request = LearnRequest {
        scope: command.breadth(),
        name: command.name.clone().unwrap_or_else(|| format!("boot of {}", host.name)),
        reason: command.reason.clone(),
        state: if command.pending { BeginsAs::Pending } else { BeginsAs::Active },
    };
    let kept = client.learn_reference(&host.id, &request).await?;
    say_kept(&kept, output)
}

/// `bootproof host accept-change`. Shows what is accepted, and accepts what it showed only.
pub(crate) async fn accept_change(
    command: &AcceptChange,
    client: &Client,
    output: &Output,
) -> Result<Exit, CliError> {
    let host = find(&command.host, client).await?;
    if !output.is_json() {
        let changes: Vec<_> =
            host.findings.iter().filter(|found| found.code == "reference-change").collect();
        for change in &changes {
            output.line(&format!("  {}", plain(&change.cause)))?;
        }
    }
    let request = AcceptChangeRequest {
        scope: command.breadth(),
        reason: command.reason.clone(),
        until_ms: command.until,
        uses: if command.once { ReferenceUses::OneBoot } else { ReferenceUses::Any },
        appraised_at_ms: host.appraised_at_ms,
    };
    let accepted = client.accept_change(&host.id, &request).await?;
    let exit = if accepted.verdict == "accepted" { Exit::Done } else { Exit::No };
    if output.is_json() {
        output.json(&accepted)?;
        return Ok(exit);
    }
    say_kept(&accepted.reference, output)?;
    let verdict = output.paint(Tone::of_verdict(&accepted.verdict), &accepted.verdict);
    output.line(&format!("{}: {verdict}", plain(&host.name)))?;
    if exit == Exit::No {
        show_findings(&accepted.findings, output)?;
    }
    Ok(exit)
}
