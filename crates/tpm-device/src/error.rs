//! Why a TPM could not be asked, and what to do.

use std::io;

use tpm_wire::{EncodeError, ParseError, ResponseCode};

use crate::address::Address;

/// The way to the TPM failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DeviceError {
    /// Nothing is at the address.
    #[error("there is no TPM at {address}")]
    Missing {
        /// Where it was looked for.
        address: Address,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// This user may not open it.
    #[error("this user may not open {address}")]
    Denied {
        /// What was to be opened.
        address: Address,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// Another program has it open.
    #[error("{address} is in use by another program")]
    Busy {
        /// What was to be opened.
        address: Address,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// It could not be opened for another reason.
    #[error("{address} could not be opened")]
    Open {
        /// What was to be opened.
        address: Address,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// The TPM took too long.
    #[error("the TPM did not answer within {time_s} s")]
    Timeout {
        /// Seconds that it had.
        time_s: u64,
    },
    /// Writing or reading failed.
    #[error("the connection to the TPM failed")]
    Io(#[source] io::Error),
    /// The response's header says a size that no response has.
    #[error("the TPM's response says that it has {size} bytes; 10 to 4096 are possible")]
    ResponseSize {
        /// What the header says.
        size: usize,
    },
    /// An earlier command failed midway, so that the next bytes may be its answer.
    #[error("an earlier command to the TPM failed midway")]
    Broken,
}

impl DeviceError {
    /// What a person can do about it, where we know.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Missing { address: Address::Device(_), .. } => Some(
                "switch the TPM on in the firmware's setup, and see that the kernel has the driver \
                 (tpm_tis, tpm_crb)",
            ),
            Self::Missing { .. } => Some("start swtpm, or check the path of its socket"),
            Self::Denied { .. } => Some("run as root, or add this user to the group tss"),
            Self::Busy { address: Address::Device(_), .. } => Some(
                "use device:/dev/tpmrm0, which many programs can share, or stop the program that \
                 has the TPM open",
            ),
            Self::Timeout { .. } => Some(
                "another program may be in the middle of something: a swtpm serves one client at a \
                 time",
            ),
            Self::Broken => Some("open the TPM again"),
            _ => None,
        }
    }
}

/// A command had no result.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TpmError {
    /// The way to the TPM failed: nothing more can be asked through it.
    #[error("{command}")]
    Device {
        /// The command.
        command: &'static str,
        /// What failed.
        #[source]
        source: DeviceError,
    },
    /// The TPM refused.
    #[error("{command}: the TPM answered {code}")]
    Refused {
        /// The command.
        command: &'static str,
        /// The TPM's answer.
        code: ResponseCode,
    },
    /// The TPM's answer cannot be read.
    #[error("{command}: the TPM's answer cannot be read")]
    Malformed {
        /// The command.
        command: &'static str,
        /// Where and why.
        #[source]
        source: ParseError,
    },
    /// What was asked does not fit a command.
    #[error("{command}: cannot be asked")]
    Encode {
        /// The command.
        command: &'static str,
        /// Which field.
        #[source]
        source: EncodeError,
    },
    /// PCRs were extended each time while they were being read.
    #[error("the PCRs changed each of {n_tries} times while they were being read")]
    PcrsChanging {
        /// How often it was tried.
        n_tries: u32,
    },
    /// A list or an NV index does not come to its end.
    #[error("{command}: the TPM does not come to an end")]
    Endless {
        /// The command.
        command: &'static str,
    },
}

impl TpmError {
    /// The TPM's code without its position, where it refused.
    pub fn refused(&self) -> Option<ResponseCode> {
        match self {
            Self::Refused { code, .. } => Some(code.error()),
            _ => None,
        }
    }

    /// The TPM's code as it came, where it refused.
    pub const fn code(&self) -> Option<ResponseCode> {
        match self {
            Self::Refused { code, .. } => Some(*code),
            _ => None,
        }
    }

    /// What a person can do about it, where we know.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Device { source, .. } => source.hint(),
            Self::Refused { code, .. } => match code.error().0 {
                // TPM_RC_BAD_AUTH and TPM_RC_AUTH_FAIL: we use empty passwords only.
                0x0A2 | 0x08E => Some(
                    "the TPM's owner or endorsement hierarchy has a password: clear the TPM in the \
                     firmware's setup, or remove the password",
                ),
                0x101 => Some("power the machine off and on"),
                0x921 => {
                    Some("wait until the TPM's lockout ends, or reset it with the lockout password")
                }
                0x902 | 0x903 | 0x905 => Some(
                    "another program leaves objects or sessions in the TPM: use device:/dev/tpmrm0",
                ),
                0x085 => Some("the hierarchy is switched off: enable it in the firmware's setup"),
                0x100 => Some("the TPM was not started: the firmware must do that"),
                0x01E => Some("this is a TPM 1.2; a TPM 2.0 is needed"),
                _ => None,
            },
            _ => None,
        }
    }
}
