//! Why reading a log stopped.

use core::fmt;

use tpm_wire::TpmAlgId;

/// What was wrong with the bytes of a log, and where. The events before it were kept; they are no
/// less and no more trusted than those of a whole log: replay judges.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Offset in bytes of the field that could not be read.
    pub offset: usize,
    /// Number of the event it lies in, where there is one.
    pub event: Option<u32>,
    /// What was wrong.
    pub kind: ProblemKind,
}

/// The kinds of [`Problem`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ProblemKind {
    /// There is a log, and no event is in it.
    Empty,
    /// The log is over the limit; nothing of it was read.
    LogTooLong {
        /// Bytes of the log.
        len: usize,
        /// The limit.
        max: usize,
    },
    /// The log has more events than we read.
    TooManyEvents {
        /// The limit.
        max: usize,
    },
    /// To hash what the log holds costs more than a judgement may; nothing of it was judged.
    TooMuchWork {
        /// Blocks of SHA-256 that it costs as much as.
        blocks: u64,
        /// The limit.
        max: u64,
    },
    /// The first event is built as a Spec ID event but does not say so.
    SpecIdSignature,
    /// The Spec ID event contradicts itself.
    SpecId {
        /// The field.
        what: &'static str,
    },
    /// A field is longer than what is left of the log.
    Short {
        /// The field.
        what: &'static str,
        /// Bytes that it needs.
        want: usize,
        /// Bytes that are left.
        have: usize,
    },
    /// The PCR index is over 23.
    PcrIndex {
        /// The index.
        have: u32,
    },
    /// The event says that it has more digests than algorithms are declared.
    DigestCount {
        /// What it says.
        have: u32,
        /// Algorithms that the Spec ID event declares.
        declared: usize,
    },
    /// A digest is of an algorithm that the Spec ID event does not declare.
    UndeclaredAlgorithm {
        /// The algorithm.
        alg: TpmAlgId,
    },
    /// Another log begins here: a Spec ID event stands where an event of this log should.
    AnotherLog,
    /// The event has two digests of one algorithm.
    DuplicateAlgorithm {
        /// The algorithm.
        alg: TpmAlgId,
    },
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(event) = self.event {
            write!(f, "event {event}, ")?;
        }
        write!(f, "byte {}: {}", self.offset, self.kind)
    }
}

impl fmt::Display for ProblemKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("the log has no event"),
            Self::LogTooLong { len, max } => {
                write!(f, "the log has {len} bytes, over the limit of {max}")
            }
            Self::TooManyEvents { max } => write!(f, "the log has more than {max} events"),
            Self::TooMuchWork { blocks, max } => {
                write!(f, "to hash the log costs {blocks} blocks, over the limit of {max}")
            }
            Self::SpecIdSignature => f.write_str("the signature of the Spec ID event is damaged"),
            Self::SpecId { what } => write!(f, "the Spec ID event is malformed: {what}"),
            Self::Short { what, want, have } => {
                write!(f, "{what} needs {want} bytes, {have} are left")
            }
            Self::PcrIndex { have } => write!(f, "PCR index {have} is over 23"),
            Self::DigestCount { have, declared } => {
                write!(f, "{have} digests, but {declared} algorithms are declared")
            }
            Self::UndeclaredAlgorithm { alg } => {
                write!(f, "a digest of {alg}, which is not declared")
            }
            Self::AnotherLog => f.write_str("another log begins here"),
            Self::DuplicateAlgorithm { alg } => write!(f, "two digests of {alg}"),
        }
    }
}
