//! NV memory.

use super::{Auths, Command, FRAME_LEN_MAX};
use crate::alg::TpmAlgId;
use crate::attest::{DIGEST_LEN_MAX, NAME_LEN_MAX};
use crate::error::ParseError;
use crate::handle::Handle;
use crate::reader::Reader;
use crate::writer::Writer;

/// TPM2_NV_ReadPublic. [TPM2-P3-1.59 §31.6]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NvReadPublic {
    /// The index.
    pub index: Handle,
}

/// TPMS_NV_PUBLIC. [TPM2-P2-1.59 §13.5]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NvPublic {
    /// The index.
    pub index: Handle,
    /// Hash of its name.
    pub name_alg: TpmAlgId,
    /// TPMA_NV.
    pub attributes: u32,
    /// Bytes that it holds.
    pub data_len: usize,
}

impl NvPublic {
    /// TPMA_NV ownerRead, authRead and written. [TPM2-P2-1.59 §13.4]
    const OWNER_READ: u32 = 1 << 17;
    const AUTH_READ: u32 = 1 << 18;
    const WRITTEN: u32 = 1 << 29;

    /// Who may read it with an empty password: the index itself or the owner; `None` for neither.
    pub const fn reader(&self) -> Option<Handle> {
        if self.attributes & Self::AUTH_READ != 0 {
            Some(self.index)
        } else if self.attributes & Self::OWNER_READ != 0 {
            Some(Handle::OWNER)
        } else {
            None
        }
    }

    /// Whether something was written to it.
    pub const fn is_written(&self) -> bool {
        self.attributes & Self::WRITTEN != 0
    }
}

impl Command for NvReadPublic {
    const CODE: u32 = 0x169;
    const NAME: &'static str = "TPM2_NV_ReadPublic";
    type Response = NvPublic;

    fn write_handles(&self, to: &mut Writer) {
        to.u32(self.index.0);
    }

    fn read_response(_: Handle, from: &mut Reader<'_>) -> Result<NvPublic, ParseError> {
        let mut area = from.sized_reader("TPM2B_NV_PUBLIC", FRAME_LEN_MAX)?;
        let index = Handle(area.u32("TPMS_NV_PUBLIC.nvIndex")?);
        let name_alg = TpmAlgId(area.u16("TPMS_NV_PUBLIC.nameAlg")?);
        let attributes = area.u32("TPMS_NV_PUBLIC.attributes")?;
        area.sized("TPMS_NV_PUBLIC.authPolicy", DIGEST_LEN_MAX)?;
        let data_len = usize::from(area.u16("TPMS_NV_PUBLIC.dataSize")?);
        area.finish("TPMS_NV_PUBLIC")?;
        from.sized("nvName", NAME_LEN_MAX)?;
        Ok(NvPublic { index, name_alg, attributes, data_len })
    }
}

/// TPM2_NV_Read. [TPM2-P3-1.59 §31.13] One call reads at most what TPM_PT_NV_BUFFER_MAX says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NvRead {
    /// Who reads, see [`NvPublic::reader`].
    pub reader: Handle,
    /// The index.
    pub index: Handle,
    /// Bytes to read.
    pub n_bytes: u16,
    /// From where on.
    pub offset: u16,
}

impl Command for NvRead {
    const CODE: u32 = 0x14E;
    const NAME: &'static str = "TPM2_NV_Read";
    type Response = Vec<u8>;

    fn write_handles(&self, to: &mut Writer) {
        to.u32(self.reader.0);
        to.u32(self.index.0);
    }

    fn auths(&self) -> Auths {
        Auths::EMPTY
    }

    fn write_parameters(&self, to: &mut Writer) {
        to.u16(self.n_bytes);
        to.u16(self.offset);
    }

    fn read_response(_: Handle, from: &mut Reader<'_>) -> Result<Vec<u8>, ParseError> {
        from.sized("TPM2B_MAX_NV_BUFFER", FRAME_LEN_MAX).map(<[u8]>::to_vec)
    }
}
