//! How the fleet stood, hour by hour.

/// Milliseconds of an hour.
pub const HOUR_MS: i64 = 3_600_000;

/// Hours that are kept: 92 days, the longest quarter.
pub const STANDING_HOURS_MAX: i64 = 92 * 24;

/// How many hosts stood how when an hour was counted last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StandingHour {
    /// When the hour began, in milliseconds since 1970.
    pub hour_ms: i64,
    /// Whose boot was as it should be.
    pub n_accepted: u64,
    /// Whose was not.
    pub n_not_accepted: u64,
    /// Of which nothing counted.
    pub n_not_appraised: u64,
    /// Which should have spoken and did not, whatever their verdict.
    pub n_not_responding: u64,
}

/// A count as databases hold it.
pub(crate) fn stored(n: u64) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}
