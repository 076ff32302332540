//! The ACPI table TPM2: it names the interface of the TPM (FIFO or CRB). The host's word.

use std::{io, path::Path};

use super::limited;

/// Where Linux shows the table. Root alone may read it.
pub const TPM2_TABLE: &str = "/sys/firmware/acpi/tables/TPM2";

/// The table has 52 bytes, and up to 36 more of platform parameters and log address.
const TABLE_BYTES_MAX: u64 = 4096;

/// The table, verbatim; `None` where there is none.
pub fn read(path: &Path) -> io::Result<Option<Vec<u8>>> {
    limited::read(path, TABLE_BYTES_MAX)
}
