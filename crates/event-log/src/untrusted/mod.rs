//! The data of events, read by type, shown, and written back byte for byte.
//!
//! Trust: none of it. All that is here is what the host says: types are never measured, and data
//! only where [`check_data`](crate::check_data) says that a digest is of it. So the module is
//! called what it is, and nothing in it decides anything.
//!
//! The way is [`Event`] → [`EventData`] ([`EventData::read`]), which borrows, never
//! fails and never panics: what cannot be read is [`EventData::Malformed`] and keeps its bytes.

mod action;
mod bytes;
mod esxi;
mod firmware;
mod image;
mod ipl;
mod no_action;
mod reference_manifest;
mod separator;
mod show;
mod sipa;
mod spdm;
mod spec_id_event;
mod tagged;
mod text;
mod txt;
mod variable;

use efi::{GptEvent, Reader};
use tpm_wire::{ParseError, ParseErrorKind};

use self::bytes::Bytes;
use crate::event_type::EventType;
use crate::log::{Event, Format};

pub use action::{ActionText, KnownAction};
pub use esxi::EsxiVersion;
pub use firmware::{
    CrtmVersion, FirmwareBlob, GceNonHostInfo, HANDOFF_TABLES_MAX, HandoffTable, HandoffTables,
    UintnWidth,
};
pub use image::ImageLoad;
pub use ipl::{GrubLine, Ipl, ShimVariable, UkiSection};
pub use no_action::{HCrtmComponent, NoAction, NvIndexDynamic};
pub use reference_manifest::{ManifestPlaces, Place, PlaceKind, PlatformNames, ReferenceManifest};
pub use separator::SeparatorData;
pub use sipa::SipaValue;
pub use spdm::{DeviceReport, DeviceSecurity, SpdmBlock, SpdmContent};
pub use spec_id_event::{SpecIdEvent, SpecIdRevision};
pub use tagged::{TAG_DEPTH_MAX, TagValue, TaggedEvent, TaggedEvents};
pub use text::{Opaque, Text};
pub use txt::TxtEventType;
pub use variable::{VariableEvent, VariableValue};

