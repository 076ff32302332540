//! The version record of the ESXi boot loader.

use efi::{Ascii, Reader};
use tpm_wire::{ParseError, ParseErrorKind};

use super::bytes::length;

/// vm_version_record: versions of a module, with the name of its file. Little-endian: sizes,
/// flags, four pairs of offset and length, and the texts. The boot loader takes offsets as they
/// come, so each is checked here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EsxiVersion<'a> {
    /// formatVersion.
    pub format: u32,
    /// flags.
    pub flags: u64,
    /// Component.
    pub component: Ascii<'a>,
    /// Product name.
    pub product: Ascii<'a>,
    /// Product version.
    pub version: Ascii<'a>,
    /// File name, which the loader adds.
    pub file: Ascii<'a>,
}

impl<'a> EsxiVersion<'a> {
    /// Reads the record: its size is that of the data, and each text lies inside it.
    pub fn parse(data: &'a [u8]) -> Result<Self, ParseError> {
        let mut reader = Reader::new(data);
        let total = length(reader.u32("vm_version_record.totalSize")?);
        if total != data.len() {
            let kind = ParseErrorKind::Value { have: u64::try_from(total).unwrap_or(u64::MAX) };
            return Err(Reader::new(data).error("vm_version_record.totalSize", kind));
        }
        let format = reader.u32("vm_version_record.formatVersion")?;
        let flags = reader.u64("vm_version_record.flags")?;
        let mut text = |what: &'static str| {
            let offset = usize::from(reader.u16(what)?);
            let n = usize::from(reader.u16(what)?);
            let mut whole = Reader::new(data);
            whole.take(what, offset)?;
            whole.take(what, n).map(Ascii)
        };
        let component = text("vm_version_record.component")?;
        let product = text("vm_version_record.productName")?;
        let version = text("vm_version_record.productVersion")?;
        let file = text("vm_version_record.fileName")?;
        Ok(Self { format, flags, component, product, version, file })
    }
}
