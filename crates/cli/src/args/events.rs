//! `bootproof events`

use clap::Args;

/// `bootproof events`
#[derive(Debug, Args)]
#[command(after_help = "\
Types: alarm.raised, alarm.cleared, alarm.acknowledged, alarm.acknowledgement-ended, alarm.unmuted,
host.verdict-changed, host.added, host.removed, host.state-changed.

With --json each line is an event as CloudEvents 1.0 has it. Its `id` is the cursor: with
`--after ID` it goes on behind that event, and nothing is missed or comes twice.

Exit codes: 0 done, 2 could not be asked, or some events are forgotten already.

Examples:
  bootproof events
  bootproof events --follow --type alarm.raised,alarm.cleared --select site=muc
  bootproof events --follow --after first --json")]
pub struct Events {
    /// Wait for what comes; without --after, from now on
    #[arg(long, short)]
    pub follow: bool,
    /// Begin behind this event: its id, or `first` for the oldest that is kept
    #[arg(long, value_name = "CURSOR")]
    pub after: Option<String>,
    /// Only these types, with commas between
    #[arg(long = "type", value_name = "TYPES")]
    pub types: Option<String>,
    /// Only of these hosts, by name or identifier, with commas between
    #[arg(long, value_name = "HOSTS")]
    pub host: Option<String>,
    /// Only of hosts with these labels
    #[arg(long, value_name = "LABELS")]
    pub select: Option<String>,
}
