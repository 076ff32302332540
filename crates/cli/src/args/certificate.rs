//! `bootproof certificate …`

use clap::{Args, Subcommand};

/// `bootproof certificate …`
#[derive(Debug, Subcommand)]
pub enum Certificate {
    /// Show the client certificates of hosts, newest first
    #[command(after_help = "\
Those that ended are shown for two hours.

Examples:
  bootproof certificate list
  bootproof certificate list web-1
  bootproof certificate list --json | jq -r '.[] | select(.revoked) | .serial'")]
    List(CertificateList),
    /// Show all that is known of a host's newest certificate
    #[command(after_help = "\
Exit codes: 0 it counts, 1 the host has none that does, 2 could not be asked.

Example:
  bootproof certificate show web-1")]
    Show {
        /// The host's name or identifier
        host: String,
    },
    /// Revoke all certificates of a host, and their keys: its agent makes another key
    #[command(after_help = "\
A host that is accepted gets another certificate, for another key. To give it none any more, disconnect
it: `bootproof host disconnect HOST` revokes its certificates, too.

Exit codes: 0 done, also where none counted; 2 could not be done.

Example:
  bootproof certificate revoke web-1 --reason 'a copy of its disk was found, ticket 4711'")]
    Revoke(CertificateRevoke),
    /// Print the certificate of the authority that relying parties trust, PEM
    #[command(after_help = "Example:\n  bootproof certificate authority > hosts-ca.pem")]
    Authority,
    /// Print the list of revoked certificates, PEM: for programs that read it from a file
    #[command(after_help = "\
A list is good for the time that the server's configuration says, a quarter of an hour without: fetch it
more often than that, and keep the old one where it cannot be had.

Example:
  bootproof certificate crl > hosts.crl.new && mv hosts.crl.new hosts.crl && systemctl reload nginx")]
    Crl,
}

/// `bootproof certificate list`
#[derive(Debug, Args)]
pub struct CertificateList {
    /// The host's name or identifier; all hosts where none is named
    pub host: Option<String>,
}

/// `bootproof certificate revoke`
#[derive(Debug, Args)]
pub struct CertificateRevoke {
    /// The host's name or identifier
    pub host: String,
    /// Why: one line for the audit log
    #[arg(long, value_name = "TEXT")]
    pub reason: String,
}
