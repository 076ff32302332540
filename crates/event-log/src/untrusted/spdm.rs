//! Measurements of devices that speak SPDM.

use efi::{DevicePath, Reader};
use tpm_wire::{ParseError, ParseErrorKind};

use super::bytes::{Bytes, length};

const SIGNATURE_1: &[u8; 16] = b"SPDM Device Sec\0";
const SIGNATURE_2: &[u8; 16] = b"SPDM Device Sec2";

/// DEVICE_SECURITY_EVENT_DATA in its two revisions. [PFP-1.06 §10.2] Little-endian.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DeviceSecurity<'a> {
    /// Version.
    pub version: u16,
    /// What the revisions have each for themselves.
    pub report: DeviceReport<'a>,
    /// DeviceType: see [`Self::device_type_name`].
    pub device_type: u32,
    /// DevicePath.
    pub device_path: DevicePath<'a>,
    /// DeviceContext: the device's identifiers on its bus; empty where the type has none.
    pub device_context: &'a [u8],
}

/// What a device said of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeviceReport<'a> {
    /// The first revision: one measurement block.
    Block {
        /// SpdmHashAlgo: a bit of the SPDM base hash algorithms.
        hash_algorithm: u32,
        /// SpdmMeasurementBlock.
        block: SpdmBlock<'a>,
    },
    /// The second revision.
    Authenticated {
        /// AuthState: 0 authenticated, 1 no authentication, 2 no binding, 3 no signature,
        /// 4 an invalid signature, FFh no SPDM.
        auth_state: u8,
        /// Reserved.
        reserved: u8,
        /// SubHeaderUID: joins the events of one exchange.
        uid: u64,
        /// The sub header.
        content: SpdmContent<'a>,
    },
}

/// The sub header of the second revision.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SpdmContent<'a> {
    /// Measurements.
    Blocks {
        /// SpdmVersion.
        spdm_version: u16,
        /// SpdmMeasurementBlockCount.
        n_blocks: u8,
        /// Reserved.
        reserved: u8,
        /// SpdmMeasurementHashAlgo.
        hash_algorithm: u32,
        /// SpdmMeasurementBlock, one behind the other.
        blocks: &'a [u8],
    },
    /// A certificate chain.
    Certificates {
        /// SpdmVersion.
        spdm_version: u16,
        /// SpdmSlotId.
        slot: u8,
        /// Reserved.
        reserved: u8,
        /// SpdmBaseHashAlgo.
        hash_algorithm: u32,
        /// SpdmCertChain, with the header that SPDM gives it.
        chain: &'a [u8],
    },
    /// A type that we do not know.
    Other {
        /// SubHeaderType.
        kind: u32,
        /// What it holds.
        bytes: &'a [u8],
    },
}

/// SPDM_MEASUREMENT_BLOCK. [SPDM-1.2]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SpdmBlock<'a> {
    /// Index.
    pub index: u8,
    /// MeasurementSpecification: bit 0 for DMTF's.
    pub specification: u8,
    /// Measurement.
    pub measurement: &'a [u8],
}

impl<'a> SpdmBlock<'a> {
    fn read(reader: &mut Reader<'a>) -> Result<Self, ParseError> {
        let index = reader.u8("SpdmMeasurementBlock.Index")?;
        let specification = reader.u8("SpdmMeasurementBlock.MeasurementSpecification")?;
        let n = reader.u16("SpdmMeasurementBlock.MeasurementSize")?;
        let measurement = reader.take("SpdmMeasurementBlock.Measurement", n.into())?;
        Ok(Self { index, specification, measurement })
    }

    fn write(&self, out: &mut Bytes) {
        out.u8(self.index).u8(self.specification).sized_u16(self.measurement);
    }
}

impl<'a> DeviceSecurity<'a> {
    /// Reads either revision, told by its signature; nothing may be left behind it.
    pub fn parse(data: &'a [u8]) -> Result<Self, ParseError> {
        let mut reader = Reader::new(data);
        let signature: [u8; 16] = reader.array("DEVICE_SECURITY_EVENT_DATA.Signature")?;
        let version = reader.u16("DEVICE_SECURITY_EVENT_DATA.Version")?;
        match &signature {
            SIGNATURE_1 => Self::read_first(reader, version),
            SIGNATURE_2 => Self::read_second(reader, version),
            _ => {
                let [a, b, c, d, ..] = signature;
                let kind = ParseErrorKind::Value { have: u32::from_be_bytes([a, b, c, d]).into() };
                Err(Reader::new(data).error("DEVICE_SECURITY_EVENT_DATA.Signature", kind))
            }
        }
    }

    fn read_first(mut reader: Reader<'a>, version: u16) -> Result<Self, ParseError> {
        // Length counts what follows, the device context too.
        let n = reader.u16("DEVICE_SECURITY_EVENT_DATA.Length")?;
        whole(&reader, n.into())?;
        let hash_algorithm = reader.u32("DEVICE_SECURITY_EVENT_DATA.SpdmHashAlgo")?;
        let device_type = reader.u32("DEVICE_SECURITY_EVENT_DATA.DeviceType")?;
        let block = SpdmBlock::read(&mut reader)?;
        let device_path = path(&mut reader)?;
        let report = DeviceReport::Block { hash_algorithm, block };
        Ok(Self { version, report, device_type, device_path, device_context: reader.rest() })
    }

