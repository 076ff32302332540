//! Requests that are to be done once, however often they are sent.

use crate::Reply;
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

/// What a store does with requests that are to be done once: a part of
/// [`crate::Store`].
pub trait IdempotentRequests {
    /// Records that a request with a key begins, and says whether it is the first. One of several that
    /// come at once is. [`StoreError::Limit`](crate::StoreError::Limit) ([`IDEMPOTENT_REQUESTS_MAX`](crate::IDEMPOTENT_REQUESTS_MAX)).
    fn begin_idempotent(&self, request: IdempotentRequest) -> Reply<'_, Begun>;
    /// Keeps what was answered.
    fn answer_idempotent(&self, id: Sha256, sealed: Vec<u8>) -> Reply<'_, ()>;
    /// Forgets a request that was not answered: it failed, and may be tried again.
    fn forget_idempotent(&self, id: Sha256) -> Reply<'_, ()>;
}
