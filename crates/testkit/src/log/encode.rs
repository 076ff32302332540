//! UEFI structures as bytes.

use efi::{CertType, Guid, Ucs2, VariableData};

/// `text` in UCS-2, without NUL.
pub fn ucs2(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

/// UEFI_VARIABLE_DATA.
pub fn variable(guid: Guid, name: &str, value: &[u8]) -> Vec<u8> {
    VariableData { guid, name: Ucs2(&ucs2(name)), value }.to_bytes()
}

/// EFI_SIGNATURE_DATA.
pub fn signature_data(owner: Guid, data: &[u8]) -> Vec<u8> {
    [&owner.0[..], data].concat()
}

/// EFI_SIGNATURE_LIST of entries that have one size.
///
/// # Panics
/// Where they have not, or there is none.
pub fn signature_list(cert_type: CertType, owner: Guid, entries: &[Vec<u8>]) -> Vec<u8> {
    let entry_len = entries.first().expect("an entry").len() + 16;
    assert!(entries.iter().all(|entry| entry.len() + 16 == entry_len), "entries of one size");
    let list_len = 28 + entries.len() * entry_len;
    let sizes = [list_len, 0, entry_len].map(|n| u32::try_from(n).expect("small").to_le_bytes());
    let signatures: Vec<u8> = entries.iter().flat_map(|e| signature_data(owner, e)).collect();
    [&cert_type.0.0[..], &sizes.concat(), &signatures].concat()
}

/// Where an image is loaded from.
#[derive(Clone, Copy, Debug)]
pub enum Device<'a> {
    /// A file on the EFI system partition of the first disk.
    Disk(&'a str),
    /// A file named by its path alone, as shim and GRUB do.
    File(&'a str),
    /// The ROM of the card in the first slot.
    OptionRom,
    /// A file in a volume of the firmware itself.
    FirmwareVolume,
    /// The network card in the first slot, as PXE names it.
    Pxe,
    /// An address, as HTTP boot names it.
    Http(&'a str),
    /// Nothing said.
    Unnamed,
}

/// The partition that the system boots from.
pub(crate) const PARTITION: Guid = Guid::new(0x6666_6666, 0x7777, 0x8888, 0x9999, 0xaaaa_aaaa_aaaa);

impl Device<'_> {
    /// EFI_DEVICE_PATH.
    pub fn to_bytes(self) -> Vec<u8> {
        const ROOT: &[u8] = b"\x02\x01\x0c\0\xd0\x41\x03\x0a\0\0\0\0\x01\x01\x06\0\0\x1f";
        let file = |path: &str| node(4, 4, &[ucs2(path), vec![0, 0]].concat());
        let nodes = match self {
            Device::Disk(path) => {
                let mut partition = 1u32.to_le_bytes().to_vec();
                partition.extend(2048u64.to_le_bytes());
                partition.extend(1_048_576u64.to_le_bytes());
                partition.extend(PARTITION.0);
                partition.extend([2, 2]);
                let sata = node(3, 18, &[0, 0, 0xff, 0xff, 0, 0]);
                [ROOT, &sata, &node(4, 1, &partition), &file(path)].concat()
            }
            Device::File(path) => file(path),
            Device::OptionRom => {
                let range: Vec<u8> = [0, 0x0001_0000, 0x0002_35ff]
                    .iter()
                    .flat_map(|n: &u64| n.to_le_bytes())
                    .collect();
                [ROOT, &node(1, 1, &[0, 0]), &node(4, 8, &range[4..])].concat()
            }
            Device::FirmwareVolume => [node(4, 7, &[7; 16]), node(4, 6, &[8; 16])].concat(),
            Device::Pxe => [ROOT, &card(), &node(3, 12, &[0; 23])].concat(),
            Device::Http(url) => [ROOT, &card(), &node(3, 24, url.as_bytes())].concat(),
            Device::Unnamed => return Vec::new(),
        };
        [&nodes[..], b"\x7f\xff\x04\0"].concat()
    }
}

/// The MAC address of a network card.
fn card() -> Vec<u8> {
    node(3, 11, &[[2; 32].as_slice(), &[1]].concat())
}

fn node(node_type: u8, subtype: u8, data: &[u8]) -> Vec<u8> {
    let len = u16::try_from(data.len() + 4).expect("a small node").to_le_bytes();
    [&[node_type, subtype][..], &len, data].concat()
}

/// UEFI_IMAGE_LOAD_EVENT of an image of `len` bytes.
pub fn image_load(device: Device<'_>, len: u64) -> Vec<u8> {
    let path = device.to_bytes();
    let path_len = u64::try_from(path.len()).expect("a small path");
    let mut bytes: Vec<u8> =
        [0x7000_0000, len, 0, path_len].iter().flat_map(|n: &u64| n.to_le_bytes()).collect();
    bytes.extend(path);
    bytes
}

/// EFI_LOAD_OPTION, active.
pub fn load_option(description: &str, device: Device<'_>) -> Vec<u8> {
    let path = device.to_bytes();
    let path_len = u16::try_from(path.len()).expect("a small path").to_le_bytes();
    [&1u32.to_le_bytes()[..], &path_len, &ucs2(description), &[0, 0], &path].concat()
}
