//! Whether tboot launched the kernel, and so measured it under Intel TXT.

use std::path::Path;

use super::limited;

/// What the boot loader handed to the kernel, struct boot_params. [Linux x86 zero page]
const FILE: &str = "sys/kernel/boot_params/data";

/// It is one page.
const BYTES_MAX: u64 = 4096;

/// Where in it the address of tboot's shared page lies, 8 bytes; 0 where there is none.
const TBOOT_ADDR: std::ops::Range<usize> = 0x58..0x60;

/// Whether there is a tboot beneath the kernel; `None` where the kernel does not show it.
pub(super) fn launched(root: &Path) -> Option<bool> {
    let page = limited::read(&root.join(FILE), BYTES_MAX).ok()??;
    Some(page.get(TBOOT_ADDR)?.iter().any(|byte| *byte != 0))
}
