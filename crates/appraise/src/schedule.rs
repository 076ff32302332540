//! When hosts are judged, by their labels.

use std::collections::BTreeMap;

/// How often the hosts with some labels are judged, and for how long a verdict of theirs counts. Nothing
/// that is judged depends on it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Schedule {
    /// Labels that a host must have, all of them; none: every host has them.
    pub labels: BTreeMap<String, String>,
    /// Seconds between two judgements.
    pub interval_s: u64,
    /// How much less or more, in hundredths of the interval.
    pub jitter_pct: u8,
    /// Seconds for which a verdict counts: never less than the longest interval.
    pub verdict_good_for_s: u64,
}

impl Schedule {
    /// The jitter where nobody says another one: hosts that began together must not stay together.
    pub const JITTER_PCT: u8 = 10;

    /// The most jitter: a schedule of which the half is chance is hardly one any more.
    pub const JITTER_PCT_MAX: u8 = 50;

    /// Whether a host with `labels` is judged by this.
    #[must_use]
    pub fn fits(&self, labels: &BTreeMap<String, String>) -> bool {
        self.labels.iter().all(|(key, value)| labels.get(key) == Some(value))
    }

    /// The longest that may be between two judgements, in seconds.
    #[must_use]
    pub fn interval_s_max(&self) -> u64 {
        let part = self.interval_s.saturating_mul(u64::from(self.jitter_pct)).div_ceil(100);
        self.interval_s.saturating_add(part)
    }
}
