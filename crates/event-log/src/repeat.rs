//! The same events appended a second time.

use crate::log::Log;

/// The last `n_events` events are the same as those right before them: some kernels append the
/// firmware's final events to a log that has them already. Nothing is left out of the replay for
/// it; it explains a mismatch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RepeatedTail {
    /// Number of the first repeated event.
    pub first_event: u32,
    /// How many are repeated.
    pub n_events: u32,
}

/// Finds the longest exact repetition of two events or more at the end of `log`, in O(events).
pub fn repeated_tail(log: &Log<'_>) -> Option<RepeatedTail> {
    let events = log.events();
    let same = |i: usize, j: usize| match (from_end(events, i), from_end(events, j)) {
        (Some(a), Some(b)) => {
            a.pcr_index == b.pcr_index
                && a.untrusted_event_type == b.untrusted_event_type
                && a.digests == b.digests
                && a.untrusted_data == b.untrusted_data
        }
        _ => false,
    };
    // The Z function over the events counted from the end: `z` of `n` is how many events before
    // the last `n` equal the last ones, so the last `n` are repeated where it is `n` or more.
    let mut z = vec![0usize; events.len()];
    let (mut left, mut right) = (0usize, 0usize);
    let mut longest = 0;
    for n in 1..events.len() {
        let known = z.get(n.saturating_sub(left)).copied().unwrap_or(0);
        let mut len = if n < right { known.min(right.saturating_sub(n)) } else { 0 };
        while same(len, n.saturating_add(len)) {
            len = len.saturating_add(1);
        }
        if let Some(slot) = z.get_mut(n) {
            *slot = len;
        }
        if n.saturating_add(len) > right {
            (left, right) = (n, n.saturating_add(len));
        }
        if len >= n {
            longest = n;
        }
    }
    let first = events.len().checked_sub(longest).filter(|_| longest >= 2)?;
    Some(RepeatedTail {
        first_event: u32::try_from(first).ok()?,
        n_events: u32::try_from(longest).ok()?,
    })
}

fn from_end<T>(items: &[T], i: usize) -> Option<&T> {
    items.get(items.len().checked_sub(i)?.checked_sub(1)?)
}
