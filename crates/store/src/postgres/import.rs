//! Filling an empty database with the pieces of another store, in one transaction.

use serde_json::json;
use tokio::sync::mpsc::Receiver;
use tokio_postgres::binary_copy::BinaryCopyInWriter;
use tokio_postgres::types::{ToSql, Type};

use super::audit::{self, Unsealed};
use super::clock::Clock;
use super::export::{Typed, list, quoted, sequences, tables, typed};
use super::session::Session;
use super::{PostgresAddress, PostgresStore, migrate};
use crate::portable::{
    ACTION, Column, ColumnKind, END_JOIN_TOKENS, FORGET, JoinTokens, NEWER_CHALLENGES, Piece,
    Restoration, RestoreError, Restored, TELLING_TABLES, Table, Value, check_columns,
};
use crate::{By, StoreError};

/// Statements take as long as a table is large; who reads the pieces may be slow, but not for ten minutes.
const PATIENCE: &str = "\
    SET statement_timeout = 0; \
    SET idle_in_transaction_session_timeout = '10min'";

impl PostgresStore {
    /// See [`crate::portable::make`].
    pub(crate) async fn import(
        address: &PostgresAddress,
        pieces: Receiver<Piece>,
        restoration: &Restoration,
    ) -> Result<Restored, RestoreError> {
        let db = Session::connect(address).await?;
        // What fails from here on closes the connection, and so takes back what was begun.
        migrate::run_to(&db, address, restoration.schema).await?;
        db.batch(PATIENCE).await?;
        db.batch("BEGIN").await?;
        // Servers that start meanwhile wait for the end.
        migrate::lock(&db).await?;
        check_empty(&db, address, restoration).await?;
        if migrate::found(&db).await? != restoration.schema {
            let what = format!(
                "its schema is {}, and that of the database is a newer one: make an empty database \
                 anew, without starting a server on it",
                restoration.schema
            );
            return Err(RestoreError::Unfit { what });
        }
        let carried = tables(&db).await?;
        for table in &carried {
            // What triggers would do is in the pieces. Those that hold references stay.
            db.batch(&format!("ALTER TABLE {} DISABLE TRIGGER USER", quoted(table))).await?;
        }
        for table in carried.iter().rev() {
            // Migrations put some rows in.
            db.batch(&format!("DELETE FROM {}", quoted(table))).await?;
        }
        fill(&db, pieces, carried.clone()).await?;
        for table in &carried {
            db.batch(&format!("ALTER TABLE {} ENABLE TRIGGER USER", quoted(table))).await?;
        }
        db.batch(
            "UPDATE audit_head SET (seq, sha256) = (last.seq, last.sha256)
             FROM (SELECT seq, sha256 FROM audit ORDER BY seq DESC LIMIT 1) AS last",
        )
        .await?;
        migrate::bring_up_to_date(&db, restoration.schema).await?;
        let restored = finish(&db, restoration).await?;
        db.batch("COMMIT").await?;
        Ok(restored)
    }
}

async fn check_empty(
    db: &Session,
    address: &PostgresAddress,
    restoration: &Restoration,
) -> Result<(), RestoreError> {
    let done = db
        .row(
            "SELECT EXISTS (SELECT 1 FROM audit WHERE action = $1 AND detail_json = $2)",
            &[&ACTION, &restoration.detail.to_string()],
        )
        .await?;
    if done.try_get(0).map_err(StoreError::from)? {
        return Err(RestoreError::Done);
    }
    let mut there = Vec::new();
    for table in TELLING_TABLES {
        let count = format!("SELECT count(*) FROM {}", quoted(table));
        let n: i64 = db.row(&count, &[]).await?.try_get(0).map_err(StoreError::from)?;
        if n > 0 {
            there.push(format!("{n} rows in {table}"));
        }
    }
    if there.is_empty() {
        return Ok(());
    }
    Err(RestoreError::NotEmpty { place: address.to_string(), what: there.join(", ") })
}

async fn fill(
    db: &Session,
    mut pieces: Receiver<Piece>,
    mut missing: Vec<String>,
) -> Result<(), RestoreError> {
    let numbered = sequences(db).await?;
    let mut copying: Option<Copying> = None;
    loop {
        match pieces.recv().await {
            None => return Err(RestoreError::Cut),
            Some(Piece::Table(table)) => {
                end(copying.take()).await?;
                let index = missing.iter().position(|name| *name == table.name);
                let index = index.ok_or_else(|| RestoreError::Unfit {
                    what: format!("the table {} is not known, or comes twice", table.name),
                })?;
                missing.remove(index);
                copying = Some(begin(db, table).await?);
            }
            Some(Piece::Rows(rows)) => {
                let copying = copying.as_mut().ok_or(RestoreError::Cut)?;
                for row in &rows {
                    copying.write(row).await?;
                }
            }
            Some(Piece::Numbered { table, last }) => {
                end(copying.take()).await?;
                if let Some((table, column)) = numbered.iter().find(|(name, _)| *name == table) {
                    go_on_behind(db, table, column, Some(last)).await?;
                }
            }
            Some(Piece::End) => break,
        }
    }
    end(copying.take()).await?;
    if let Some(table) = missing.first() {
        return Err(RestoreError::Unfit { what: format!("the table {table} is missing") });
    }
    // Those of which nothing was said, too: in SQLite a number may follow from the rows alone.
    for (table, column) in &numbered {
        go_on_behind(db, table, column, None).await?;
    }
    Ok(())
}

