//! `bootproof doctor`

use std::path::PathBuf;

use clap::{Args, ValueEnum};

/// What a host runs, or is to run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Profile {
    /// Linux
    Linux,
    /// ESXi 6.7: Intel TXT must be off
    #[value(name = "esxi-6.7")]
    Esxi67,
    /// ESXi 7: Intel TXT forbids Quick Boot
    #[value(name = "esxi-7")]
    Esxi7,
    /// ESXi 8: as 7
    #[value(name = "esxi-8")]
    Esxi8,
    /// ESX 9: Intel TXT is wanted
    #[value(name = "esx-9")]
    Esx9,
}

/// `bootproof doctor`
#[derive(Debug, Args)]
#[command(after_help = "\
Shows what attestation needs, in the order in which to mend it, and changes nothing: no server
is asked, and the key with which the TPM signs is forgotten at the end. What it says is this
host's own word; only a server's verdict proves it.

With --esxi it reads what ESXi's own commands print, saved or pasted in any mixture, with prompts
and colours: esxcli hardware trustedboot get, esxcli system settings encryption get,
esxcli system settings encryption recovery list (the key is taken out at once and never shown),
esxcli system security keypersistence get, esxcli software acceptance get, esxcli software vib
list, secureBoot.py -s and -c, vsish -e get /vmkModules/tpmdriver/vendor and
.../firmware/version, vmware -v, and lines of vmkernel.log, hostd.log and vpxd.log.

Exit codes: 0 each check passed or warned, 1 something failed, 2 nothing failed and something
could not be looked at, or wrong use.

Examples:
  bootproof doctor
  bootproof doctor --ek-root vendor-root.pem --ek-root vendor-issuing-ca.pem
  bootproof doctor --json | jq .first
  bootproof doctor --profile esxi-8       on a live Linux, before ESXi is installed
  bootproof doctor --esxi esx-1.txt vmkernel.log
  ssh root@esx-1 'esxcli hardware trustedboot get' | bootproof doctor --esxi -
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
    /// What the host runs, or is to run: rules for FIFO and Intel TXT depend on it; otherwise linux,
    /// and with --esxi the version that the outputs name
    #[arg(long, value_name = "PROFILE", value_enum)]
    pub profile: Option<Profile>,
    /// Outputs of an ESXi host, saved or pasted, or `-` for standard input; no other machine is looked
    /// at then
    #[arg(
        long,
        value_name = "FILE|-",
        num_args = 1..,
        conflicts_with_all = ["root", "ek_root", "policy", "dbx"]
    )]
    pub esxi: Vec<PathBuf>,
    /// What must hold, a policy of your site, a TOML file; otherwise the default one
    #[arg(long, value_name = "FILE")]
    pub policy: Option<PathBuf>,
    /// A newer list of revoked images than this program has: a signed update of dbx, or bare
    /// signature lists
    #[arg(long, value_name = "FILE")]
    pub dbx: Option<PathBuf>,
}
