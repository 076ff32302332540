//! Secrets of the server.

use rusqlite::{Connection as Db, params};

use crate::StoreError;

pub(super) fn get_or_insert(
    db: &Db,
    name: &str,
    candidate: Vec<u8>,
) -> Result<Vec<u8>, StoreError> {
    db.prepare_cached("INSERT INTO secrets (name, value) VALUES (?1, ?2) ON CONFLICT DO NOTHING")?
        .execute(params![name, candidate])?;
    Ok(db
        .prepare_cached("SELECT value FROM secrets WHERE name = ?1")?
        .query_row([name], |row| row.get(0))?)
}
