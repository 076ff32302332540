//! UEFI structures.

use efi::{
    Ascii, DEVICE_PATH_TEXT_LEN_MAX, DevicePath, GptEvent, ImageLoadEvent, LoadOption,
    SignatureLists, VariableData, read_signature,
};

/// A variable is written back byte for byte; its value is read as what variables of its kind hold.
pub(crate) fn variable(bytes: &[u8]) {
    if let Ok((variable, behind)) = VariableData::parse_prefix(bytes) {
        let written = variable.to_bytes();
        assert_eq!([&written, behind.rest()].concat(), bytes, "written as it was read");
        assert_eq!(VariableData::parse(bytes).is_ok(), behind.is_empty());
        super::show(&(variable, variable.name.to_string()));
        signature_lists(variable.value);
        load_option(variable.value);
    }
}

/// All signatures together have no more bytes than came; an error ends the lists.
pub(crate) fn signature_lists(bytes: &[u8]) {
    let mut n_bytes = 0;
    let mut is_over = false;
    for list in SignatureLists::new(bytes) {
        assert!(!is_over, "nothing comes behind an error");
        let Ok(list) = list else {
            is_over = true;
            continue;
        };
        assert_eq!(list.iter().count(), list.len());
        n_bytes += list.header.len() + list.iter().map(|s| 16 + s.data.len()).sum::<usize>();
        drop(list.cert_type.to_string());
    }
    assert!(n_bytes <= bytes.len());
    super::show(&read_signature(bytes));
}

/// Device paths by themselves and in the structures that have one; partition tables.
pub(crate) fn device_path(bytes: &[u8]) {
    path(DevicePath(bytes));
    load_option(bytes);
    if let Ok(event) = ImageLoadEvent::parse(bytes) {
        super::show(&event);
        path(event.untrusted_device_path);
    }
    if let Ok(event) = GptEvent::parse(bytes) {
        assert!(event.partitions().count() <= bytes.len() / 128);
        event.partitions().for_each(|partition| super::show(&partition));
    }
}

fn load_option(bytes: &[u8]) {
    if let Ok(option) = LoadOption::parse(bytes) {
        super::show(&option);
        drop(option.description.to_string());
        path(option.paths);
    }
}

fn path(path: DevicePath<'_>) {
    let text = path.to_string();
    assert!(text.chars().count() <= DEVICE_PATH_TEXT_LEN_MAX + 2, "{}", text.len());
    assert!(!text.chars().any(char::is_control), "a text for people: {text:?}");
    let n_bytes: usize = path.nodes().map(|node| node.map_or(0, |n| 4 + n.data.len())).sum();
    assert!(n_bytes <= path.0.len());
    if let Some(file) = path.file_path() {
        drop(file.to_string());
    }
    std::hint::black_box((path.is_in_firmware_volume(), Ascii(path.0).to_string()));
}
