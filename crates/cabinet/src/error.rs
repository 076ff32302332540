//! Why a cabinet is refused.

use tpm_wire::ParseError;

/// Why a cabinet is refused. Nothing of it is used then.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CabinetError {
    /// It is cut, or a field points outside.
    #[error("the cabinet is cut or damaged")]
    Parse(#[source] ParseError),
    /// It does not begin as a cabinet of version 1.
    #[error("no cabinet of version 1")]
    NotACabinet,
    /// It says that it is longer than it is.
    #[error("the cabinet is cut: it should have {said} bytes and has {have}")]
    Cut {
        /// What it says.
        said: usize,
        /// What is there.
        have: usize,
    },
    /// A file goes on in another cabinet of a set.
    #[error("the cabinet is one of a set, and a file lies in several of them")]
    Spanned,
    /// More folders or files than are read.
    #[error("the cabinet has {have} {what}, over the limit of {max}")]
    TooMany {
        /// Folders or files.
        what: &'static str,
        /// How many it has.
        have: usize,
        /// The limit.
        max: usize,
    },
    /// More bytes than are unpacked.
    #[error("the cabinet unpacks to more than {max} bytes")]
    TooLarge {
        /// The limit.
        max: usize,
    },
    /// A compression that is not known.
    #[error("compression {kind:#06x} is not known")]
    Compression {
        /// What the cabinet says.
        kind: u16,
    },
    /// The checksum of a block is wrong.
    #[error("block {block} of folder {folder} is damaged: its checksum is wrong")]
    Checksum {
        /// The folder, from 0.
        folder: usize,
        /// The block, from 0.
        block: usize,
    },
    /// A block cannot be unpacked, or gives another length than it should.
    #[error("block {block} of folder {folder} cannot be unpacked")]
    Block {
        /// The folder, from 0.
        folder: usize,
        /// The block, from 0.
        block: usize,
    },
    /// The name of a file is a path that leads elsewhere, too long, or no text.
    #[error("file {n} has a name that leads out of the cabinet, is too long or is no text")]
    Name {
        /// The file, from 0.
        n: usize,
    },
    /// A file lies outside of its folder.
    #[error("file {n} lies outside of its folder")]
    Outside {
        /// The file, from 0.
        n: usize,
    },
}

impl From<ParseError> for CabinetError {
    fn from(err: ParseError) -> Self {
        Self::Parse(err)
    }
}
