//! Policies that a server keeps: `bootproof policy list`, `put`, `show NUMBER`, `diff`, `activate`.

use std::{collections::HashMap, path::Path};

use anyhow::Context as _;
use api::policy::{
    LineChange, PolicyActivateRequest, PolicyDiffQuery, PolicyFiles, PolicyInForce,
    PolicyPutRequest, PolicySource, PolicyVersion, PolicyVersionPage, PolicyVersionsQuery,
};
use client::Client;
use policy::{FolderFiles, NamedFiles as _};

use super::{Exit, local_time::time};
use crate::{
    args::{PolicyActivate, PolicyDiff, PolicyPut},
    error::CliError,
    output::{Output, Tone, plain},
};

/// Versions of one request.
const PAGE_LEN: u32 = 500;

/// The files that the policy in `file` names.
pub(super) fn named_files(text: &str, file: &Path) -> Result<PolicyFiles, CliError> {
    let folder = file.parent().unwrap_or_else(|| Path::new(""));
    let mut files = HashMap::new();
    for name in policy::named_files(text) {
        let bytes = FolderFiles(folder).bytes(&name).with_context(|| name.clone())?;
        files.insert(name, bytes.into());
    }
    Ok(files)
}

async fn all(client: &Client) -> Result<PolicyVersionPage, CliError> {
    let mut query = PolicyVersionsQuery { cursor: None, limit: Some(PAGE_LEN) };
    let mut all = client.list_policies(&query).await?;
    while all.next_cursor.is_some() {
        query.cursor = all.next_cursor;
        let next = client.list_policies(&query).await?;
        all.versions.extend(next.versions);
        all.next_cursor = next.next_cursor;
    }
    Ok(all)
}

fn counts(in_force: &PolicyInForce) -> String {
    match (in_force.source, &in_force.file, &in_force.activated) {
        (PolicySource::File, Some(file), _) => {
            format!("hosts are judged by the file {file}, which counts before any version")
        }
        (PolicySource::Version, _, Some(active)) => format!(
            "hosts are judged by version {}, activated {} by {}: {}",
            active.number,
            time(Some(active.at_ms)),
            active.by,
            active.reason
        ),
        _ => "hosts are judged by the default policy".to_owned(),
    }
}

pub(super) async fn list(client: &Client, output: &Output) -> Result<Exit, CliError> {
    let page = all(client).await?;
    if output.is_json() {
        output.json(&page)?;
        return Ok(Exit::Done);
    }
    output.line(&plain(&counts(&page.in_force)))?;
    if page.versions.is_empty() {
        return Ok(Exit::Done);
    }
    output.line("")?;
    let mut table = output.table(&["version", "in force", "made", "by", "for"]);
    for version in &page.versions {
        table.add_row([
            version.number.to_string(),
            if version.in_force { "yes" } else { "" }.to_owned(),
            time(Some(version.created_at_ms)),
            plain(&version.created_by),
            plain(&version.note),
        ]);
    }
    output.line(&table.to_string())?;
    Ok(Exit::Done)
}

pub(super) async fn show(number: i64, client: &Client, output: &Output) -> Result<Exit, CliError> {
    let document = client.get_policy(&number.to_string()).await?;
    if output.is_json() {
        output.json(&document)?;
        return Ok(Exit::Done);
    }
    // Whoever changes what hosts are judged by wrote it; but a terminal is not to be steered by it.
    for line in document.policy.lines() {
        output.line(&plain(line))?;
    }
    for file in &document.files {
        output.note(&format!(
            "it names {} ({} bytes, sha256 {}), which the server keeps, too",
            plain(&file.name),
            file.n_bytes,
            file.sha256
        ));
    }
    Ok(Exit::Done)
}

pub(super) async fn put(
    command: &PolicyPut,
    client: &Client,
    output: &Output,
) -> Result<Exit, CliError> {
    let (_, text) = super::policy::load(&command.file)?;
    let files = named_files(&text, &command.file)?;
    let request =
        PolicyPutRequest { policy: text, files, based_on: None, note: command.note.clone() };
    let version = client.put_policy(&request).await?;
    if output.is_json() {
        output.json(&version)?;
    } else {
        let PolicyVersion { number, in_force, .. } = version;
        output.line(&format!("version {number}"))?;
        if in_force {
            output.note("hosts are judged by it already");
        } else {
            output.note(&format!(
                "it does not count yet: `bootproof policy activate {number} --reason TEXT`"
            ));
        }
    }
    Ok(Exit::Done)
}

pub(super) async fn diff(
    command: &PolicyDiff,
    client: &Client,
    output: &Output,
) -> Result<Exit, CliError> {
    let query = PolicyDiffQuery { from: command.from };
    let diff = client.diff_policy(&command.number.to_string(), &query).await?;
    let differs = !diff.pieces.is_empty() || !diff.files.is_empty();
    if output.is_json() {
        output.json(&diff)?;
    } else if !differs {
        output.line("nothing differs")?;
    } else {
        for (n, piece) in diff.pieces.iter().enumerate() {
            if n > 0 {
                output.line("…")?;
            }
            for line in piece {
                let text = plain(&line.text);
                output.line(&match line.change {
                    LineChange::Same => format!("  {text}"),
                    LineChange::Removed => output.paint(Tone::Bad, &format!("- {text}")),
                    LineChange::Added => output.paint(Tone::Good, &format!("+ {text}")),
                })?;
            }
        }
        for name in &diff.files {
            output.line(&format!("the file {} differs", plain(name)))?;
        }
    }
    Ok(if differs { Exit::No } else { Exit::Done })
}

pub(super) async fn activate(
    command: &PolicyActivate,
    client: &Client,
    output: &Output,
) -> Result<Exit, CliError> {
    let query = PolicyVersionsQuery { cursor: None, limit: Some(1) };
    let now = client.list_policies(&query).await?;
    let before = now.in_force.activated.map(|active| active.number);
    let request = PolicyActivateRequest { before, reason: command.reason.clone() };
    let in_force = client.activate_policy(&command.number.to_string(), &request).await?;
    if output.is_json() {
        output.json(&in_force)?;
    } else {
        output.line(&plain(&counts(&in_force)))?;
        output.note("what hosts sent last is being judged anew");
    }
    Ok(Exit::Done)
}
