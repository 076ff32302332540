//! Which files may be measured: lines of a digest and a path, as `sha256sum` writes them.

use std::collections::HashMap;
use std::fmt;

/// Bytes of an allow list: a distribution's 100,000 executables at 150 bytes, twice.
pub const ALLOW_LIST_BYTES_MAX: usize = 32 * 1024 * 1024;

/// Digests that may be measured, by path.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AllowList {
    by_path: HashMap<Vec<u8>, Vec<Vec<u8>>>,
    n_digests: usize,
}

/// Why an allow list was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AllowListError {
    /// The line, from 1.
    pub line: usize,
    /// What is wrong.
    pub fault: AllowListFault,
}

/// What is wrong with an allow list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AllowListFault {
    /// Not a digest in hex, two spaces (or a space and `*`), and a path.
    Line,
    /// The digest has the length of none of SHA-256, SHA-384, SHA-512.
    Digest,
    /// More than [`ALLOW_LIST_BYTES_MAX`] bytes.
    Bytes,
}

impl fmt::Display for AllowListError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: ", self.line)?;
        match self.fault {
            AllowListFault::Line => f.write_str(
                "not a digest, two spaces and a path, as `sha256sum /usr/bin/*` writes it",
            ),
            AllowListFault::Digest => {
                f.write_str("the digest is none of SHA-256, SHA-384 or SHA-512")
            }
            AllowListFault::Bytes => {
                write!(f, "the list is over {ALLOW_LIST_BYTES_MAX} bytes")
            }
        }
    }
}

impl std::error::Error for AllowListError {}

impl AllowList {
    /// Reads lines as `sha256sum`, `sha384sum` and `sha512sum` write them; empty ones and those
    /// that begin with `#` are passed over. A path may have several digests. A space in a path
    /// counts as the `_` that the kernel writes for it.
    pub fn parse(bytes: &[u8]) -> Result<Self, AllowListError> {
        let mut list = Self::default();
        if bytes.len() > ALLOW_LIST_BYTES_MAX {
            return Err(AllowListError { line: 1, fault: AllowListFault::Bytes });
        }
        for (n, line) in bytes.split(|byte| *byte == b'\n').enumerate() {
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            if line.is_empty() || line.starts_with(b"#") {
                continue;
            }
            let at = |fault| AllowListError { line: n + 1, fault };
            let end = line.iter().position(|byte| *byte == b' ').ok_or(at(AllowListFault::Line))?;
            let (digest, rest) = line.split_at_checked(end).ok_or(at(AllowListFault::Line))?;
            let path = rest
                .strip_prefix(b"  ")
                .or_else(|| rest.strip_prefix(b" *"))
                .filter(|path| !path.is_empty())
                .ok_or(at(AllowListFault::Line))?;
            let digest = hex::decode(digest).ok().filter(|digest| !digest.is_empty());
            let digest = digest.ok_or(at(AllowListFault::Line))?;
            if !matches!(digest.len(), 32 | 48 | 64) {
                return Err(at(AllowListFault::Digest));
            }
            let path = path.iter().map(|byte| if *byte == b' ' { b'_' } else { *byte }).collect();
            let digests = list.by_path.entry(path).or_default();
            if !digests.contains(&digest) {
                digests.push(digest);
                list.n_digests += 1;
            }
        }
        Ok(list)
    }

    /// The digests of `path`; `None` where the path is not in the list.
    pub fn digests(&self, path: &[u8]) -> Option<&[Vec<u8>]> {
        self.by_path.get(path).map(Vec::as_slice)
    }

    /// How many paths there are.
    pub fn n_paths(&self) -> usize {
        self.by_path.len()
    }

    /// How many digests there are.
    pub const fn n_digests(&self) -> usize {
        self.n_digests
    }

    /// Whether nothing is allowed.
    pub fn is_empty(&self) -> bool {
        self.by_path.is_empty()
    }
}