/// The numbers of a table go on behind its rows, behind `last`, and behind what was given.
async fn go_on_behind(
    db: &Session,
    table: &str,
    column: &str,
    last: Option<i64>,
) -> Result<(), RestoreError> {
    let sql = format!(
        "SELECT setval(sequence, behind) FROM (SELECT pg_get_serial_sequence($1, $2) AS sequence,
            greatest($3, (SELECT max({}) FROM {}),
                pg_sequence_last_value(pg_get_serial_sequence($1, $2))) AS behind) AS known
         WHERE behind > 0",
        quoted(column),
        quoted(table)
    );
    db.rows(&sql, &[&table, &column, &last]).await?;
    Ok(())
}

/// A table that rows are written to.
struct Copying {
    writer: std::pin::Pin<Box<BinaryCopyInWriter>>,
    kinds: Vec<Target>,
}

/// What a value becomes.
#[derive(Clone, Copy)]
enum Target {
    Integer,
    Boolean,
    Text,
    Bytes,
}

async fn begin(db: &Session, table: Table) -> Result<Copying, RestoreError> {
    let there = typed(db, &table.name).await?;
    let columns: Vec<Column> = there.iter().map(|typed| typed.column.clone()).collect();
    check_columns(&table, &columns)?;
    let target = |column: &Column| {
        let of = |typed: &&Typed| typed.column.name == column.name;
        match column.kind {
            ColumnKind::Integer if there.iter().find(of).is_some_and(|typed| typed.is_boolean) => {
                Target::Boolean
            }
            ColumnKind::Integer => Target::Integer,
            ColumnKind::Text => Target::Text,
            ColumnKind::Bytes => Target::Bytes,
        }
    };
    let kinds: Vec<Target> = table.columns.iter().map(target).collect();
    let types: Vec<Type> = kinds
        .iter()
        .map(|kind| match kind {
            Target::Integer => Type::INT8,
            Target::Boolean => Type::BOOL,
            Target::Text => Type::TEXT,
            Target::Bytes => Type::BYTEA,
        })
        .collect();
    let names = list(table.columns.iter().map(|column| &column.name));
    let sql = format!("COPY {} ({names}) FROM STDIN BINARY", quoted(&table.name));
    let writer = Box::pin(BinaryCopyInWriter::new(db.copy_in(&sql).await?, &types));
    Ok(Copying { writer, kinds })
}

async fn end(copying: Option<Copying>) -> Result<(), RestoreError> {
    if let Some(mut copying) = copying {
        copying.writer.as_mut().finish().await?;
    }
    Ok(())
}

impl Copying {
    async fn write(&mut self, row: &[Value]) -> Result<(), RestoreError> {
        if row.len() != self.kinds.len() {
            return Err(RestoreError::Unfit {
                what: "a row has too many or too few values".into(),
            });
        }
        let values = row.iter().zip(&self.kinds).map(|(value, kind)| held(value, *kind));
        let values: Vec<Box<dyn ToSql + Sync + Send>> = values.collect::<Result<_, _>>()?;
        let values: Vec<&(dyn ToSql + Sync)> =
            values.iter().map(|value| -> &(dyn ToSql + Sync) { &**value }).collect();
        Ok(self.writer.as_mut().write(&values).await?)
    }
}

fn held(value: &Value, kind: Target) -> Result<Box<dyn ToSql + Sync + Send>, RestoreError> {
    let unfit = || RestoreError::Unfit { what: "a value is not of its column's kind".into() };
    Ok(match (kind, value) {
        (Target::Integer, Value::Null) => Box::new(None::<i64>),
        (Target::Boolean, Value::Null) => Box::new(None::<bool>),
        (Target::Text, Value::Null) => Box::new(None::<String>),
        (Target::Bytes, Value::Null) => Box::new(None::<Vec<u8>>),
        (Target::Integer, Value::Integer(number)) => Box::new(*number),
        (Target::Boolean, Value::Integer(number)) => Box::new(*number != 0),
        (Target::Text, Value::Text(text)) => Box::new(text.clone()),
        (Target::Bytes, Value::Bytes(bytes)) => Box::new(bytes.clone()),
        _ => return Err(unfit()),
    })
}

async fn finish(db: &Session, restoration: &Restoration) -> Result<Restored, RestoreError> {
    let at_ms = Clock::default().ask(db).await?;
    for sql in FORGET {
        db.execute(sql, &[]).await?;
    }
    db.execute(NEWER_CHALLENGES, &[&at_ms]).await?;
    let n_join_tokens_ended = match restoration.join_tokens {
        JoinTokens::Stay => 0,
        JoinTokens::End => db.execute(END_JOIN_TOKENS, &[&at_ms]).await?,
    };
    let row = Unsealed {
        by: By::new("server", at_ms),
        action: ACTION,
        subject: "store".to_owned(),
        detail_json: json!(restoration.detail).to_string(),
    };
    audit::append(db, vec![row]).await?;
    Ok(Restored { at_ms, n_join_tokens_ended })
}

impl From<tokio_postgres::Error> for RestoreError {
    /// Rows that the schema does not take are the backup's fault; all else is the database's.
    fn from(error: tokio_postgres::Error) -> Self {
        match error.code().map(|code| code.code()) {
            // Data, and constraints.
            Some(code) if code.starts_with("22") || code.starts_with("23") => {
                let what = error.as_db_error().map(ToString::to_string).unwrap_or_default();
                Self::Unfit { what }
            }
            _ => Self::Store(error.into()),
        }
    }
}
