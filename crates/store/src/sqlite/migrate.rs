//! The schema: numbered SQL files, each run once, in one transaction with its version row.

use std::cmp::Ordering;
use std::time::{SystemTime, UNIX_EPOCH};

use rusqlite::{Connection as Db, TransactionBehavior, params};

use crate::StoreError;

/// Version n is the n-th entry. Entries are never changed after a release, only added.
const MIGRATIONS: [&str; 23] = [
    include_str!("../../migrations/0001.sql"),
    include_str!("../../migrations/0002.sql"),
    include_str!("../../migrations/0003.sql"),
    include_str!("../../migrations/0004.sql"),
    include_str!("../../migrations/0005.sql"),
    include_str!("../../migrations/0006.sql"),
    include_str!("../../migrations/0007.sql"),
    include_str!("../../migrations/0008.sql"),
    include_str!("../../migrations/0009.sql"),
    include_str!("../../migrations/0010.sql"),
    include_str!("../../migrations/0011.sql"),
    include_str!("../../migrations/0012.sql"),
    include_str!("../../migrations/0013.sql"),
    include_str!("../../migrations/0014.sql"),
    include_str!("../../migrations/0015.sql"),
    include_str!("../../migrations/0016.sql"),
    include_str!("../../migrations/0017.sql"),
    include_str!("../../migrations/0018.sql"),
    include_str!("../../migrations/0019.sql"),
    include_str!("../../migrations/0020.sql"),
    include_str!("../../migrations/0021.sql"),
    include_str!("../../migrations/0022.sql"),
    include_str!("../../migrations/0023.sql"),
];

/// "BPRF", in the file's header: which program's database this is.
const APPLICATION_ID: i64 = 0x4250_5246;

/// Whether the file is empty or a database of Bootproof.
pub(super) fn is_ours(db: &Db) -> rusqlite::Result<bool> {
    let id: i64 = db.query_row("PRAGMA application_id", [], |row| row.get(0))?;
    let n_objects: i64 =
        db.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    Ok(id == APPLICATION_ID || (id == 0 && n_objects == 0))
}

/// The version of the schema that this program makes.
pub(super) fn known() -> Result<i64, StoreError> {
    version(MIGRATIONS.len())
}

/// The version of the schema in `db`.
pub(super) fn found(db: &Db) -> rusqlite::Result<i64> {
    db.query_row("SELECT coalesce(max(version), 0) FROM schema_version", [], |row| row.get(0))
}

/// Whether what is there can be read as it is: somebody who only reads brings nothing up to date.
pub(crate) fn fits(found: i64, known: i64) -> Result<(), StoreError> {
    match found.cmp(&known) {
        Ordering::Equal => Ok(()),
        Ordering::Greater => Err(StoreError::SchemaNewer { found, known }),
        Ordering::Less => Err(StoreError::Unfit {
            what: format!(
                "its schema is {found}, and this program reads {known}: start the server once, which \
                 brings it up to date"
            ),
        }),
    }
}

/// Brings the schema up to date.
pub(super) fn run(db: &mut Db) -> Result<(), StoreError> {
    run_to(db, known()?)
}

/// Brings the schema to a version.
pub(super) fn run_to(db: &mut Db, last: i64) -> Result<(), StoreError> {
    let known = known()?;
    for (index, sql) in MIGRATIONS.iter().enumerate() {
        let number = version(index)?.saturating_add(1);
        if number > last {
            break;
        }
        // Immediate, and the version is read inside: two programs may start at once.
        let change = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
        change.execute_batch(
            "CREATE TABLE IF NOT EXISTS schema_version (
                version INTEGER PRIMARY KEY, applied_at_ms INTEGER NOT NULL) STRICT",
        )?;
        let found: i64 = change.query_row(
            "SELECT coalesce(max(version), 0) FROM schema_version",
            [],
            |row| row.get(0),
        )?;
        if found > known {
            return Err(StoreError::SchemaNewer { found, known });
        }
        if found < number {
            change.execute_batch(sql)?;
            change.execute(
                "INSERT INTO schema_version (version, applied_at_ms) VALUES (?1, ?2)",
                params![number, now_ms()],
            )?;
            change.pragma_update(None, "application_id", APPLICATION_ID)?;
            tracing::info!(version = number, "database schema brought up to date");
        }
        change.commit()?;
    }
    Ok(())
}

fn version(n: usize) -> Result<i64, StoreError> {
    i64::try_from(n).map_err(|_| StoreError::broken("too many migrations"))
}

/// When a migration ran, for people who look.
fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}
