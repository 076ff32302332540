//! `bootproof reference …`: what hosts are expected to boot.

pub(crate) mod fleet;
mod from_image;
pub(crate) mod offline;
mod vendor;

use std::{fs, path::Path};

use anyhow::{Context as _, anyhow};
use api::fleet::ReferenceState;
use client::Client;

use super::{Exit, block_on};
use crate::{
    args::{Reference, ReferenceImport, ReferenceStep},
    error::CliError,
    output::Output,
};

pub(super) fn run(
    command: &Reference,
    client: impl FnOnce() -> Result<Client, CliError>,
    output: &Output,
) -> Result<Exit, CliError> {
    match command {
        Reference::Learn(command) => offline::learn(command, output),
        Reference::Show(command) => match kept(&command.file) {
            Some(id) => block_on(fleet::show(id, &client()?, output)),
            None if !command.file.exists() => Err(CliError::with_hint(
                anyhow::anyhow!("there is no file {}", command.file.display()),
                "name a file, or a reference as `bootproof reference list` shows it: ref-0c61b94be2d1",
            )),
            None => offline::show(command, output),
        },
        Reference::FromImage(command) => from_image::run(command, output),
        Reference::Compare(command) => offline::compare(command, output),
        Reference::List => block_on(fleet::list(&client()?, output)),
        Reference::Import(command) => import(command, client, output),
        Reference::Export(command) => block_on(fleet::export(command, &client()?, output)),
        Reference::Activate(command) => step(command, ReferenceState::Active, client, output),
        Reference::Obsolete(command) => step(command, ReferenceState::Obsolete, client, output),
        Reference::Retire(command) => step(command, ReferenceState::Retired, client, output),
        Reference::Revoke(command) => step(command, ReferenceState::Revoked, client, output),
    }
}

/// Reads what `command` names before any server is asked.
fn import(
    command: &ReferenceImport,
    client: impl FnOnce() -> Result<Client, CliError>,
    output: &Output,
) -> Result<Exit, CliError> {
    let manifest = vendor::manifest_in(&command.file)?;
    let baseline = match &manifest {
        Some(file) => vendor::read(file, command)?,
        None if command.signer.is_some() || !command.trust.is_empty() || command.out.is_some() => {
            return Err(CliError::with_hint(
                anyhow!("{} is no manifest that a vendor signed", command.file.display()),
                "--signer, --trust, --support, --pcrs and --out are for such manifests only",
            ));
        }
        None => offline::load(&command.file)?,
    };
    let Some(out) = &command.out else {
        let brought = manifest.as_ref().map_or(&command.file, |manifest| &manifest.path);
        return block_on(fleet::import(command, brought, &baseline, &client()?, output));
    };
    let bytes = report::reference::write(&baseline).context("the reference is too large")?;
    fs::write(out, bytes).with_context(|| format!("{} cannot be written", out.display()))?;
    if output.is_json() {
        output.json(&report::reference::document(&baseline))?;
    } else {
        let n = baseline.content().events.len();
        output.line(&format!("{}: {n} events, PCR {}", out.display(), baseline.pcrs()))?;
        vendor::show(&baseline, output)?;
    }
    Ok(Exit::Done)
}

fn file_name(file: &Path) -> String {
    file.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned())
}

fn step(
    command: &ReferenceStep,
    state: ReferenceState,
    client: impl FnOnce() -> Result<Client, CliError>,
    output: &Output,
) -> Result<Exit, CliError> {
    block_on(fleet::step(command, state, &client()?, output))
}

/// The identifier of a reference that the server keeps. A file of that name is a file.
fn kept(named: &Path) -> Option<&str> {
    let id = named.to_str().filter(|id| id.starts_with("ref-") && !id.contains(['/', '.']))?;
    (!named.exists()).then_some(id)
}
