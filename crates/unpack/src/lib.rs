//! Logs as people have them: plain, rotated and packed, in support bundles, archives in archives.
//!
//! [`walk`] takes a stream, finds out by what it holds what it is, and gives each text in it to a
//! [`Visitor`], as a stream of UTF-8 or of whatever bytes there are. Nothing is written anywhere, so
//! that a name in an archive leads nowhere. Each layer keeps some hundred kilobytes, whatever sizes an
//! archive claims; [`Limits`] end what unpacks to more than anybody reads.
//!
//! Trust: none. An archive may hold anything, and its names are only to be shown.

mod blocks;
mod error;
mod gzip;
mod journal;
mod kind;
mod limits;
mod tar;
mod utf16;
mod walk;
mod zip;

pub use error::UnpackError;
pub use kind::{HEAD_BYTES, is_packed};
pub use limits::Limits;
pub use walk::{Member, Visitor, walk};
