//! `bootproof alarm …`

use clap::{Args, Subcommand};

use super::{Verb, Watch};

/// `bootproof alarm …`
#[derive(Debug, Subcommand)]
#[command(defer = true)]
pub enum Alarm {
    /// Show what stands against hosts, one line for each cause
    #[command(after_help = "\
An alarm is raised when a finding that fails or holds stands against a host, and cleared by itself
when it does not any more. `bootproof explain CODE` says more about each.

Exit codes: 0 no alarm stands that nobody knows of, 1 some do, 2 could not be asked.

Examples:
  bootproof alarm list
  bootproof alarm list --watch
  bootproof alarm list --json | jq '.[] | select(.n_acknowledged < .n_hosts)'")]
    List(Verb<Watch>),
    /// Show the alarms of a cause or a host, one by one
    #[command(after_help = "\
Examples:
  bootproof alarm show --host web-1 --watch
  bootproof alarm show sha256-bank-inactive
  bootproof alarm show --host web-1 --cleared")]
    Show(Verb<AlarmShow>),
    /// Say that you know of alarms: they stand, and are not new any more
    #[command(after_help = "\
An alarm that is cleared and comes back is a new one, of which nobody knows.

Examples:
  bootproof alarm acknowledge sha256-bank-inactive --reason 'ticket 4711' --for 7d
  bootproof alarm acknowledge --host web-1 --reason 'waits for a new board'")]
    Acknowledge(Verb<AlarmAcknowledge>),
    /// Take back that you know of alarms
    #[command(after_help = "Example:\n  bootproof alarm withdraw sha256-bank-inactive")]
    Withdraw(Verb<WhichAlarms>),
}

/// The alarms of a cause, or of a host.
#[derive(Debug, Args)]
pub struct WhichAlarms {
    /// The code, as `alarm list` shows it
    #[arg(value_name = "CODE", required_unless_present = "host")]
    pub code: Option<String>,
    /// Of this host
    #[arg(long, value_name = "HOST")]
    pub host: Option<String>,
}

/// `bootproof alarm show`
#[derive(Debug, Args)]
pub struct AlarmShow {
    /// Which
    #[command(flatten)]
    pub which: WhichAlarms,
    /// Those whose cause is gone, too
    #[arg(long)]
    pub cleared: bool,
    /// Whether it is kept true
    #[command(flatten)]
    pub watch: Watch,
}

/// `bootproof alarm acknowledge`
#[derive(Debug, Args)]
pub struct AlarmAcknowledge {
    /// Which
    #[command(flatten)]
    pub which: WhichAlarms,
    /// Why nothing else is to be done now
    #[arg(long, value_name = "TEXT")]
    pub reason: String,
    /// How long: seconds, or with s, m, h or d behind the number; without, until it is cleared
    #[arg(long = "for", value_name = "TIME", value_parser = super::seconds)]
    pub lasts_s: Option<u64>,
}
