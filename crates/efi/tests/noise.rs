//! No bytes make a reader panic, and what is read never has more than the bytes that came.

use efi::{
    DEVICE_PATH_TEXT_LEN_MAX, DevicePath, GptEvent, ImageLoadEvent, LoadOption, SignatureLists,
    VariableData,
};
use proptest::collection::vec;
use proptest::prelude::*;

proptest! {
    #[test]
    fn noise(bytes in vec(prop_oneof![3 => 0..8u8, 1 => any::<u8>()], 0..400)) {
        if let Ok(variable) = VariableData::parse(&bytes) {
            prop_assert_eq!(variable.to_bytes(), bytes.clone());
        }
        let _ = ImageLoadEvent::parse(&bytes).map(|e| e.untrusted_device_path.to_string());
        let _ = LoadOption::parse(&bytes).map(|o| (o.description.to_string(), o.paths.to_string()));
        let text = DevicePath(&bytes).to_string();
        prop_assert!(text.len() <= DEVICE_PATH_TEXT_LEN_MAX + 2);
        let _ = DevicePath(&bytes).file_path().map(|path| path.to_string());
    }

    /// Nodes of known types and any length: each is shown or told to be malformed.
    #[test]
    fn noise_in_nodes(nodes in vec((1..6u8, 1..32u8, vec(any::<u8>(), 0..48)), 0..8)) {
        let mut bytes = Vec::new();
        for (node_type, subtype, data) in &nodes {
            let len = u16::try_from(data.len() + 4).unwrap().to_le_bytes();
            bytes.extend([*node_type, *subtype, len[0], len[1]]);
            bytes.extend(data);
        }
        let path = DevicePath(&bytes);
        prop_assert_eq!(path.nodes().filter(Result::is_ok).count(), nodes.len());
        let text = path.to_string();
        prop_assert!(!text.chars().any(char::is_control), "{text:?}");
    }

    /// Lists with one field off: all signatures together are no longer than the value.
    #[test]
    fn noise_in_signature_lists(
        n in 0..4usize, at in 16..28usize, value in any::<u8>(), tail in vec(any::<u8>(), 0..40)
    ) {
        let mut bytes = efi::CertType::SHA256.0.0.to_vec();
        let len = u32::try_from(28 + n * 48).unwrap();
        bytes.extend([len, 0, 48].map(u32::to_le_bytes).concat());
        bytes.resize(28 + n * 48, 7);
        let sound: Vec<_> = SignatureLists::new(&bytes).map(|list| list.unwrap().len()).collect();
        prop_assert_eq!(sound, [n]);
        bytes[at] = value;
        bytes.extend(tail);
        let read = SignatureLists::new(&bytes).filter_map(Result::ok);
        let n_bytes: usize = read.flat_map(|l| l.iter().map(|s| s.data.len()).collect::<Vec<_>>()).sum();
        prop_assert!(n_bytes <= bytes.len());
    }
}

/// A table of two partitions: each cut and each flipped byte is read or refused.
#[test]
fn a_partition_table_with_each_byte_changed() {
    let mut table = b"EFI PART".to_vec();
    table.resize(56, 0);
    table.extend([9; 16]);
    table.extend([0; 12]);
    table.extend(128u32.to_le_bytes());
    table.extend([0; 4]);
    table.extend(2u64.to_le_bytes());
    table.resize(100 + 2 * 128, b'a');
    let sound = GptEvent::parse(&table).unwrap();
    assert_eq!((sound.partitions().count(), sound.disk_guid), (2, efi::Guid([9; 16])));
    for at in 0..table.len() {
        assert!(GptEvent::parse(&table[..at]).is_err(), "cut at {at}");
        for mask in [1, 0xff] {
            table[at] ^= mask;
            if let Ok(event) = GptEvent::parse(&table) {
                assert!(event.partitions().count() <= 2, "byte {at}");
            }
            table[at] ^= mask;
        }
    }
}
