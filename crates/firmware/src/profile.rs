//! What a system needs of its firmware.

use serde::{Deserialize, Serialize};

/// Which system runs, or shall run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Profile {
    /// Any Linux.
    #[serde(rename = "linux")]
    Linux,
    /// ESXi 6.7.
    #[serde(rename = "esxi-6.7")]
    Esxi67,
    /// ESXi 7.
    #[serde(rename = "esxi-7")]
    Esxi7,
    /// ESXi 8.
    #[serde(rename = "esxi-8")]
    Esxi8,
    /// ESX 9.
    #[serde(rename = "esx-9")]
    Esx9,
}

/// What is wanted of Intel TXT.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TxtRule {
    /// It must be off: attestation fails while it is on.
    Off,
    /// It should be on, as the vendor's guide has it.
    On,
    /// Either will do; on, it costs Quick Boot.
    EitherWithoutQuickBoot,
    /// Nobody cares.
    Either,
}

impl Profile {
    /// Each.
    pub const ALL: [Self; 5] = [Self::Linux, Self::Esxi67, Self::Esxi7, Self::Esxi8, Self::Esx9];

    /// The name on the command line.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Linux => "linux",
            Self::Esxi67 => "esxi-6.7",
            Self::Esxi7 => "esxi-7",
            Self::Esxi8 => "esxi-8",
            Self::Esx9 => "esx-9",
        }
    }

    /// The profile of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|profile| profile.as_str() == name)
    }

    /// Founding story (6.7: off), Broadcom KB 425234 (7 and 8: no Quick Boot while it is on), and
    /// VMware's guide to ESX 9 (on).
    pub const fn txt(self) -> TxtRule {
        match self {
            Self::Linux => TxtRule::Either,
            Self::Esxi67 => TxtRule::Off,
            Self::Esxi7 | Self::Esxi8 => TxtRule::EitherWithoutQuickBoot,
            Self::Esx9 => TxtRule::On,
        }
    }

    /// Whether the system drives a TPM through FIFO (TIS) only: `VMB_TPM: 99: Unsupported
    /// 'startMethod': 7`.
    pub const fn needs_fifo(self) -> bool {
        !matches!(self, Self::Linux)
    }

    /// Whether the system takes SHA-256 and no better bank in its place.
    pub const fn needs_sha256_itself(self) -> bool {
        !matches!(self, Self::Linux)
    }
}
