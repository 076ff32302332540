//! What the running system measured and logged itself.

use std::{io, path::Path, time::Duration};

use super::limited;

/// Where systemd keeps its log of measurements. It is there on systems that booted with its stub.
pub const SYSTEMD: &str = "/run/log/systemd/tpm2-measure.log";

/// The largest log that is sent: what the server reads. One of a boot has 10 KiB.
pub const LOG_BYTES_MAX: u64 = 1024 * 1024;

/// systemd holds a lock on its log from before it extends a PCR until the event is written. Slow
/// chips take a tenth of a second for each of up to four banks.
const LOCK_TIME_MAX: Duration = Duration::from_secs(2);

/// The log in `path`, verbatim; `None` where there is none. It is read while nobody writes it, so
/// that it has every event of which a quote before shows the value.
pub fn read(path: &Path) -> io::Result<Option<Vec<u8>>> {
    limited::read_unlocked(path, LOG_BYTES_MAX, LOCK_TIME_MAX)
}
