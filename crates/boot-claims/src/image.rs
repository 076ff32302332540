//! Images that were loaded: boot applications and drivers.

use efi::{DevicePath, ImageLoadEvent};
use event_log::{Event, EventType};
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
    /// The SHA-256 digest, on the same condition: what lists of revoked images name.
    pub digest_in_sha256: Option<Digest>,
    /// Where it was loaded from. No digest covers it.
    pub untrusted_path: Option<DevicePath<'a>>,
    /// Bytes of the image in memory. No digest covers it.
    pub untrusted_len: Option<u64>,
}

/// Where an image came from, as its device path tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ImageSource {
    /// A firmware volume: set-up, diagnostics, agents of the maker. Not the boot loader.
    Firmware,
    /// The network, by an address: HTTP.
    Http,
    /// The network: PXE.
    Pxe,
    /// A file on a disk, or one beside the loader that loaded it.
    File,
    /// Memory: a loader brought it there, or an option ROM.
    Memory,
}

impl ImageSource {
    /// The word in JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Firmware => "firmware",
            Self::Http => "http",
            Self::Pxe => "pxe",
            Self::File => "file",
            Self::Memory => "memory",
        }
    }

    /// What `path` says. No digest covers one.
    pub(crate) fn of(path: Option<DevicePath<'_>>) -> Self {
        let Some(path) = path else { return Self::Memory };
        let mut is_network = false;
        let mut is_file = false;
        // Messaging nodes MAC, IPv4, IPv6, URI; media nodes file, firmware file and volume.
        // [UEFI-2.10 §10.3]
        for node in path.nodes().filter_map(Result::ok) {
            match (node.node_type, node.subtype) {
                (4, 6 | 7) => return Self::Firmware,
                (3, 24) => return Self::Http,
                (3, 11..=13) => is_network = true,
                (4, 4) => is_file = true,
                _ => {}
            }
        }
        match (is_network, is_file) {
            (true, _) => Self::Pxe,
            (false, true) => Self::File,
            (false, false) => Self::Memory,
        }
    }
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

/// The digest of `event` in the strongest bank that its PCR replays in; `None` where the TPM is not
/// known to have been extended with it. Of two of one length, the first in the order of the log.
pub(crate) fn measured(view: &View<'_, '_, '_>, event: &Event<'_>) -> Option<(TpmAlgId, Digest)> {
    if !view.replayed.covers(event) {
        return None;
    }
    let banks = view.replayed.banks_of(event.pcr_index);
    let digests = banks.filter_map(|alg| Some((alg, Digest::new(event.digests.of(alg)?)?)));
    digests.reduce(|best, next| match next.1.as_bytes().len() > best.1.as_bytes().len() {
        true => next,
        false => best,
    })
}

/// What `event_type` says that an image was loaded as.
pub(crate) const fn kind_of(event_type: EventType) -> Option<ImageKind> {
    match event_type {
        EventType::EFI_BOOT_SERVICES_APPLICATION => Some(ImageKind::Application),
        EventType::EFI_BOOT_SERVICES_DRIVER => Some(ImageKind::BootDriver),
        EventType::EFI_RUNTIME_SERVICES_DRIVER => Some(ImageKind::RuntimeDriver),
        _ => None,
    }
}

/// Reads the images, in order.
pub(crate) fn read_images<'a>(view: &View<'_, '_, 'a>) -> Vec<Image<'a>> {
    let events = view.events().filter_map(|event| {
        let untrusted_kind = kind_of(event.untrusted_event_type)?;
        let load = ImageLoadEvent::parse(event.untrusted_data).ok();
        let in_sha256 = view.replayed.banks_of(event.pcr_index).any(|alg| alg == TpmAlgId::SHA256);
        let sha256 = event.digests.of(TpmAlgId::SHA256).filter(|_| in_sha256);
        let is_covered = view.replayed.covers(event);
        Some(Image {
            event: event.number,
            pcr_index: event.pcr_index,
            untrusted_kind,
            digest: measured(view, event),
            digest_in_sha256: sha256.filter(|_| is_covered).and_then(Digest::new),
            untrusted_path: load.map(|load| load.untrusted_device_path),
            untrusted_len: load.map(|load| load.untrusted_len),
        })
    });
    events.collect()
}
