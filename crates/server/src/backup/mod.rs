//! `bootproof-server backup`: all that a server needs, in one file.

mod file;
mod progress;
mod report;
mod verify;
mod write;

use std::path::{Path, PathBuf};

use ::backup::age::{Identity, Recipient, lines};
use anyhow::Context as _;
use clap::{Args, Subcommand};
use server::config::Config;
use zeroize::Zeroizing;

pub(crate) use progress::Progress;
pub(crate) use verify::{explain, open};

pub(crate) const HELP: &str = "\
The file holds keys: of the authority, of challenges, of results. Encrypt it to a recipient, whose
identity lies elsewhere (`age-keygen` makes both); without one the file is readable by its owner
only. What was acknowledged before the backup began is in it; hosts are attested meanwhile.

Examples:
  bootproof-server backup --recipient age1… /backup/bootproof-$(date +%F).bpb
  bootproof-server --config /etc/bootproof/server.toml backup --recipients-file admins.txt FILE
  bootproof-server backup verify --identity key.txt FILE

Exit codes: 0 done, 1 could not be written or is not sound, 2 wrong use.";

/// `bootproof-server backup`
#[derive(Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub(crate) struct Backup {
    /// The file to write
    #[arg(value_name = "FILE", required = true)]
    file: Option<PathBuf>,
    /// Encrypt to this key of age (may be repeated)
    #[arg(long, short, value_name = "RECIPIENT")]
    recipient: Vec<String>,
    /// Encrypt to the keys of age in this file, one a line (may be repeated)
    #[arg(long, value_name = "FILE")]
    recipients_file: Vec<PathBuf>,
    /// Replace the file if it is there
    #[arg(long)]
    overwrite: bool,
    /// Print what was written as JSON
    #[arg(long)]
    json: bool,
    #[command(subcommand)]
    verb: Option<Verb>,
}

#[derive(Subcommand)]
enum Verb {
    /// Read a backup to its end and check all of it: digests, counts, the chain of the audit log
    Verify(verify::Verify),
}

/// Does what the command says; the configuration is read where it is needed.
pub(crate) fn run(
    command: &Backup,
    config: impl FnOnce() -> anyhow::Result<Config>,
    config_file: Option<&Path>,
) -> anyhow::Result<()> {
    match (&command.verb, &command.file) {
        (Some(Verb::Verify(verify)), _) => verify::run(verify),
        (None, Some(file)) => {
            let recipients = recipients(command)?;
            write::run(command, file, recipients, &config()?, config_file)
        }
        (None, None) => anyhow::bail!("no file to write was named"),
    }
}

fn recipients(command: &Backup) -> anyhow::Result<Vec<Recipient>> {
    let mut recipients = Vec::new();
    for text in &command.recipient {
        recipients.push(text.parse().with_context(|| format!("--recipient {text}"))?);
    }
    for path in &command.recipients_file {
        let text = std::fs::read_to_string(path)
            .with_context(|| format!("{} cannot be read", path.display()))?;
        let of_file: Vec<Recipient> =
            lines(&text).with_context(|| format!("a line of {}", path.display()))?;
        anyhow::ensure!(!of_file.is_empty(), "{} has no recipient", path.display());
        recipients.extend(of_file);
    }
    Ok(recipients)
}

/// The identities of these files.
pub(crate) fn identities(files: &[PathBuf]) -> anyhow::Result<Vec<Identity>> {
    let mut identities = Vec::new();
    for path in files {
        let text = std::fs::read_to_string(path)
            .with_context(|| format!("{} cannot be read", path.display()))?;
        let text = Zeroizing::new(text);
        let of_file: Vec<Identity> =
            lines(&text).with_context(|| format!("a line of {}", path.display()))?;
        identities.extend(of_file);
    }
    Ok(identities)
}
