//! `bootproof firmware`

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use super::{Bmcs, FirmwareApply, FirmwareRevert, Verb};

/// `bootproof firmware …`
#[derive(Debug, Subcommand)]
#[command(defer = true)]
pub enum Firmware {
    /// Look whether hosts are ready to be attested: what is wrong, who mends it, how many restarts
    #[command(after_help = "\
Reads what BMCs say of TPM, Secure Boot and TXT, and changes nothing. It is the BMC's word: only
a server's verdict proves how a host booted.

Exit codes: 0 each host is ready, or warned; 1 something fails; 2 nothing fails and something is
not said, or it could not be done.

Examples:
  bootproof firmware scan --tree saved/r750
  bootproof firmware scan --tree saved/* --profile esxi-8
  bootproof firmware scan --inventory rack7.csv --ca bmc-ca.pem --credentials bmc.toml
  bootproof firmware scan --tree saved/r750 --json | jq '.hosts[].findings[].code'")]
    Scan(Verb<FirmwareScan>),
    /// Plan which settings to change, in which order, with how many restarts; changes nothing
    #[command(after_help = "\
A plan has only values that the host's own registry lists. It tells what locks a setting, what
a change does to PCRs, what is left alone, and what a person must do. It clears no TPM and
resets no keys. A boot mode is changed with --installed-for-uefi only.

Exit codes: 0 the plan mends all that settings can, or there is nothing to mend; 1 something is
blocked; 2 it could not be done.

Examples:
  bootproof firmware plan --tree saved/r750
  bootproof firmware plan --bmc bmc-1.example --pin SHA256 --credentials bmc.toml
  bootproof firmware plan --tree saved/r750 --profile esxi-6.7 --installed-for-uefi
  bootproof firmware plan --tree saved/r750 --json > r750.plan.json")]
    Plan(Verb<FirmwarePlan>),
    /// Change what a plan names, with restarts, and read back that it is in force
    Apply(Verb<Box<FirmwareApply>>),
    /// Put back the values that `apply` found
    Revert(Verb<Box<FirmwareRevert>>),
}

/// `bootproof firmware scan`
#[derive(Debug, Args)]
pub struct FirmwareScan {
    /// Which hosts
    #[command(flatten)]
    pub source: FirmwareSource,
    /// What for
    #[command(flatten)]
    pub goal: FirmwareGoal,
    /// Tell each finding, its evidence and what else is said, also of many hosts
    #[arg(long)]
    pub details: bool,
}

/// `bootproof firmware plan`
#[derive(Debug, Args)]
pub struct FirmwarePlan {
    /// Which hosts
    #[command(flatten)]
    pub source: FirmwareSource,
    /// What for
    #[command(flatten)]
    pub goal: FirmwareGoal,
}

/// Where to read what BMCs say.
#[derive(Debug, Args)]
pub struct FirmwareSource {
    /// Saved Redfish trees: folders with an index.json for each resource, or single files
    #[arg(long, value_name = "DIR", num_args = 1.., conflicts_with_all = ["inventory", "bmc"])]
    pub tree: Vec<PathBuf>,
    /// Or BMCs that are asked
    #[command(flatten)]
    pub bmcs: Bmcs,
}

/// What the hosts are, or shall be.
#[derive(Debug, Args)]
pub struct FirmwareGoal {
    /// The system that runs, or shall run: it decides about Intel TXT and the TPM's interface
    #[arg(long, value_enum, default_value_t = FirmwareProfile::Linux)]
    pub profile: FirmwareProfile,
    /// The systems start by UEFI, or are installed anew: the boot mode may be changed
    #[arg(long)]
    pub installed_for_uefi: bool,
}

/// A system.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum FirmwareProfile {
    /// Any Linux
    Linux,
    /// ESXi 6.7: Intel TXT must be off
    #[value(name = "esxi-6.7")]
    Esxi67,
    /// ESXi 7: Intel TXT costs Quick Boot
    #[value(name = "esxi-7")]
    Esxi7,
    /// ESXi 8: Intel TXT costs Quick Boot
    #[value(name = "esxi-8")]
    Esxi8,
    /// ESX 9: Intel TXT should be on
    #[value(name = "esx-9")]
    Esx9,
}
