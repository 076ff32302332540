//! `bootproof firmware apply` and `bootproof firmware revert`

use clap::Args;

use super::{Bmcs, Changes, FirmwareGoal};

/// `bootproof firmware apply`
#[derive(Debug, Args)]
#[command(after_help = "\
Reads each host, shows what would be changed, asks, and changes: wave after wave, a few hosts at
once, and after the first failure no more. Each act is written to the journal before it is done.
A run that was stopped (Ctrl-C, a power cut, a failure) goes on with the same command. A host
counts as done when its settings are in force, nothing waits, and Secure Boot is in force.

Keys of Secure Boot are never reset, and the BIOS is never set to its defaults.

Exit codes: 0 all hosts are as they should be, 1 some are not, 2 nothing could be done or wrong
use.

Examples:
  bootproof firmware apply --bmc bmc-1.example --ca bmc-ca.pem --credentials bmc.toml
  bootproof firmware apply --inventory rack7.csv --ca bmc-ca.pem --credentials bmc.toml --wave 1 \\
      --max-unavailable 2 --window 22:00-04:00 --profile esxi-8")]
pub struct FirmwareApply {
    /// The hosts
    #[command(flatten)]
    pub bmcs: Bmcs,
    /// How they are changed
    #[command(flatten)]
    pub changes: Changes,
    /// What for
    #[command(flatten)]
    pub goal: FirmwareGoal,
    /// Change also hosts that need a person for something else
    #[arg(long)]
    pub incomplete: bool,
    /// Begin with a plan of now, where a run before did not end
    #[arg(long)]
    pub plan_anew: bool,
}

/// `bootproof firmware revert`
#[derive(Debug, Args)]
#[command(after_help = "\
Puts the values of before back, which the journal of `bootproof firmware apply` has: the last step
first, with as many restarts. What was asked for as an operation, and what had no value before,
stays as it is, and is told.

Exit codes: 0 all values are back, 1 some are not, 2 nothing could be done or wrong use.

Example:
  bootproof firmware revert --inventory rack7.csv --ca bmc-ca.pem --credentials bmc.toml --wave 1")]
pub struct FirmwareRevert {
    /// The hosts
    #[command(flatten)]
    pub bmcs: Bmcs,
    /// How they are changed
    #[command(flatten)]
    pub changes: Changes,
}
