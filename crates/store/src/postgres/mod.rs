//! Several servers on one database: PostgreSQL.
//!
//! Each change is a transaction of its own on one of a few connections ([`pool`]); PostgreSQL puts
//! their flushes to disk together. What SQLite's one writer gives for nothing, that no rule is looked at
//! while another request changes what it is about, is here done by locks ([`transaction`]).

mod address;
mod alarm;
mod appraisal;
mod approval;
mod attention;
mod audit;
mod candidate;
mod channel;
mod client_authority;
mod client_certificate;
mod clock;
mod columns;
mod ek_list;
mod enrolment;
mod error;
mod event;
mod evidence;
mod evidence_list;
mod export;
mod host;
mod host_view;
mod idempotent;
mod import;
mod inventory;
mod lapse;
mod listener;
mod lock;
mod looks;
mod migrate;
mod operation;
mod peers;
mod people;
mod policy;
mod pool;
mod reference;
mod report;
mod routine;
mod secret;
mod session;
mod standing;
mod thinning;
mod tls;
mod token;
mod transaction;
mod trust;

use std::sync::Arc;

pub use self::address::{AddressError, PostgresAddress};
use self::clock::Clock;
use self::listener::Listener;
use self::looks::Looks;
use self::pool::Pool;
use self::routine::Routine;
use self::session::Session;
use self::transaction::{Begins, Transaction, Work};
use crate::{
    AuditNote, AuditRow, By, EvidenceObjects, HostId, Reply, Sha256, Store, StoreError, Told,
};

/// A [`Store`] in a PostgreSQL database, from version 15 on. Servers that share one are equal: none
/// leads.
///
/// Where the database goes away, requests fail as [`StoreError::Unavailable`]; when it is back they go
/// on by themselves.
#[derive(Debug)]
pub struct PostgresStore {
    pool: Arc<Pool>,
    clock: Arc<Clock>,
    looks: Looks,
    routine: Routine,
    listener: Listener,
    objects: Option<EvidenceObjects>,
}

impl PostgresStore {
    /// Connects to the database, and brings its schema up to date.
    ///
    /// # Errors
    /// [`StoreError::SchemaNewer`], [`StoreError::NotOurs`], [`StoreError::Unfit`], or it cannot be
    /// reached: [`StoreError::Unavailable`].
    pub async fn open(address: PostgresAddress) -> Result<Self, StoreError> {
        // A connection of its own: one on which this fails is closed with what was begun.
        migrate::run(&Session::connect(&address).await?, &address).await?;
        let listener = Listener::start(address.clone());
        let pool = Pool::new(address);
        let (looks, routine) = (Looks::start(Arc::clone(&pool)), Routine::start(Arc::clone(&pool)));
        Ok(Self { pool, clock: Arc::default(), looks, routine, listener, objects: None })
    }

    /// The same, with a place outside of the database for long parts of evidence. All servers on a database have
    /// the same one.
    #[must_use]
    pub fn with_objects(self, objects: EvidenceObjects) -> Self {
        Self { objects: Some(objects), ..self }
    }

    /// Runs a transaction. Once polled it takes place, whether or not somebody waits for its end: one
    /// that were left in the middle would cost its connection.
    fn change<T, A, F>(&self, with: A, work: F) -> Reply<'_, T>
    where
        T: Send + 'static,
        A: Send + Sync + 'static,
        F: for<'a> Fn(&'a Transaction, &'a A) -> Work<'a, T> + Send + Sync + 'static,
    {
        self.change_begun(Begins::Before, with, work)
    }

    fn change_begun<T, A, F>(&self, begins: Begins, with: A, work: F) -> Reply<'_, T>
    where
        T: Send + 'static,
        A: Send + Sync + 'static,
        F: for<'a> Fn(&'a Transaction, &'a A) -> Work<'a, T> + Send + Sync + 'static,
    {
        let pool = Arc::clone(&self.pool);
        Box::pin(async move {
            let change = tokio::spawn(transaction::change(pool, begins, with, work));
            change.await.map_err(|error| StoreError::Broken { source: Box::new(error) })?
        })
    }

    /// Runs one statement, or some that are nothing together.
    fn look<T, A, F>(&self, with: A, work: F) -> Reply<'_, T>
    where
        T: Send + 'static,
        A: Send + Sync + 'static,
        F: for<'a> Fn(&'a Session, &'a A) -> Work<'a, T> + Send + Sync + 'static,
    {
        Box::pin(transaction::look(Arc::clone(&self.pool), with, work))
    }
}

impl Store for PostgresStore {
    fn now_ms(&self) -> Reply<'_, i64> {
        // The same for all servers on it, whatever their own clocks say.
        if let Some(now_ms) = self.clock.now_ms() {
            return Box::pin(std::future::ready(Ok(now_ms)));
        }
        self.look((Arc::clone(&self.clock),), |db, (clock,)| Box::pin(clock.ask(db)))
    }

    fn secret_or_insert(&self, name: &str, candidate: Vec<u8>) -> Reply<'_, Vec<u8>> {
        let name = name.to_owned();
        self.change((name, candidate), |tx, (name, candidate)| {
            Box::pin(secret::get_or_insert(tx, name, candidate))
        })
    }

    fn audit(&self, after_seq: i64, n_max: u32) -> Reply<'_, Vec<AuditRow>> {
        self.look((after_seq, n_max), |db, (after_seq, n_max)| {
            Box::pin(audit::page(db, *after_seq, *n_max))
        })
    }

    fn audit_head(&self) -> Reply<'_, (i64, Sha256)> {
        self.look((), |db, ()| Box::pin(audit::head(db)))
    }

    fn note_for_audit(&self, note: AuditNote, by: By) -> Reply<'_, ()> {
        self.change((note, by), |tx, (note, by)| Box::pin(operation::note(tx, note, by)))
    }

    fn tell(&self, hosts: Vec<HostId>) -> Reply<'_, ()> {
        let me = self.listener.me().to_owned();
        self.look((me, hosts), |db, (me, hosts)| Box::pin(listener::tell(db, me, hosts)))
    }

    fn tell_of_events(&self) -> Reply<'_, ()> {
        let me = self.listener.me().to_owned();
        self.look((me,), |db, (me,)| Box::pin(listener::tell_of_events(db, me)))
    }

    fn told(&self) -> Reply<'_, Told> {
        Box::pin(async { Ok(self.listener.told().await) })
    }
}
