//! The store's clock: the machine's time of day, which is never let go back.
//!
//! A challenge counts if it is newer than the last accepted one of its host. Where somebody sets the clock back by
//! an hour no host could be judged for that hour; so the time goes on from where it was, as fast as time goes,
//! until the time of day has caught up. A jump ahead is followed at once: what has grown too old has.

use std::sync::{Mutex, PoisonError};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use rusqlite::Connection as Db;

use crate::StoreError;

/// Milliseconds by which a stored time may lie ahead at the start and is gone on from: a day, more than any time
/// zone. What lies further ahead was a fault that is not to last.
const AHEAD_MS_MAX: i64 = 24 * 3_600_000;

/// A clock that never goes back.
#[derive(Debug)]
pub(super) struct Clock {
    last: Mutex<Last>,
}

/// A moment, and the time that was told in it.
#[derive(Clone, Copy, Debug)]
struct Last {
    at: Instant,
    told_ms: i64,
}

impl Last {
    /// The time at `at`, where the time of day is `day_ms`.
    fn tell(&mut self, at: Instant, day_ms: i64) -> i64 {
        let since = at.saturating_duration_since(self.at).as_millis();
        let gone_on = self.told_ms.saturating_add(i64::try_from(since).unwrap_or(i64::MAX));
        if day_ms >= gone_on {
            *self = Self { at, told_ms: day_ms };
        }
        day_ms.max(gone_on)
    }
}

fn day_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}

impl Clock {
    /// One that goes on from the last time that is stored.
    pub(super) fn of(db: &Db) -> Result<Self, StoreError> {
        let sql = "SELECT coalesce(max(last_nonce_at_ms), 0) FROM hosts";
        let stored_ms: i64 = db.query_row(sql, [], |row| row.get(0))?;
        let day_ms = day_ms();
        let is_ahead = stored_ms > day_ms;
        if is_ahead {
            let ahead_s = stored_ms.saturating_sub(day_ms) / 1000;
            tracing::warn!(
                ahead_s,
                "this machine's clock is behind what is stored: see that it is right"
            );
        }
        let goes_on = is_ahead && stored_ms.saturating_sub(day_ms) <= AHEAD_MS_MAX;
        let told_ms = if goes_on { stored_ms } else { day_ms };
        Ok(Self { last: Mutex::new(Last { at: Instant::now(), told_ms }) })
    }

    /// Milliseconds since 1970.
    pub(super) fn now_ms(&self) -> i64 {
        self.last.lock().unwrap_or_else(PoisonError::into_inner).tell(Instant::now(), day_ms())
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_clock_that_is_set_back_is_gone_on_from() {
        let start = Instant::now();
        let at = |s: u64| start + Duration::from_secs(s);
        let mut last = Last { at: start, told_ms: 10_000 };
        assert_eq!(last.tell(at(1), 11_000), 11_000);
        // An hour back: time goes on as fast as it goes.
        assert_eq!(last.tell(at(2), 12_000 - 3_600_000), 12_000);
        assert_eq!(last.tell(at(62), 72_000 - 3_600_000), 72_000);
        // Caught up, and ahead.
        assert_eq!(last.tell(at(63), 73_001), 73_001);
        assert_eq!(last.tell(at(64), 74_000 + 3_600_000), 74_000 + 3_600_000);
        // Back from there: what was told was told.
        assert_eq!(last.tell(at(65), 75_000), 75_000 + 3_600_000);
    }
}
