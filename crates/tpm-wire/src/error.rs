//! Why bytes were refused.

use core::fmt;

/// What a reader refused, where, and why. No text is built until it is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ParseError {
    /// The structure or field that was being read, in the specification's words.
    pub what: &'static str,
    /// Offset in bytes from the start of the buffer that the outermost reader was given.
    pub at: usize,
    /// Why it was refused.
    pub kind: ParseErrorKind,
}

/// The reason of a [`ParseError`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ParseErrorKind {
    /// Fewer bytes are left than the field needs.
    Short {
        /// Bytes that the field needs.
        want: usize,
        /// Bytes that are left.
        have: usize,
    },
    /// Bytes are left behind the end of the structure.
    Trailing {
        /// How many.
        n: usize,
    },
    /// A count or size is over the limit that we set for it.
    Limit {
        /// The limit.
        max: usize,
        /// What the field says.
        have: usize,
    },
    /// The field has a value that its structure does not allow here.
    Value {
        /// The value found.
        have: u64,
    },
    /// The same bank or entry occurs twice.
    Duplicate {
        /// The value found twice.
        have: u64,
    },
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { what, at, kind } = self;
        match kind {
            ParseErrorKind::Short { want, have } => {
                write!(f, "{what} at byte {at}: needs {want} bytes, {have} are left")
            }
            ParseErrorKind::Trailing { n } => {
                write!(f, "{what} at byte {at}: {n} bytes too many behind its end")
            }
            ParseErrorKind::Limit { max, have } => {
                write!(f, "{what} at byte {at}: {have} is over the limit of {max}")
            }
            ParseErrorKind::Value { have } => {
                write!(f, "{what} at byte {at}: value {have:#x} is not allowed here")
            }
            ParseErrorKind::Duplicate { have } => {
                write!(f, "{what} at byte {at}: {have:#x} occurs twice")
            }
        }
    }
}

impl core::error::Error for ParseError {}
