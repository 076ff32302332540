//! The thread that writes: group commit.
//!
//! It blocks for a first request, takes what else is waiting, runs each in a savepoint of one
//! transaction, commits, and only then answers all. While one commit waits for the disk, the next batch
//! gathers itself; where several came lately it is given some moments more ([`GATHERING`]). A request that
//! fails takes back its own savepoint and nothing of its neighbours.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rusqlite::Connection as Db;
use tokio::sync::{mpsc, oneshot};

use super::recent::{Recent, Touched};
use crate::activity::{Counters, Ending};
use crate::{HostId, StoreError};

/// Requests in one transaction. Beyond this the flush is no longer what costs, and the first in
/// the batch would wait for nothing.
const BATCH_MAX: usize = 256;

/// Requests that wait before callers do: some batches, so that the writer never idles.
const WAITING_MAX: usize = 4 * BATCH_MAX;

/// A part of the time in which a batch gathers, where the last one had several requests: about as long as a flush of
/// the disk takes, which a commit costs in any case. Who is alone does not wait.
const GATHERING: Duration = Duration::from_micros(400);

/// So many parts at most, as long as each brings somebody: a commit costs its flush, some pages and a look through the
/// pages in memory, as much as eight verdicts, and it costs that for one request and for many. Who waits has waited some
/// ten times as long for a TPM.
const GATHERINGS_MAX: usize = 4;

/// Requests with which a batch does not wait for more.
const GATHERED: usize = 16;

#[derive(Debug)]
pub(super) struct Writer {
    jobs: Option<mpsc::Sender<Box<dyn Job>>>,
    thread: Option<JoinHandle<()>>,
    counters: Arc<Counters>,
}

impl Writer {
    /// `has_committed` is set after each commit, and `recent` told of it.
    pub(super) fn start(
        db: Db,
        has_committed: Arc<AtomicBool>,
        recent: Arc<Recent>,
    ) -> Result<Self, StoreError> {
        let (jobs, waiting) = mpsc::channel(WAITING_MAX);
        let counters = Arc::new(Counters::default());
        let counting = Arc::clone(&counters);
        let thread = std::thread::Builder::new()
            .name("store-writer".into())
            .spawn(move || work(&db, waiting, &counting, &has_committed, &recent))
            .map_err(|error| StoreError::Unavailable { source: Box::new(error) })?;
        Ok(Self { jobs: Some(jobs), thread: Some(thread), counters })
    }

    /// What it counted.
    pub(super) fn counters(&self) -> &Counters {
        &self.counters
    }

    /// Requests that wait for the next transaction.
    pub(super) fn n_waiting(&self) -> u64 {
        let n = self.jobs.as_ref().map_or(0, |jobs| jobs.max_capacity() - jobs.capacity());
        u64::try_from(n).unwrap_or(u64::MAX)
    }

    /// Runs `work` in a savepoint; resolves after the commit that holds it.
    pub(super) async fn run<T, F>(&self, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&Db) -> Result<T, StoreError> + Send + 'static,
    {
        self.send(work, Undoing::Savepoint, |_| Touched::Anything).await
    }

    /// As [`Self::run`], for work that changes nothing of what is kept in memory but `host`.
    pub(super) async fn run_for<T, F>(&self, host: HostId, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&Db) -> Result<T, StoreError> + Send + 'static,
    {
        self.send(work, Undoing::Savepoint, |_| Touched::Host(host)).await
    }

    /// As [`Self::run`], for work that refuses before it changes anything. It needs no savepoint, for which the
    /// database would copy each page that is changed. Where it fails in the midst after all (the disk is full, a
    /// row is damaged), the transaction is lost with all that is in it. `touched` says what it changed of what is kept
    /// in memory.
    pub(super) async fn run_checked<T, F>(
        &self,
        work: F,
        touched: impl FnOnce(&mut T) -> Touched + Send + 'static,
    ) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&Db) -> Result<T, StoreError> + Send + 'static,
    {
        self.send(work, Undoing::Transaction, touched).await
    }

    async fn send<T, F>(
        &self,
        work: F,
        undoing: Undoing,
        touched: impl FnOnce(&mut T) -> Touched + Send + 'static,
    ) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&Db) -> Result<T, StoreError> + Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        let (work, touched) = (Some(work), Some(touched));
        let job = Box::new(Request { work, undoing, touched, result: None, reply });
        let jobs = self.jobs.as_ref().ok_or_else(StoreError::closed)?;
        jobs.send(job).await.map_err(|_| StoreError::closed())?;
        answer.await.map_err(|_| StoreError::closed())?
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        // With the last sender gone the thread finishes what it has and closes the file.
        self.jobs = None;
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the store's writer thread ended by a panic");
        }
    }
}

