//! A change: one transaction, tried again where it lost a race.
//!
//! Rules that two requests could break by racing hold because a transaction locks what a rule is
//! about before it looks: in this order, so that nobody waits in a circle: the started enrolment,
//! the join token, the host, references ([`references`]), what is removed ([`removals`]), the cohort's
//! counts ([`cohorts`]), evidence, and last of all the end of the audit log. (Who changes references
//! locks them first of all: they wait for no host.) Where the order cannot be kept, the database ends one
//! of those who wait for each other, and that one is tried again.
//!
//! [`references`]: super::lock::references
//! [`removals`]: super::lock::removals
//! [`cohorts`]: super::lock::cohorts

use std::future::Future;
use std::ops::Deref;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use serde_json::Value;

use super::audit::{self, Unsealed};
use super::error::lost_a_race;
use super::pool::{Lease, Pool};
use super::session::Session;
use crate::activity::Ending;
use crate::{By, StoreError};

/// How often a transaction is begun that loses its races. Each loss means that another one won; who
/// loses so often stands in a crowd, and had better come again later.
const TRIES_MAX: u32 = 8;

/// How long one try may take. The database's own limits end what is slow there; this ends what waits
/// for a database that does not answer at all.
const TRY_MAX: Duration = Duration::from_secs(15);

/// What a transaction, or a look, does.
pub(super) type Work<'a, T> = Pin<Box<dyn Future<Output = Result<T, StoreError>> + Send + 'a>>;

/// A transaction. What is to be said in the audit log is kept until its end.
#[derive(Debug)]
pub(super) struct Transaction {
    lease: Lease,
    unsealed: Mutex<Vec<Unsealed>>,
    is_committed: AtomicBool,
}

impl Deref for Transaction {
    type Target = Session;

    fn deref(&self) -> &Session {
        self.lease.session()
    }
}

impl Transaction {
    fn on(mut lease: Lease) -> Self {
        lease.begin();
        Self { lease, unsealed: Mutex::default(), is_committed: AtomicBool::new(false) }
    }

    /// Begins it. On its way as soon as this is polled, so it may be the first of a flight that only
    /// looks and locks.
    pub(super) async fn begin(&self) -> Result<(), StoreError> {
        self.batch("BEGIN").await
    }

    /// Whether nothing is to be said in the audit log.
    pub(super) fn is_silent(&self) -> bool {
        self.unsealed.lock().unwrap_or_else(PoisonError::into_inner).is_empty()
    }

    /// Ends one that [is silent](Self::is_silent), as the last of a flight: where an earlier statement of
    /// it fails the database rolls back instead, and where one could not even be sent, neither is this,
    /// if those who send them wait for them in their order.
    pub(super) async fn commit_in_flight(&self) -> Result<(), StoreError> {
        self.batch("COMMIT").await?;
        self.is_committed.store(true, Ordering::Relaxed);
        Ok(())
    }

    /// Says in the audit log what is changed. The row is written at the end: those who change
    /// something wait for each other there, and not longer than that takes.
    pub(super) fn audit(&self, by: &By, action: &'static str, subject: String, detail: &Value) {
        let row = Unsealed { by: by.clone(), action, subject, detail_json: detail.to_string() };
        self.unsealed.lock().unwrap_or_else(PoisonError::into_inner).push(row);
    }

    async fn commit(mut self) -> Result<(), StoreError> {
        if self.is_committed.load(Ordering::Relaxed) {
            self.lease.end();
            return Ok(());
        }
        let unsealed =
            std::mem::take(&mut *self.unsealed.lock().unwrap_or_else(PoisonError::into_inner));
        if !unsealed.is_empty() {
            audit::append(&self, unsealed).await?;
        }
        self.batch("COMMIT").await?;
        self.lease.end();
        Ok(())
    }

    async fn roll_back(mut self) {
        // Where this fails the connection is closed, which does the same.
        if self.batch("ROLLBACK").await.is_ok() {
            self.lease.end();
        }
    }
}

/// Who begins a transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Begins {
    /// It is begun when its work starts.
    Before,
    /// Its work does it, in its first flight.
    Itself,
}

/// Runs `work` in a transaction, and again where it lost a race.
pub(super) async fn change<T, A, F>(
    pool: Arc<Pool>,
    begins: Begins,
    with: A,
    work: F,
) -> Result<T, StoreError>
where
    F: for<'a> Fn(&'a Transaction, &'a A) -> Work<'a, T>,
{
    change_together(pool, begins, 1, with, work).await
}

/// As [`change`], where `work` is that of several requests.
pub(super) async fn change_together<T, A, F>(
    pool: Arc<Pool>,
    begins: Begins,
    n_requests: usize,
    with: A,
    work: F,
) -> Result<T, StoreError>
where
    F: for<'a> Fn(&'a Transaction, &'a A) -> Work<'a, T>,
{
    let mut n_tries = 1;
    loop {
        let transaction = Transaction::on(pool.take().await?);
        let begun = Instant::now();
        let outcome = within(attempt(transaction, begins, &with, &work)).await;
        match outcome {
            Err(error) if lost_a_race(&error) && n_tries < TRIES_MAX => {
                tracing::debug!(%error, n_tries, "transaction lost a race");
                pool.counters().retried();
                n_tries = n_tries.saturating_add(1);
            }
            outcome => {
                let ending = match &outcome {
                    Err(StoreError::Unavailable { .. } | StoreError::Broken { .. }) => Ending::Lost,
                    // A refusal, too, is an end as it should be.
                    _ => Ending::Committed,
                };
                pool.counters().ended(ending, n_requests, begun.elapsed());
                return outcome;
            }
        }
    }
}

async fn attempt<T, A, F>(
    transaction: Transaction,
    begins: Begins,
    with: &A,
    work: &F,
) -> Result<T, StoreError>
where
    F: for<'a> Fn(&'a Transaction, &'a A) -> Work<'a, T>,
{
    if begins == Begins::Before {
        transaction.begin().await?;
    }
    match work(&transaction, with).await {
        Ok(done) => {
            transaction.commit().await?;
            Ok(done)
        }
        Err(error) => {
            transaction.roll_back().await;
            Err(error)
        }
    }
}

/// Runs `work`, which is no transaction: each of its statements is one by itself.
pub(super) async fn look<T, A, F>(pool: Arc<Pool>, with: A, work: F) -> Result<T, StoreError>
where
    F: for<'a> Fn(&'a Session, &'a A) -> Work<'a, T>,
{
    let mut lease = pool.take().await?;
    let outcome = tokio::time::timeout(TRY_MAX, work(lease.session(), &with)).await;
    outcome.unwrap_or_else(|_| {
        lease.begin();
        Err(silent())
    })
}

/// Ends what takes too long. A transaction that is dropped takes its connection with it.
async fn within<T>(work: impl Future<Output = Result<T, StoreError>>) -> Result<T, StoreError> {
    tokio::time::timeout(TRY_MAX, work).await.unwrap_or_else(|_| Err(silent()))
}

fn silent() -> StoreError {
    let source = format!("the database did not answer within {} s", TRY_MAX.as_secs());
    StoreError::Unavailable { source: source.into() }
}
