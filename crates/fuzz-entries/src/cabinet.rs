//! Cabinets.

/// What comes out lies inside of what was unpacked, and names lead nowhere else.
pub(crate) fn cabinet(bytes: &[u8]) {
    let Ok(read) = cabinet::read(bytes) else { return };
    for file in read.files() {
        assert!(file.bytes.len() <= cabinet::UNPACKED_BYTES_MAX);
        assert!(!file.name.split('/').any(|part| matches!(part, "" | "." | "..")));
    }
    super::show(&read.files().count());
}
