//! Requests that are to be done once, however often they are sent.

use crate::Sha256;

/// A request that begins, or comes again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdempotentRequest {
    /// The digest of its key and of who sent it.
    pub id: Sha256,
    /// The digest of who sent it.
    pub caller: Sha256,
    /// The digest of all that it says.
    pub request_sha256: Sha256,
    /// Now.
    pub at_ms: i64,
    /// Until when its answer is kept.
    pub expires_at_ms: i64,
}

/// What is known of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Begun {
    /// It is the first of its key: whoever asked does it now.
    First,
    /// It began at this time, and its answer is not there.
    Unanswered {
        /// When it began.
        begun_at_ms: i64,
    },
    /// It was done, and answered so.
    Answered {
        /// The answer, sealed by who can open it.
        sealed: Vec<u8>,
    },
    /// The key was used for another request.
    Other,
}

/// How many that have expired go with each new one: two, so that they become fewer, and none waits long
/// for it.
pub(crate) const fn forgets() -> u32 {
    2
}
