//! Files of the data folder.

use std::{
    fs::{self, OpenOptions},
    io::{self, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::Path,
};

/// Who may read a file.
#[derive(Clone, Copy)]
pub(crate) enum Readable {
    /// The server's user alone: the file holds a secret.
    ByOwner,
    /// Everybody.
    ByAll,
}

/// Writes a file so that a reader, or a crash at any moment, sees the old one or the new one.
pub(crate) fn write_atomically(path: &Path, readable: Readable, bytes: &[u8]) -> io::Result<()> {
    let mode = match readable {
        Readable::ByOwner => 0o600,
        Readable::ByAll => 0o644,
    };
    let new = path.with_extension("new");
    // A leftover of a crash may have another mode; begin with no file.
    match fs::remove_file(&new) {
        Err(err) if err.kind() != io::ErrorKind::NotFound => return Err(err),
        _ => {}
    }
    let mut file = OpenOptions::new().write(true).create_new(true).mode(mode).open(&new)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&new, path)?;
    match path.parent() {
        Some(folder) => fs::File::open(folder)?.sync_all(),
        None => Ok(()),
    }
}
