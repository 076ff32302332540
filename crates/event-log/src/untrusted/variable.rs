//! Measured UEFI variables: what each is, by name and vendor.

use efi::{
    Ascii, Guid, LoadOption, Signature, SignatureList, SignatureLists, VariableData, read_signature,
};
use tpm_wire::{ParseError, ParseErrorKind};

use super::bytes::Bytes;

/// The data of an event of a variable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VariableEvent<'a> {
    /// UEFI_VARIABLE_DATA.
    pub variable: VariableData<'a>,
    /// What old shims and BIOS firmware have behind the structure.
    pub behind: &'a [u8],
    is_authority: bool,
}

/// What a variable's value is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum VariableValue<'a> {
    /// No byte.
    Empty,
    /// One byte, for a variable that is a switch.
    Flag(u8),
    /// Boot order: numbers of entries.
    Order(Vec<u16>),
    /// A boot, driver or SysPrep entry.
    LoadOption(LoadOption<'a>),
    /// PK, KEK, db, dbx, dbt, dbr, devdb and shim's lists.
    SignatureLists(Vec<SignatureList<'a>>),
    /// The entry of a database that allowed an image.
    Authority(Signature<'a>),
    /// A certificate, as old shims log it: without its owner.
    Certificate(&'a [u8]),
    /// SBAT levels, as lines of text.
    Sbat(Ascii<'a>),
    /// Anything else.
    Bytes(&'a [u8]),
    /// Its structure is broken.
    Malformed(ParseError),
}

/// Variables of EFI_GLOBAL_VARIABLE that are one byte.
const FLAGS: [&str; 5] = ["SecureBoot", "SetupMode", "AuditMode", "DeployedMode", "VendorKeys"];

/// Variables of shim that are one byte.
const SHIM_FLAGS: [&str; 3] = ["MokSBState", "MokSBStateRT", "MokListTrusted"];

impl<'a> VariableEvent<'a> {
    /// Reads a variable that was measured for what it says.
    pub fn parse(data: &'a [u8]) -> Result<Self, ParseError> {
        let (variable, rest) = VariableData::parse_prefix(data)?;
        Ok(Self { variable, behind: rest.rest(), is_authority: false })
    }

    /// Reads the entry of a variable that allowed an image.
    pub fn parse_authority(data: &'a [u8]) -> Result<Self, ParseError> {
        Self::parse(data).map(|event| Self { is_authority: true, ..event })
    }

    /// The value, as what its name and vendor say that it is.
    pub fn value(&self) -> VariableValue<'a> {
        let VariableData { guid, name, value } = self.variable;
        let is_one = |names: &[&str]| names.iter().any(|known| name.is(known));
        if value.is_empty() {
            return VariableValue::Empty;
        }
        if guid == Guid::SHIM_LOCK && is_one(&["SbatLevel", "SbatLevelRT"]) {
            return VariableValue::Sbat(Ascii(value));
        }
        let is_flag = (guid == Guid::GLOBAL_VARIABLE && is_one(&FLAGS))
            || (guid == Guid::SHIM_LOCK && is_one(&SHIM_FLAGS));
        if is_flag {
            return match value {
                [flag] => VariableValue::Flag(*flag),
                _ => VariableValue::Malformed(ParseError {
                    what: "VariableData",
                    at: 0,
                    kind: ParseErrorKind::Trailing { n: value.len().saturating_sub(1) },
                }),
            };
        }
        if self.is_authority {
            return authority(value);
        }
        let is_database = (guid == Guid::GLOBAL_VARIABLE && is_one(&["PK", "KEK"]))
            || (guid == Guid::IMAGE_SECURITY_DATABASE
                && is_one(&["db", "dbx", "dbt", "dbr", "devdb"]))
            || (guid == Guid::SHIM_LOCK && is_one(&["MokListRT", "MokListXRT"]));
        if is_database {
            return match SignatureLists::new(value).collect() {
                Ok(lists) => VariableValue::SignatureLists(lists),
                Err(error) => VariableValue::Malformed(error),
            };
        }
        match guid == Guid::GLOBAL_VARIABLE {
            true => self.boot_value(),
            false => VariableValue::Bytes(value),
        }
    }

    fn boot_value(&self) -> VariableValue<'a> {
        let VariableData { name, value, .. } = self.variable;
        let name = name.to_string();
        if matches!(&*name, "BootOrder" | "DriverOrder" | "SysPrepOrder") {
            let numbers = value.chunks_exact(2).filter_map(|pair| pair.first_chunk());
            let order = numbers.map(|pair| u16::from_le_bytes(*pair)).collect();
            return match value.len().is_multiple_of(2) {
                true => VariableValue::Order(order),
                false => VariableValue::Bytes(value),
            };
        }
        let number = ["Boot", "Driver", "SysPrep", "OsRecovery", "PlatformRecovery"]
            .into_iter()
            .find_map(|prefix| name.strip_prefix(prefix));
        let is_entry =
            number.is_some_and(|n| n.len() == 4 && n.bytes().all(|c| c.is_ascii_hexdigit()));
        match is_entry.then(|| LoadOption::parse(value)) {
            Some(Ok(option)) => VariableValue::LoadOption(option),
            Some(Err(error)) => VariableValue::Malformed(error),
            None => VariableValue::Bytes(value),
        }
    }

    pub(super) fn write(&self, out: &mut Bytes) {
        out.raw(&self.variable.to_bytes()).raw(self.behind);
    }
}

/// The standard has owner and certificate; old shims log the certificate alone, which begins as
/// each DER certificate does. No owner in use does.
fn authority(value: &[u8]) -> VariableValue<'_> {
    if let [0x30, 0x82, ..] = value {
        return VariableValue::Certificate(value);
    }
    read_signature(value).map_or_else(VariableValue::Malformed, VariableValue::Authority)
}
