//! Times as people read them.

use jiff::{Timestamp, tz::TimeZone};

/// Milliseconds since 1970 as local time, to the second; `never` where there is none.
pub(super) fn time(ms: Option<i64>) -> String {
    let Some(ms) = ms else { return "never".to_owned() };
    match Timestamp::from_millisecond(ms) {
        Ok(time) => {
            time.to_zoned_datetime(TimeZone::system()).strftime("%Y-%m-%d %H:%M:%S %Z").to_string()
        }
        Err(_) => format!("{ms} ms"),
    }
}
