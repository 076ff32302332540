//! `bootproof api-token …`, `user …`, `session …`, `login`, `logout` and `setup`

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use super::Verb;

/// `bootproof user …`
#[derive(Debug, Subcommand)]
#[command(defer = true)]
pub enum User {
    /// Show the accounts
    #[command(
        after_help = "Example:\n  bootproof user list --json | jq -r '.[] | select(.disabled).name'"
    )]
    List,
    /// Add an account; its person must choose another password at the first login
    #[command(after_help = "\
Example:
  bootproof user add alice --role operator
  bootproof user add bob --role viewer --password-file first-password")]
    Add(Verb<UserAdd>),
    /// Give an account another role, which ends its sessions
    #[command(after_help = "Example:\n  bootproof user change alice --role admin")]
    Change {
        /// The account
        name: String,
        /// What its person may do
        #[arg(long, value_enum)]
        role: Role,
    },
    /// Let nobody in by an account any more, and end its sessions at once
    #[command(after_help = "Example:\n  bootproof user disable alice")]
    Disable {
        /// The account
        name: String,
    },
    /// Let its person in by an account again
    #[command(after_help = "Example:\n  bootproof user enable alice")]
    Enable {
        /// The account
        name: String,
    },
    /// Remove an account with its sessions
    #[command(after_help = "Example:\n  bootproof user remove alice")]
    Remove {
        /// The account
        name: String,
    },
    /// Choose another password for yourself; or give one to an account, whose person must then change it
    #[command(after_help = "\
A password has 15 characters at least, of any kind, and is not made of the usual words alone. All
sessions of the account end; your own goes on.

Examples:
  bootproof user password
  bootproof user password alice")]
    Password(Verb<UserPassword>),
}

/// `bootproof user add`
#[derive(Debug, Args)]
pub struct UserAdd {
    /// Its name: 64 letters, digits, . _ - @ at most
    pub name: String,
    /// What its person may do
    #[arg(long, value_enum)]
    pub role: Role,
    /// Read the password from this file instead of asking; `-` is standard input
    #[arg(long, value_name = "FILE")]
    pub password_file: Option<PathBuf>,
}

/// `bootproof user password`
#[derive(Debug, Args)]
pub struct UserPassword {
    /// The account; without it your own
    pub name: Option<String>,
    /// Read the new password from this file instead of asking; `-` is standard input
    #[arg(long, value_name = "FILE")]
    pub password_file: Option<PathBuf>,
    /// Read your present password from this file instead of asking
    #[arg(long, value_name = "FILE", conflicts_with = "name")]
    pub old_password_file: Option<PathBuf>,
}

/// `bootproof session …`
#[derive(Debug, Subcommand)]
#[command(defer = true)]
pub enum Session {
    /// Show your sessions
    #[command(after_help = "Example:\n  bootproof session list --all")]
    List {
        /// Everybody's, for administrators
        #[arg(long)]
        all: bool,
    },
    /// End a session: one of yours, or for administrators anybody's
    #[command(
        after_help = "Example:\n  bootproof session end 8d0c6f2e-5a0f-4a0e-9d2a-0c4b1f6f7a11"
    )]
    End {
        /// The session's identifier, as `session list` shows it
        id: String,
    },
}

/// Which server to log in at, and where to keep that.
#[derive(Debug, Args)]
pub struct Where {
    /// The server, as https://HOST:PORT; without it the one of the context that you have
    #[arg(long, value_name = "URL", requires = "ca_sha256")]
    pub server: Option<String>,
    /// The pin of its authority, as the server prints it when it starts
    #[arg(long, value_name = "PIN", requires = "server")]
    pub ca_sha256: Option<client::CaPin>,
    /// The context file to write; otherwise ~/.config/bootproof/context.toml
    #[arg(long, value_name = "FILE")]
    pub save: Option<PathBuf>,
    /// Read the password from this file instead of asking; `-` is standard input
    #[arg(long, value_name = "FILE")]
    pub password_file: Option<PathBuf>,
}

/// `bootproof login`
#[derive(Debug, Args)]
#[command(after_help = "\
Writes a context file with a session, which ends by itself, and at `bootproof logout`. A file with
the token of a program or of a server is not overwritten.

With --oidc a browser is opened, in which an identity provider asks who you are; the page and this
command then show the same few characters. Where there is no browser, open the printed address in
one on this machine.

Examples:
  bootproof login alice
  bootproof login --oidc
  bootproof login alice --server https://bootproof.example.org:8443 --ca-sha256 PIN")]
pub struct Login {
    /// The account
    #[arg(required_unless_present = "oidc")]
    pub name: Option<String>,
    /// Log in at the identity provider that the server asks, by a browser
    #[arg(long, conflicts_with_all = ["name", "password_file"])]
    pub oidc: bool,
    /// Open the browser by this program, which gets the address as its argument; otherwise by BROWSER,
    /// or as the desktop does
    #[arg(long, value_name = "PROGRAM", requires = "oidc")]
    pub browser: Option<PathBuf>,
    /// Where
    #[command(flatten)]
    pub at: Where,
}

/// `bootproof setup`
#[derive(Debug, Args)]
#[command(after_help = "\
The server prints a code at each start as long as there is no account. It is good once.

Example:
  bootproof setup alice --server https://bootproof.example.org:8443 --ca-sha256 PIN")]
pub struct Setup {
    /// The name of the account, an administrator's
    pub name: String,
    /// Read the code from this file instead of asking; `-` is standard input
    #[arg(long, value_name = "FILE")]
    pub code_file: Option<PathBuf>,
    /// Where
    #[command(flatten)]
    pub at: Where,
}

/// `bootproof api-token …`
#[derive(Debug, Subcommand)]
#[command(defer = true)]
pub enum ApiToken {
    /// Make an API token, and show it once
    #[command(after_help = "\
A token of role relying-party gets attested results of hosts whose identifiers it knows, and
nothing else. With --host-label a token sees and steers the hosts with these labels alone; all
that is not of one host is refused to it.

Examples:
  bootproof api-token create ci --role viewer --expires 30d
  bootproof api-token create vault --role relying-party --expires 365d
  bootproof api-token create muc-ops --role operator --host-label site=muc --json | jq -r .token")]
    Create(Verb<ApiTokenCreate>),
    /// Show the API tokens, without their secrets
    #[command(
        after_help = "Example:\n  bootproof api-token list --json | jq -r '.[] | select(.last_used_at_ms == null).name'"
    )]
    List,
    /// End an API token at once
    #[command(after_help = "\
The last way in of an administrator is ended with --yes only; the server's next start then makes a
new one, in admin.toml of its data folder.

Example:
  bootproof api-token revoke ci")]
    Revoke(Verb<ApiTokenRevoke>),
}

/// `bootproof api-token revoke`
#[derive(Debug, Args)]
pub struct ApiTokenRevoke {
    /// The token's name, as `api-token list` shows it
    pub name: String,
    /// End it also where no administrator has another way in
    #[arg(long)]
    pub yes: bool,
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
