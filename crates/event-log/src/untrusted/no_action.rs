//! EV_NO_ACTION: what the log says without measuring it.

use efi::{Ascii, Reader};
use tpm_wire::ParseError;

use super::bytes::Bytes;
use super::reference_manifest::ReferenceManifest;
use super::spdm::DeviceSecurity;
use super::spec_id_event::SpecIdEvent;

const STARTUP_LOCALITY: &[u8; 16] = b"StartupLocality\0";
const HCRTM_COMPONENT: &[u8; 16] = b"H-CRTM CompMeas\0";
const NV_INDEX_INSTANCE: &[u8; 16] = b"NvIndexInstance\0";
/// Firmware ends the name with two NULs, or with a blank and a NUL: both are 16 bytes.
const NV_INDEX_DYNAMIC: [&[u8; 16]; 2] = [b"NvIndexDynamic\0\0", b"NvIndexDynamic \0"];

/// The structures of EV_NO_ACTION, told apart by their first 16 bytes. [PFP-1.06 §10.4.5]
/// Trust: none, nothing of it is extended; only StartupLocality shows, in the replay of PCR 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoAction<'a> {
    /// The format of the log.
    SpecId(SpecIdEvent<'a>),
    /// Where reference values are to be had.
    ReferenceManifest(ReferenceManifest<'a>),
    /// TCG_EfiStartupLocalityEvent: who started the TPM.
    StartupLocality {
        /// StartupLocality: 0, 3, or 4 for an H-CRTM.
        locality: u8,
        /// What firmware with slots of fixed size has behind it.
        padding: &'a [u8],
    },
    /// TCG_HCRTMComponentEvent: a part of what an H-CRTM measured.
    HCrtmComponent(HCrtmComponent<'a>),
    /// What is extended into the NV index for instances of devices.
    NvIndexInstance {
        /// Version.
        version: u16,
        /// Reserved.
        reserved: [u8; 6],
        /// Data.
        device: DeviceSecurity<'a>,
    },
    /// What is extended into the NV index for exchanges with devices.
    NvIndexDynamic(NvIndexDynamic<'a>),
    /// A signature that the specification does not have, or none.
    Other(&'a [u8]),
}

/// TCG_HCRTMComponentEvent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HCrtmComponent<'a> {
    /// ComponentDescription.
    pub description: Ascii<'a>,
    /// MeasurementFormatType: 00h a TPMT_HA, 80h the data itself.
    pub format: u8,
    /// ComponentMeasurement.
    pub measurement: &'a [u8],
}

/// NV_INDEX_DYNAMIC_EVENT_LOG_DATA.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NvIndexDynamic<'a> {
    /// Signature.
    signature: &'static [u8; 16],
    /// Version.
    pub version: u16,
    /// Reserved.
    pub reserved: [u8; 6],
    /// UID: joins the events of one exchange.
    pub uid: u64,
    /// Description.
    pub description: Ascii<'a>,
    /// Data.
    pub data: &'a [u8],
}

impl<'a> NoAction<'a> {
    /// Reads it. An unknown signature is no error: nothing depends on it.
    pub fn read(data: &'a [u8]) -> Result<Self, ParseError> {
        if let Some(spec_id) = SpecIdEvent::read(data) {
            return spec_id.map(Self::SpecId);
        }
        if let Some(manifest) = ReferenceManifest::read(data) {
            return manifest.map(Self::ReferenceManifest);
        }
        let Some((signature, rest)) = data.split_first_chunk::<16>() else {
            return Ok(Self::Other(data));
        };
        let mut reader = Reader::at_offset(rest, signature.len());
        if let Some(signature) = NV_INDEX_DYNAMIC.into_iter().find(|known| *known == signature) {
            return NvIndexDynamic::read(reader, signature).map(Self::NvIndexDynamic);
        }
        match signature {
            STARTUP_LOCALITY => {
                let locality = reader.u8("StartupLocality")?;
                Ok(Self::StartupLocality { locality, padding: reader.rest() })
            }
            HCRTM_COMPONENT => HCrtmComponent::read(reader).map(Self::HCrtmComponent),
            NV_INDEX_INSTANCE => {
                let version = reader.u16("NV_INDEX_INSTANCE_EVENT_LOG_DATA.Version")?;
                let reserved = reader.array("NV_INDEX_INSTANCE_EVENT_LOG_DATA.Reserved")?;
                let device = DeviceSecurity::parse(reader.rest())?;
                Ok(Self::NvIndexInstance { version, reserved, device })
            }
            _ => Ok(Self::Other(data)),
        }
    }

    pub(super) fn write(&self, out: &mut Bytes) {
        match self {
            Self::SpecId(event) => event.write(out),
            Self::ReferenceManifest(event) => event.write(out),
            Self::StartupLocality { locality, padding } => {
                out.raw(STARTUP_LOCALITY).u8(*locality).raw(padding);
            }
            Self::HCrtmComponent(HCrtmComponent { description, format, measurement }) => {
                out.raw(HCRTM_COMPONENT).sized_u8(description.0);
                out.u8(*format).sized_u16(measurement);
            }
            Self::NvIndexInstance { version, reserved, device } => {
                out.raw(NV_INDEX_INSTANCE).u16(*version).raw(reserved);
                device.write(out);
            }
            Self::NvIndexDynamic(event) => {
                out.raw(event.signature).u16(event.version).raw(&event.reserved);
                out.u64(event.uid).sized_u16(event.description.0).sized_u16(event.data);
            }
            Self::Other(bytes) => {
                out.raw(bytes);
            }
        }
    }
}

impl<'a> HCrtmComponent<'a> {
    fn read(mut reader: Reader<'a>) -> Result<Self, ParseError> {
        let n = reader.u8("TCG_HCRTMComponentEvent.ComponentDescriptionSize")?;
        let description =
            Ascii(reader.take("TCG_HCRTMComponentEvent.ComponentDescription", n.into())?);
        let format = reader.u8("TCG_HCRTMComponentEvent.MeasurementFormatType")?;
        let n = reader.u16("TCG_HCRTMComponentEvent.ComponentMeasurementSize")?;
        let measurement = reader.take("TCG_HCRTMComponentEvent.ComponentMeasurement", n.into())?;
        reader.finish("TCG_HCRTMComponentEvent")?;
        Ok(Self { description, format, measurement })
    }
}

impl<'a> NvIndexDynamic<'a> {
    fn read(mut reader: Reader<'a>, signature: &'static [u8; 16]) -> Result<Self, ParseError> {
        let version = reader.u16("NV_INDEX_DYNAMIC_EVENT_LOG_DATA.Version")?;
        let reserved = reader.array("NV_INDEX_DYNAMIC_EVENT_LOG_DATA.Reserved")?;
        let uid = reader.u64("NV_INDEX_DYNAMIC_EVENT_LOG_DATA.UID")?;
        let n = reader.u16("NV_INDEX_DYNAMIC_EVENT_LOG_DATA.DescriptionSize")?;
        let description =
            Ascii(reader.take("NV_INDEX_DYNAMIC_EVENT_LOG_DATA.Description", n.into())?);
        let n = reader.u16("NV_INDEX_DYNAMIC_EVENT_LOG_DATA.DataSize")?;
        let data = reader.take("NV_INDEX_DYNAMIC_EVENT_LOG_DATA.Data", n.into())?;
        reader.finish("NV_INDEX_DYNAMIC_EVENT_LOG_DATA")?;
        Ok(Self { signature, version, reserved, uid, description, data })
    }
}
