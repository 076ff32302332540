//! `bootproof approval …`

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::Verb;

const DECIDE_HELP: &str = "\
What waits is named by its identifier, by the name of its host, or by the digest of its
endorsement key: one by one, or one a line of a file (a list of a purchase, say). Compare the
digest with what the machine shows (`bootproof tpm ek` on it), not with the name, which is the
machine's own word.

Exit codes: 0 done to each, 1 some could not be, 2 nothing could be done, or wrong use.

Examples:
  bootproof approval approve web-1 --reason 'delivery 4711, compared at its console'
  bootproof approval approve --file eks-of-delivery.txt --reason 'delivery 4711' --dry-run
  bootproof approval refuse --select site=lab --kind host --reason 'not ours' --yes";

/// `bootproof approval …`
#[derive(Debug, Subcommand)]
#[command(defer = true)]
pub enum Approval {
    /// Show what waits for a person: hosts, other TPMs in the place of enrolled ones, references
    #[command(after_help = "\
The longest waiting first, each with what is to be compared.

Exit codes: 0 nothing waits, 1 something does, 2 could not be asked.

Examples:
  bootproof approval list
  bootproof approval list --kind tpm
  bootproof approval list --select site=muc --json | jq -r '.[].ek_sha256'")]
    List(Verb<ApprovalList>),
    /// Say yes: the host is judged, the TPM takes its place, hosts are held to the reference
    #[command(after_help = DECIDE_HELP)]
    Approve(Verb<Decide>),
    /// Say no: the host is not judged, the TPM stays out, the reference is retired
    #[command(after_help = DECIDE_HELP)]
    Refuse(Verb<Decide>),
}

/// Which of what waits.
#[derive(Debug, Args)]
pub struct WhatWaits {
    /// Of this kind alone
    #[arg(long, value_name = "KIND", value_parser = ["host", "tpm", "reference"])]
    pub kind: Option<String>,
    /// Of hosts with these labels: `site=muc,rack` are hosts of that site that have a rack
    #[arg(long, value_name = "LABELS", value_parser = super::host::selector)]
    pub select: Option<String>,
}

/// `bootproof approval list`
#[derive(Debug, Args)]
pub struct ApprovalList {
    /// Which
    #[command(flatten)]
    pub which: WhatWaits,
}

/// `bootproof approval approve` and `refuse`
#[derive(Debug, Args)]
pub struct Decide {
    /// Identifiers, names of hosts, or digests of endorsement keys
    #[arg(value_name = "WHAT", required_unless_present_any = ["select", "file", "all"])]
    pub named: Vec<String>,
    /// Which of them
    #[command(flatten)]
    pub which: WhatWaits,
    /// A file with the same, one a line; `-` is standard input
    #[arg(long, value_name = "FILE", conflicts_with = "named")]
    pub file: Option<PathBuf>,
    /// All that wait, but for other TPMs: those are decided about by name
    #[arg(long, conflicts_with_all = ["named", "file"])]
    pub all: bool,
    /// Why, for the audit log
    #[arg(long, value_name = "TEXT")]
    pub reason: String,
    /// Show what it would be, and do nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Do not ask before many are decided about
    #[arg(long, short)]
    pub yes: bool,
}
