//! The UEFI variable SecureBoot, as the running system reads it.

use std::path::Path;

use super::limited;

/// Under efivarfs, with the namespace EFI_GLOBAL_VARIABLE. [UEFI-2.10 §3.3]
const VARIABLE: &str = "sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c";

/// Four bytes of attributes, which efivarfs puts in front, and one of value.
const VARIABLE_BYTES: u64 = 5;

/// What the variable says; `None` where there is none, or it is none that UEFI knows.
pub(super) fn is_on(root: &Path) -> Option<bool> {
    match limited::read(&root.join(VARIABLE), VARIABLE_BYTES).ok()??.as_slice() {
        [_, _, _, _, 0] => Some(false),
        [_, _, _, _, 1] => Some(true),
        _ => None,
    }
}
