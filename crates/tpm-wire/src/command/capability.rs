//! What a TPM says of itself, and random bytes.

use super::Command;
use crate::alg::TpmAlgId;
use crate::error::ParseError;
use crate::handle::Handle;
use crate::public::TpmEccCurve;
use crate::reader::Reader;
use crate::selection::PcrSelection;
use crate::writer::Writer;

/// TPM_CAP. [TPM2-P2-1.59 §6.12] Open: a value that we do not know is only a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Capability(pub u32);

impl Capability {
    /// TPM_CAP_ALGS: algorithms.
    pub const ALGS: Self = Self(0);
    /// TPM_CAP_HANDLES: handles of the kind that the property's first octet names.
    pub const HANDLES: Self = Self(1);
    /// TPM_CAP_PCRS: banks and which PCRs they have.
    pub const PCRS: Self = Self(5);
    /// TPM_CAP_TPM_PROPERTIES: manufacturer, firmware and limits.
    pub const PROPERTIES: Self = Self(6);
    /// TPM_CAP_ECC_CURVES: curves.
    pub const CURVES: Self = Self(8);
}

/// TPM2_GetCapability. [TPM2-P3-1.59 §30.2] A TPM may give fewer than were asked for and say
/// that there are more: go on behind the last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GetCapability {
    /// What about.
    pub capability: Capability,
    /// The first value to give.
    pub first: u32,
    /// How many values at most.
    pub n_max: u32,
}

/// TPMS_CAPABILITY_DATA of the kinds that we read. [TPM2-P2-1.59 §10.10.2]
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CapabilityValues {
    /// Algorithm and attributes.
    Algs(Vec<(TpmAlgId, u32)>),
    /// Handles.
    Handles(Vec<Handle>),
    /// Banks. One with no PCR is a bank that is switched off.
    Pcrs(PcrSelection),
    /// TPM_PT and value.
    Properties(Vec<(u32, u32)>),
    /// Curves.
    Curves(Vec<TpmEccCurve>),
    /// Another kind.
    Other(Vec<u8>),
}

/// Entries of one list: what fits a response of the largest size with four bytes each.
const ENTRIES_MAX: usize = 1024;

fn list<'a, T>(
    from: &mut Reader<'a>,
    mut entry: impl FnMut(&mut Reader<'a>) -> Result<T, ParseError>,
) -> Result<Vec<T>, ParseError> {
    let n = from.count("capability list count", ENTRIES_MAX)?;
    let mut entries = Vec::new();
    for _ in 0..n {
        entries.push(entry(from)?);
    }
    Ok(entries)
}

impl Command for GetCapability {
    const CODE: u32 = 0x17A;
    const NAME: &'static str = "TPM2_GetCapability";
    /// Values, and whether there are more behind them.
    type Response = (CapabilityValues, bool);

    fn write_parameters(&self, to: &mut Writer) {
        to.u32(self.capability.0);
        to.u32(self.first);
        to.u32(self.n_max);
    }

    fn read_response(_: Handle, from: &mut Reader<'_>) -> Result<Self::Response, ParseError> {
        let more = from.u8("moreData")? != 0;
        let values = match Capability(from.u32("capability")?) {
            Capability::ALGS => CapabilityValues::Algs(list(from, |from| {
                Ok((TpmAlgId(from.u16("alg")?), from.u32("algProperties")?))
            })?),
            Capability::HANDLES => {
                CapabilityValues::Handles(list(from, |from| from.u32("handle").map(Handle))?)
            }
            Capability::PCRS => CapabilityValues::Pcrs(PcrSelection::read(from)?),
            Capability::PROPERTIES => CapabilityValues::Properties(list(from, |from| {
                Ok((from.u32("property")?, from.u32("value")?))
            })?),
            Capability::CURVES => {
                CapabilityValues::Curves(list(from, |from| from.u16("curve").map(TpmEccCurve))?)
            }
            _ => CapabilityValues::Other(from.rest().to_vec()),
        };
        Ok((values, more))
    }
}

/// TPM2_GetRandom. [TPM2-P3-1.59 §16.1] A TPM may give fewer bytes than were asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GetRandom {
    /// Bytes at most.
    pub n_bytes: u16,
}

impl Command for GetRandom {
    const CODE: u32 = 0x17B;
    const NAME: &'static str = "TPM2_GetRandom";
    type Response = Vec<u8>;

    fn write_parameters(&self, to: &mut Writer) {
        to.u16(self.n_bytes);
    }

    fn read_response(_: Handle, from: &mut Reader<'_>) -> Result<Vec<u8>, ParseError> {
        // The specification's limit is the largest digest of the TPM.
        from.sized("randomBytes", crate::attest::DIGEST_LEN_MAX).map(<[u8]>::to_vec)
    }
}
