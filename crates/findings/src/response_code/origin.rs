//! Who made a response code.

use std::fmt;

use tpm_wire::ResponseCode;

use super::advice::Advice;

/// Who made a response code, by the layout of [TPM2-P2-1.59 §6.6] and the layer above it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// A TPM 2.0.
    Tpm20,
    /// A TPM 1.2.
    Tpm12,
    /// A code that the TPM's maker defines.
    Vendor,
    /// A TPM 2.0; a resource manager passed it on.
    ResourceManager,
    /// A layer of the TPM software stack.
    Software(Layer),
    /// The TPM; Windows passed it on.
    WindowsTpm,
    /// The TPM services of Windows.
    Windows,
    /// Nobody known.
    Unknown,
}

/// A layer of the TPM software stack. [TSS-OVERVIEW §3, TSS2_RC_LAYER]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layer {
    /// The feature API.
    Feature,
    /// The enhanced system API.
    Enhanced,
    /// The system API.
    System,
    /// Marshalling of structures.
    Marshalling,
    /// The way to the TPM.
    Transport,
    /// The resource manager itself.
    ResourceManager,
    /// The policy library.
    Policy,
}

impl Origin {
    pub(super) fn of(code: ResponseCode) -> Self {
        match code.0 >> 16 {
            0 => Self::of_tpm(code),
            // A resource manager that answers in the TPM's place uses the TPM's codes.
            11 => Self::ResourceManager,
            6 => Self::Software(Layer::Feature),
            7 => Self::Software(Layer::Enhanced),
            8 => Self::Software(Layer::System),
            9 => Self::Software(Layer::Marshalling),
            10 => Self::Software(Layer::Transport),
            12 => Self::Software(Layer::ResourceManager),
            13 => Self::Software(Layer::Policy),
            0x8028 if code.0 & 0xffff < 0x400 => Self::WindowsTpm,
            0x8028 if code.0 & 0xffff >= 0x800 && code.0 & 0xffff < 0x1000 => Self::WindowsTpm,
            0x8028 => Self::Windows,
            _ => Self::Unknown,
        }
    }

    fn of_tpm(code: ResponseCode) -> Self {
        match code.0 {
            0xf000.. => Self::Unknown,
            code if code & 0x480 == 0x400 => Self::Vendor,
            0 | 0x1e => Self::Tpm20,
            code if code & 0x180 == 0 => Self::Tpm12,
            _ => Self::Tpm20,
        }
    }

    pub(super) fn is_tpm_2_0(self) -> bool {
        matches!(self, Self::Tpm20 | Self::ResourceManager | Self::WindowsTpm)
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Tpm20 => "TPM 2.0",
            Self::Tpm12 => "TPM 1.2",
            Self::Vendor => "the TPM's vendor",
            Self::ResourceManager => "TPM 2.0, through the resource manager",
            Self::Software(Layer::Feature) => "TPM software stack: FAPI",
            Self::Software(Layer::Enhanced) => "TPM software stack: ESAPI",
            Self::Software(Layer::System) => "TPM software stack: SYS",
            Self::Software(Layer::Marshalling) => "TPM software stack: MU",
            Self::Software(Layer::Transport) => "TPM software stack: TCTI",
            Self::Software(Layer::ResourceManager) => "TPM software stack: resource manager",
            Self::Software(Layer::Policy) => "TPM software stack: policy",
            Self::WindowsTpm => "the TPM, through Windows",
            Self::Windows => "Windows' TPM services",
            Self::Unknown => "unknown",
        })
    }
}

/// The codes of Windows' TPM services that people meet, by their low half.
pub(super) fn windows(low: u32) -> (&'static str, &'static str, Advice) {
    match low {
        0x0400 => {
            ("TPM_E_COMMAND_BLOCKED", "Windows does not let the command pass", Advice::Permission)
        }
        0x4001 => ("TBS_E_INTERNAL_ERROR", "the TPM services failed", Advice::Software),
        0x4006 => ("TBS_E_IOERROR", "an error on the way to the TPM", Advice::Transport),
        0x4008 => ("TBS_E_SERVICE_NOT_RUNNING", "the TPM services do not run", Advice::Setup),
        0x400f => ("TBS_E_TPM_NOT_FOUND", "Windows sees no TPM", Advice::Off),
        0x4010 => ("TBS_E_SERVICE_DISABLED", "the TPM services are disabled", Advice::Setup),
        _ => ("a code of TBS", "the list of Windows' codes says more", Advice::Software),
    }
}
