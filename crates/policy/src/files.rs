//! Files that a policy names: allow lists, certificates, rules.

use std::{
    fs::File,
    io::{self, Read as _},
    path::Path,
};

/// Bytes of one file that a policy names: an allow list is the largest.
pub const NAMED_FILE_BYTES_MAX: usize = ima::ALLOW_LIST_BYTES_MAX;

/// Where the files come from that a policy names.
pub trait NamedFiles {
    /// The bytes of the file of this name, as the policy has it; [`NAMED_FILE_BYTES_MAX`] and one
    /// more at most.
    fn bytes(&self, name: &str) -> io::Result<Vec<u8>>;
}

/// None: a policy that names a file is refused.
pub struct NoFiles;

impl NamedFiles for NoFiles {
    fn bytes(&self, _: &str) -> io::Result<Vec<u8>> {
        Err(io::Error::other("this policy came without its files"))
    }
}

/// Those of a folder, which a relative name begins in.
pub struct FolderFiles<'a>(pub &'a Path);

impl NamedFiles for FolderFiles<'_> {
    fn bytes(&self, name: &str) -> io::Result<Vec<u8>> {
        let max = u64::try_from(NAMED_FILE_BYTES_MAX).unwrap_or(u64::MAX).saturating_add(1);
        let mut bytes = Vec::new();
        File::open(self.0.join(name))?.take(max).read_to_end(&mut bytes)?;
        Ok(bytes)
    }
}

/// Those that came along with the text.
impl<S: std::hash::BuildHasher> NamedFiles for std::collections::HashMap<String, Vec<u8>, S> {
    fn bytes(&self, name: &str) -> io::Result<Vec<u8>> {
        self.get(name).cloned().ok_or_else(|| io::ErrorKind::NotFound.into())
    }
}