/// What takes back the changes of a request that fails.
#[derive(Clone, Copy)]
enum Undoing {
    /// A savepoint of its own.
    Savepoint,
    /// The end of the transaction: it has none to take back.
    Transaction,
}

/// What is left to do with the changes of a request.
#[derive(Clone, Copy)]
enum Ran {
    Keep,
    Undo,
}

/// One request, with the types of its answer hidden.
trait Job: Send {
    fn run(&mut self, db: &Db) -> Ran;
    fn undoing(&self) -> Undoing;
    /// What it changed, in a transaction that was committed.
    fn touched(&mut self) -> Touched;
    /// Sends the answer: what `run` got, if its transaction was committed.
    fn answer(self: Box<Self>, committed: Result<(), &Lost>);
}

/// Why a transaction was lost as a whole. Shared by all requests in it.
type Lost = Arc<rusqlite::Error>;

struct Request<T, F, C> {
    work: Option<F>,
    undoing: Undoing,
    touched: Option<C>,
    result: Option<Result<T, StoreError>>,
    reply: oneshot::Sender<Result<T, StoreError>>,
}

impl<T, F, C> Job for Request<T, F, C>
where
    T: Send,
    F: FnOnce(&Db) -> Result<T, StoreError> + Send,
    C: FnOnce(&mut T) -> Touched + Send,
{
    fn run(&mut self, db: &Db) -> Ran {
        let Some(work) = self.work.take() else { return Ran::Undo };
        let result = work(db);
        let ran = if result.is_ok() { Ran::Keep } else { Ran::Undo };
        self.result = Some(result);
        ran
    }

    fn undoing(&self) -> Undoing {
        self.undoing
    }

    fn touched(&mut self) -> Touched {
        match (&mut self.result, self.touched.take()) {
            (Some(Ok(result)), Some(touched)) => touched(result),
            // What it did was taken back.
            _ => Touched::Nothing,
        }
    }

    fn answer(self: Box<Self>, committed: Result<(), &Lost>) {
        // Also a refusal is void in a lost transaction: it may rest on a neighbour's change.
        let result = match committed {
            Ok(()) => self.result.unwrap_or_else(|| Err(StoreError::closed())),
            Err(lost) => Err(StoreError::Unavailable { source: Box::new(Arc::clone(lost)) }),
        };
        // A caller who left does not hear; the change stands all the same.
        drop(self.reply.send(result));
    }
}

fn work(
    db: &Db,
    mut waiting: mpsc::Receiver<Box<dyn Job>>,
    counters: &Counters,
    has_committed: &AtomicBool,
    recent: &Recent,
) {
    let mut batch = Vec::with_capacity(BATCH_MAX);
    let mut n_last = 0;
    while waiting.blocking_recv_many(&mut batch, BATCH_MAX) > 0 {
        if n_last > 1 {
            gather(&mut batch, &mut waiting);
        }
        n_last = batch.len();
        let mut rest = batch.drain(..);
        while rest.len() > 0 {
            let mut ran = Vec::with_capacity(rest.len());
            let begun = Instant::now();
            let outcome = transaction(db, &mut rest, &mut ran);
            match &outcome {
                Ok(()) => recent.committed(ran.iter_mut().map(|job| job.touched())),
                // It may be on the disk all the same.
                Err(_) => recent.committed([Touched::Anything]),
            }
            let ending = if outcome.is_ok() { Ending::Committed } else { Ending::Lost };
            has_committed.store(true, Ordering::Relaxed);
            counters.ended(ending, ran.len(), begun.elapsed());
            if let Err(lost) = &outcome {
                tracing::error!(error = %lost, n_requests = ran.len(), "database transaction lost");
            }
            for job in ran {
                job.answer(outcome.as_ref().copied());
            }
        }
    }
}

