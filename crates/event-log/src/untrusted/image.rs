//! Images that the firmware loaded.

use efi::{ImageLoadEvent, Reader};
use tpm_wire::ParseError;

use super::bytes::Bytes;

/// UEFI_IMAGE_LOAD_EVENT, and what is behind it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ImageLoad<'a> {
    /// The structure.
    pub image: ImageLoadEvent<'a>,
    /// What old shims and boot loaders have behind the device path.
    pub behind: &'a [u8],
}

impl<'a> ImageLoad<'a> {
    /// Reads it.
    pub fn parse(data: &'a [u8]) -> Result<Self, ParseError> {
        let image = ImageLoadEvent::parse(data)?;
        let mut reader = Reader::new(data);
        reader.take("UEFI_IMAGE_LOAD_EVENT", 32)?;
        let path_len = image.untrusted_device_path.0.len();
        reader.take("UEFI_IMAGE_LOAD_EVENT.DevicePath", path_len)?;
        Ok(Self { image, behind: reader.rest() })
    }

    pub(super) fn write(&self, out: &mut Bytes) {
        let image = &self.image;
        out.u64(image.untrusted_location).u64(image.untrusted_len);
        out.u64(image.untrusted_link_time_address).sized_u64(image.untrusted_device_path.0);
        out.raw(self.behind);
    }
}
