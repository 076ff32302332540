//! `bootproof reference …`: what hosts are expected to boot.

pub(crate) mod offline;

use super::Exit;
use crate::{args::Reference, error::CliError, output::Output};

pub(super) fn run(command: &Reference, output: &Output) -> Result<Exit, CliError> {
    match command {
        Reference::Learn(command) => offline::learn(command, output),
        Reference::Show(command) => offline::show(command, output),
        Reference::Compare(command) => offline::compare(command, output),
    }
}