/// Waits for more, as long as more come.
fn gather(batch: &mut Vec<Box<dyn Job>>, waiting: &mut mpsc::Receiver<Box<dyn Job>>) {
    for _ in 0..GATHERINGS_MAX {
        let n_before = batch.len();
        if n_before >= GATHERED {
            return;
        }
        std::thread::sleep(GATHERING);
        while batch.len() < BATCH_MAX
            && let Ok(job) = waiting.try_recv()
        {
            batch.push(job);
        }
        if batch.len() == n_before {
            return;
        }
    }
}

/// Runs jobs into one transaction and commits it. Jobs move to `ran` as they are taken; all of them
/// share the outcome. On an error that ends the transaction early, the rest is left for the next.
fn transaction(
    db: &Db,
    jobs: &mut impl Iterator<Item = Box<dyn Job>>,
    ran: &mut Vec<Box<dyn Job>>,
) -> Result<(), Lost> {
    let outcome = fill_and_commit(db, jobs, ran);
    if outcome.is_err() {
        // The transaction could not even begin (another process holds the file): trying again for
        // each that waits would make the last wait as many times as long.
        if ran.is_empty() {
            ran.extend(jobs);
        }
        if !db.is_autocommit()
            && let Err(error) = db.execute_batch("ROLLBACK")
        {
            tracing::error!(%error, "cannot roll back");
        }
    }
    outcome.map_err(Arc::new)
}

fn fill_and_commit(
    db: &Db,
    jobs: &mut impl Iterator<Item = Box<dyn Job>>,
    ran: &mut Vec<Box<dyn Job>>,
) -> rusqlite::Result<()> {
    step(db, "BEGIN IMMEDIATE")?;
    for job in jobs {
        ran.push(job);
        let Some(job) = ran.last_mut() else { continue };
        match job.undoing() {
            Undoing::Savepoint => {
                step(db, "SAVEPOINT request")?;
                if let Ran::Undo = job.run(db) {
                    // Fails where the error has ended the whole transaction (disk full, I/O): then all
                    // that ran is lost, and is told so.
                    step(db, "ROLLBACK TO request")?;
                }
                step(db, "RELEASE request")?;
            }
            Undoing::Transaction => {
                let n_before = db.total_changes();
                if let Ran::Undo = job.run(db)
                    && (db.is_autocommit() || db.total_changes() != n_before)
                {
                    return Err(failed_midway());
                }
            }
        }
    }
    step(db, "COMMIT")
}

/// A request changed something and failed then, though it was to look first.
fn failed_midway() -> rusqlite::Error {
    let abort = rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_ABORT);
    let text = "a request failed after it had changed something".to_owned();
    rusqlite::Error::SqliteFailure(abort, Some(text))
}

