//! `bootproof doctor`

use std::path::PathBuf;

use clap::Args;

/// `bootproof doctor`
#[derive(Debug, Args)]
#[command(after_help = "\
Shows what attestation needs, in the order in which to mend it, and changes nothing: no server
is asked, and the key with which the TPM signs is forgotten at the end. What it says is this
host's own word; only a server's verdict proves it.

Exit codes: 0 each check passed or warned, 1 something failed, 2 nothing failed and something
could not be looked at, or wrong use.

Examples:
  bootproof doctor
  bootproof doctor --ek-root vendor-root.pem --ek-root vendor-issuing-ca.pem
  bootproof doctor --json | jq .first
  bootproof doctor --root web-1.copy --event-log web-1.copy/binary_bios_measurements")]
pub struct Doctor {
    /// A file with roots of TPM vendors, PEM or DER (may be repeated); without, the chain of the TPM's
    /// certificate is not followed
    #[arg(long, value_name = "FILE")]
    pub ek_root: Vec<PathBuf>,
    /// A copy of another machine's /sys, /proc and /etc: then no TPM is asked, but for one that is
    /// named by --tpm
    #[arg(long, value_name = "DIR")]
    pub root: Option<PathBuf>,
    /// The TPM: device:/dev/tpmrm0, swtpm:unix:PATH, swtpm:tcp:HOST:PORT, or none: it is not asked;
    /// otherwise the one of this machine
    #[arg(long, value_name = "ADDRESS", env = "BOOTPROOF_TPM")]
    pub tpm: Option<String>,
    /// The event log, where it is not the kernel's
    #[arg(long, value_name = "FILE", env = "BOOTPROOF_EVENT_LOG")]
    pub event_log: Option<PathBuf>,
}
