//! The thread that brings what was committed from the write-ahead log into the file.
//!
//! SQLite by itself has the connection that commits do it, every thousand pages: whoever waits for a verdict then
//! waits for two more flushes of the disk. Here another connection does it, beside the writer, which goes on. The
//! log begins anew only where all of it was brought over, which under load this thread never sees: so at
//! [`LOG_PAGES_MAX`] the writer does the rest itself, and that is little.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

use rusqlite::Connection as Db;

use crate::StoreError;

/// Pages of the log at which the writer does the rest: 64 MiB.
pub(super) const LOG_PAGES_MAX: i64 = 16_384;

/// The pause between two times: pages that many verdicts change, such as the ends of indexes, are written once for
/// all that came in it.
const PAUSE: Duration = Duration::from_millis(500);

/// The thread.
#[derive(Debug)]
pub(super) struct Checkpointer {
    has_committed: Arc<AtomicBool>,
    end: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Checkpointer {
    /// On a connection of its own.
    pub(super) fn start(db: Db) -> Result<Self, StoreError> {
        let has_committed = Arc::new(AtomicBool::new(false));
        let looks = Arc::clone(&has_committed);
        let (end, ended) = channel();
        let thread = std::thread::Builder::new()
            .name("store-checkpoint".into())
            .spawn(move || work(&db, &looks, &ended))
            .map_err(|error| StoreError::Unavailable { source: Box::new(error) })?;
        Ok(Self { has_committed, end: Some(end), thread: Some(thread) })
    }

    /// What the writer sets after each commit.
    pub(super) fn has_committed(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.has_committed)
    }
}

impl Drop for Checkpointer {
    fn drop(&mut self) {
        self.end = None;
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the store's checkpoint thread ended by a panic");
        }
    }
}

fn work(db: &Db, has_committed: &AtomicBool, ended: &Receiver<()>) {
    while ended.recv_timeout(PAUSE) == Err(RecvTimeoutError::Timeout) {
        if !has_committed.swap(false, Ordering::Relaxed) {
            continue;
        }
        let done = db.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |row| row.get::<_, i64>(0));
        if let Err(error) = done {
            // It stays in the log, where it is as safe.
            tracing::warn!(%error, "the write-ahead log cannot be brought into the database now");
        }
    }
}
