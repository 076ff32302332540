//! What the running system measured, as IMA shows it.

use std::{io, path::Path};

use super::limited;

/// Where Linux shows the list of IMA. Root alone may read it.
pub const SECURITYFS: &str = "/sys/kernel/security/ima/binary_runtime_measurements";

/// The largest list that is sent: beside an event log of usual size it fits into one request. A
/// server that measures what it executes has 1 to 2 MiB after a year.
pub const LIST_BYTES_MAX: u64 = 3 * 1024 * 1024;

/// The list in `path`, verbatim; `None` where there is none.
pub fn read(path: &Path) -> io::Result<Option<Vec<u8>>> {
    limited::read(path, LIST_BYTES_MAX)
}
