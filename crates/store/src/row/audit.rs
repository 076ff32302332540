//! Who makes a change.

/// Who makes a change, and when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct By {
    /// The name of a person's or program's token, `host:…` or `server`.
    pub actor: String,
    /// The time of it, by the clock that the deployment goes by. Also the "now" of all expiry checks
    /// in the change.
    pub at_ms: i64,
}

impl By {
    /// `actor`, at `at_ms`.
    #[must_use]
    pub fn new(actor: impl Into<String>, at_ms: i64) -> Self {
        Self { actor: actor.into(), at_ms }
    }
}
