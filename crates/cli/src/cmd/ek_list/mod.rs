//! `bootproof ek-list …`

mod read;

use std::collections::HashMap;

use anyhow::anyhow;
use api::ek_list::{AddEksRequest, EKS_MAX, EkDigestOf, EkListRequest, EksQuery, is_list_name};
use client::{Client, PageQuery};
use comfy_table::Cell;
use read::Read;
use serde::Serialize;

use super::{Exit, local_time::time};
use crate::{
    args::{EkList, EkListImport, EkListShow},
    error::CliError,
    output::{Output, Tone, plain},
};

/// Keys of one request.
const PAGE_LEN: u32 = 1_000;

pub(super) async fn run(
    command: &EkList,
    client: impl FnOnce() -> Result<Client, CliError>,
    output: &Output,
) -> Result<Exit, CliError> {
    match command {
        EkList::Import(command) => import(command, client, output).await,
        EkList::List => list(&client()?, output).await,
        EkList::Show(command) => show(command, &client()?, output).await,
        EkList::Unlisted => unlisted(&client()?, output).await,
        EkList::Remove { name } => {
            check_name(name)?;
            client()?.remove_ek_list(name).await?;
            output.note(&format!("{name} is removed; hosts that joined by it stay as they are"));
            Ok(Exit::Done)
        }
    }
}

fn check_name(name: &str) -> Result<(), CliError> {
    if is_list_name(name) {
        return Ok(());
    }
    let hint = "a name has 1 to 63 letters, digits, dots, dashes and underscores";
    Err(CliError::with_hint(anyhow!("{name:?} is no name of a list"), hint))
}

/// What an import did.
#[derive(Serialize)]
struct Imported {
    list: String,
    n_read: usize,
    n_added: usize,
    doubled: Vec<Doubled>,
}

/// A key that was there before.
#[derive(Serialize)]
struct Doubled {
    place: String,
    of: EkDigestOf,
    sha256: String,
    /// Where in the same file.
    #[serde(skip_serializing_if = "Option::is_none")]
    first: Option<String>,
    /// On which lists.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    lists: Vec<String>,
}

async fn import(
    command: &EkListImport,
    client: impl FnOnce() -> Result<Client, CliError>,
    output: &Output,
) -> Result<Exit, CliError> {
    check_name(&command.name)?;
    let read = read::keys(&command.file)?;
    let n_read = read.len();
    let mut seen: HashMap<(EkDigestOf, String), String> = HashMap::new();
    let (mut keys, mut doubled): (Vec<Read>, Vec<Doubled>) = (Vec::new(), Vec::new());
    for Read { ek, place } in read {
        match seen.get(&(ek.of, ek.sha256.clone())) {
            Some(first) => doubled.push(Doubled {
                place,
                of: ek.of,
                sha256: ek.sha256,
                first: Some(first.clone()),
                lists: Vec::new(),
            }),
            None => {
                seen.insert((ek.of, ek.sha256.clone()), place.clone());
                keys.push(Read { ek, place });
            }
        }
    }
    let mut n_added = 0;
    if !command.dry_run {
        let client = client()?;
        if !command.append {
            let request = EkListRequest {
                name: command.name.clone(),
                labels: command.label.iter().cloned().collect(),
                expected: command.expected,
                note: command.note.clone(),
            };
            let made = client.create_ek_list(&request).await.map_err(CliError::from);
            made.map_err(|err| match err.is_refusal("name-taken") {
                true => err.hinted("--append puts the keys on the list that there is"),
                false => err,
            })?;
        }
        for part in keys.chunks(EKS_MAX) {
            let eks = part.iter().map(|read| read.ek.clone()).collect();
            let added = client.add_listed_eks(&command.name, &AddEksRequest { eks }).await?;
            for (read, lists) in part.iter().zip(added.known_on) {
                n_added += usize::from(!lists.contains(&command.name));
                if !lists.is_empty() {
                    let (place, sha256) = (read.place.clone(), read.ek.sha256.clone());
                    doubled.push(Doubled { place, of: read.ek.of, sha256, first: None, lists });
                }
            }
        }
    }
    let exit = if doubled.is_empty() { Exit::Done } else { Exit::No };
    let list = command.name.clone();
    tell(&Imported { list, n_read, n_added, doubled }, command, output)?;
    Ok(exit)
}

