//! The modes of UEFI's Secure Boot, as the running system reads their variables.

use std::path::Path;

use super::limited;

/// EFI_GLOBAL_VARIABLE, the namespace of all of them. [UEFI-2.10 §3.3]
const GLOBAL: &str = "8be4df61-93ca-11d2-aa0d-00e098032b8c";

/// Four bytes of attributes, which efivarfs puts in front, and one of value.
const VARIABLE_BYTES: u64 = 5;

/// What the variable `name` (SecureBoot, SetupMode, ...) below `root` says; `None` where there is none,
/// or it is none that UEFI knows.
pub fn is_on(root: &Path, name: &str) -> Option<bool> {
    let path = root.join(format!("sys/firmware/efi/efivars/{name}-{GLOBAL}"));
    match limited::read(&path, VARIABLE_BYTES).ok()??.as_slice() {
        [_, _, _, _, 0] => Some(false),
        [_, _, _, _, 1] => Some(true),
        _ => None,
    }
}
