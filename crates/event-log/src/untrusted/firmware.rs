//! What firmware measures of itself: code by address, tables by address, versions.

use efi::{Ascii, Guid, Reader};
use tpm_wire::{ParseError, ParseErrorKind};

use super::bytes::{Bytes, length};
use super::text::Text;

/// Tables in one event. Real ones have one; a UEFI system table has under 30.
pub const HANDOFF_TABLES_MAX: usize = 1024;

/// UEFI_PLATFORM_FIRMWARE_BLOB and UEFI_PLATFORM_FIRMWARE_BLOB2: code that lies in memory.
/// [PFP-1.06 §10.2] Little-endian. The digest is of the code, which is not in the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FirmwareBlob<'a> {
    /// BlobDescription, of the second revision.
    pub description: Option<Ascii<'a>>,
    /// BlobBase: a physical address.
    pub base: u64,
    /// BlobLength, in bytes.
    pub len: u64,
}

impl<'a> FirmwareBlob<'a> {
    /// Reads the first revision, and nothing may be left behind it.
    pub fn parse(data: &'a [u8]) -> Result<Self, ParseError> {
        Self::read(Reader::new(data), None)
    }

    /// Reads the second revision, and nothing may be left behind it.
    pub fn parse2(data: &'a [u8]) -> Result<Self, ParseError> {
        let mut reader = Reader::new(data);
        let n = reader.u8("UEFI_PLATFORM_FIRMWARE_BLOB2.BlobDescriptionSize")?;
        let description = reader.take("UEFI_PLATFORM_FIRMWARE_BLOB2.BlobDescription", n.into())?;
        Self::read(reader, Some(Ascii(description)))
    }

    fn read(mut reader: Reader<'a>, description: Option<Ascii<'a>>) -> Result<Self, ParseError> {
        let base = reader.u64("UEFI_PLATFORM_FIRMWARE_BLOB.BlobBase")?;
        let len = reader.u64("UEFI_PLATFORM_FIRMWARE_BLOB.BlobLength")?;
        reader.finish("UEFI_PLATFORM_FIRMWARE_BLOB")?;
        Ok(Self { description, base, len })
    }

    pub(super) fn write(&self, out: &mut Bytes) {
        if let Some(description) = self.description {
            out.sized_u8(description.0);
        }
        out.u64(self.base).u64(self.len);
    }
}

/// Width of UINTN in the firmware that wrote the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UintnWidth {
    /// 32-bit firmware.
    Four,
    /// 64-bit firmware.
    Eight,
}

impl UintnWidth {
    const fn entry_len(self) -> usize {
        match self {
            Self::Four => 20,
            Self::Eight => 24,
        }
    }
}

/// UEFI_HANDOFF_TABLE_POINTERS and UEFI_HANDOFF_TABLE_POINTERS2. [PFP-1.06 §10.2]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HandoffTables<'a> {
    /// TableDescription, of the second revision.
    pub description: Option<Ascii<'a>>,
    /// The width of the count, in the first revision, and of the pointers.
    pub width: UintnWidth,
    entries: &'a [u8],
}

/// EFI_CONFIGURATION_TABLE: what it is, and where it lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HandoffTable {
    /// VendorGuid.
    pub guid: Guid,
    /// VendorTable: a physical address.
    pub address: u64,
}

impl<'a> HandoffTables<'a> {
    /// Reads the first revision in this width, and nothing may be left behind it.
    pub fn parse(data: &'a [u8], width: UintnWidth) -> Result<Self, ParseError> {
        let mut reader = Reader::new(data);
        let n = match width {
            UintnWidth::Four => reader.u32(COUNT).map(u64::from)?,
            UintnWidth::Eight => reader.u64(COUNT)?,
        };
        Self::read(reader, n, None, width)
    }

    /// Reads the second revision, whose count has eight bytes in each width.
    pub fn parse2(data: &'a [u8], width: UintnWidth) -> Result<Self, ParseError> {
        let mut reader = Reader::new(data);
        let n = reader.u8("UEFI_HANDOFF_TABLE_POINTERS2.TableDescriptionSize")?;
        let text = reader.take("UEFI_HANDOFF_TABLE_POINTERS2.TableDescription", n.into())?;
        let n = reader.u64(COUNT)?;
        Self::read(reader, n, Some(Ascii(text)), width)
    }

