//! Why something in a file was not read, or not to its end.

use std::io;

use thiserror::Error;

/// Why something was not read, or not to its end. What was read before counts.
#[derive(Debug, Error)]
pub enum UnpackError {
    /// It ends before its end.
    #[error("the archive is cut: copy it again")]
    Cut,
    /// A field or checksum of it is wrong.
    #[error("the archive is damaged: {0}")]
    Damaged(&'static str),
    /// Archives in archives, deeper than any support bundle.
    #[error("it is packed too often: unpack the outer layers, then read what is in them")]
    Layers,
    /// What it unpacks to is more than is read.
    #[error("it unpacks to more than {} GiB: the rest was left out", bytes_max >> 30)]
    TooLarge {
        /// How much is read.
        bytes_max: u64,
    },
    /// It unpacks to more than logs do.
    #[error("it unpacks to over {ratio_max} times its size, as no log does: the rest was left out")]
    Bomb {
        /// How many times its size is read.
        ratio_max: u64,
    },
    /// It has more members than any support bundle.
    #[error("it holds over {members_max} files: the rest was left out")]
    Members {
        /// How many are read.
        members_max: u64,
    },
    /// It is packed in a way that is not opened here.
    #[error("it is {by}, which is not opened here: `{with} | bootproof diagnose -`")]
    NotOpened {
        /// What it is.
        by: &'static str,
        /// What opens it.
        with: &'static str,
    },
    /// A member of a zip archive needs a password.
    #[error("it is encrypted: unpack it with its password, then read what is in it")]
    Encrypted,
    /// A member of a zip archive whose end only the archive's table tells, which stands behind it.
    #[error(
        "where it ends is not said in front of it: unpack the archive with `unzip`, then read what is in it"
    )]
    NoSize,
    /// A member of a zip archive is packed in a way that is not opened here.
    #[error(
        "it is packed by method {method} of zip: unpack the archive with `unzip` or `7z`, then read what is in it"
    )]
    Method {
        /// The number by which zip knows it.
        method: u16,
    },
    /// The stream, or what unpacks it.
    #[error(transparent)]
    Read(io::Error),
}

impl From<io::Error> for UnpackError {
    /// An error of ours may come through a reader of another layer.
    fn from(err: io::Error) -> Self {
        match err.downcast::<Self>() {
            Ok(ours) => ours,
            Err(err) if err.kind() == io::ErrorKind::UnexpectedEof => Self::Cut,
            Err(err) => Self::Read(err),
        }
    }
}

impl From<UnpackError> for io::Error {
    fn from(err: UnpackError) -> Self {
        match err {
            UnpackError::Read(err) => err,
            err => Self::other(err),
        }
    }
}
