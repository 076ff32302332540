//! The schema: numbered SQL files, all that are missing in one transaction.

use super::address::PostgresAddress;
use super::session::Session;
use crate::StoreError;

/// Version and file, in order. The numbers are those of SQLite. Files are never changed after a
/// release, only added.
const MIGRATIONS: [(i64, &str); 20] = [
    (4, include_str!("../../migrations/postgres/0004.sql")),
    (5, include_str!("../../migrations/postgres/0005.sql")),
    (6, include_str!("../../migrations/postgres/0006.sql")),
    (7, include_str!("../../migrations/postgres/0007.sql")),
    (8, include_str!("../../migrations/postgres/0008.sql")),
    (9, include_str!("../../migrations/postgres/0009.sql")),
    (10, include_str!("../../migrations/postgres/0010.sql")),
    (11, include_str!("../../migrations/postgres/0011.sql")),
    (12, include_str!("../../migrations/postgres/0012.sql")),
    (13, include_str!("../../migrations/postgres/0013.sql")),
    (14, include_str!("../../migrations/postgres/0014.sql")),
    (15, include_str!("../../migrations/postgres/0015.sql")),
    (16, include_str!("../../migrations/postgres/0016.sql")),
    (17, include_str!("../../migrations/postgres/0017.sql")),
    (18, include_str!("../../migrations/postgres/0018.sql")),
    (19, include_str!("../../migrations/postgres/0019.sql")),
    (20, include_str!("../../migrations/postgres/0020.sql")),
    (21, include_str!("../../migrations/postgres/0021.sql")),
    (22, include_str!("../../migrations/postgres/0022.sql")),
    (23, include_str!("../../migrations/postgres/0023.sql")),
];

/// The oldest version that this is tested with. [PostgreSQL-15, server_version_num]
const SERVER_VERSION_MIN: i32 = 150_000;

/// Where others may have tables of the name that SQLite's version table has.
const VERSIONS: &str = "bootproof_schema";

/// Serialises programs that start at once: the second waits, and finds everything done. "BPRF".
const LOCK: i64 = 0x4250_5246;

/// Brings the schema up to date.
pub(super) async fn run(db: &Session, address: &PostgresAddress) -> Result<(), StoreError> {
    run_to(db, address, i64::MAX).await
}

/// Brings the schema to a version, unless it has a newer one.
pub(super) async fn run_to(
    db: &Session,
    address: &PostgresAddress,
    last: i64,
) -> Result<(), StoreError> {
    check_server(db).await?;
    db.batch("BEGIN").await?;
    // Every error ends the connection with the transaction.
    lock(db).await?;
    let is_new = is_new(db, address).await?;
    if is_new {
        db.batch(&format!(
            "CREATE TABLE {VERSIONS} (version BIGINT PRIMARY KEY, applied_at_ms BIGINT NOT NULL)"
        ))
        .await?;
    }
    let found = found(db).await?;
    let known = known();
    if found > known {
        return Err(StoreError::SchemaNewer { found, known });
    }
    apply(db, found, last).await?;
    db.batch("COMMIT").await
}

/// Keeps others from changing the schema until the transaction ends.
pub(super) async fn lock(db: &Session) -> Result<(), StoreError> {
    db.execute("SELECT pg_advisory_xact_lock($1)", &[&LOCK]).await.map(drop)
}

/// What is missing behind version `found`, in the transaction that the caller has.
pub(super) async fn bring_up_to_date(db: &Session, found: i64) -> Result<(), StoreError> {
    apply(db, found, i64::MAX).await
}

async fn apply(db: &Session, found: i64, last: i64) -> Result<(), StoreError> {
    let missing = |version: i64| version > found && version <= last;
    for (version, sql) in MIGRATIONS.iter().filter(|(version, _)| missing(*version)) {
        db.batch(sql).await?;
        let applied = format!(
            "INSERT INTO {VERSIONS} VALUES ($1, (extract(epoch FROM now()) * 1000)::bigint)"
        );
        db.execute(&applied, &[version]).await?;
        tracing::info!(version, "database schema brought up to date");
    }
    Ok(())
}

/// Refuses a database that is not as this program makes it: who only reads brings nothing up to date.
pub(super) async fn fits(db: &Session, address: &PostgresAddress) -> Result<(), StoreError> {
    if is_new(db, address).await? {
        return Err(StoreError::NotOurs { database: address.to_string() });
    }
    crate::sqlite::schema_fits(found(db).await?, known())
}

/// The version of the schema in the database.
pub(super) async fn found(db: &Session) -> Result<i64, StoreError> {
    let newest = format!("SELECT coalesce(max(version), 0) FROM {VERSIONS}");
    Ok(db.row(&newest, &[]).await?.try_get(0)?)
}

/// The version of the schema that this program makes.
pub(super) fn known() -> i64 {
    MIGRATIONS.last().map_or(0, |(version, _)| *version)
}

async fn check_server(db: &Session) -> Result<(), StoreError> {
    let row = db
        .row(
            "SELECT current_setting('server_version_num')::int,
                current_setting('server_version'), current_setting('server_encoding'),
                current_schema()",
            &[],
        )
        .await?;
    let (number, version): (i32, String) = (row.try_get(0)?, row.try_get(1)?);
    if number < SERVER_VERSION_MIN {
        return Err(StoreError::Unfit {
            what: format!("it is PostgreSQL {version}, older than 15"),
        });
    }
    let encoding: String = row.try_get(2)?;
    if encoding != "UTF8" {
        let what = format!("its encoding is {encoding}, not UTF8: CREATE DATABASE … ENCODING UTF8");
        return Err(StoreError::Unfit { what });
    }
    if row.try_get::<_, Option<String>>(3)?.is_none() {
        return Err(StoreError::Unfit { what: "the user has no schema in it".to_owned() });
    }
    Ok(())
}

/// Whether nothing is there yet. Whatever is not ours is left alone.
async fn is_new(db: &Session, address: &PostgresAddress) -> Result<bool, StoreError> {
    // What extensions brought is nobody's data.
    let row = db
        .row(
            "SELECT coalesce(bool_or(relname = $1), false),
                coalesce(bool_or(relname <> $1 AND NOT EXISTS (SELECT 1 FROM pg_depend
                    WHERE classid = 'pg_class'::regclass AND objid = pg_class.oid
                    AND deptype = 'e')), false)
             FROM pg_class WHERE relnamespace = current_schema()::regnamespace
             AND relkind IN ('r', 'p', 'v', 'm', 'f', 'S')",
            &[&VERSIONS],
        )
        .await?;
    match (row.try_get(0)?, row.try_get(1)?) {
        (true, _) => Ok(false),
        (false, false) => Ok(true),
        (false, true) => Err(StoreError::NotOurs { database: address.to_string() }),
    }
}
