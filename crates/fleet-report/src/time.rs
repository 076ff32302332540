//! Times in words: UTC, to the minute. A report is read years later, so nothing is told as "ago".

use jiff::{Timestamp, tz::TimeZone};

/// A time in milliseconds since 1970; without one a dash.
pub(crate) fn time(ms: Option<i64>) -> String {
    let Some(ms) = ms else { return "–".to_owned() };
    let Ok(at) = Timestamp::from_millisecond(ms) else { return "no time".to_owned() };
    at.to_zoned_datetime(TimeZone::UTC).strftime("%Y-%m-%d %H:%M UTC").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_exact_and_says_its_zone() {
        assert_eq!(time(Some(1_790_000_000_123)), "2026-09-21 14:13 UTC");
        assert_eq!(time(Some(i64::MAX)), "no time");
        assert_eq!(time(None), "–");
    }
}
