//! When a waiver ends: an RFC 3339 date, or a date with time and offset.

use jiff::{Timestamp, ToSpan as _, civil::Date};
use verify::UnixTime;

/// The end as it was written and the first second that is not covered; `None` where `value` is
/// neither a date nor a date with time and offset. A date covers its whole day, by UTC.
pub(crate) fn ends(value: &toml::Value) -> Option<(String, UnixTime)> {
    let text = match value {
        toml::Value::Datetime(date) => date.to_string(),
        toml::Value::String(text) => text.clone(),
        _ => return None,
    };
    let end = match text.as_bytes() {
        // jiff reads more forms than RFC 3339 has: only YYYY-MM-DD is a date.
        [_, _, _, _, b'-', _, _, b'-', _, _] => {
            let after = text.parse::<Date>().ok()?.checked_add(1.day()).ok()?;
            format!("{after}T00:00:00Z").parse::<Timestamp>().ok()?
        }
        _ => text.parse::<Timestamp>().ok()?,
    };
    Some((text, UnixTime(end.as_second())))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(text: &str) -> Option<i64> {
        ends(&toml::Value::String(text.to_owned())).map(|(_, end)| end.0)
    }

    #[test]
    fn a_date_covers_its_whole_day() {
        assert_eq!(seconds("1970-01-01"), Some(86_400));
        assert_eq!(seconds("2027-01-31"), Some(1_801_440_000));
        assert_eq!(seconds("2024-02-29"), Some(1_709_251_200));
    }

    #[test]
    fn a_time_has_an_offset() {
        assert_eq!(seconds("1970-01-01T00:00:01Z"), Some(1));
        assert_eq!(seconds("1970-01-01T01:00:00+01:00"), Some(0));
        for wrong in [
            "1970-01-01T00:00:01",
            "2027-02-30",
            "20270131",
            "tomorrow",
            "",
            "2027-1-1",
            "9999-12-31",
        ] {
            assert_eq!(seconds(wrong), None, "{wrong}");
        }
        assert_eq!(ends(&toml::Value::Integer(5)), None);
    }
}
