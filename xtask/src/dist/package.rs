//! What a package is made of.

use std::path::PathBuf;

/// A package of Debian.
pub(super) struct Package {
    pub(super) name: &'static str,
    /// One line, then the rest.
    pub(super) description: (&'static str, &'static str),
    /// Fields of the control file beyond those that all packages have.
    pub(super) relations: Vec<(&'static str, String)>,
    pub(super) files: Vec<File>,
    /// `postinst` and the like, with their texts.
    pub(super) scripts: Vec<(&'static str, String)>,
}

/// A file of a package.
pub(super) struct File {
    /// Where it goes, without the slash in front.
    pub(super) path: String,
    pub(super) content: Content,
    pub(super) kind: Kind,
}

/// What a file holds.
pub(super) enum Content {
    /// This.
    Text(String),
    /// This, packed by gzip without name and time.
    Packed(String),
    /// What this file holds.
    Of(PathBuf),
}

/// What a file is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// May be run.
    Program,
    /// Is read.
    Plain,
    /// Belongs to the administrator: an update asks before it replaces what was changed.
    Configuration,
}

impl Kind {
    pub(super) const fn mode(self) -> u32 {
        match self {
            Self::Program => 0o755,
            Self::Plain | Self::Configuration => 0o644,
        }
    }
}
