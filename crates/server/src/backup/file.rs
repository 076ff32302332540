//! A file that appears under its name when it is whole.

use std::{
    fs::{self, File},
    io::{self, BufWriter, Write},
    os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
};

use anyhow::Context as _;

/// A file on its way. What is left of it when this is dropped is removed; what a killed process left is
/// written over by the next.
pub(super) struct NewFile {
    out: BufWriter<File>,
    part: PathBuf,
    path: PathBuf,
    is_done: bool,
}

impl NewFile {
    /// Begins the file, readable by its owner only.
    pub(super) fn begin(path: &Path) -> anyhow::Result<Self> {
        let mut name = path.file_name().context("the file has no name")?.to_owned();
        name.push(".part");
        let part = path.with_file_name(name);
        let cannot = || format!("{} cannot be written", part.display());
        let file = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .mode(0o600)
            .open(&part)
            .with_context(cannot)?;
        file.try_lock().with_context(|| format!("another backup writes {}", part.display()))?;
        file.set_len(0).with_context(cannot)?;
        file.set_permissions(fs::Permissions::from_mode(0o600)).with_context(cannot)?;
        Ok(Self { out: BufWriter::new(file), part, path: path.to_owned(), is_done: false })
    }

    /// Puts the file, which is on disk then, under its name; returns its length.
    pub(super) fn finish(mut self) -> io::Result<u64> {
        self.out.flush()?;
        let file = self.out.get_ref();
        file.sync_all()?;
        let n_bytes = file.metadata()?.len();
        fs::rename(&self.part, &self.path)?;
        self.is_done = true;
        let folder = self.path.parent().filter(|folder| !folder.as_os_str().is_empty());
        File::open(folder.unwrap_or_else(|| Path::new(".")))?.sync_all()?;
        Ok(n_bytes)
    }
}

impl Write for NewFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.out.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

impl Drop for NewFile {
    fn drop(&mut self) {
        if !self.is_done {
            drop(fs::remove_file(&self.part));
        }
    }
}
