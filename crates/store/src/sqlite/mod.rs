//! The embedded default: SQLite in one file.
//!
//! One thread writes, a few threads read. The writer puts all requests that wait into one
//! transaction ([`writer`]), so that one flush to disk serves many; readers see the last commit.

mod alarm;
mod appraisal;
mod approval;
mod attention;
mod audit;
mod candidate;
mod channel;
mod checkpoint;
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
mod look;
mod migrate;
mod open;
mod operation;
mod peers;
mod people;
mod policy;
mod readers;
mod recent;
mod reference;
mod report;
mod secret;
mod standing;
mod thinning;
mod token;
mod trust;
mod writer;

use std::path::Path;
use std::sync::Arc;

use rusqlite::Connection as Db;

use self::checkpoint::Checkpointer;
use self::clock::Clock;
pub use self::look::SqliteLook;
use self::readers::Readers;
use self::recent::Recent;
use self::writer::Writer;

use crate::{
    AuditNote, AuditRow, By, EvidenceObjects, HostId, Reply, Sha256, Store, StoreError, Told,
};

pub(crate) use self::migrate::fits as schema_fits;

/// The version of the schema that this program makes.
pub(crate) fn schema_known() -> i64 {
    migrate::known().unwrap_or(0)
}

/// Threads that read. Reads are short and mostly served from memory; more threads than cores of a
/// small machine would only wait for each other.
const N_READERS: usize = 4;

/// Connections for look-ups by those who want something: about one for each thread of a small machine's server.
const N_AT_HAND: usize = 4;

/// A [`Store`] in one SQLite file. Dropping it finishes what was accepted and closes the file.
#[derive(Debug)]
pub struct SqliteStore {
    // Dropped in this order: the last connection to close is the writer's, which then folds the
    // write-ahead log into the file.
    readers: Readers,
    _checkpointer: Checkpointer,
    writer: Writer,
    recent: Arc<Recent>,
    clock: Clock,
    objects: Option<EvidenceObjects>,
}

impl SqliteStore {
    /// Opens the database at `path`, readable by its owner only where it is new, and brings its
    /// schema up to date. Blocks; starts threads.
    ///
    /// # Errors
    /// [`StoreError::SchemaNewer`], [`StoreError::NotOurs`], or the file cannot be used.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, StoreError> {
        let path = path.as_ref();
        let writer = open::writer(path)?;
        let open = |n| (0..n).map(|_| open::reader(path)).collect::<Result<Vec<_>, _>>();
        let readers = Readers::start(open(N_READERS)?, open(N_AT_HAND)?)?;
        let clock = Clock::of(&writer)?;
        let checkpointer = Checkpointer::start(open::checkpointer(path)?)?;
        let recent = Arc::default();
        let writer = Writer::start(writer, checkpointer.has_committed(), Arc::clone(&recent))?;
        Ok(Self { readers, _checkpointer: checkpointer, writer, recent, clock, objects: None })
    }

    /// The same, with a place outside of it for long parts of evidence.
    #[must_use]
    pub fn with_objects(self, objects: EvidenceObjects) -> Self {
        Self { objects: Some(objects), ..self }
    }

    fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Db) -> Result<T, StoreError> + Send + 'static,
    ) -> Reply<'_, T> {
        Box::pin(self.writer.run(work))
    }

    fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Db) -> Result<T, StoreError> + Send + 'static,
    ) -> Reply<'_, T> {
        Box::pin(self.readers.run(work))
    }

    /// What finds some rows by their key: for the way of each request.
    fn look_up<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Db) -> Result<T, StoreError> + Send + 'static,
    ) -> Reply<'_, T> {
        Box::pin(self.readers.look_up(work))
    }
}

impl Store for SqliteStore {
    fn now_ms(&self) -> Reply<'_, i64> {
        // One process on one file: its clock is the store's.
        Box::pin(std::future::ready(Ok(self.clock.now_ms())))
    }

    fn secret_or_insert(&self, name: &str, candidate: Vec<u8>) -> Reply<'_, Vec<u8>> {
        let name = name.to_owned();
        self.write(move |db| secret::get_or_insert(db, &name, candidate))
    }

    fn audit(&self, after_seq: i64, n_max: u32) -> Reply<'_, Vec<AuditRow>> {
        self.read(move |db| audit::page(db, after_seq, n_max))
    }

    fn audit_head(&self) -> Reply<'_, (i64, Sha256)> {
        self.read(audit::head)
    }

    fn note_for_audit(&self, note: AuditNote, by: By) -> Reply<'_, ()> {
        self.write(move |db| operation::note(db, &note, &by))
    }

    fn tell(&self, _hosts: Vec<HostId>) -> Reply<'_, ()> {
        // One server on one file: there is nobody else.
        Box::pin(std::future::ready(Ok(())))
    }

    fn tell_of_events(&self) -> Reply<'_, ()> {
        Box::pin(async { Ok(()) })
    }

    fn told(&self) -> Reply<'_, Told> {
        Box::pin(std::future::pending())
    }
}
