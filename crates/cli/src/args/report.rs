//! `bootproof report …`

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

/// `bootproof report …`
#[derive(Debug, Subcommand)]
pub enum Report {
    /// All hosts: verdicts, exceptions, decisions, controls, and each host
    #[command(after_help = "\
Examples:
  bootproof report fleet
  bootproof report fleet --labels site=muc --out muc.pdf
  bootproof report fleet --format csv --out - | head")]
    Fleet(ReportMake),
    /// One host, with its history and what it booted
    #[command(
        after_help = "Example:\n  bootproof report host web-1 --format html --out web-1.html"
    )]
    Host(ReportHost),
    /// What hosts lack of the changes of Secure Boot in 2026
    #[command(after_help = "Example:\n  bootproof report readiness --format csv")]
    Readiness(ReportMake),
    /// Controls of standards, and which hosts meet them
    #[command(after_help = "Example:\n  bootproof report compliance --labels site=muc")]
    Compliance(ReportMake),
    /// Check that a report is as the server signed it: a PDF, a JWS, or JSON, HTML and CSV with their signatures
    #[command(after_help = "\
A PDF carries the signed JSON; its pages are made anew of that and compared, byte for byte. JSON,
HTML and CSV are checked against the signature in SIGNATURE, or in the file beside them that ends
in .jws, as `bootproof report` writes it. Where SIGNATURE is the report's JSON, as it comes by
mail, HTML and CSV are made anew of that, and the signature over it lies in the file beside it.

Exit codes: 0 it is genuine; 1 it is not, or was changed; 2 it could not be read, or the pages
were made by another version and could not be compared.

Examples:
  bootproof report verify fleet.pdf --keys jwks.json
  bootproof report verify fleet.json fleet.json.jws
  bootproof report verify fleet.csv
  bootproof report verify weekly.html weekly.json --keys jwks.json")]
    Verify(ReportVerify),
    /// Show the reports that the server sends by itself
    #[command(after_help = "Example:\n  bootproof report schedules --json")]
    Schedules,
    /// Send a report of the server's configuration now, and say step by step what came of it
    #[command(after_help = "\
Exit codes: 0 the relay took it, 1 it did not.

Example:\n  bootproof report send weekly")]
    Send {
        /// Its name in the configuration
        #[arg(value_name = "NAME")]
        name: String,
    },
}

/// `bootproof report fleet` and the like
#[derive(Debug, Args)]
pub struct ReportMake {
    /// How it is written; left out: as the name of the file says, else as PDF
    #[arg(long, value_enum)]
    pub format: Option<ReportFormat>,
    /// Hosts with these labels: `site=muc,rack` are hosts of that site that have a rack
    #[arg(long, value_name = "SELECTOR")]
    pub labels: Option<String>,
    /// The file to write; `-` is standard output. Without it the server names the file
    #[arg(long, short, value_name = "FILE")]
    pub out: Option<PathBuf>,
}

/// `bootproof report host`
#[derive(Debug, Args)]
pub struct ReportHost {
    /// The host's name or identifier
    #[arg(value_name = "HOST")]
    pub host: String,
    /// How it is written; left out: as the name of the file says, else as PDF
    #[arg(long, value_enum)]
    pub format: Option<ReportFormat>,
    /// The file to write; `-` is standard output. Without it the server names the file
    #[arg(long, short, value_name = "FILE")]
    pub out: Option<PathBuf>,
}

/// How a report is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ReportFormat {
    /// A document to hand on, with the signed JSON attached
    Pdf,
    /// One self-contained file for browsers
    Html,
    /// A table for spreadsheets
    Csv,
    /// The report itself; its signature is written beside it, as FILE.jws, as that of HTML and CSV is
    Json,
    /// The report inside its signature
    Jws,
}

/// `bootproof report verify`
#[derive(Debug, Args)]
pub struct ReportVerify {
    /// The report
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// The signature over it, where FILE is JSON, HTML or CSV; or the JSON of which HTML and CSV were made
    #[arg(value_name = "SIGNATURE")]
    pub signature: Option<PathBuf>,
    /// The server's public keys that were kept, as `result keys` prints them; without, those that it
    /// shows now
    #[arg(long, visible_alias = "jwks", value_name = "FILE")]
    pub keys: Option<PathBuf>,
}
