//! The boot's event log, as the kernel shows it.

use std::{io, path::Path};

use super::limited;

/// Where Linux shows the log of the first TPM. Root alone may read it.
pub const SECURITYFS: &str = "/sys/kernel/security/tpm0/binary_bios_measurements";

/// The largest log that is sent: what the server takes. Logs of real servers have 20 to 120 KiB.
pub const LOG_BYTES_MAX: u64 = 4 * 1024 * 1024;

/// The log in `path`, verbatim; `None` where there is none.
pub fn read(path: &Path) -> io::Result<Option<Vec<u8>>> {
    limited::read(path, LOG_BYTES_MAX)
}
