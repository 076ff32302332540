//! Whether the kernel uses an IOMMU.

use std::path::Path;

/// One entry for each that is in use.
const FOLDER: &str = "sys/class/iommu";

/// Whether there is one; `None` where the kernel does not know of IOMMUs.
pub(super) fn is_used(root: &Path) -> Option<bool> {
    Some(std::fs::read_dir(root.join(FOLDER)).ok()?.next().is_some())
}
