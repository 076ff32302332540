//! Time as an argument.

/// Seconds since 1970-01-01T00:00:00Z without leap seconds. This crate has no clock: who calls
/// says what time it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UnixTime(pub i64);
