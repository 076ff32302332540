//! EFI_GUID, and those that boot logs name.

use core::fmt;

use tpm_wire::ParseError;

use crate::reader::Reader;

/// EFI_GUID. [UEFI-2.10 §2.3.1] 16 bytes as they lie in memory: the first three fields are
/// little-endian.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Guid(pub [u8; 16]);

impl Guid {
    /// A GUID from its text form `aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee`, as five numbers.
    pub const fn new(a: u32, b: u16, c: u16, d: u16, e: u64) -> Self {
        let [a0, a1, a2, a3] = a.to_le_bytes();
        let [b0, b1] = b.to_le_bytes();
        let [c0, c1] = c.to_le_bytes();
        let [d0, d1] = d.to_be_bytes();
        let [_, _, e0, e1, e2, e3, e4, e5] = e.to_be_bytes();
        Self([a0, a1, a2, a3, b0, b1, c0, c1, d0, d1, e0, e1, e2, e3, e4, e5])
    }

    /// EFI_GLOBAL_VARIABLE: SecureBoot, PK, KEK, SetupMode, Boot####. [UEFI-2.10 §3.3]
    pub const GLOBAL_VARIABLE: Self =
        Self::new(0x8be4_df61, 0x93ca, 0x11d2, 0xaa0d, 0x00e0_9803_2b8c);
    /// EFI_IMAGE_SECURITY_DATABASE_GUID: db, dbx, dbt, dbr. [UEFI-2.10 §32.4.1]
    pub const IMAGE_SECURITY_DATABASE: Self =
        Self::new(0xd719_b2cb, 0x3d3a, 0x4596, 0xa3bc, 0xdad0_0e67_656f);
    /// The variables of shim: MokList, SbatLevel.
    pub const SHIM_LOCK: Self = Self::new(0x605d_ab50, 0xe046, 0x4300, 0xabb6, 0x3dd8_10dd_8b23);
    /// The signature owner that Microsoft uses.
    pub const MICROSOFT: Self = Self::new(0x77fa_9abd, 0x0359, 0x4d32, 0xbd60, 0x28f4_e78f_784b);
    /// EFI_PARTITION_TYPE_SYSTEM_PART_GUID: the EFI system partition.
    pub const EFI_SYSTEM_PARTITION: Self =
        Self::new(0xc12a_7328, 0xf81f, 0x11d2, 0xba4b, 0x00a0_c93e_c93b);

    /// Takes 16 bytes.
    pub fn read(reader: &mut Reader<'_>, what: &'static str) -> Result<Self, ParseError> {
        reader.array(what).map(Self)
    }
}

/// In the registry format: `8be4df61-93ca-11d2-aa0d-00e098032b8c`.
impl fmt::Display for Guid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a0, a1, a2, a3, b0, b1, c0, c1, d0, d1, e0, e1, e2, e3, e4, e5] = self.0;
        let a = u32::from_le_bytes([a0, a1, a2, a3]);
        let b = u16::from_le_bytes([b0, b1]);
        let c = u16::from_le_bytes([c0, c1]);
        let d = u16::from_be_bytes([d0, d1]);
        let e = u64::from_be_bytes([0, 0, e0, e1, e2, e3, e4, e5]);
        write!(f, "{a:08x}-{b:04x}-{c:04x}-{d:04x}-{e:012x}")
    }
}

impl fmt::Debug for Guid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Guid({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_three_fields_are_little_endian() {
        let bytes = *b"\x61\xdf\xe4\x8b\xca\x93\xd2\x11\xaa\x0d\x00\xe0\x98\x03\x2b\x8c";
        assert_eq!(Guid(bytes), Guid::GLOBAL_VARIABLE);
        assert_eq!(Guid(bytes).to_string(), "8be4df61-93ca-11d2-aa0d-00e098032b8c");
    }
}
