//! Wrong logins in the audit log: told, and never so many that they fill it.

use std::{
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

/// Rows in [`WINDOW`]: an audit row is there for ever, and anybody can ask for one.
const ROWS_MAX: u32 = 20;

const WINDOW: Duration = Duration::from_secs(10 * 60);

#[derive(Debug)]
struct Window {
    began: Option<Instant>,
    n_rows: u32,
    n_untold: u32,
}

/// Says which wrong logins become rows.
#[derive(Debug)]
pub(super) struct LoginLog(Mutex<Window>);

impl Default for LoginLog {
    fn default() -> Self {
        Self(Mutex::new(Window { began: None, n_rows: 0, n_untold: 0 }))
    }
}

impl LoginLog {
    /// Whether one at `now` becomes a row, and how many before it did not.
    pub(super) fn row(&self, now: Instant) -> Option<u32> {
        let mut window = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if window.began.is_none_or(|began| now.saturating_duration_since(began) >= WINDOW) {
            window.began = Some(now);
            window.n_rows = 0;
        }
        if window.n_rows >= ROWS_MAX {
            window.n_untold = window.n_untold.saturating_add(1);
            return None;
        }
        window.n_rows += 1;
        Some(std::mem::take(&mut window.n_untold))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_is_told_as_a_number() {
        let (log, start) = (LoginLog::default(), Instant::now());
        let told = (0..1_000).filter_map(|_| log.row(start)).collect::<Vec<_>>();
        assert_eq!(told, [0; 20]);
        assert_eq!(log.row(start + WINDOW - Duration::from_millis(1)), None);
        assert_eq!(log.row(start + WINDOW), Some(981));
        assert_eq!(log.row(start + WINDOW), Some(0));
    }
}
