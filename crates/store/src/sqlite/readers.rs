//! The threads that read, each with a connection of its own; and connections for what is found by its key,
//! which costs less than to have a thread do it.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, TryLockError};
use std::thread::JoinHandle;

use rusqlite::Connection as Db;
use tokio::sync::{mpsc, oneshot};

use crate::StoreError;

/// Requests that wait before callers do.
const WAITING_MAX: usize = 1024;

type Job = Box<dyn FnOnce(&Db) + Send>;

#[derive(Debug)]
pub(super) struct Readers {
    jobs: Option<mpsc::Sender<Job>>,
    threads: Vec<JoinHandle<()>>,
    n_busy: Arc<AtomicU64>,
    at_hand: Vec<Mutex<Db>>,
}

impl Readers {
    /// `connections` for threads, and those `at_hand` for look-ups.
    pub(super) fn start(connections: Vec<Db>, at_hand: Vec<Db>) -> Result<Self, StoreError> {
        let (jobs, waiting) = mpsc::channel::<Job>(WAITING_MAX);
        let waiting = Arc::new(Mutex::new(waiting));
        let n_busy = Arc::new(AtomicU64::new(0));
        let threads = connections.into_iter().map(|db| {
            let waiting = Arc::clone(&waiting);
            let n_busy = Arc::clone(&n_busy);
            std::thread::Builder::new()
                .name("store-reader".into())
                .spawn(move || {
                    while let Some(job) = take(&waiting) {
                        n_busy.fetch_add(1, Ordering::Relaxed);
                        job(&db);
                        n_busy.fetch_sub(1, Ordering::Relaxed);
                    }
                })
                .map_err(|error| StoreError::Unavailable { source: Box::new(error) })
        });
        Ok(Self {
            jobs: Some(jobs),
            threads: threads.collect::<Result<_, _>>()?,
            n_busy,
            at_hand: at_hand.into_iter().map(Mutex::new).collect(),
        })
    }

    /// Threads that read at this moment.
    pub(super) fn n_busy(&self) -> u64 {
        self.n_busy.load(Ordering::Relaxed)
    }

    /// Runs `work`, which finds some rows by their key, on the last commit: where a connection is free here and
    /// now, else as [`Self::run`] does.
    pub(super) async fn look_up<T, F>(&self, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&Db) -> Result<T, StoreError> + Send + 'static,
    {
        for db in &self.at_hand {
            match db.try_lock() {
                Ok(db) => return work(&db),
                Err(TryLockError::Poisoned(db)) => return work(&db.into_inner()),
                Err(TryLockError::WouldBlock) => {}
            }
        }
        self.run(work).await
    }

    /// Runs `work` on the last commit.
    pub(super) async fn run<T, F>(&self, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&Db) -> Result<T, StoreError> + Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        let job: Job = Box::new(move |db| drop(reply.send(work(db))));
        let jobs = self.jobs.as_ref().ok_or_else(StoreError::closed)?;
        jobs.send(job).await.map_err(|_| StoreError::closed())?;
        answer.await.map_err(|_| StoreError::closed())?
    }
}

impl Drop for Readers {
    fn drop(&mut self) {
        self.jobs = None;
        self.at_hand.clear();
        for thread in self.threads.drain(..) {
            if thread.join().is_err() {
                tracing::error!("a reader thread of the store ended by a panic");
            }
        }
    }
}

/// The next job; one thread waits for it, the others wait for that thread.
fn take(waiting: &Mutex<mpsc::Receiver<Job>>) -> Option<Job> {
    waiting.lock().ok()?.blocking_recv()
}
