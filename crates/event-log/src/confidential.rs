//! Logs of confidential guests: the firmware measures into registers of the processor instead of a
//! TPM, and its log counts those where others have PCR indices. [UEFI-2.10 §38.4]

use core::fmt;

use tpm_wire::PcrSet;

/// What a guest is protected by, as the ACPI table CCEL names it. [UEFI-2.10 §38.4.1]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConfidentialType {
    /// AMD SEV and its kin: no registers that firmware could extend.
    Sev,
    /// Intel TDX: MRTD and four run-time registers.
    Tdx,
    /// Another one.
    Other(u8),
}

/// The ACPI table CCEL: which kind of guest it is, and how large its log's area is. The host says
/// so; no quote of a TPM proves it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CcelTable {
    /// What protects the guest.
    pub kind: ConfidentialType,
    /// Subtype, of the kind's own.
    pub subtype: u8,
    /// Bytes of the area of the log, at least.
    pub log_area_bytes: u64,
}

impl CcelTable {
    /// Reads the table: 36 bytes of an ACPI header, type, subtype, two bytes that are reserved,
    /// UINT64 length and UINT64 address of the log's area. `None` where it is another table, or cut.
    pub fn parse(table: &[u8]) -> Option<Self> {
        if table.get(..4)? != b"CCEL" {
            return None;
        }
        let [kind, subtype, _, _] = *table.get(36..)?.first_chunk::<4>()?;
        let kind = match kind {
            1 => ConfidentialType::Sev,
            2 => ConfidentialType::Tdx,
            other => ConfidentialType::Other(other),
        };
        let log_area_bytes = u64::from_le_bytes(*table.get(40..)?.first_chunk::<8>()?);
        Some(Self { kind, subtype, log_area_bytes })
    }
}

/// A register that events of such a log were extended into.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MeasurementRegister {
    /// Index 0: the measurement of the guest's first memory; nothing is extended into it.
    Mrtd,
    /// Index 1 to 4: run-time registers 0 to 3.
    Rtmr(u8),
}

impl MeasurementRegister {
    /// The register that a guest of `kind` means by `index`; `None` where it has none.
    pub fn of_index(kind: ConfidentialType, index: u32) -> Option<Self> {
        match (kind, index) {
            (ConfidentialType::Tdx, 0) => Some(Self::Mrtd),
            (ConfidentialType::Tdx, 1..=4) => {
                u8::try_from(index.saturating_sub(1)).ok().map(Self::Rtmr)
            }
            _ => None,
        }
    }

    /// The PCRs whose events a firmware measures into it: 1 and 7 into the first run-time register,
    /// 2 to 6 into the second, 8 to 15 into the third; 0 is in the first memory.
    /// [UEFI-2.10 §38.4.1]
    pub fn pcrs(self) -> PcrSet {
        match self {
            Self::Mrtd => PcrSet::EMPTY.with(0),
            Self::Rtmr(0) => PcrSet::EMPTY.with(1).with(7),
            Self::Rtmr(1) => (2..=6).collect(),
            Self::Rtmr(2) => (8..=15).collect(),
            Self::Rtmr(_) => PcrSet::EMPTY,
        }
    }
}

impl fmt::Display for MeasurementRegister {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Mrtd => f.write_str("MRTD"),
            Self::Rtmr(n) => write!(f, "RTMR{n}"),
        }
    }
}
