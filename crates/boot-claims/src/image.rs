//! Images that were loaded: boot applications and drivers.

use efi::{DevicePath, ImageLoadEvent};
use event_log::EventType;
use tpm_wire::{Digest, TpmAlgId};

use crate::view::View;

/// An image that was loaded. Its digest is the Authenticode digest of the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Image<'a> {
    /// Number of the event.
    pub event: u32,
    /// The PCR: 4 for applications, 2 for drivers; firmware is known that mixes them up.
    pub pcr_index: u32,
    /// What it was loaded as. No digest covers it.
    pub untrusted_kind: ImageKind,
    /// The digest, in the strongest bank that its PCR replays in; `None` where the TPM is not
    /// known to have been extended with it.
    pub digest: Option<(TpmAlgId, Digest)>,
    /// Where it was loaded from. No digest covers it.
    pub untrusted_path: Option<DevicePath<'a>>,
    /// Bytes of the image in memory. No digest covers it.
    pub untrusted_len: Option<u64>,
}

/// What an image was loaded as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ImageKind {
    /// EV_EFI_BOOT_SERVICES_APPLICATION: boot loader, kernel, set-up utility.
    Application,
    /// EV_EFI_BOOT_SERVICES_DRIVER: option ROM.
    BootDriver,
    /// EV_EFI_RUNTIME_SERVICES_DRIVER.
    RuntimeDriver,
}

/// Reads the images, in order.
pub(crate) fn read_images<'a>(view: &View<'_, '_, 'a>) -> Vec<Image<'a>> {
    let events = view.events().filter_map(|event| {
        let untrusted_kind = match event.untrusted_event_type {
            EventType::EFI_BOOT_SERVICES_APPLICATION => ImageKind::Application,
            EventType::EFI_BOOT_SERVICES_DRIVER => ImageKind::BootDriver,
            EventType::EFI_RUNTIME_SERVICES_DRIVER => ImageKind::RuntimeDriver,
            _ => return None,
        };
        let load = ImageLoadEvent::parse(event.untrusted_data).ok();
        // The longest digest; of two of one length, the first in the order of the log.
        let banks = view.replayed.banks_of(event.pcr_index);
        let digests = banks.filter_map(|alg| Some((alg, Digest::new(event.digests.of(alg)?)?)));
        let strongest =
            digests.reduce(|best, next| match next.1.as_bytes().len() > best.1.as_bytes().len() {
                true => next,
                false => best,
            });
        Some(Image {
            event: event.number,
            pcr_index: event.pcr_index,
            untrusted_kind,
            digest: strongest.filter(|_| view.replayed.covers(event)),
            untrusted_path: load.map(|load| load.untrusted_device_path),
            untrusted_len: load.map(|load| load.untrusted_len),
        })
    });
    events.collect()
}
