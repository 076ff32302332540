//! `bootproof policy …`

use std::path::PathBuf;

use clap::{Args, Subcommand};

/// `bootproof policy …`
#[derive(Debug, Subcommand)]
pub enum Policy {
    /// Say whether a file is a policy, and what it changes
    #[command(after_help = "\
Exit codes: 0 it is a policy, 1 it is none, 2 it could not be read.

Example:
  bootproof policy check /etc/bootproof/policy.toml")]
    Check(PolicyFile),
    /// Print the default policy, every key with what it does, to start a file from; or one that a server keeps
    #[command(after_help = "\
Examples:
  bootproof policy show > policy.toml
  bootproof policy show 7 > policy.toml")]
    Show(PolicyShow),
    /// Say which hosts would change under a policy: judges stored evidence, and asks no host
    #[command(after_help = "\
Exit codes: 0 no host would change, 1 some would, 2 it could not be tried.

Examples:
  bootproof policy try policy.toml
  bootproof policy try policy.toml --json | jq '.changes[].name'")]
    Try(PolicyFile),
    /// List the policies that the server keeps, and say which counts
    #[command(after_help = "Examples:\n  bootproof policy list\n  bootproof policy list --json")]
    List,
    /// Have the server keep a policy, with the files that it names; it does not count before it is activated
    #[command(after_help = "\
The same text with the same files is kept once.

Example:
  bootproof policy put policy.toml --note 'SBAT of 2026, ticket 4711'")]
    Put(PolicyPut),
    /// Show what is another line in a policy that the server keeps than in what counts now
    #[command(after_help = "\
Exit codes: 0 nothing differs, 1 something does, 2 could not be asked.

Examples:
  bootproof policy diff 7
  bootproof policy diff 7 --from 5")]
    Diff(PolicyDiff),
    /// Have hosts judged by a policy that the server keeps, from now on
    #[command(after_help = "\
What hosts sent last is judged anew. Try it first: `bootproof policy try FILE` says which hosts
would change. A file that the server's configuration names counts before any version.

Example:
  bootproof policy activate 7 --reason 'tried on all hosts, ticket 4711'")]
    Activate(PolicyActivate),
}

/// A policy file.
#[derive(Debug, Args)]
pub struct PolicyFile {
    /// The policy, a TOML file
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
}

/// `bootproof policy show`
#[derive(Debug, Args)]
pub struct PolicyShow {
    /// The number of one that the server keeps; otherwise the default one
    #[arg(value_name = "NUMBER")]
    pub number: Option<i64>,
}

/// `bootproof policy put`
#[derive(Debug, Args)]
pub struct PolicyPut {
    /// The policy, a TOML file
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// What it is for
    #[arg(long, value_name = "TEXT", default_value = "")]
    pub note: String,
}

/// `bootproof policy diff`
#[derive(Debug, Args)]
pub struct PolicyDiff {
    /// Its number
    #[arg(value_name = "NUMBER")]
    pub number: i64,
    /// Compare it with this one instead of what counts now
    #[arg(long, value_name = "NUMBER")]
    pub from: Option<i64>,
}

/// `bootproof policy activate`
#[derive(Debug, Args)]
pub struct PolicyActivate {
    /// Its number
    #[arg(value_name = "NUMBER")]
    pub number: i64,
    /// Why, for the audit log
    #[arg(long, value_name = "TEXT")]
    pub reason: String,
}
