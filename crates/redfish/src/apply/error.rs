//! Why a host was not changed to the end.

use super::journal::JournalError;
use crate::RedfishError;

/// A change of one host stands still. A person decides how it goes on.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ApplyError {
    /// The BMC could not be asked.
    #[error("the BMC could not be asked")]
    Bmc(#[from] RedfishError),
    /// Without a journal nothing is changed.
    #[error("the journal cannot be written")]
    Journal(#[from] JournalError),
    /// The address leads to another machine than the one that the plan was made for.
    #[error("another machine answers: its serial number is {found}, the plan is for {planned}")]
    OtherMachine {
        /// The serial number of now.
        found: String,
        /// That of the plan.
        planned: String,
    },
    /// Somebody else's change waits for the same boot.
    #[error("another change waits for the next boot: {what}")]
    Foreign {
        /// Which.
        what: String,
    },
    /// The BMC refused, and did nothing.
    #[error("the BMC refuses the change")]
    Refused(#[source] RedfishError),
    /// The BMC refused, and took the change all the same: it would come into force at any boot.
    #[error("the BMC refuses the change, and keeps it pending all the same")]
    RefusedAndTaken(#[source] RedfishError),
    /// The BMC says that it took the change, and does not have it.
    #[error("the BMC took the change and shows nothing of it: {what}")]
    Forgotten {
        /// The settings.
        what: String,
    },
    /// The resource changes each time before it can be written.
    #[error("the settings change under our hands: each write met another version")]
    Contended,
    /// The job will never run.
    #[error("the job waits for ever: {message}")]
    JobStuck {
        /// What it says.
        message: String,
    },
    /// The job failed.
    #[error("the job failed: {message}")]
    JobFailed {
        /// What it says.
        message: String,
    },
    /// The firmware did not take what was pending.
    #[error("the firmware booted and did not take {what}{}", said(.messages))]
    NotTaken {
        /// The settings.
        what: String,
        /// What it says of it.
        messages: Vec<String>,
    },
    /// Secure Boot is wanted and is not in force after two boots.
    #[error("Secure Boot is not {wanted} after two boots")]
    SecureBoot {
        /// `on` or `off`.
        wanted: &'static str,
    },
    /// None of the resets that this BMC takes will do.
    #[error("the BMC offers no reset that lets the operating system end (it takes {offered})")]
    NoReset {
        /// What it offers.
        offered: String,
    },
    /// The reset was refused.
    #[error("the BMC refuses to reset the host")]
    ResetRefused(#[source] RedfishError),
    /// The operating system does not end.
    #[error("the host did not power off within {seconds} s")]
    NotOff {
        /// Seconds that were waited.
        seconds: u64,
    },
    /// Nothing more happens.
    #[error("the host did not come to {what} within {seconds} s")]
    TooLong {
        /// What was waited for.
        what: String,
        /// Seconds.
        seconds: u64,
    },
}

fn said(messages: &[String]) -> String {
    if messages.is_empty() { String::new() } else { format!(" (it says {})", messages.join(", ")) }
}

impl ApplyError {
    /// What to do about it.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Bmc(err) => err.hint(),
            Self::Journal(_) => {
                "make room, or name another file with --journal; nothing was changed since"
            }
            Self::OtherMachine { .. } => {
                "look which machine has this BMC; where it was replaced, begin with a new plan \
                 (--plan-anew), and mend the inventory"
            }
            Self::Foreign { .. } => {
                "let it come into force, or clear it in the BMC's pending settings and its job queue; \
                 then give the same command again"
            }
            Self::Refused(_) | Self::Contended => {
                "the host was not restarted; look whether the machine is locked down or another tool \
                 writes to it, then give the same command again"
            }
            Self::RefusedAndTaken(_) => {
                "the host was not reset; the same command goes on with what is pending, \
                 `bootproof firmware revert` puts the values of before in its place"
            }
            Self::Forgotten { .. } | Self::JobStuck { .. } => {
                "clear the job queue of the BMC or restart the BMC, then give the same command again"
            }
            Self::JobFailed { .. } | Self::NotTaken { .. } => {
                "look at the BMC's log of that boot; give the same command again to try once more"
            }
            Self::SecureBoot { .. } => {
                "look whether the platform key is enrolled (SecureBootMode UserMode or DeployedMode)"
            }
            Self::NoReset { .. } | Self::NotOff { .. } => {
                "end the operating system by hand, or permit --force-restart; then give the same \
                 command again"
            }
            Self::ResetRefused(_) => {
                "look at the power state of the host, then give the same command again"
            }
            Self::TooLong { .. } => {
                "look at the console of the host: it may wait for a key, or its operating system may \
                 ignore the wish to restart; then give the same command again"
            }
        }
    }
}
