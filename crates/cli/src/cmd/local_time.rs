//! Times as people read them.

use std::time::SystemTime;

use jiff::{Timestamp, tz::TimeZone};
use verify::UnixTime;

/// What the clock says. One that is before 1970 says 1970: certificates are not valid yet then.
pub(super) fn now() -> UnixTime {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    UnixTime(i64::try_from(now.as_secs()).unwrap_or(i64::MAX))
}

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

/// So many seconds from now, in milliseconds since 1970.
pub(super) fn after(lasts_s: u64) -> i64 {
    let lasts_ms = i64::try_from(lasts_s).unwrap_or(i64::MAX).saturating_mul(1000);
    Timestamp::now().as_millisecond().saturating_add(lasts_ms)
}
