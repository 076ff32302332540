//! Opening the file.

use std::fs::OpenOptions;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection as Db, ErrorCode, OpenFlags, config::DbConfig};

use super::{checkpoint::LOG_PAGES_MAX, migrate};
use crate::StoreError;

/// How long a connection waits for another process (a backup, the sqlite3 program) to let go.
const BUSY_MAX: Duration = Duration::from_secs(2);

/// Pages that the connection that writes keeps, in KiB (SQLite's negative unit): the upper parts of the indexes of
/// 100,000 hosts, into which each verdict is written.
const WRITER_CACHE: i64 = -65_536;

/// A new file can give free pages back to the disk. In one that has tables this changes nothing: its free pages
/// are used again, and a restored backup is a new file.
const RETURNS_SPACE: &str = "PRAGMA auto_vacuum = INCREMENTAL";

/// Prepared statements kept for each connection: there are fewer different ones than this.
const STATEMENTS_MAX: usize = 128;

/// The connection that writes, on a database with the newest schema.
pub(super) fn writer(path: &Path) -> Result<Db, StoreError> {
    create_private(path)?;
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut db = Db::open_with_flags(path, flags)?;
    prepare(&db)?;
    // Before anything is changed in a file that may not be ours.
    if !migrate::is_ours(&db).map_err(|error| not_a_database(error, path))? {
        return Err(StoreError::NotOurs { database: path.display().to_string() });
    }
    db.execute_batch(RETURNS_SPACE)?;
    let mode: String = db.query_row("PRAGMA journal_mode = WAL", [], |row| row.get(0))?;
    if mode != "wal" {
        return Err(StoreError::broken("the file system does not allow a write-ahead log"));
    }
    // FULL: a commit is on disk before it is acknowledged. NORMAL would lose the last commits when
    // the power fails.
    db.execute_batch("PRAGMA synchronous = FULL")?;
    db.pragma_update(None, "cache_size", WRITER_CACHE)?;
    db.pragma_update(None, "wal_autocheckpoint", LOG_PAGES_MAX)?;
    migrate::run(&mut db)?;
    Ok(db)
}

/// The connection to a file that is made now, without a schema.
pub(super) fn blank(path: &Path) -> Result<Db, StoreError> {
    create_private(path)?;
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let db = Db::open_with_flags(path, flags)?;
    prepare(&db)?;
    db.execute_batch(RETURNS_SPACE)?;
    Ok(db)
}

/// The connection that brings the log into the file.
pub(super) fn checkpointer(path: &Path) -> Result<Db, StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let db = Db::open_with_flags(path, flags)?;
    prepare(&db)?;
    // As the writer: what is brought over is on the disk before the log begins anew.
    db.execute_batch("PRAGMA synchronous = FULL")?;
    Ok(db)
}

/// A connection that only reads.
pub(super) fn reader(path: &Path) -> Result<Db, StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let db = Db::open_with_flags(path, flags)?;
    prepare(&db)?;
    Ok(db)
}

fn prepare(db: &Db) -> Result<(), StoreError> {
    db.busy_timeout(BUSY_MAX)?;
    db.set_prepared_statement_cache_capacity(STATEMENTS_MAX);
    // A plan is chosen once for each statement, whatever values it is run with: not to be looked at again is
    // worth more than a better plan for one of them.
    db.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    db.execute_batch("PRAGMA foreign_keys = ON; PRAGMA trusted_schema = OFF")?;
    Ok(())
}

/// The file holds the key of the nonces: nobody but its owner reads it. SQLite gives its helper
/// files the same mode.
fn create_private(path: &Path) -> Result<(), StoreError> {
    match OpenOptions::new().write(true).create_new(true).mode(0o600).open(path) {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(StoreError::Unavailable { source: Box::new(error) }),
    }
}

pub(super) fn not_a_database(error: rusqlite::Error, path: &Path) -> StoreError {
    if error.sqlite_error_code() == Some(ErrorCode::NotADatabase) {
        StoreError::NotOurs { database: path.display().to_string() }
    } else {
        error.into()
    }
}
