//! What is counted of requests to the store of objects.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use crate::ObjectError;

/// Requests since the start.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ObjectActivity {
    /// Objects that were written.
    pub n_written: u64,
    /// Their bytes.
    pub n_bytes_written: u64,
    /// Objects that were read.
    pub n_read: u64,
    /// Objects that were removed.
    pub n_removed: u64,
    /// Requests that failed, after all tries.
    pub n_failed: u64,
    /// Objects that were not there, or were not what was written.
    pub n_lost: u64,
    /// Microseconds for which somebody waited for an object to be written or read.
    pub waited_us: u64,
}

#[derive(Debug, Default)]
pub(crate) struct Counters {
    n_written: AtomicU64,
    n_bytes_written: AtomicU64,
    n_read: AtomicU64,
    n_removed: AtomicU64,
    n_failed: AtomicU64,
    n_lost: AtomicU64,
    waited_us: AtomicU64,
}

impl Counters {
    pub(crate) fn seen(&self) -> ObjectActivity {
        ObjectActivity {
            n_written: self.n_written.load(Relaxed),
            n_bytes_written: self.n_bytes_written.load(Relaxed),
            n_read: self.n_read.load(Relaxed),
            n_removed: self.n_removed.load(Relaxed),
            n_failed: self.n_failed.load(Relaxed),
            n_lost: self.n_lost.load(Relaxed),
            waited_us: self.waited_us.load(Relaxed),
        }
    }

    pub(crate) fn written(&self, n_bytes: usize, took: Duration) {
        self.n_written.fetch_add(1, Relaxed);
        self.n_bytes_written.fetch_add(u64::try_from(n_bytes).unwrap_or(u64::MAX), Relaxed);
        self.waited(took);
    }

    pub(crate) fn read(&self, took: Duration) {
        self.n_read.fetch_add(1, Relaxed);
        self.waited(took);
    }

    pub(crate) fn removed(&self) {
        self.n_removed.fetch_add(1, Relaxed);
    }

    pub(crate) fn failed(&self, error: &ObjectError) {
        match error {
            ObjectError::Missing | ObjectError::TooLong { .. } => self.lost(),
            ObjectError::Refused { .. } | ObjectError::Unavailable { .. } => {
                self.n_failed.fetch_add(1, Relaxed);
            }
        }
    }

    pub(crate) fn lost(&self) {
        self.n_lost.fetch_add(1, Relaxed);
    }

    fn waited(&self, took: Duration) {
        let us = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        self.waited_us.fetch_add(us, Relaxed);
    }
}
