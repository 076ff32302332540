//! What a store did since it was opened, for those who watch it. Counting costs some additions.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Microseconds up to which durations of transactions are counted together.
const DURATION_BOUNDS_US: &[u64] = &[
    250, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 1_000_000, 5_000_000,
];

/// Requests in one transaction up to which they are counted together.
const BATCH_BOUNDS: &[u64] = &[1, 2, 4, 8, 16, 32, 64, 128, 256];

/// What a store did since it was opened, and what it is at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Activity {
    /// Transactions that are on disk.
    pub n_committed: u64,
    /// Transactions that were lost as a whole: disk full, no database, too slow.
    pub n_lost: u64,
    /// Transactions that lost a race and were begun again.
    pub n_retried: u64,
    /// Requests in each transaction.
    pub batch: Spread,
    /// Microseconds from the begin of each transaction to its end, committed or not.
    pub transaction_us: Spread,
    /// Changes that wait for their turn.
    pub n_waiting: u64,
    /// Connections that are in use, and how many there may be.
    pub n_busy: u64,
    /// How many connections there may be.
    pub n_busy_max: u64,
}

/// How values are spread.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spread {
    /// Each upper bound, and how many values are up to it and above the one before.
    pub counts: Vec<(u64, u64)>,
    /// How many are above all bounds.
    pub n_above: u64,
    /// The sum of all values.
    pub sum: u64,
}

/// Counts as it goes.
#[derive(Debug)]
pub(crate) struct Counters {
    n_committed: AtomicU64,
    n_lost: AtomicU64,
    n_retried: AtomicU64,
    n_waiting: AtomicU64,
    batch: Counted,
    transaction_us: Counted,
}

#[derive(Debug)]
struct Counted {
    bounds: &'static [u64],
    /// One more than there are bounds.
    counts: Box<[AtomicU64]>,
    sum: AtomicU64,
}

impl Counted {
    fn new(bounds: &'static [u64]) -> Self {
        let counts = bounds.iter().map(|_| AtomicU64::new(0)).chain([AtomicU64::new(0)]).collect();
        Self { bounds, counts, sum: AtomicU64::new(0) }
    }

    fn count(&self, value: u64) {
        let place = self.bounds.iter().position(|bound| value <= *bound);
        if let Some(count) = self.counts.get(place.unwrap_or(self.bounds.len())) {
            count.fetch_add(1, Ordering::Relaxed);
        }
        self.sum.fetch_add(value, Ordering::Relaxed);
    }

    fn now(&self) -> Spread {
        let mut counts: Vec<_> =
            self.counts.iter().map(|count| count.load(Ordering::Relaxed)).collect();
        let n_above = counts.pop().unwrap_or(0);
        let counts = self.bounds.iter().copied().zip(counts).collect();
        Spread { counts, n_above, sum: self.sum.load(Ordering::Relaxed) }
    }
}

impl Default for Counters {
    fn default() -> Self {
        Self {
            n_committed: AtomicU64::new(0),
            n_lost: AtomicU64::new(0),
            n_retried: AtomicU64::new(0),
            n_waiting: AtomicU64::new(0),
            batch: Counted::new(BATCH_BOUNDS),
            transaction_us: Counted::new(DURATION_BOUNDS_US),
        }
    }
}

/// How a transaction ended.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Ending {
    Committed,
    Lost,
}

/// Counts one that waits until it is dropped.
pub(crate) struct Waits<'a>(&'a AtomicU64);

impl Drop for Waits<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Counters {
    /// A transaction of `n_requests` is on disk, or lost.
    pub(crate) fn ended(&self, ending: Ending, n_requests: usize, took: Duration) {
        let count = match ending {
            Ending::Committed => &self.n_committed,
            Ending::Lost => &self.n_lost,
        };
        count.fetch_add(1, Ordering::Relaxed);
        self.batch.count(u64::try_from(n_requests).unwrap_or(u64::MAX));
        self.transaction_us.count(u64::try_from(took.as_micros()).unwrap_or(u64::MAX));
    }

    /// A transaction lost a race, and is begun again.
    pub(crate) fn retried(&self) {
        self.n_retried.fetch_add(1, Ordering::Relaxed);
    }

    /// Somebody waits for a connection, until the return is dropped.
    pub(crate) fn waits(&self) -> Waits<'_> {
        self.n_waiting.fetch_add(1, Ordering::Relaxed);
        Waits(&self.n_waiting)
    }

    /// What was counted; `n_waiting` where the queue counts itself.
    pub(crate) fn now(&self, n_waiting: Option<u64>, n_busy: u64, n_busy_max: u64) -> Activity {
        Activity {
            n_committed: self.n_committed.load(Ordering::Relaxed),
            n_lost: self.n_lost.load(Ordering::Relaxed),
            n_retried: self.n_retried.load(Ordering::Relaxed),
            batch: self.batch.now(),
            transaction_us: self.transaction_us.now(),
            n_waiting: n_waiting.unwrap_or_else(|| self.n_waiting.load(Ordering::Relaxed)),
            n_busy,
            n_busy_max,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_counted_below_their_bound() {
        let counted = Counted::new(&[1, 10]);
        for value in [0, 1, 2, 10, 11, 1_000] {
            counted.count(value);
        }
        let spread = counted.now();
        assert_eq!(spread.counts, [(1, 2), (10, 2)]);
        assert_eq!((spread.n_above, spread.sum), (2, 1_024));
    }

    #[test]
    fn who_waits_is_counted_while_he_does() {
        let counters = Counters::default();
        let waits = counters.waits();
        assert_eq!(counters.now(None, 0, 0).n_waiting, 1);
        drop(waits);
        assert_eq!(counters.now(None, 0, 0).n_waiting, 0);
    }
}
