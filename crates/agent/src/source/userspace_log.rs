//! What the running system measured and logged itself.

use std::{io, path::Path};

use super::limited;

/// Where systemd keeps its log of measurements. It is there on systems that booted with its stub.
pub const SYSTEMD: &str = "/run/log/systemd/tpm2-measure.log";

/// The largest log that is sent: what the server reads. One of a boot has 10 KiB.
pub const LOG_BYTES_MAX: u64 = 1024 * 1024;

/// The log in `path`, verbatim; `None` where there is none.
pub fn read(path: &Path) -> io::Result<Option<Vec<u8>>> {
    limited::read(path, LOG_BYTES_MAX)
}
