//! Many BMCs, some at a time.

use std::{collections::VecDeque, sync::Arc};

use firmware::Snapshot;
use tokio::task::JoinSet;

use crate::{Bmc, RedfishError};

/// BMCs that are asked at once, where nobody says otherwise: a scan waits for slow BMCs, not for this
/// machine, and management networks are thin.
pub const AT_ONCE: usize = 64;

/// Asks each BMC, at most `at_once` at a time. What came of each is read by `read` on the spot, since
/// the resources of a thousand BMCs together would not fit; `seen` is told in the order of their ends,
/// with the place of the BMC in `bmcs`. One that fails is a result like another.
pub async fn scan<T: Send + 'static>(
    bmcs: Vec<Bmc>,
    at_once: usize,
    read: impl Fn(Result<Snapshot, RedfishError>) -> T + Send + Sync + 'static,
    mut seen: impl FnMut(usize, T),
) {
    let read = Arc::new(read);
    let mut waiting: VecDeque<_> = bmcs.into_iter().enumerate().collect();
    let mut running = JoinSet::new();
    loop {
        while running.len() < at_once.max(1)
            && let Some((place, bmc)) = waiting.pop_front()
        {
            let read = Arc::clone(&read);
            running.spawn(async move {
                let gathered = bmc.gather().await;
                bmc.log_out().await;
                (place, read(gathered))
            });
        }
        match running.join_next().await {
            Some(Ok((place, result))) => seen(place, result),
            // It panicked while it read: a fault of ours, which the runtime has told.
            Some(Err(_)) => (),
            None => break,
        }
    }
}
