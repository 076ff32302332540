//! `bootproof api-token …`

use clap::{Args, Subcommand, ValueEnum};

/// `bootproof api-token …`
#[derive(Debug, Subcommand)]
pub enum ApiToken {
    /// Make an API token, and show it once
    #[command(after_help = "\
A token of role relying-party gets attested results of hosts whose identifiers it knows, and nothing
else. With --host-label a token sees and steers the hosts with these labels alone; all that is not of
one host is refused to it.

Examples:
  bootproof api-token create ci --role viewer --expires 30d
  bootproof api-token create vault --role relying-party --expires 365d
  bootproof api-token create muc-ops --role operator --host-label site=muc --json | jq -r .token")]
    Create(ApiTokenCreate),
    /// Show the API tokens, without their secrets
    #[command(
        after_help = "Example:\n  bootproof api-token list --json | jq -r '.[] | select(.last_used_at_ms == null).name'"
    )]
    List,
    /// End an API token at once
    #[command(after_help = "Example:\n  bootproof api-token revoke ci")]
    Revoke {
        /// The token's name, as `api-token list` shows it
        name: String,
    },
}

/// `bootproof api-token create`
#[derive(Debug, Args)]
pub struct ApiTokenCreate {
    /// Its name: what the audit log says of who did something with it
    pub name: String,
    /// What it may do
    #[arg(long, value_enum)]
    pub role: Role,
    /// How long it is good: seconds, or with s, m, h or d behind the number; 366 days at most
    #[arg(long, value_name = "TIME", default_value = "90d", value_parser = super::seconds)]
    pub expires: u64,
    /// Only hosts with this label, as `site=muc` (may be repeated: hosts with all of them)
    #[arg(long, value_name = "KEY=VALUE", value_parser = api::inventory::label)]
    pub host_label: Vec<(String, String)>,
}

/// What somebody may do; each may do what those before it may.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum Role {
    /// Get attested results of hosts that it can name, and nothing else
    RelyingParty,
    /// Look
    Viewer,
    /// Look, attest, disconnect, reconnect, label, acknowledge
    Operator,
    /// Everything
    Admin,
}
