//! How far the kernel keeps root out of itself.

use std::path::Path;

use api::machine::Lockdown;

use super::limited;

/// All modes in one line, the one that holds in brackets.
const FILE: &str = "sys/kernel/security/lockdown";

/// The kernel's line has 35 bytes.
const BYTES_MAX: u64 = 256;

/// The mode that holds; `None` where the kernel has no lockdown, or one that we do not know.
pub(super) fn mode(root: &Path) -> Option<Lockdown> {
    let bytes = limited::read(&root.join(FILE), BYTES_MAX).ok()??;
    let line = String::from_utf8_lossy(&bytes);
    let word = line.split_whitespace().find_map(|word| word.strip_prefix('[')?.strip_suffix(']'));
    match word? {
        "none" => Some(Lockdown::None),
        "integrity" => Some(Lockdown::Integrity),
        "confidentiality" => Some(Lockdown::Confidentiality),
        _ => None,
    }
}
