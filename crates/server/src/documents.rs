//! Shell completions and manual pages, out of the declaration of the command line.

use std::{
    io::{self, Write as _},
    path::Path,
};

use anyhow::Context as _;
use clap::CommandFactory as _;
use clap_complete::Shell;

use crate::Arguments;

/// Prints the script that completes the program's words in `shell`.
pub(crate) fn completions(shell: Shell) -> anyhow::Result<()> {
    // Made as a whole first: what makes it takes no reader that goes away (`| head`).
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Arguments::command(), "bootproof-server", &mut script);
    match io::stdout().lock().write_all(&script) {
        Err(err) if err.kind() != io::ErrorKind::BrokenPipe => Err(err.into()),
        _ => Ok(()),
    }
}

/// Writes the manual pages into `folder`, which is made where it is not there.
pub(crate) fn man(folder: &Path) -> anyhow::Result<()> {
    std::fs::create_dir_all(folder)
        .with_context(|| format!("{} cannot be made", folder.display()))?;
    clap_mangen::generate_to(Arguments::command(), folder)
        .with_context(|| format!("no manual written into {}", folder.display()))
}
