//! Making a database of the pieces of another one.

use std::fs::File;
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use rusqlite::types::ToSqlOutput;
use rusqlite::{Connection as Db, ToSql};
use tokio::sync::mpsc::Receiver;

use super::export::{columns, list, quoted, tables};
use super::{SqliteStore, audit, migrate, open};
use crate::portable::{
    ACTION, Column, END_JOIN_TOKENS, FORGET, JoinTokens, NEWER_CHALLENGES, Piece, Restoration,
    RestoreError, Restored, Table, Value, check_columns,
};
use crate::{By, StoreError};

impl SqliteStore {
    /// See [`crate::portable::make`]. The file is whole, and on disk, when this returns; its name is not.
    pub(crate) fn import(
        path: &Path,
        pieces: Receiver<Piece>,
        restoration: &Restoration,
    ) -> Result<Restored, RestoreError> {
        if path.exists() {
            let (place, what) = (path.display().to_string(), "a file".to_owned());
            return Err(RestoreError::NotEmpty { place, what });
        }
        let mut db = open::blank(path)?;
        if !(1..=migrate::known()?).contains(&restoration.schema) {
            let what = format!("its schema is {}", restoration.schema);
            return Err(RestoreError::Unfit { what });
        }
        migrate::run_to(&mut db, restoration.schema)?;
        // Nobody else sees the file, and one that was not finished is thrown away: no journal.
        db.query_row("PRAGMA journal_mode = OFF", [], |_| Ok(()))?;
        db.execute_batch("PRAGMA synchronous = OFF; PRAGMA foreign_keys = OFF; BEGIN")?;
        fill(&db, pieces)?;
        db.execute_batch("COMMIT")?;
        migrate::run(&mut db)?;
        db.execute_batch("BEGIN")?;
        let restored = finish(&db, restoration)?;
        db.execute_batch("COMMIT")?;
        db.close().map_err(|(_, error)| StoreError::from(error))?;
        let synced = File::open(path).and_then(|file| file.sync_all());
        synced.map_err(|error| StoreError::Unavailable { source: Box::new(error) })?;
        Ok(restored)
    }
}

fn fill(db: &Db, mut pieces: Receiver<Piece>) -> Result<(), RestoreError> {
    // What triggers would do is in the pieces.
    let triggers = triggers(db)?;
    for (name, _) in &triggers {
        db.execute_batch(&format!("DROP TRIGGER {}", quoted(name)))?;
    }
    let known = tables(db)?;
    // Migrations put some rows in.
    for table in known.iter().rev() {
        db.execute_batch(&format!("DELETE FROM {}", quoted(table)))?;
    }
    let mut missing = known;
    let mut insert = String::new();
    loop {
        match pieces.blocking_recv() {
            None => return Err(RestoreError::Cut),
            Some(Piece::Table(table)) => {
                take_out(&mut missing, &table.name)?;
                check_columns(&table, &columns(db, &table.name)?)?;
                insert = insertion(&table);
            }
            Some(Piece::Rows(rows)) => {
                let mut statement = db.prepare_cached(&insert)?;
                for row in &rows {
                    let values = row.iter().map(Held);
                    statement.execute(rusqlite::params_from_iter(values))?;
                }
            }
            Some(Piece::Numbered { table, last }) => number(db, &table, last)?,
            Some(Piece::End) => break,
        }
    }
    if let Some(table) = missing.first() {
        return Err(RestoreError::Unfit { what: format!("the table {table} is missing") });
    }
    let n_lost: i64 =
        db.query_row("SELECT count(*) FROM pragma_foreign_key_check", [], |row| row.get(0))?;
    if n_lost > 0 {
        return Err(RestoreError::Unfit { what: format!("{n_lost} rows refer to none") });
    }
    for (_, sql) in &triggers {
        db.execute_batch(sql)?;
    }
    Ok(())
}

/// Crosses a table off those that must come.
fn take_out(missing: &mut Vec<String>, table: &str) -> Result<(), RestoreError> {
    match missing.iter().position(|name| name == table) {
        Some(index) => {
            missing.remove(index);
            Ok(())
        }
        None => Err(RestoreError::Unfit {
            what: format!("the table {table} is not known, or comes twice"),
        }),
    }
}

fn triggers(db: &Db) -> Result<Vec<(String, String)>, StoreError> {
    let mut statement =
        db.prepare("SELECT name, sql FROM sqlite_schema WHERE type = 'trigger' ORDER BY rowid")?;
    let triggers = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(triggers.collect::<Result<_, _>>()?)
}

fn insertion(table: &Table) -> String {
    let columns = list(table.columns.iter().map(|Column { name, .. }| name));
    let marks = vec!["?"; table.columns.len()].join(", ");
    format!("INSERT INTO {} ({columns}) VALUES ({marks})", quoted(&table.name))
}

/// The table goes on behind `last`, where its numbers are never given twice.
fn number(db: &Db, table: &str, last: i64) -> Result<(), StoreError> {
    // A table that got no row has no line yet; one that does not number so needs none.
    db.execute("UPDATE sqlite_sequence SET seq = max(seq, ?2) WHERE name = ?1", (table, last))?;
    db.execute(
        "INSERT INTO sqlite_sequence (name, seq) SELECT name, ?2 FROM sqlite_schema
         WHERE type = 'table' AND name = ?1 AND sql LIKE '%AUTOINCREMENT%'
         AND NOT EXISTS (SELECT 1 FROM sqlite_sequence WHERE name = ?1)",
        (table, last),
    )?;
    Ok(())
}

fn finish(db: &Db, restoration: &Restoration) -> Result<Restored, StoreError> {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    let at_ms = since.map_or(0, |since| i64::try_from(since.as_millis()).unwrap_or(i64::MAX));
    for sql in FORGET {
        db.execute(sql, [])?;
    }
    db.execute(NEWER_CHALLENGES, [at_ms])?;
    let n_join_tokens_ended = match restoration.join_tokens {
        JoinTokens::Stay => 0,
        JoinTokens::End => db.execute(END_JOIN_TOKENS, [at_ms])?,
    };
    let by = By::new("server", at_ms);
    audit::append(db, &by, ACTION, "store".to_owned(), &restoration.detail)?;
    let n_join_tokens_ended = u64::try_from(n_join_tokens_ended).unwrap_or(u64::MAX);
    Ok(Restored { at_ms, n_join_tokens_ended })
}

/// A value as SQLite takes it.
struct Held<'a>(&'a Value);

impl ToSql for Held<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        match self.0 {
            Value::Null => Ok(rusqlite::types::Null.into()),
            Value::Integer(number) => number.to_sql(),
            Value::Text(text) => text.to_sql(),
            Value::Bytes(bytes) => bytes.to_sql(),
        }
    }
}

impl From<rusqlite::Error> for RestoreError {
    /// Rows that the schema does not take are the backup's fault; all else is the database's.
    fn from(error: rusqlite::Error) -> Self {
        match error.sqlite_error_code() {
            Some(rusqlite::ErrorCode::ConstraintViolation | rusqlite::ErrorCode::TypeMismatch) => {
                Self::Unfit { what: error.to_string() }
            }
            _ => Self::Store(error.into()),
        }
    }
}
