//! `bootproof audit …` and `bootproof result …`

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use super::Verb;

/// `bootproof audit …`
#[derive(Debug, Subcommand)]
#[command(defer = true)]
pub enum Audit {
    /// Show what was changed, by whom and when, the oldest first
    #[command(after_help = "\
Examples:
  bootproof audit list --after 120
  bootproof audit list --json | jq -r '.[] | select(.actor == \"alice\")'")]
    List {
        /// Rows with a number above this
        #[arg(long, value_name = "NUMBER", default_value_t = 0)]
        after: i64,
    },
    /// Read the whole log and check that no row was changed, removed or put in
    #[command(after_help = "\
Each row is sealed by a hash over itself and the seal before, so a change shows at its row. Rows
that were cut off the end, and a log that was written anew as a whole, show against a checkpoint
that was kept elsewhere.

Exit codes: 0 the log holds, 1 it does not, 2 it could not be read.

Examples:
  bootproof audit verify
  bootproof audit verify --checkpoint 2026-11.jws --keys jwks.json")]
    Verify(Verb<AuditVerify>),
    /// Print the log's end, signed by the server: keep it elsewhere
    #[command(after_help = "Example:\n  bootproof audit checkpoint > \"$(date +%F).jws\"")]
    Checkpoint,
}

/// `bootproof audit verify`
#[derive(Debug, Args)]
pub struct AuditVerify {
    /// A checkpoint that was kept (may be repeated)
    #[arg(long, value_name = "FILE")]
    pub checkpoint: Vec<PathBuf>,
    /// The server's public keys that were kept, as `result keys` prints them; without, those that it
    /// shows now
    #[arg(long, value_name = "FILE")]
    pub keys: Option<PathBuf>,
}

/// `bootproof result …`
#[derive(Debug, Subcommand)]
#[command(defer = true)]
pub enum AttestedResult {
    /// Print what counts of a host now, signed for others to check (EAT Attestation Result, JWT)
    #[command(after_help = "\
Examples:
  bootproof result get web-1 > web-1.jwt
  bootproof result get web-1 --dialect veraison --nonce \"$NONCE\"")]
    Get(Verb<ResultGet>),
    /// Check a result and say what it claims
    #[command(after_help = "\
Exit codes: 0 it is affirming, or affirming with a warning; 1 it is neither, has ended or is not
signed by these keys; 2 it could not be read.

Examples:
  bootproof result verify web-1.jwt --keys jwks.json
  bootproof result get web-1 | bootproof result verify -")]
    Verify(Verb<ResultVerify>),
    /// Print the server's public keys (JWKS)
    #[command(after_help = "Example:\n  bootproof result keys > jwks.json")]
    Keys,
}

/// `bootproof result get`
#[derive(Debug, Args)]
pub struct ResultGet {
    /// The host's name or identifier
    #[arg(value_name = "HOST")]
    pub host: String,
    /// Which names the claims have
    #[arg(long, value_enum, default_value_t)]
    pub dialect: Dialect,
    /// What you want to see again in the result, 8 to 88 characters
    #[arg(long, value_name = "TEXT")]
    pub nonce: Option<String>,
}

/// Which names the claims of a result have.
#[derive(Clone, Copy, Debug, Default, ValueEnum)]
pub enum Dialect {
    /// Those of draft-ietf-rats-ear-03
    #[default]
    Ietf,
    /// Those of the draft before, which most relying parties read
    Veraison,
}

/// `bootproof result verify`
#[derive(Debug, Args)]
pub struct ResultVerify {
    /// The result; `-` is standard input
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// The server's public keys, as `result keys` prints them; without, those that it shows now
    #[arg(long, value_name = "FILE")]
    pub keys: Option<PathBuf>,
    /// What it must show again
    #[arg(long, value_name = "TEXT")]
    pub nonce: Option<String>,
}
