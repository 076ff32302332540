//! `bootproof support-bundle`

use std::path::PathBuf;

use clap::Args;

/// `bootproof support-bundle`
#[derive(Debug, Args)]
#[command(after_help = "\
Of an administrator's machine or of a host: what `bootproof doctor` says of it, the journals of
Bootproof and of the kernel, the context without its token, boot log and ACPI table as they are.
`bootproof-server support-bundle` and `bootproof-agent support-bundle` add what those know.

MANIFEST.json in the archive has each file with its digest, what was removed, and what is not in
it and why. `bootproof diagnose FILE` reads it. Look it through before you give it away.

Exit codes: 0 written, 2 could not be written.

Examples:
  bootproof support-bundle
  bootproof support-bundle --log /var/log/syslog --out web-1.tar.gz")]
pub struct SupportBundle {
    /// The archive to write
    #[arg(long, short, value_name = "FILE", default_value = "bootproof-support.tar.gz")]
    pub out: PathBuf,
    /// A log to put in (may be repeated)
    #[arg(long, value_name = "FILE")]
    pub log: Vec<PathBuf>,
    /// How this machine is looked at
    #[command(flatten)]
    pub doctor: super::Doctor,
}
