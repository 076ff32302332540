//! All rows of all tables, as they are at one moment.

use std::path::Path;

use rusqlite::types::ValueRef;
use rusqlite::{Connection as Db, Row};
use tokio::sync::mpsc::Sender;

use super::{SqliteStore, migrate, open};
use crate::StoreError;
use crate::portable::{
    Column, ColumnKind, OWN_TABLES, PIECE_BYTES, Piece, Table, Value, parents_first, send,
};

impl SqliteStore {
    /// See [`crate::portable::read`]. Reads from the last commit on: what is committed later does not come, and
    /// waits for nothing. Until the end the write-ahead log is not folded in beyond that commit.
    pub(crate) fn export(path: &Path, pieces: &Sender<Piece>) -> Result<(), StoreError> {
        let db = open::reader(path)?;
        if !migrate::is_ours(&db).map_err(|error| open::not_a_database(error, path))? {
            return Err(StoreError::NotOurs { database: path.display().to_string() });
        }
        // Deferred: the first look takes the snapshot.
        db.execute_batch("BEGIN DEFERRED")?;
        let (found, known) = (migrate::found(&db)?, migrate::known()?);
        migrate::fits(found, known)?;
        for name in tables(&db)? {
            let columns = columns(&db, &name)?;
            let order = primary_key(&db, &name)?;
            rows(&db, Table { name, columns }, &order, pieces)?;
        }
        for (table, last) in numbers(&db)? {
            send(pieces, Piece::Numbered { table, last })?;
        }
        send(pieces, Piece::End)
    }
}

/// All tables that are carried, a table after those that it refers to.
pub(super) fn tables(db: &Db) -> Result<Vec<String>, StoreError> {
    let mut statement = db.prepare(
        "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'",
    )?;
    let names = statement.query_map([], |row| row.get::<_, String>(0))?;
    let mut names = names.collect::<Result<Vec<_>, _>>()?;
    names.retain(|name| !OWN_TABLES.contains(&name.as_str()));
    let mut statement = db.prepare(
        "SELECT child.name, parent.\"table\" FROM sqlite_schema AS child
         JOIN pragma_foreign_key_list(child.name) AS parent WHERE child.type = 'table'",
    )?;
    let references = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(parents_first(names, &references.collect::<Result<Vec<_>, _>>()?))
}

/// The columns of a table.
pub(super) fn columns(db: &Db, table: &str) -> Result<Vec<Column>, StoreError> {
    let mut statement = db.prepare("SELECT name, type FROM pragma_table_info(?1) ORDER BY cid")?;
    let columns = statement
        .query_map([table], |row| Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?)))?;
    columns
        .map(|column| {
            let (name, kind) = column?;
            let kind = match kind.as_str() {
                "INTEGER" | "INT" => ColumnKind::Integer,
                "TEXT" => ColumnKind::Text,
                "BLOB" => ColumnKind::Bytes,
                _ => {
                    let what = format!("{table}.{name} is of a kind that backups do not know");
                    return Err(StoreError::Unfit { what });
                }
            };
            Ok(Column { name, kind })
        })
        .collect()
}

/// Columns to order by.
fn primary_key(db: &Db, table: &str) -> Result<Vec<String>, StoreError> {
    let mut statement =
        db.prepare("SELECT name FROM pragma_table_info(?1) WHERE pk > 0 ORDER BY pk")?;
    let names = statement.query_map([table], |row| row.get::<_, String>(0))?;
    Ok(names.collect::<Result<_, _>>()?)
}

/// A name as SQL has it.
pub(super) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// Names with commas.
pub(super) fn list<'a>(names: impl IntoIterator<Item = &'a String>) -> String {
    names.into_iter().map(|name| quoted(name)).collect::<Vec<_>>().join(", ")
}

fn rows(db: &Db, table: Table, order: &[String], pieces: &Sender<Piece>) -> Result<(), StoreError> {
    let columns = list(table.columns.iter().map(|column| &column.name));
    let by = if order.is_empty() { "rowid".to_owned() } else { list(order) };
    let sql = format!("SELECT {columns} FROM {} ORDER BY {by}", quoted(&table.name));
    let n_columns = table.columns.len();
    send(pieces, Piece::Table(table))?;
    let mut statement = db.prepare(&sql)?;
    let mut found = statement.query([])?;
    let (mut rows, mut n_bytes) = (Vec::new(), 0_usize);
    while let Some(row) = found.next()? {
        let values =
            (0..n_columns).map(|index| value(row, index)).collect::<Result<Vec<_>, _>>()?;
        n_bytes = values.iter().map(Value::len).fold(n_bytes, usize::saturating_add);
        rows.push(values);
        if n_bytes >= PIECE_BYTES {
            send(pieces, Piece::Rows(std::mem::take(&mut rows)))?;
            n_bytes = 0;
        }
    }
    if rows.is_empty() { Ok(()) } else { send(pieces, Piece::Rows(rows)) }
}

fn value(row: &Row<'_>, index: usize) -> Result<Value, StoreError> {
    Ok(match row.get_ref(index)? {
        ValueRef::Null => Value::Null,
        ValueRef::Integer(number) => Value::Integer(number),
        ValueRef::Text(text) => match std::str::from_utf8(text) {
            Ok(text) => Value::Text(text.to_owned()),
            Err(_) => return Err(StoreError::broken("a text that is not UTF-8")),
        },
        ValueRef::Blob(bytes) => Value::Bytes(bytes.to_vec()),
        ValueRef::Real(_) => return Err(StoreError::broken("a number that is not whole")),
    })
}

/// The highest number of each table whose numbers are never given twice.
fn numbers(db: &Db) -> Result<Vec<(String, i64)>, StoreError> {
    let mut statement = db.prepare("SELECT name, seq FROM sqlite_sequence ORDER BY name")?;
    let numbers = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(numbers.collect::<Result<_, _>>()?)
}
