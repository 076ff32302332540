//! `bootproof reference …`: what hosts are expected to boot.

pub(crate) mod fleet;
mod from_image;
pub(crate) mod offline;

use std::path::Path;

use api::fleet::ReferenceState;
use client::Client;

use super::{Exit, block_on};
use crate::{
    args::{Reference, ReferenceStep},
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
            None => offline::show(command, output),
        },
        Reference::FromImage(command) => from_image::run(command, output),
        Reference::Compare(command) => offline::compare(command, output),
        Reference::List => block_on(fleet::list(&client()?, output)),
        Reference::Import(command) => block_on(fleet::import(command, &client()?, output)),
        Reference::Export(command) => block_on(fleet::export(command, &client()?, output)),
        Reference::Activate(command) => step(command, ReferenceState::Active, client, output),
        Reference::Obsolete(command) => step(command, ReferenceState::Obsolete, client, output),
        Reference::Retire(command) => step(command, ReferenceState::Retired, client, output),
        Reference::Revoke(command) => step(command, ReferenceState::Revoked, client, output),
    }
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
