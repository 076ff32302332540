//! UEFI_VARIABLE_DATA: the event data of a measured variable.

use tpm_wire::{ParseError, ParseErrorKind};

use crate::guid::Guid;
use crate::reader::{Reader, length};
use crate::text::Ucs2;

/// The longest variable name, in UCS-2 units. Real ones are under 40; Linux stops at 512.
const NAME_UNITS_MAX: u64 = 1024;

/// UEFI_VARIABLE_DATA. [PFP-1.06 §10.2.6] Little-endian: GUID, units of the name, bytes of the
/// value, name without NUL, value.
/// Trust: a fact only where the whole structure hashes to a digest of a replayed PCR.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VariableData<'a> {
    /// VariableName.
    pub guid: Guid,
    /// UnicodeName.
    pub name: Ucs2<'a>,
    /// VariableData.
    pub value: &'a [u8],
}

impl<'a> VariableData<'a> {
    /// Reads the structure, and nothing may be left behind it.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, ParseError> {
        let (variable, rest) = Self::parse_prefix(bytes)?;
        rest.finish("UEFI_VARIABLE_DATA").map(|()| variable)
    }

    /// Reads the structure from the front of `bytes`, and gives what is left.
    pub fn parse_prefix(bytes: &'a [u8]) -> Result<(Self, Reader<'a>), ParseError> {
        let mut reader = Reader::new(bytes);
        let guid = Guid::read(&mut reader, "UEFI_VARIABLE_DATA.VariableName")?;
        let units = reader.u64("UEFI_VARIABLE_DATA.UnicodeNameLength")?;
        if units > NAME_UNITS_MAX {
            let kind = ParseErrorKind::Limit { max: length(NAME_UNITS_MAX), have: length(units) };
            return Err(reader.error("UEFI_VARIABLE_DATA.UnicodeNameLength", kind));
        }
        let n = length(reader.u64("UEFI_VARIABLE_DATA.VariableDataLength")?);
        let name =
            reader.take("UEFI_VARIABLE_DATA.UnicodeName", length(units.saturating_mul(2)))?;
        let value = reader.take("UEFI_VARIABLE_DATA.VariableData", n)?;
        Ok((Self { guid, name: Ucs2(name), value }, reader))
    }

    /// Whether this is the variable `name` of vendor `guid`: the name alone is not enough.
    pub fn is(&self, guid: Guid, name: &str) -> bool {
        self.guid == guid && self.name.is(name)
    }

    /// The structure as bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        let n = |len: usize| u64::try_from(len).unwrap_or(u64::MAX).to_le_bytes();
        let Self { guid, name, value } = self;
        [&guid.0[..], &n(name.0.len() / 2), &n(value.len()), name.0, value].concat()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secure_boot() -> Vec<u8> {
        let name: Vec<u8> = "SecureBoot".encode_utf16().flat_map(u16::to_le_bytes).collect();
        VariableData { guid: Guid::GLOBAL_VARIABLE, name: Ucs2(&name), value: &[1] }.to_bytes()
    }

    #[test]
    fn what_is_read_is_written_back() {
        let bytes = secure_boot();
        let variable = VariableData::parse(&bytes).unwrap();
        assert!(variable.is(Guid::GLOBAL_VARIABLE, "SecureBoot"));
        assert!(!variable.is(Guid::IMAGE_SECURITY_DATABASE, "SecureBoot"));
        assert!(!variable.is(Guid::GLOBAL_VARIABLE, "secureboot"));
        assert_eq!(variable.value, [1]);
        assert_eq!(variable.to_bytes(), bytes);
    }

    #[test]
    fn each_cut_and_each_surplus_byte_is_refused() {
        let mut bytes = secure_boot();
        for n in 0..bytes.len() {
            assert!(VariableData::parse(&bytes[..n]).is_err(), "cut at {n}");
        }
        bytes.push(0);
        let error = VariableData::parse(&bytes).unwrap_err();
        assert_eq!(error.kind, ParseErrorKind::Trailing { n: 1 });
    }

    #[test]
    fn lengths_that_wrap_are_refused() {
        let mut bytes = secure_boot();
        bytes[24..32].fill(0xff);
        assert!(VariableData::parse(&bytes).is_err());
        bytes[16..24].copy_from_slice(&(u64::MAX / 2 + 2).to_le_bytes());
        assert!(VariableData::parse(&bytes).is_err());
    }
}