    fn read_second(mut reader: Reader<'a>, version: u16) -> Result<Self, ParseError> {
        let auth_state = reader.u8("DEVICE_SECURITY_EVENT_DATA2.AuthState")?;
        let reserved = reader.u8("DEVICE_SECURITY_EVENT_DATA2.Reserved")?;
        let n = reader.u32("DEVICE_SECURITY_EVENT_DATA2.Length")?;
        whole(&reader, length(n))?;
        let device_type = reader.u32("DEVICE_SECURITY_EVENT_DATA2.DeviceType")?;
        let kind = reader.u32("DEVICE_SECURITY_EVENT_DATA2.SubHeaderType")?;
        let n = length(reader.u32("DEVICE_SECURITY_EVENT_DATA2.SubHeaderLength")?);
        let uid = reader.u64("DEVICE_SECURITY_EVENT_DATA2.SubHeaderUID")?;
        let device_path = path(&mut reader)?;
        let at = reader.offset();
        let bytes = reader.take("DEVICE_SECURITY_EVENT_DATA2.SubHeader", n)?;
        let content = SpdmContent::read(Reader::at_offset(bytes, at), kind)?;
        let report = DeviceReport::Authenticated { auth_state, reserved, uid, content };
        Ok(Self { version, report, device_type, device_path, device_context: reader.rest() })
    }

    /// Name of the device type, where it is known.
    pub const fn device_type_name(&self) -> Option<&'static str> {
        match self.device_type {
            0 => Some("none"),
            1 => Some("PCI"),
            2 => Some("USB"),
            _ => None,
        }
    }

    pub(super) fn write(&self, out: &mut Bytes) {
        let mut body = Bytes::default();
        match &self.report {
            DeviceReport::Block { hash_algorithm, block } => {
                body.u32(*hash_algorithm).u32(self.device_type);
                block.write(&mut body);
                body.sized_u64(self.device_path.0).raw(self.device_context);
                out.raw(SIGNATURE_1).u16(self.version).sized_u16(&body.0);
            }
            DeviceReport::Authenticated { auth_state, reserved, uid, content } => {
                let mut inner = Bytes::default();
                let kind = content.write(&mut inner);
                body.u32(self.device_type).u32(kind);
                body.u32(u32::try_from(inner.0.len()).unwrap_or(u32::MAX)).u64(*uid);
                body.sized_u64(self.device_path.0).raw(&inner.0).raw(self.device_context);
                out.raw(SIGNATURE_2).u16(self.version).u8(*auth_state).u8(*reserved);
                out.sized_u32(&body.0);
            }
        }
    }
}

impl<'a> SpdmContent<'a> {
    fn read(mut reader: Reader<'a>, kind: u32) -> Result<Self, ParseError> {
        if kind > 1 {
            return Ok(Self::Other { kind, bytes: reader.rest() });
        }
        let spdm_version = reader.u16("SubHeader.SpdmVersion")?;
        let second = reader.u8("SubHeader.SpdmMeasurementBlockCount")?;
        let reserved = reader.u8("SubHeader.Reserved")?;
        let hash_algorithm = reader.u32("SubHeader.SpdmMeasurementHashAlgo")?;
        if kind == 1 {
            let (slot, chain) = (second, reader.rest());
            return Ok(Self::Certificates { spdm_version, slot, reserved, hash_algorithm, chain });
        }
        let blocks = reader.rest();
        for _ in 0..second {
            SpdmBlock::read(&mut reader)?;
        }
        reader.finish("SpdmMeasurementBlock")?;
        Ok(Self::Blocks { spdm_version, n_blocks: second, reserved, hash_algorithm, blocks })
    }

    /// The measurement blocks, where there are some.
    pub fn blocks(&self) -> impl Iterator<Item = SpdmBlock<'a>> + use<'a> {
        let blocks = match self {
            Self::Blocks { blocks, .. } => *blocks,
            Self::Certificates { .. } | Self::Other { .. } => &[],
        };
        let mut reader = Reader::new(blocks);
        core::iter::from_fn(move || SpdmBlock::read(&mut reader).ok())
    }

    /// Gives SubHeaderType.
    fn write(&self, out: &mut Bytes) -> u32 {
        match self {
            Self::Blocks { spdm_version, n_blocks, reserved, hash_algorithm, blocks } => {
                out.u16(*spdm_version).u8(*n_blocks).u8(*reserved);
                out.u32(*hash_algorithm).raw(blocks);
                0
            }
            Self::Certificates { spdm_version, slot, reserved, hash_algorithm, chain } => {
                out.u16(*spdm_version).u8(*slot).u8(*reserved);
                out.u32(*hash_algorithm).raw(chain);
                1
            }
            Self::Other { kind, bytes } => {
                out.raw(bytes);
                *kind
            }
        }
    }
}

fn path<'a>(reader: &mut Reader<'a>) -> Result<DevicePath<'a>, ParseError> {
    let n = length(reader.u64("DEVICE_SECURITY_EVENT_DATA.DevicePathLength")?);
    reader.take("DEVICE_SECURITY_EVENT_DATA.DevicePath", n).map(DevicePath)
}

/// A length that counts all that follows must do so.
fn whole(reader: &Reader<'_>, n: usize) -> Result<(), ParseError> {
    let have = reader.rest().len();
    let kind = match n.checked_sub(have) {
        Some(0) => return Ok(()),
        Some(_) => ParseErrorKind::Short { want: n, have },
        None => ParseErrorKind::Trailing { n: have.saturating_sub(n) },
    };
    Err(reader.error("DEVICE_SECURITY_EVENT_DATA.Length", kind))
}
