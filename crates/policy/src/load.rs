//! A policy out of a file.

use std::{
    fs::File,
    io::{self, Read as _},
    path::{Path, PathBuf},
};

use appraise::Policy;

use crate::{FolderFiles, POLICY_BYTES_MAX, PolicyError, read_with};

/// Why a file is no policy.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// It cannot be read.
    #[error("the policy {} cannot be read", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// What it says is no policy.
    #[error("{} is not a policy", path.display())]
    Invalid {
        /// The file.
        path: PathBuf,
        /// What is wrong, and where.
        #[source]
        source: PolicyError,
    },
}

impl LoadError {
    /// What to do about it.
    pub fn hint(&self) -> Option<&str> {
        match self {
            Self::Unreadable { .. } => None,
            Self::Invalid { source, .. } => source.hint.as_deref(),
        }
    }
}

/// The policy in `path`, with its text. Files that it names are looked for in its folder.
pub fn load(path: &Path) -> Result<(Policy, String), LoadError> {
    let unreadable = |source| LoadError::Unreadable { path: path.to_owned(), source };
    let mut text = String::new();
    let bytes_max = u64::try_from(POLICY_BYTES_MAX).unwrap_or(u64::MAX).saturating_add(1);
    // One byte more than is allowed, so that `read` sees that there is more.
    File::open(path)
        .and_then(|file| file.take(bytes_max).read_to_string(&mut text))
        .map_err(unreadable)?;
    let folder = path.parent().unwrap_or_else(|| Path::new(""));
    match read_with(&text, &FolderFiles(folder)) {
        Ok(policy) => Ok((policy, text)),
        Err(source) => Err(LoadError::Invalid { path: path.to_owned(), source }),
    }
}
