//! `bootproof fleet …`

use clap::{Args, Subcommand};

use super::Watch;

/// `bootproof fleet …`
#[derive(Debug, Subcommand)]
pub enum Fleet {
    /// Show how many hosts stood how, day by day or hour by hour
    #[command(after_help = "\
Examples:
  bootproof fleet standing
  bootproof fleet standing --days 1 --watch
  bootproof fleet standing --days 30 --json | jq '.hours[-1]'")]
    Standing(FleetStanding),
    /// Show what will fail hosts one day, and hosts unlike those of their model
    #[command(after_help = "\
Certificates of 2011 alone, old lists of what is revoked, PCRs in which a few hosts differ from
most.

Exit codes: 0 nothing, 1 something, 2 could not be asked, or is not counted yet.

Example:
  bootproof fleet attention --json | jq '.minorities'")]
    Attention(Watch),
    /// Show how the server is set up and how it is, without what is secret
    #[command(after_help = "\
Exit codes: 0 all is well, 1 something is not, 2 could not be asked.

Example:
  bootproof fleet settings --json | jq '.checks'")]
    Settings,
}

/// `bootproof fleet standing`
#[derive(Debug, Args)]
pub struct FleetStanding {
    /// The last so many days
    #[arg(long, value_name = "N", default_value_t = 7, value_parser = clap::value_parser!(u32).range(1..=92))]
    pub days: u32,
    /// Whether it is kept true
    #[command(flatten)]
    pub watch: Watch,
}
