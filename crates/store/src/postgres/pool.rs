//! Connections that requests share.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::address::PostgresAddress;
use super::session::Session;
use crate::activity::Counters;
use crate::{Activity, StoreError};

/// Connections of one server. PostgreSQL allows 100 by default, which must do for five servers and
/// the administrator; what a database of some cores does at once is less.
const SESSIONS_MAX: usize = 16;

/// How long a request waits for one of them. A rollout joins at once, up to
/// [`crate::PENDING_PER_JOIN_TOKEN_MAX`] hosts by one token, and a busy database of two cores gets through
/// those within it. What waits longer only makes the queue longer: who is told so comes again later.
const WAIT_MAX: Duration = Duration::from_secs(25);

/// The pool: a stack, so that those on top stay warm.
#[derive(Debug)]
pub(super) struct Pool {
    address: PostgresAddress,
    idle: Mutex<Vec<Arc<Session>>>,
    permits: Arc<Semaphore>,
    counters: Counters,
}

impl Pool {
    pub(super) fn new(address: PostgresAddress) -> Arc<Self> {
        let permits = Arc::new(Semaphore::new(SESSIONS_MAX));
        Arc::new(Self { address, idle: Mutex::default(), permits, counters: Counters::default() })
    }

    /// What it counted.
    pub(super) fn counters(&self) -> &Counters {
        &self.counters
    }

    /// What goes on.
    pub(super) fn activity(&self) -> Activity {
        let count = |n: usize| u64::try_from(n).unwrap_or(u64::MAX);
        let n_busy = SESSIONS_MAX.saturating_sub(self.permits.available_permits());
        self.counters.now(None, count(n_busy), count(SESSIONS_MAX))
    }

    /// A connection: one that is idle, else a new one.
    pub(super) async fn take(self: &Arc<Self>) -> Result<Lease, StoreError> {
        let waiting = Arc::clone(&self.permits).acquire_owned();
        let waits = self.counters.waits();
        let permit = match tokio::time::timeout(WAIT_MAX, waiting).await {
            Ok(Ok(permit)) => permit,
            Ok(Err(_)) => return Err(StoreError::closed()),
            Err(_) => {
                let source = format!(
                    "all {SESSIONS_MAX} connections to the database were busy for {} s",
                    WAIT_MAX.as_secs()
                );
                return Err(StoreError::Unavailable { source: source.into() });
            }
        };
        drop(waits);
        let session = match self.pop() {
            Some(session) => session,
            None => Arc::new(Session::connect(&self.address).await?),
        };
        Ok(Lease { pool: Arc::clone(self), session, keep: true, _permit: permit })
    }

    fn pop(&self) -> Option<Arc<Session>> {
        let mut idle = self.idle();
        // After a restart of the database all of them are closed.
        while let Some(session) = idle.pop() {
            if !session.is_closed() {
                return Some(session);
            }
        }
        None
    }

    fn idle(&self) -> std::sync::MutexGuard<'_, Vec<Arc<Session>>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A connection for one request. It goes back into the pool when dropped, or is closed.
#[derive(Debug)]
pub(super) struct Lease {
    pool: Arc<Pool>,
    session: Arc<Session>,
    keep: bool,
    _permit: OwnedSemaphorePermit,
}

impl Lease {
    /// It is in the middle of something, or does not answer: nobody may go on with it, unless it
    /// [ends](Self::end) well.
    pub(super) fn begin(&mut self) {
        self.keep = false;
    }

    /// What was begun is ended.
    pub(super) fn end(&mut self) {
        self.keep = true;
    }

    /// The connection.
    pub(super) fn session(&self) -> &Session {
        &self.session
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        if self.keep && !self.session.is_closed() {
            self.pool.idle().push(Arc::clone(&self.session));
        }
    }
}