    fn read(
        mut reader: Reader<'a>,
        n: u64,
        description: Option<Ascii<'a>>,
        width: UintnWidth,
    ) -> Result<Self, ParseError> {
        let n = length(n);
        if n > HANDOFF_TABLES_MAX {
            let kind = ParseErrorKind::Limit { max: HANDOFF_TABLES_MAX, have: n };
            return Err(reader.error(COUNT, kind));
        }
        let len = n.saturating_mul(width.entry_len());
        let entries = reader.take("UEFI_HANDOFF_TABLE_POINTERS.TableEntry", len)?;
        reader.finish("UEFI_HANDOFF_TABLE_POINTERS")?;
        Ok(Self { description, width, entries })
    }

    /// How many.
    pub fn len(&self) -> usize {
        self.entries.len() / self.width.entry_len()
    }

    /// Whether there is none.
    pub const fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The tables, in order.
    pub fn iter(&self) -> impl Iterator<Item = HandoffTable> + use<'a> {
        let width = self.width;
        self.entries.chunks_exact(width.entry_len()).filter_map(move |entry| {
            let mut reader = Reader::new(entry);
            let guid = Guid::read(&mut reader, "VendorGuid").ok()?;
            let address = match width {
                UintnWidth::Four => reader.u32("VendorTable").map(u64::from),
                UintnWidth::Eight => reader.u64("VendorTable"),
            };
            Some(HandoffTable { guid, address: address.ok()? })
        })
    }

    pub(super) fn write(&self, out: &mut Bytes) {
        let n = u64::try_from(self.len()).unwrap_or(u64::MAX);
        match (self.description, self.width) {
            (Some(description), _) => out.sized_u8(description.0).u64(n),
            (None, UintnWidth::Eight) => out.u64(n),
            (None, UintnWidth::Four) => out.u32(u32::try_from(n).unwrap_or(u32::MAX)),
        };
        out.raw(self.entries);
    }
}

const COUNT: &str = "UEFI_HANDOFF_TABLE_POINTERS.NumberOfTables";

/// EV_S_CRTM_VERSION: text in UCS-2 or a GUID by the standard; firmware logs more than that.
/// [PFP-1.06 §10.4.1]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CrtmVersion<'a> {
    /// Text, of UCS-2 or of ASCII.
    Text(Text<'a>),
    /// A GUID.
    Guid(Guid),
    /// A structure of the platform's own.
    Platform(&'a [u8]),
}

impl<'a> CrtmVersion<'a> {
    /// Never fails.
    pub fn read(data: &'a [u8]) -> Self {
        if let Some(text) = Text::sniff(data) {
            return Self::Text(text);
        }
        match (data, data.as_array::<16>()) {
            (_, Some(guid)) => Self::Guid(Guid(*guid)),
            // An empty text with its NUL.
            ([0, 0], None) => Self::Text(Text::Ucs2(efi::Ucs2(data))),
            _ => Self::Platform(data),
        }
    }

    pub(super) fn write(&self, out: &mut Bytes) {
        match self {
            Self::Text(text) => out.raw(text.as_bytes()),
            Self::Guid(guid) => out.raw(&guid.0),
            Self::Platform(bytes) => out.raw(bytes),
        };
    }
}

/// EV_NONHOST_INFO of Google Compute Engine: which confidential computing the guest runs in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GceNonHostInfo {
    /// 0 none, 1 SEV, 2 SEV-ES, 3 TDX, 4 SEV-SNP.
    pub technology: u8,
    /// Reserved.
    reserved: [u8; 15],
}

impl GceNonHostInfo {
    const SIGNATURE: &'static [u8; 16] = b"GCE NonHostInfo\0";

    /// `None` where it is somebody else's.
    pub fn read(data: &[u8]) -> Option<Self> {
        let rest: &[u8; 16] = data.strip_prefix(Self::SIGNATURE)?.as_array()?;
        let (&technology, reserved) = rest.split_first()?;
        Some(Self { technology, reserved: *reserved.as_array()? })
    }

    /// Name of the technology, where it is known.
    pub const fn technology_name(self) -> Option<&'static str> {
        match self.technology {
            0 => Some("none"),
            1 => Some("AMD SEV"),
            2 => Some("AMD SEV-ES"),
            3 => Some("Intel TDX"),
            4 => Some("AMD SEV-SNP"),
            _ => None,
        }
    }

    pub(super) fn write(&self, out: &mut Bytes) {
        out.raw(Self::SIGNATURE).u8(self.technology).raw(&self.reserved);
    }
}