fn step(db: &Db, sql: &str) -> rusqlite::Result<()> {
    db.prepare_cached(sql)?.execute([]).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn add(db: &Db, n: i64) -> Result<(), StoreError> {
        db.execute("INSERT INTO t VALUES (?1)", [n])?;
        Ok(())
    }

    fn writer() -> (Writer, tempfile::TempDir) {
        let folder = tempfile::tempdir().unwrap();
        let db = Db::open(folder.path().join("t.db")).unwrap();
        db.execute_batch("CREATE TABLE t (n INTEGER UNIQUE)").unwrap();
        (Writer::start(db, Arc::default(), Arc::default()).unwrap(), folder)
    }

    async fn count(writer: &Writer) -> i64 {
        let sql = "SELECT count(*) FROM t";
        writer.run(|db| Ok(db.query_row(sql, [], |row| row.get(0))?)).await.unwrap()
    }

    /// Requests that came while another one ran: they are in one transaction.
    async fn together<T>(writer: &Writer, requests: impl Future<Output = T>) -> T {
        let (go, wait) = std::sync::mpsc::channel::<()>();
        let holding = writer.run(move |_| {
            wait.recv().ok();
            Ok(())
        });
        let ask = async {
            tokio::pin!(requests);
            // All are in the channel after their first poll.
            let ready = std::future::poll_fn(|cx| {
                std::task::Poll::Ready(requests.as_mut().poll(cx).is_ready())
            });
            assert!(!ready.await);
            drop(go);
            requests.await
        };
        tokio::join!(holding, ask).1
    }

    /// So many that wait, after which nobody comes.
    fn waiting(n: usize) -> mpsc::Receiver<Box<dyn Job>> {
        let (jobs, waiting) = mpsc::channel(BATCH_MAX);
        for job in idle(n) {
            jobs.try_send(job).ok().unwrap();
        }
        waiting
    }

    fn idle(n: usize) -> Vec<Box<dyn Job>> {
        let job = |_| -> Box<dyn Job> {
            Box::new(Request {
                work: Some(|_: &Db| Ok(())),
                undoing: Undoing::Savepoint,
                touched: Some(|(): &mut ()| Touched::Nothing),
                result: None,
                reply: oneshot::channel().0,
            })
        };
        (0..n).map(job).collect()
    }

    #[test]
    fn a_batch_takes_who_comes_and_waits_for_no_more_than_a_flush_is_worth() {
        // Some that come meanwhile, and then nobody.
        let mut more = waiting(3);
        let mut batch = idle(2);
        gather(&mut batch, &mut more);
        assert_eq!((batch.len(), more.len()), (5, 0));
        // Enough of them: nobody is waited for.
        let mut more = waiting(3);
        let mut batch = idle(GATHERED);
        gather(&mut batch, &mut more);
        assert_eq!((batch.len(), more.len()), (GATHERED, 3));
        // Never more than a transaction has.
        let mut more = waiting(BATCH_MAX);
        let mut batch = idle(1);
        gather(&mut batch, &mut more);
        assert_eq!((batch.len(), more.len()), (BATCH_MAX, 1));
    }

    #[tokio::test]
    async fn a_refusal_before_any_change_spares_its_neighbours() {
        let (writer, _folder) = writer();
        let requests = async {
            tokio::join!(
                writer.run_checked(|db| add(db, 1), |()| Touched::Nothing),
                writer
                    .run_checked(|_| Err::<(), _>(StoreError::broken("no")), |()| Touched::Nothing),
                writer.run(|db| add(db, 2)),
            )
        };
        let (first, refused, last) = together(&writer, requests).await;
        assert!(first.is_ok() && last.is_ok(), "{first:?} {last:?}");
        assert!(matches!(refused, Err(StoreError::Broken { .. })), "{refused:?}");
        assert_eq!(count(&writer).await, 2);
    }

    #[tokio::test]
    async fn a_failure_after_a_change_is_no_ones_success() {
        let (writer, _folder) = writer();
        let requests = async {
            tokio::join!(
                writer.run(|db| add(db, 1)),
                writer
                    .run_checked(|db| add(db, 2).and_then(|()| add(db, 2)), |()| Touched::Nothing),
                writer.run_checked(|db| add(db, 3), |()| Touched::Nothing),
            )
        };
        let (before, failed, after) = together(&writer, requests).await;
        assert!(matches!(before, Err(StoreError::Unavailable { .. })), "{before:?}");
        assert!(matches!(failed, Err(StoreError::Unavailable { .. })), "{failed:?}");
        assert!(after.is_ok(), "it is tried in a transaction of its own: {after:?}");
        assert_eq!(count(&writer).await, 1);

        // With a savepoint the same failure is the request's own.
        let requests = async {
            tokio::join!(
                writer.run(|db| add(db, 4)),
                writer.run(|db| add(db, 5).and_then(|()| add(db, 5))),
            )
        };
        let (sound, failed) = together(&writer, requests).await;
        assert!(sound.is_ok() && failed.is_err(), "{sound:?} {failed:?}");
        assert_eq!(count(&writer).await, 2);
    }
}
