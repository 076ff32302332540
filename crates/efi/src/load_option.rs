//! EFI_LOAD_OPTION: the value of Boot####, Driver#### and SysPrep####.

use tpm_wire::{ParseError, ParseErrorKind};

use crate::device_path::DevicePath;
use crate::reader::Reader;
use crate::text::Ucs2;

/// EFI_LOAD_OPTION. [UEFI-2.10 §3.1.3] Little-endian: attributes, bytes of the path list,
/// description with its NUL, path list, and the rest is data for the image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LoadOption<'a> {
    /// Attributes; see [`Self::is_active`].
    pub attributes: u32,
    /// Description, without its NUL.
    pub description: Ucs2<'a>,
    /// FilePathList: the first path is what is loaded.
    pub paths: DevicePath<'a>,
    /// OptionalData.
    pub optional_data: &'a [u8],
}

impl<'a> LoadOption<'a> {
    /// Reads the structure.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, ParseError> {
        let mut reader = Reader::new(bytes);
        let attributes = reader.u32("EFI_LOAD_OPTION.Attributes")?;
        let n = reader.u16("EFI_LOAD_OPTION.FilePathListLength")?;
        let description = Ucs2(reader.rest()).until_nul();
        let text = reader.take("EFI_LOAD_OPTION.Description", description.0.len())?;
        if reader.u16("EFI_LOAD_OPTION.Description")? != 0 {
            let kind = ParseErrorKind::Value { have: 0 };
            return Err(reader.error("EFI_LOAD_OPTION.Description", kind));
        }
        let paths = reader.take("EFI_LOAD_OPTION.FilePathList", n.into())?;
        Ok(Self {
            attributes,
            description: Ucs2(text),
            paths: DevicePath(paths),
            optional_data: reader.rest(),
        })
    }

    /// Whether the firmware may boot it by itself: LOAD_OPTION_ACTIVE.
    pub const fn is_active(&self) -> bool {
        self.attributes & 1 != 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_boot_entry_is_read_and_each_cut_is_refused() {
        let description: Vec<u8> = "debian\0".encode_utf16().flat_map(u16::to_le_bytes).collect();
        let bytes =
            [&1u32.to_le_bytes()[..], &4u16.to_le_bytes(), &description, b"\x7f\xff\x04\0", b"xy"]
                .concat();
        let option = LoadOption::parse(&bytes).unwrap();
        assert!(option.is_active());
        assert_eq!(option.description.to_string(), "debian");
        assert_eq!(option.paths.0, b"\x7f\xff\x04\0");
        assert_eq!(option.optional_data, b"xy");
        for n in 0..bytes.len() - 2 {
            assert!(LoadOption::parse(&bytes[..n]).is_err(), "cut at {n}");
        }
    }
}