/// What the data of an event says, by the type that the host gives the event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum EventData<'a> {
    /// EV_NO_ACTION.
    NoAction(NoAction<'a>),
    /// EV_NO_ACTION that belongs to no PCR: what Windows adds at the end.
    WindowsTrailer(TaggedEvents<'a>),
    /// EV_SEPARATOR.
    Separator(SeparatorData<'a>),
    /// EV_ACTION and EV_EFI_ACTION.
    Action(ActionText<'a>),
    /// A text by the type's definition: POST code, H-CRTM, omitted boot attempts.
    Text(Text<'a>),
    /// EV_S_CRTM_VERSION.
    CrtmVersion(CrtmVersion<'a>),
    /// Firmware code by its address: EV_EFI_PLATFORM_FIRMWARE_BLOB, EV_POST_CODE, their second
    /// revisions, EV_S_CRTM_CONTENTS.
    FirmwareBlob(FirmwareBlob<'a>),
    /// EV_EFI_HANDOFF_TABLES, its second revision, and EV_TABLE_OF_DEVICES.
    HandoffTables(HandoffTables<'a>),
    /// EV_EFI_VARIABLE_DRIVER_CONFIG, _BOOT, _BOOT2, _AUTHORITY, EV_EFI_SPDM_DEVICE_POLICY and
    /// _AUTHORITY.
    Variable(VariableEvent<'a>),
    /// EV_EFI_BOOT_SERVICES_APPLICATION, _DRIVER and EV_EFI_RUNTIME_SERVICES_DRIVER.
    Image(ImageLoad<'a>),
    /// EV_EFI_GPT_EVENT and its second revision.
    Gpt(GptEvent<'a>),
    /// EV_EFI_SPDM_FIRMWARE_BLOB and _CONFIG.
    DeviceSecurity(DeviceSecurity<'a>),
    /// EV_EVENT_TAG.
    Tagged(TaggedEvents<'a>),
    /// EV_IPL.
    Ipl(Ipl<'a>),
    /// EV_NONHOST_INFO of Google Compute Engine.
    GceNonHostInfo(GceNonHostInfo),
    /// An event of a measured launch.
    Txt {
        /// Its type.
        event_type: TxtEventType,
        /// Its data: registers, hashes, lists of a launch policy.
        data: &'a [u8],
    },
    /// A type whose data the standard leaves to the platform.
    Platform(Opaque<'a>),
    /// A type that is not in the standard.
    Unknown(Opaque<'a>),
    /// Not what its type says that it is.
    Malformed {
        /// Why.
        error: ParseError,
        /// All of it.
        bytes: &'a [u8],
    },
}

impl<'a> EventData<'a> {
    /// Reads the data of `event` of a log in `format`, by its type and, where loaders and
    /// operating systems share a type, by its PCR and content.
    pub fn read(event: &Event<'a>, format: Format<'_>) -> Self {
        let bytes = event.untrusted_data;
        Self::try_read(event, format).unwrap_or_else(|error| Self::Malformed { error, bytes })
    }

    fn try_read(event: &Event<'a>, format: Format<'_>) -> Result<Self, ParseError> {
        let data = event.untrusted_data;
        let pcr_index = event.pcr_index;
        let uintn = || match format {
            Format::CryptoAgile(spec_id) if spec_id.uintn_size == 1 => UintnWidth::Four,
            Format::CryptoAgile(_) | Format::Sha1 => UintnWidth::Eight,
        };
        Ok(match event.untrusted_event_type {
            EventType::NO_ACTION if pcr_index == crate::log::NO_PCR => {
                Self::WindowsTrailer(TaggedEvents::parse(data, pcr_index)?)
            }
            EventType::NO_ACTION => Self::NoAction(NoAction::read(data)?),
            EventType::SEPARATOR => Self::Separator(SeparatorData::read(data)),
            EventType::ACTION | EventType::EFI_ACTION => {
                Self::Action(ActionText::read(data).ok_or_else(|| not_text(data))?)
            }
            EventType::EFI_HCRTM_EVENT | EventType::OMIT_BOOT_DEVICE_EVENTS => {
                Self::Text(Text::sniff(data).ok_or_else(|| not_text(data))?)
            }
            EventType::S_CRTM_VERSION => Self::CrtmVersion(CrtmVersion::read(data)),
            EventType::S_CRTM_CONTENTS | EventType::POST_CODE => match Text::sniff(data) {
                Some(text) => Self::Text(text),
                // Either revision: firmware uses the old types with the new structure.
                None => Self::FirmwareBlob(
                    FirmwareBlob::parse(data)
                        .or_else(|error| FirmwareBlob::parse2(data).map_err(|_| error))?,
                ),
            },
            EventType::POST_CODE2 | EventType::EFI_PLATFORM_FIRMWARE_BLOB2 => {
                Self::FirmwareBlob(FirmwareBlob::parse2(data)?)
            }
            EventType::EFI_PLATFORM_FIRMWARE_BLOB => Self::FirmwareBlob(FirmwareBlob::parse(data)?),
            EventType::EFI_HANDOFF_TABLES => {
                Self::HandoffTables(HandoffTables::parse(data, uintn())?)
            }
            EventType::EFI_HANDOFF_TABLES2 => {
                Self::HandoffTables(HandoffTables::parse2(data, uintn())?)
            }
            EventType::TABLE_OF_DEVICES => HandoffTables::parse(data, uintn())
                .map_or_else(|_| Self::Platform(Opaque::read(data)), Self::HandoffTables),
            EventType::EFI_VARIABLE_DRIVER_CONFIG
            | EventType::EFI_VARIABLE_BOOT
            | EventType::EFI_VARIABLE_BOOT2
            | EventType::EFI_SPDM_DEVICE_POLICY => Self::Variable(VariableEvent::parse(data)?),
            EventType::EFI_VARIABLE_AUTHORITY | EventType::EFI_SPDM_DEVICE_AUTHORITY => {
                Self::Variable(VariableEvent::parse_authority(data)?)
            }
            EventType::EFI_BOOT_SERVICES_APPLICATION
            | EventType::EFI_BOOT_SERVICES_DRIVER
            | EventType::EFI_RUNTIME_SERVICES_DRIVER => Self::Image(ImageLoad::parse(data)?),
            EventType::EFI_GPT_EVENT | EventType::EFI_GPT_EVENT2 => {
                Self::Gpt(GptEvent::parse(data)?)
            }
            EventType::EFI_SPDM_FIRMWARE_BLOB | EventType::EFI_SPDM_FIRMWARE_CONFIG => {
                Self::DeviceSecurity(DeviceSecurity::parse(data)?)
            }
            EventType::EVENT_TAG => Self::Tagged(TaggedEvents::parse(data, pcr_index)?),
            EventType::IPL => Self::Ipl(Ipl::read(pcr_index, data)),
            EventType::NONHOST_INFO => match GceNonHostInfo::read(data) {
                Some(info) => Self::GceNonHostInfo(info),
                None => Self::Platform(Opaque::read(data)),
            },
            EventType::PREBOOT_CERT
            | EventType::UNUSED
            | EventType::CPU_MICROCODE
            | EventType::PLATFORM_CONFIG_FLAGS
            | EventType::COMPACT_HASH
            | EventType::IPL_PARTITION_DATA
            | EventType::NONHOST_CODE
            | EventType::NONHOST_CONFIG => Self::Platform(Opaque::read(data)),
            EventType(number @ 0x400..=0x5ff) if matches!(pcr_index, 17..=22) => {
                Self::Txt { event_type: TxtEventType(number), data }
            }
            _ => Self::Unknown(Opaque::read(data)),
        })
    }

    /// The data again, from its fields: what was read, byte for byte.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Bytes::default();
        match self {
            Self::NoAction(data) => data.write(&mut out),
            Self::WindowsTrailer(data) | Self::Tagged(data) => data.write(&mut out),
            Self::Separator(data) => data.write(&mut out),
            Self::Action(data) => data.write(&mut out),
            Self::Text(text) => {
                out.raw(text.as_bytes());
            }
            Self::CrtmVersion(data) => data.write(&mut out),
            Self::FirmwareBlob(data) => data.write(&mut out),
            Self::HandoffTables(data) => data.write(&mut out),
            Self::Variable(data) => data.write(&mut out),
            Self::Image(data) => data.write(&mut out),
            Self::Gpt(data) => {
                out.raw(&data.to_bytes());
            }
            Self::DeviceSecurity(data) => data.write(&mut out),
            Self::Ipl(data) => data.parts().iter().for_each(|part| {
                out.raw(part);
            }),
            Self::GceNonHostInfo(data) => data.write(&mut out),
            Self::Txt { data: bytes, .. } | Self::Malformed { bytes, .. } => {
                out.raw(bytes);
            }
            Self::Platform(data) | Self::Unknown(data) => {
                out.raw(data.as_bytes());
            }
        }
        out.0
    }

    /// A word for the variant, for documents and counts. Stable.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::NoAction(_) => "no-action",
            Self::WindowsTrailer(_) => "windows-trailer",
            Self::Separator(_) => "separator",
            Self::Action(_) => "action",
            Self::Text(_) => "text",
            Self::CrtmVersion(_) => "crtm-version",
            Self::FirmwareBlob(_) => "firmware-blob",
            Self::HandoffTables(_) => "handoff-tables",
            Self::Variable(_) => "variable",
            Self::Image(_) => "image",
            Self::Gpt(_) => "gpt",
            Self::DeviceSecurity(_) => "device-security",
            Self::Tagged(_) => "tagged",
            Self::Ipl(_) => "ipl",
            Self::GceNonHostInfo(_) => "gce-nonhost-info",
            Self::Txt { .. } => "txt",
            Self::Platform(_) => "platform",
            Self::Unknown(_) => "unknown",
            Self::Malformed { .. } => "malformed",
        }
    }
}

/// Where text must be, the first byte of something else is named.
fn not_text(data: &[u8]) -> ParseError {
    let kind = match data.first() {
        Some(byte) => ParseErrorKind::Value { have: u64::from(*byte) },
        None => ParseErrorKind::Short { want: 1, have: 0 },
    };
    Reader::new(data).error("text", kind)
}
