//! Times in words.

use std::fmt;

use jiff::{Timestamp, tz::TimeZone};

/// A time: exact for machines, and how long ago for people. [HTML, the time element]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct When {
    /// Milliseconds since 1970.
    pub(crate) ms: i64,
    now_ms: i64,
}

impl When {
    pub(crate) const fn new(ms: i64, now_ms: i64) -> Self {
        Self { ms, now_ms }
    }

    /// By RFC 3339, in UTC.
    pub(crate) fn exact(self) -> String {
        let Ok(at) = Timestamp::from_millisecond(self.ms) else { return "no time".to_owned() };
        at.to_zoned_datetime(TimeZone::UTC).strftime("%Y-%m-%d %H:%M:%S UTC").to_string()
    }

    /// The day, in UTC.
    pub(crate) fn day(self) -> String {
        let Ok(at) = Timestamp::from_millisecond(self.ms) else { return "no time".to_owned() };
        at.to_zoned_datetime(TimeZone::UTC).strftime("%Y-%m-%d").to_string()
    }

    /// For the attribute `datetime`.
    pub(crate) fn machine(self) -> String {
        Timestamp::from_millisecond(self.ms).map_or_else(|_| String::new(), |at| at.to_string())
    }
}

impl fmt::Display for When {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ms = self.ms.saturating_sub(self.now_ms);
        let s = ms.unsigned_abs().div_ceil(1000);
        let (n, unit) = match s {
            0..60 => (s, "s"),
            60..3_600 => (s / 60, "min"),
            3_600..172_800 => (s / 3_600, "h"),
            _ => (s / 86_400, "days"),
        };
        if ms > 0 {
            write!(f, "in {n} {unit}")
        } else if s < 5 {
            f.write_str("just now")
        } else {
            write!(f, "{n} {unit} ago")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_told_by_how_long_ago() {
        let told = |ms: i64| When::new(ms, 1_000_000_000).to_string();
        assert_eq!(told(1_000_000_000), "just now");
        assert_eq!(told(999_950_000), "50 s ago");
        assert_eq!(told(999_000_000), "16 min ago");
        assert_eq!(told(1_000_000_000 + 7_200_000), "in 2 h");
        assert_eq!(told(1_000_000_000 - 3 * 86_400_000), "3 days ago");
        assert_eq!(told(i64::MIN), "106751991167 days ago");
    }

    #[test]
    fn a_time_is_exact_for_machines() {
        let at = When::new(1_790_000_000_123, 0);
        assert_eq!(at.exact(), "2026-09-21 14:13:20 UTC");
        assert_eq!(at.machine(), "2026-09-21T14:13:20.123Z");
        assert_eq!(When::new(i64::MAX, 0).exact(), "no time");
    }
}
