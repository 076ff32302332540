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
A host that is accepted gets another certificate, for another key. To give it none any more,
disconnect it: `bootproof host disconnect HOST` revokes its certificates, too.

Exit codes: 0 done, also where none counted; 2 could not be done.

Example:
  bootproof certificate revoke web-1 --reason 'a copy of its disk was found, ticket 4711'")]
    Revoke(CertificateRevoke),
    /// Print the certificates of the authorities that relying parties trust, PEM
    #[command(after_help = "\
The one that issues comes first. There are more while one is replaced by another: relying parties
need all of them.

Example:
  bootproof certificate authority > hosts-ca.pem")]
    Authority,
    /// Show the authorities of client certificates: the one that issues, the next, and former ones
    #[command(after_help = "\
Examples:
  bootproof certificate authorities
  bootproof certificate authorities --json | jq -r '.[] | select(.state == \"issuing\").sha256'")]
    Authorities,
    /// Make another authority, which follows the one that issues
    #[command(after_help = "\
It is announced first: relying parties that fetch the authorities (`bootproof certificate
authority`, or the trust bundle) know it when it issues. The former one is known until the last
certificate that it issued has ended, and its key is gone then.

Exit codes: 0 done; 2 could not be done, as where one is announced already.

Examples:
  bootproof certificate rotate --reason 'yearly, ticket 4711'
  bootproof certificate rotate --reason 'a copy of the server was found' --announce-for 0")]
    Rotate(CertificateRotate),
    /// Print the lists of revoked certificates, PEM: for programs that read them from a file
    #[command(after_help = "\
A list is good for the time that the server's configuration says, a quarter of an hour without:
fetch it more often than that, and keep the old one where it cannot be had.

Example:
  bootproof certificate crl > hosts.crl.new && mv hosts.crl.new hosts.crl && systemctl reload nginx")]
    Crl,
}

/// `bootproof certificate rotate`
#[derive(Debug, Args)]
pub struct CertificateRotate {
    /// Why: one line for the audit log
    #[arg(long, value_name = "TEXT")]
    pub reason: String,
    /// Until it issues; without it twice the time for which a list of revoked certificates is good
    #[arg(long, value_name = "SECONDS")]
    pub announce_for: Option<u64>,
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
