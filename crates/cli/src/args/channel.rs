//! `bootproof channel …`

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::Verb;

/// `bootproof channel …`
#[derive(Debug, Subcommand)]
#[command(defer = true)]
pub enum Channel {
    /// Show the channels, and how they are
    #[command(after_help = "\
Exit codes: 0 all deliver or are paused, 1 some fail or have dead letters, 2 could not be asked.

Example:
  bootproof channel list")]
    List,
    /// Show all about one channel
    #[command(after_help = "Example:\n  bootproof channel show ops")]
    Show(Verb<OneChannel>),
    /// Add a channel; it tells what happens from then on
    #[command(after_help = "\
Without --type it tells alarms that are raised, cleared, or told again. The secret of a webhook is
made by the server, and shown once, where no file has one. TLS is always verified: by --ca, or by
the authorities of the server's system.

Examples:
  bootproof channel add ops --webhook https://hooks.example/bootproof --select site=muc
  bootproof channel add prom --alertmanager https://alertmanager.example:9093 --ca ca.pem
  bootproof channel add mail --smtp mail.example:465 --from bp@example.org --to ops@example.org
  bootproof channel add siem --syslog siem.example:6514 --ca ca.pem --type host.verdict-changed")]
    Add(Verb<ChannelAdd>),
    /// Change a channel: what is not named stays
    #[command(after_help = "Example:\n  bootproof channel change ops --severity fail")]
    Change(Verb<ChannelAdd>),
    /// Remove a channel with its dead letters
    #[command(after_help = "Example:\n  bootproof channel remove ops")]
    Remove(Verb<OneChannel>),
    /// Let a channel wait: what comes is told when it is resumed, for as long as events are kept
    #[command(after_help = "Example:\n  bootproof channel pause ops")]
    Pause(Verb<OneChannel>),
    /// Let a channel go on where it was
    #[command(after_help = "Example:\n  bootproof channel resume ops")]
    Resume(Verb<OneChannel>),
    /// Send a message that says it is a test, and show step by step what happened
    #[command(after_help = "\
Exit codes: 0 the receiver took it, 1 it did not, 2 could not be asked.

Example:
  bootproof channel test ops")]
    Test(Verb<OneChannel>),
    /// Show what could not be told
    #[command(after_help = "Example:\n  bootproof channel dead-letters ops --json")]
    DeadLetters(Verb<OneChannel>),
    /// Tell dead letters again
    #[command(after_help = "\
Examples:
  bootproof channel redeliver ops
  bootproof channel redeliver ops 17 18")]
    Redeliver {
        /// The channel
        #[arg(value_name = "NAME")]
        name: String,
        /// Dead letters by number; without, all
        #[arg(value_name = "NUMBER")]
        ids: Vec<i64>,
    },
}

/// One channel.
#[derive(Debug, Args)]
pub struct OneChannel {
    /// The channel
    #[arg(value_name = "NAME")]
    pub name: String,
}

/// `bootproof channel add` and `change`
#[derive(Debug, Args)]
pub struct ChannelAdd {
    /// The channel
    #[arg(value_name = "NAME")]
    pub name: String,
    /// Post CloudEvents there, signed as Standard Webhooks have it
    #[arg(long, value_name = "URL", group = "receiver")]
    pub webhook: Option<String>,
    /// Post alerts to this Alertmanager
    #[arg(long, value_name = "URL", group = "receiver")]
    pub alertmanager: Option<String>,
    /// Send mail by this relay, one for a cause
    #[arg(long, value_name = "HOST:PORT", group = "receiver", requires = "from", requires = "to")]
    pub smtp: Option<String>,
    /// Send records of RFC 5424 over TLS to this receiver
    #[arg(long, value_name = "HOST:PORT", group = "receiver")]
    pub syslog: Option<String>,
    /// Certificates of the authorities that vouch for the receiver, PEM
    #[arg(long, value_name = "FILE", requires = "receiver")]
    pub ca: Option<PathBuf>,
    /// Mail: begin TLS by STARTTLS, as on port 587
    #[arg(long, requires = "smtp")]
    pub starttls: bool,
    /// Mail: the sender's address
    #[arg(long, value_name = "ADDRESS", requires = "smtp")]
    pub from: Option<String>,
    /// Mail: a receiver's address (may be repeated)
    #[arg(long, value_name = "ADDRESS", requires = "smtp")]
    pub to: Vec<String>,
    /// Mail: the name that goes with the password
    #[arg(long, value_name = "NAME", requires = "smtp")]
    pub username: Option<String>,
    /// Mail: gather events of one cause for so long: seconds, or with s, m or h behind the number
    #[arg(long, value_name = "TIME", requires = "smtp", value_parser = super::seconds)]
    pub gather: Option<u64>,
    /// A file with the secret: of a webhook the signing secret, of mail the password, of Alertmanager a
    /// bearer token
    #[arg(long, value_name = "FILE")]
    pub secret_file: Option<PathBuf>,
    /// Only events of this type (may be repeated)
    #[arg(long = "type", value_name = "TYPE")]
    pub types: Vec<String>,
    /// Only alarms of this severity (may be repeated)
    #[arg(long, value_name = "SEVERITY", value_parser = ["fail", "hold"])]
    pub severity: Vec<String>,
    /// Only of hosts with these labels
    #[arg(long, value_name = "LABELS")]
    pub select: Option<String>,
}