fn tell(imported: &Imported, command: &EkListImport, output: &Output) -> Result<(), CliError> {
    if output.is_json() {
        output.json(imported)?;
    } else if !imported.doubled.is_empty() {
        let mut table = output.table(&["where", "key", "was there before"]);
        for doubled in &imported.doubled {
            let before = match &doubled.first {
                Some(first) => first.clone(),
                None => format!("on {}", doubled.lists.join(", ")),
            };
            table.add_row([plain(&doubled.place), doubled.sha256.clone(), plain(&before)]);
        }
        output.line(&table.to_string())?;
    }
    let Imported { list, n_read, n_added, .. } = imported;
    match command.dry_run {
        true => output.note(&format!("{n_read} keys for {list}; nothing was done")),
        false => output.note(&format!("{n_added} of {n_read} keys are on {list} now")),
    }
    Ok(())
}

async fn list(client: &Client, output: &Output) -> Result<Exit, CliError> {
    let lists = client.list_ek_lists().await?;
    if output.is_json() {
        output.json(&lists)?;
        return Ok(Exit::Done);
    }
    let mut table = output.table(&["list", "joined", "hosts get", "made", "note"]);
    for list in lists {
        let labels = list.labels.iter().map(|(key, value)| format!("{key}={value}"));
        let mut get: Vec<_> = labels.collect();
        if list.expected {
            get.push("no person is asked".to_owned());
        }
        table.add_row([
            list.name,
            format!("{} of {}", list.n_joined, list.n_eks),
            plain(&get.join(", ")),
            format!("{} by {}", time(Some(list.created_at_ms)), plain(&list.created_by)),
            plain(&list.note),
        ]);
    }
    output.show_rows(
        table,
        "no list is kept: `bootproof ek-list import FILE --name NAME` makes one",
    )?;
    Ok(Exit::Done)
}

async fn show(command: &EkListShow, client: &Client, output: &Output) -> Result<Exit, CliError> {
    check_name(&command.name)?;
    let joined = match (command.joined, command.missing) {
        (true, _) => Some(true),
        (false, true) => Some(false),
        (false, false) => None,
    };
    let query = EksQuery { limit: Some(PAGE_LEN), joined, cursor: None };
    let eks = client.pages_of_listed_eks(&command.name, query).all().await?;
    if output.is_json() {
        output.json(&eks)?;
        return Ok(Exit::Done);
    }
    let mut table = output.table(&["sha256", "of", "note", "host"]);
    for listed in &eks {
        let of = match listed.ek.of {
            EkDigestOf::Spki => "SubjectPublicKeyInfo",
            EkDigestOf::PublicArea => "public area",
        };
        let host = match &listed.host {
            Some(host) => output.cell(Tone::Good, &plain(host)),
            None => Cell::new("has not joined"),
        };
        let note = Cell::new(plain(&listed.ek.note));
        table.add_row([Cell::new(&listed.ek.sha256), Cell::new(of), note, host]);
    }
    output.line(&table.to_string())?;
    Ok(Exit::Done)
}

async fn unlisted(client: &Client, output: &Output) -> Result<Exit, CliError> {
    let query = PageQuery { cursor: None, limit: Some(500) };
    let hosts = client.pages_of_unlisted_hosts(query).all().await?;
    let exit = if hosts.is_empty() { Exit::Done } else { Exit::No };
    if output.is_json() {
        output.json(&hosts)?;
        return Ok(exit);
    }
    for host in &hosts {
        output.line(&format!("{}  {}  {}", plain(&host.name), host.ek_sha256, host.id))?;
    }
    output.note(&format!("{} enrolled hosts are on no list", hosts.len()));
    Ok(exit)
}
