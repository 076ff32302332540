//! TCG_EfiSpecIDEvent in its three revisions, each field kept.

use efi::Reader;
use tpm_wire::{ParseError, ParseErrorKind, TpmAlgId};

use super::bytes::{Bytes, length};
use crate::spec_id::{ALGORITHMS_MAX, pairs};

/// Which Spec ID event it is; its signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SpecIdRevision {
    /// `Spec ID Event00`: BIOS logs for TPM 1.2.
    R00,
    /// `Spec ID Event02`: UEFI logs for TPM 1.2.
    R02,
    /// `Spec ID Event03`: crypto-agile logs.
    R03,
}

impl SpecIdRevision {
    const ALL: [Self; 3] = [Self::R00, Self::R02, Self::R03];

    /// The 16 bytes that the event starts with.
    pub const fn signature(self) -> &'static [u8; 16] {
        match self {
            Self::R00 => b"Spec ID Event00\0",
            Self::R02 => b"Spec ID Event02\0",
            Self::R03 => b"Spec ID Event03\0",
        }
    }
}

/// A Spec ID event. [PFP-1.06 §10.4.5.1] Little-endian.
/// Trust: none, it is not measured. The reader of logs checks revision 03 on its own
/// ([`SpecId`](crate::SpecId)); this is what is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SpecIdEvent<'a> {
    /// Its signature.
    pub revision: SpecIdRevision,
    /// platformClass: 0 client, 1 server.
    pub platform_class: u32,
    /// specVersionMinor.
    pub version_minor: u8,
    /// specVersionMajor.
    pub version_major: u8,
    /// specErrata.
    pub errata: u8,
    /// uintnSize: 1 for 32-bit, 2 for 64-bit firmware; of revision 00 reserved.
    pub uintn_size: u8,
    /// digestSizes: pairs of algorithm and length; of revisions 00 and 02 empty.
    table: &'a [u8],
    /// vendorInfo.
    pub vendor_info: &'a [u8],
}

impl<'a> SpecIdEvent<'a> {
    /// Reads it; `None` where the signature is another one.
    pub fn read(data: &'a [u8]) -> Option<Result<Self, ParseError>> {
        let has_signature = |r: &SpecIdRevision| data.starts_with(r.signature());
        let revision = SpecIdRevision::ALL.into_iter().find(has_signature)?;
        Some(Self::read_fields(Reader::at_offset(data.get(16..)?, 16), revision))
    }

    fn read_fields(mut reader: Reader<'a>, revision: SpecIdRevision) -> Result<Self, ParseError> {
        let platform_class = reader.u32("platformClass")?;
        let [version_minor, version_major, errata, uintn_size] = reader.array("specVersion")?;
        let table = match revision {
            SpecIdRevision::R00 | SpecIdRevision::R02 => &[][..],
            SpecIdRevision::R03 => {
                let n = length(reader.u32("numberOfAlgorithms")?);
                if n > ALGORITHMS_MAX {
                    let kind = ParseErrorKind::Limit { max: ALGORITHMS_MAX, have: n };
                    return Err(reader.error("numberOfAlgorithms", kind));
                }
                reader.take("digestSizes", n.saturating_mul(4))?
            }
        };
        let n = reader.u8("vendorInfoSize")?;
        let vendor_info = reader.take("vendorInfo", n.into())?;
        reader.finish("Spec ID event")?;
        Ok(Self {
            revision,
            platform_class,
            version_minor,
            version_major,
            errata,
            uintn_size,
            table,
            vendor_info,
        })
    }

    /// The declared algorithms, and the bytes of a digest of each.
    pub fn algorithms(&self) -> impl Iterator<Item = (TpmAlgId, usize)> + use<'a> {
        pairs(self.table)
    }

    pub(super) fn write(&self, out: &mut Bytes) {
        out.raw(self.revision.signature()).u32(self.platform_class);
        out.u8(self.version_minor).u8(self.version_major).u8(self.errata).u8(self.uintn_size);
        if self.revision == SpecIdRevision::R03 {
            out.u32(u32::try_from(self.table.len() / 4).unwrap_or(u32::MAX)).raw(self.table);
        }
        out.sized_u8(self.vendor_info);
    }
}
