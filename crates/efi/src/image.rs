//! UEFI_IMAGE_LOAD_EVENT: the event data of a measured driver or application.

use tpm_wire::ParseError;

use crate::device_path::DevicePath;
use crate::reader::{Reader, length};

/// UEFI_IMAGE_LOAD_EVENT. [PFP-1.06 §10.2.3] Little-endian; the digest of the event is the
/// Authenticode digest of the image.
/// Trust: none. No digest covers these bytes, they are a hint where to look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ImageLoadEvent<'a> {
    /// ImageLocationInMemory.
    pub untrusted_location: u64,
    /// ImageLengthInMemory, in bytes.
    pub untrusted_len: u64,
    /// ImageLinkTimeAddress.
    pub untrusted_link_time_address: u64,
    /// DevicePath; shim and the EFI stub leave it out.
    pub untrusted_device_path: DevicePath<'a>,
}

impl<'a> ImageLoadEvent<'a> {
    /// Reads the structure. Bytes behind the device path are tolerated: its length is the
    /// firmware's word, and nothing depends on it.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, ParseError> {
        let mut reader = Reader::new(bytes);
        let untrusted_location = reader.u64("UEFI_IMAGE_LOAD_EVENT.ImageLocationInMemory")?;
        let untrusted_len = reader.u64("UEFI_IMAGE_LOAD_EVENT.ImageLengthInMemory")?;
        let untrusted_link_time_address =
            reader.u64("UEFI_IMAGE_LOAD_EVENT.ImageLinkTimeAddress")?;
        let n = length(reader.u64("UEFI_IMAGE_LOAD_EVENT.LengthOfDevicePath")?);
        let path = reader.take("UEFI_IMAGE_LOAD_EVENT.DevicePath", n)?;
        Ok(Self {
            untrusted_location,
            untrusted_len,
            untrusted_link_time_address,
            untrusted_device_path: DevicePath(path),
        })
    }
}
