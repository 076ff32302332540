//! Shell completions and manual pages, out of the declaration of the command line.

use anyhow::Context as _;
use clap::CommandFactory as _;

use super::Exit;
use crate::{
    args::{Arguments, Completions, Man, Shell},
    error::CliError,
    output::Output,
};

pub(super) fn completions(command: &Completions, output: &Output) -> Result<Exit, CliError> {
    let shell = match command.shell {
        Shell::Bash => clap_complete::Shell::Bash,
        Shell::Zsh => clap_complete::Shell::Zsh,
        Shell::Fish => clap_complete::Shell::Fish,
    };
    // Made as a whole first: what makes it takes no reader that goes away (`| head`).
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Arguments::command(), "bootproof", &mut script);
    output.line(String::from_utf8_lossy(&script).trim_end())?;
    Ok(Exit::Done)
}

pub(super) fn man(command: &Man, output: &Output) -> Result<Exit, CliError> {
    std::fs::create_dir_all(&command.folder)
        .with_context(|| format!("{} cannot be made", command.folder.display()))?;
    clap_mangen::generate_to(Arguments::command(), &command.folder)
        .with_context(|| format!("no manual written into {}", command.folder.display()))?;
    output.note(&format!("manual pages written into {}", command.folder.display()));
    Ok(Exit::Done)
}
