//! SP 800-155 events: where reference values of the platform are to be had.

use efi::{Ascii, DevicePath, Guid, Reader};
use tpm_wire::ParseError;

use super::bytes::{Bytes, length};

/// TCG_Sp800_155_PlatformId_Event in its three revisions. [PFP-1.06 §10.4.5.2]
/// Trust: none, it is not measured: a place to look for reference values that have a signature
/// of their own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReferenceManifest<'a> {
    /// VendorId: the IANA enterprise number of who made the platform.
    pub vendor_id: u32,
    /// ReferenceManifestGuid.
    pub guid: Guid,
    /// The names of revisions 2 and 3.
    pub names: Option<PlatformNames<'a>>,
    /// The places of revision 3.
    pub places: Option<ManifestPlaces<'a>>,
    /// What firmware with slots of fixed size has behind it.
    pub padding: &'a [u8],
}

/// What revision 2 adds. Texts have their NUL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PlatformNames<'a> {
    /// PlatformManufacturerStr.
    pub manufacturer: Ascii<'a>,
    /// PlatformModel.
    pub model: Ascii<'a>,
    /// PlatformVersion.
    pub version: Ascii<'a>,
    /// FirmwareManufacturerStr.
    pub firmware_manufacturer: Ascii<'a>,
    /// FirmwareManufacturerId: an IANA enterprise number.
    pub firmware_manufacturer_id: u32,
    /// FirmwareVersion.
    pub firmware_version: Ascii<'a>,
}

/// What revision 3 adds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ManifestPlaces<'a> {
    /// RIMLocatorType and RIMLocator.
    pub manifest: Place<'a>,
    /// PlatformCertLocatorType and PlatformCertLocator.
    pub platform_certificate: Place<'a>,
}

/// A document, or where to find one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place<'a> {
    /// The number in the log: see [`Self::kind`].
    pub kind_number: u32,
    /// What it says.
    pub locator: &'a [u8],
}

/// The kinds of a [`Place`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PlaceKind<'a> {
    /// The document itself.
    Raw(&'a [u8]),
    /// An address.
    Uri(Ascii<'a>),
    /// A device path.
    DevicePath(DevicePath<'a>),
    /// Vendor GUID and name of a UEFI variable.
    Variable(&'a [u8]),
    /// A number that the specification does not give.
    Unknown(&'a [u8]),
}

impl<'a> Place<'a> {
    /// What the locator is.
    pub const fn kind(&self) -> PlaceKind<'a> {
        match self.kind_number {
            0 => PlaceKind::Raw(self.locator),
            1 => PlaceKind::Uri(Ascii(self.locator)),
            2 => PlaceKind::DevicePath(DevicePath(self.locator)),
            3 => PlaceKind::Variable(self.locator),
            _ => PlaceKind::Unknown(self.locator),
        }
    }

    fn read(reader: &mut Reader<'a>, what: &'static str) -> Result<Self, ParseError> {
        let kind_number = reader.u32(what)?;
        let n = length(reader.u32(what)?);
        Ok(Self { kind_number, locator: reader.take(what, n)? })
    }

    fn write(&self, out: &mut Bytes) {
        out.u32(self.kind_number).sized_u32(self.locator);
    }
}

const SIGNATURES: [&[u8; 16]; 3] = [b"SP800-155 Event\0", b"SP800-155 Event2", b"SP800-155 Event3"];

impl<'a> ReferenceManifest<'a> {
    /// The revision: 1, 2 or 3.
    pub const fn revision(&self) -> u8 {
        match (self.names, self.places) {
            (None, _) => 1,
            (Some(_), None) => 2,
            (Some(_), Some(_)) => 3,
        }
    }

    /// Reads it; `None` where the signature is another one.
    pub fn read(data: &'a [u8]) -> Option<Result<Self, ParseError>> {
        let index = SIGNATURES.iter().position(|signature| data.starts_with(*signature))?;
        Some(Self::read_fields(Reader::at_offset(data.get(16..)?, 16), index))
    }

    fn read_fields(mut reader: Reader<'a>, index: usize) -> Result<Self, ParseError> {
        let vendor_id = reader.u32("VendorId")?;
        let guid = Guid::read(&mut reader, "ReferenceManifestGuid")?;
        let names = match index {
            0 => None,
            _ => Some(PlatformNames::read(&mut reader)?),
        };
        let places = match index {
            0 | 1 => None,
            _ => Some(ManifestPlaces {
                manifest: Place::read(&mut reader, "RIMLocator")?,
                platform_certificate: Place::read(&mut reader, "PlatformCertLocator")?,
            }),
        };
        Ok(Self { vendor_id, guid, names, places, padding: reader.rest() })
    }

    pub(super) fn write(&self, out: &mut Bytes) {
        let [first, second, third] = SIGNATURES;
        let signature = match self.revision() {
            1 => first,
            2 => second,
            _ => third,
        };
        out.raw(signature).u32(self.vendor_id).raw(&self.guid.0);
        if let Some(names) = &self.names {
            for text in
                [names.manufacturer, names.model, names.version, names.firmware_manufacturer]
            {
                out.sized_u8(text.0);
            }
            out.u32(names.firmware_manufacturer_id).sized_u8(names.firmware_version.0);
        }
        if let Some(places) = &self.places {
            places.manifest.write(out);
            places.platform_certificate.write(out);
        }
        out.raw(self.padding);
    }
}

impl<'a> PlatformNames<'a> {
    fn read(reader: &mut Reader<'a>) -> Result<Self, ParseError> {
        Ok(Self {
            manufacturer: sized(reader, "PlatformManufacturerStr")?,
            model: sized(reader, "PlatformModel")?,
            version: sized(reader, "PlatformVersion")?,
            firmware_manufacturer: sized(reader, "FirmwareManufacturerStr")?,
            firmware_manufacturer_id: reader.u32("FirmwareManufacturerId")?,
            firmware_version: sized(reader, "FirmwareVersion")?,
        })
    }
}

fn sized<'a>(reader: &mut Reader<'a>, what: &'static str) -> Result<Ascii<'a>, ParseError> {
    let n = reader.u8(what)?;
    reader.take(what, n.into()).map(Ascii)
}
