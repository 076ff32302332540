//! PCRs.

use super::{Auths, Command};
use crate::alg::{Digest, TpmAlgId};
use crate::attest::DIGEST_LEN_MAX;
use crate::error::{ParseError, ParseErrorKind};
use crate::handle::Handle;
use crate::reader::Reader;
use crate::selection::PcrSelection;
use crate::writer::Writer;

/// Digests of one TPML_DIGEST. [TPM2-P2-1.59 §10.9.5] So TPM2_PCR_Read gives at most 8 values.
pub const PCR_READ_MAX: usize = 8;

/// TPM2_PCR_Read. [TPM2-P3-1.59 §22.4]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PcrRead {
    /// Which PCRs; the TPM gives the first eight of them or fewer.
    pub selection: PcrSelection,
}

/// The answer to [`PcrRead`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PcrValues {
    /// pcrUpdateCounter: equal counters mean that no PCR was extended in between.
    pub update_counter: u32,
    /// Which PCRs were given.
    pub selection: PcrSelection,
    /// Their values, in the order of the selection and as many.
    pub values: Vec<Digest>,
}

impl Command for PcrRead {
    const CODE: u32 = 0x17E;
    const NAME: &'static str = "TPM2_PCR_Read";
    type Response = PcrValues;

    fn write_parameters(&self, to: &mut Writer) {
        self.selection.write(to);
    }

    fn read_response(_: Handle, from: &mut Reader<'_>) -> Result<PcrValues, ParseError> {
        let update_counter = from.u32("pcrUpdateCounter")?;
        let selection = PcrSelection::read(from)?;
        let field = *from;
        let n = from.count("pcrValues.count", PCR_READ_MAX)?;
        if u32::try_from(n) != Ok(selection.n_pcrs()) {
            let kind = ParseErrorKind::Value { have: u64::try_from(n).unwrap_or(u64::MAX) };
            return Err(field.error("pcrValues.count", kind));
        }
        let mut values = Vec::new();
        for (alg, _) in selection.iter() {
            let field = *from;
            let bytes = from.sized("pcrValues", DIGEST_LEN_MAX)?;
            let len_fits = alg.digest_len().is_none_or(|len| len == bytes.len());
            match Digest::new(bytes) {
                Some(value) if len_fits => values.push(value),
                _ => {
                    let have = bytes.len();
                    let kind = ParseErrorKind::Value { have: u64::try_from(have).unwrap_or(0) };
                    return Err(field.error("pcrValues", kind));
                }
            }
        }
        Ok(PcrValues { update_counter, selection, values })
    }
}

/// TPM2_PCR_Extend. [TPM2-P3-1.59 §22.2]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PcrExtend<'a> {
    /// PCR index.
    pub index: u32,
    /// One digest for each bank to extend; a bank that is not named stays as it is.
    pub digests: &'a [(TpmAlgId, Digest)],
}

impl Command for PcrExtend<'_> {
    const CODE: u32 = 0x182;
    const NAME: &'static str = "TPM2_PCR_Extend";
    type Response = ();

    fn write_handles(&self, to: &mut Writer) {
        to.u32(self.index);
    }

    fn auths(&self) -> Auths {
        Auths::EMPTY
    }

    fn write_parameters(&self, to: &mut Writer) {
        to.u32(u32::try_from(self.digests.len()).unwrap_or(u32::MAX));
        for (alg, digest) in self.digests {
            to.u16(alg.0);
            to.bytes(digest.as_bytes());
        }
    }

    fn read_response(_: Handle, _: &mut Reader<'_>) -> Result<(), ParseError> {
        Ok(())
    }
}
