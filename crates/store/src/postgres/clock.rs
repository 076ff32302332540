//! The database's clock, without asking the database each time.
//!
//! What it said last is carried on by this machine's count of time. That is never ahead of the database: an answer is
//! taken to be of the moment at which it came, and is of an earlier one. So it is behind by no more than an answer took
//! ([`TOOK_MAX`]); servers that share a database differ by no more than that, which is less than an agent needs from one
//! challenge to the next. Where the database's clock is set, that is noticed after [`GOOD_FOR`].

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::session::Session;
use crate::StoreError;

/// How long an answer is carried on. The counts of two machines drift apart by some 50 millionths: by 50 us in this time.
const GOOD_FOR: Duration = Duration::from_secs(1);

/// How long an answer may take that is carried on; one that took longer counts for who asked, and is then forgotten.
const TOOK_MAX: Duration = Duration::from_millis(5);

/// What the database said last.
#[derive(Debug, Default)]
pub(super) struct Clock(Mutex<Option<Reading>>);

/// The database's time, and when it came.
#[derive(Debug, Clone, Copy)]
struct Reading {
    unix_us: i64,
    came: Instant,
    /// When the database was asked last: it is good for a while from then on.
    asked: Instant,
}

impl Reading {
    fn at(&self, now: Instant) -> i64 {
        let since = now.saturating_duration_since(self.came).as_micros();
        self.unix_us.saturating_add(i64::try_from(since).unwrap_or(i64::MAX))
    }
}

impl Clock {
    /// The time, where it is known well enough.
    pub(super) fn now_ms(&self) -> Option<i64> {
        let now = Instant::now();
        let reading = (*self.known())?;
        (now.saturating_duration_since(reading.asked) < GOOD_FOR)
            .then(|| reading.at(now).div_euclid(1000))
    }

    /// Asks the database.
    pub(super) async fn ask(&self, db: &Session) -> Result<i64, StoreError> {
        let asked = Instant::now();
        let sql = "SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint";
        let unix_us = db.row(sql, &[]).await?.try_get(0)?;
        Ok(self.note(unix_us, asked, Instant::now()).div_euclid(1000))
    }

    /// Takes an answer, and says what time it is, in microseconds.
    fn note(&self, unix_us: i64, asked: Instant, came: Instant) -> i64 {
        let took = came.saturating_duration_since(asked);
        let took_us = i64::try_from(took.as_micros()).unwrap_or(i64::MAX);
        let mut known = self.known();
        // What is known goes on where the answer agrees with it: so time does not go back by what this answer took.
        let before = known.map(|known| Reading { asked, ..known });
        let agrees = |before: &Reading| {
            (unix_us..=unix_us.saturating_add(took_us)).contains(&before.at(came))
        };
        let reading = match before.filter(agrees) {
            Some(before) => before,
            None => Reading { unix_us, came, asked },
        };
        *known = (took <= TOOK_MAX).then_some(reading);
        reading.at(came)
    }

    fn known(&self) -> MutexGuard<'_, Option<Reading>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    #[test]
    fn it_is_never_ahead_goes_on_and_is_set() {
        let clock = Clock::default();
        assert_eq!(clock.now_ms(), None, "nobody asked yet");
        let began = Instant::now();
        // Answered at once; then one that took 3 ms, and is of the moment at which it was asked for.
        assert_eq!(clock.note(1_000_000, began, began), 1_000_000);
        assert_eq!(clock.note(1_010_000, began + 10 * MS, began + 13 * MS), 1_013_000);
        // Of a later moment than thought: it goes forward. Of an earlier one: it was set, and goes back.
        assert_eq!(clock.note(1_021_500, began + 20 * MS, began + 21 * MS), 1_021_500);
        assert_eq!(clock.note(900_000, began + 30 * MS, began + 31 * MS), 900_000);
        assert!(clock.now_ms().is_some());
    }

    #[test]
    fn a_late_answer_and_an_old_one_are_not_carried_on() {
        let clock = Clock::default();
        let now = Instant::now();
        let Some(began) = now.checked_sub(2 * GOOD_FOR) else { return };
        clock.note(1_000_000, began, began);
        assert_eq!(clock.now_ms(), None, "old");
        clock.note(2_000_000, now, now);
        assert!(clock.now_ms().is_some());
        assert_eq!(clock.note(5_000_000, now, now + TOOK_MAX + MS), 5_000_000);
        assert_eq!(clock.now_ms(), None, "it took too long");
    }
}
