//! What the processor can do, as the kernel lists it.

use std::path::Path;

use super::limited;

/// One part for each processor; the first is enough.
const FILE: &str = "proc/cpuinfo";

/// One part is below 3 KiB; a machine with hundreds of processors has hundreds of parts.
const FRONT_BYTES: u64 = 16 * 1024;

/// Whether it has the safer mode extensions, which Intel TXT starts with; `None` where the kernel
/// lists no flags, as on other architectures.
pub(super) fn has_smx(root: &Path) -> Option<bool> {
    let front = limited::read_front(&root.join(FILE), FRONT_BYTES).ok()??;
    let text = String::from_utf8_lossy(&front);
    let flags = text.lines().find_map(|line| {
        let (name, flags) = line.split_once(':')?;
        (name.trim() == "flags").then_some(flags)
    })?;
    Some(flags.split_whitespace().any(|flag| flag == "smx"))
}
