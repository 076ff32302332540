//! All rows of all tables, as they are at one moment.

use tokio::sync::mpsc::Sender;
use tokio_postgres::Row;

use super::session::Session;
use super::{PostgresAddress, PostgresStore, migrate};
use crate::StoreError;
use crate::portable::{
    Column, ColumnKind, OWN_TABLES, PIECE_BYTES, Piece, Table, Value, nobody, parents_first,
};

/// Statements take as long as a table is large. Who takes the pieces writes to a disk, which may be slow but
/// not for ten minutes; a transaction that stays longer keeps the database from cleaning up.
const SNAPSHOT: &str = "\
    SET statement_timeout = 0; \
    SET idle_in_transaction_session_timeout = '10min'; \
    BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";

/// Rows that are fetched at first: some of them may be logs of megabytes.
const FETCHED_MIN: usize = 4;

/// Rows that are fetched at most.
const FETCHED_MAX: usize = 1_024;

impl PostgresStore {
    /// See [`crate::portable::read`].
    pub(crate) async fn export(
        address: &PostgresAddress,
        pieces: &Sender<Piece>,
    ) -> Result<(), StoreError> {
        let db = Session::connect(address).await?;
        db.batch(SNAPSHOT).await?;
        migrate::fits(&db, address).await?;
        for (n, name) in tables(&db).await?.into_iter().enumerate() {
            let columns = columns(&db, &name).await?;
            rows(&db, Table { name, columns }, n, pieces).await?;
        }
        for (table, last) in numbers(&db).await? {
            send(pieces, Piece::Numbered { table, last }).await?;
        }
        send(pieces, Piece::End).await
    }
}

async fn send(pieces: &Sender<Piece>, piece: Piece) -> Result<(), StoreError> {
    pieces.send(piece).await.map_err(|_| nobody())
}

/// All tables that are carried, a table after those that it refers to.
pub(super) async fn tables(db: &Session) -> Result<Vec<String>, StoreError> {
    // What extensions brought is nobody's data.
    let names = db
        .rows(
            "SELECT relname::text FROM pg_class WHERE relnamespace = current_schema()::regnamespace
             AND relkind IN ('r', 'p') AND NOT relispartition
             AND NOT EXISTS (SELECT 1 FROM pg_depend
                WHERE classid = 'pg_class'::regclass AND objid = pg_class.oid AND deptype = 'e')",
            &[],
        )
        .await?;
    let mut names = names.iter().map(|row| row.try_get(0)).collect::<Result<Vec<String>, _>>()?;
    names.retain(|name| !OWN_TABLES.contains(&name.as_str()));
    let references = db
        .rows(
            "SELECT child.relname::text, parent.relname::text FROM pg_constraint
             JOIN pg_class AS child ON child.oid = conrelid
             JOIN pg_class AS parent ON parent.oid = confrelid
             WHERE contype = 'f' AND connamespace = current_schema()::regnamespace",
            &[],
        )
        .await?;
    let references = references.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?)));
    Ok(parents_first(names, &references.collect::<Result<Vec<_>, StoreError>>()?))
}

/// A column as PostgreSQL has it.
pub(super) struct Typed {
    pub(super) column: Column,
    pub(super) is_boolean: bool,
}

/// The columns of a table.
pub(super) async fn typed(db: &Session, table: &str) -> Result<Vec<Typed>, StoreError> {
    let columns = db
        .rows(
            "SELECT attname::text, format_type(atttypid, NULL) FROM pg_attribute
             JOIN pg_class ON pg_class.oid = attrelid
             WHERE relnamespace = current_schema()::regnamespace AND relname = $1
             AND attnum > 0 AND NOT attisdropped AND attgenerated = '' ORDER BY attnum",
            &[&table],
        )
        .await?;
    columns
        .iter()
        .map(|row| {
            let (name, kind): (String, String) = (row.try_get(0)?, row.try_get(1)?);
            let (kind, is_boolean) = match kind.as_str() {
                "bigint" => (ColumnKind::Integer, false),
                "boolean" => (ColumnKind::Integer, true),
                "text" => (ColumnKind::Text, false),
                "bytea" => (ColumnKind::Bytes, false),
                _ => {
                    let what = format!("{table}.{name} is of a kind that backups do not know");
                    return Err(StoreError::Unfit { what });
                }
            };
            Ok(Typed { column: Column { name, kind }, is_boolean })
        })
        .collect()
}

async fn columns(db: &Session, table: &str) -> Result<Vec<Column>, StoreError> {
    Ok(typed(db, table).await?.into_iter().map(|typed| typed.column).collect())
}

/// A name as SQL has it.
pub(super) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// Names with commas.
pub(super) fn list<'a>(names: impl IntoIterator<Item = &'a String>) -> String {
    names.into_iter().map(|name| quoted(name)).collect::<Vec<_>>().join(", ")
}

async fn primary_key(db: &Session, table: &str) -> Result<Vec<String>, StoreError> {
    let names = db
        .rows(
            "SELECT attname::text FROM pg_index
             JOIN pg_class ON pg_class.oid = indrelid
             JOIN pg_attribute ON attrelid = indrelid AND attnum = ANY(indkey)
             WHERE indisprimary AND relnamespace = current_schema()::regnamespace AND relname = $1
             ORDER BY array_position(indkey::int2[], attnum)",
            &[&table],
        )
        .await?;
    Ok(names.iter().map(|row| row.try_get(0)).collect::<Result<_, _>>()?)
}

async fn rows(
    db: &Session,
    table: Table,
    n: usize,
    pieces: &Sender<Piece>,
) -> Result<(), StoreError> {
    // A truth value comes as a number.
    let typed = typed(db, &table.name).await?;
    let columns = typed.iter().map(|Typed { column, is_boolean }| {
        let cast = if *is_boolean { "::int::bigint" } else { "" };
        format!("{}{cast}", quoted(&column.name))
    });
    let columns = columns.collect::<Vec<_>>().join(", ");
    let order = primary_key(db, &table.name).await?;
    let by = if order.is_empty() { String::new() } else { format!(" ORDER BY {}", list(&order)) };
    // A name for each, as statements stay prepared by their text.
    let cursor = format!("export_{n}");
    db.batch(&format!(
        "DECLARE {cursor} NO SCROLL CURSOR FOR SELECT {columns} FROM {}{by}",
        quoted(&table.name)
    ))
    .await?;
    let kinds: Vec<ColumnKind> = table.columns.iter().map(|column| column.kind).collect();
    send(pieces, Piece::Table(table)).await?;
    let mut n_rows = FETCHED_MIN;
    loop {
        let fetched = db.rows_once(&format!("FETCH {n_rows} FROM {cursor}")).await?;
        if fetched.is_empty() {
            return db.batch(&format!("CLOSE {cursor}")).await;
        }
        let rows = fetched.iter().map(|row| values(row, &kinds)).collect::<Result<Vec<_>, _>>()?;
        let n_bytes: usize = rows.iter().flatten().map(Value::len).sum();
        // As many next as are about one piece.
        let fit = rows.len().saturating_mul(PIECE_BYTES).checked_div(n_bytes);
        n_rows = fit
            .unwrap_or(FETCHED_MAX)
            .clamp(FETCHED_MIN, n_rows.saturating_mul(4))
            .min(FETCHED_MAX);
        send(pieces, Piece::Rows(rows)).await?;
    }
}

fn values(row: &Row, kinds: &[ColumnKind]) -> Result<Vec<Value>, StoreError> {
    let value = |(index, kind): (usize, &ColumnKind)| {
        let value = match kind {
            ColumnKind::Integer => row.try_get::<_, Option<i64>>(index)?.map(Value::Integer),
            ColumnKind::Text => row.try_get::<_, Option<String>>(index)?.map(Value::Text),
            ColumnKind::Bytes => row.try_get::<_, Option<Vec<u8>>>(index)?.map(Value::Bytes),
        };
        Ok(value.unwrap_or(Value::Null))
    };
    kinds.iter().enumerate().map(value).collect()
}

/// Sequences of tables, and the tables' columns that they number.
pub(super) async fn sequences(db: &Session) -> Result<Vec<(String, String)>, StoreError> {
    let columns = db
        .rows(
            "SELECT relname::text, attname::text FROM pg_attribute
             JOIN pg_class ON pg_class.oid = attrelid
             WHERE relnamespace = current_schema()::regnamespace AND attidentity <> ''
             ORDER BY relname",
            &[],
        )
        .await?;
    columns.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?))).collect()
}

async fn numbers(db: &Session) -> Result<Vec<(String, i64)>, StoreError> {
    let mut numbers = Vec::new();
    for (table, column) in sequences(db).await? {
        // Null where no number was given yet. No snapshot holds for it: it may be too high, never too low.
        let last: Option<i64> = db
            .row(
                "SELECT pg_sequence_last_value(pg_get_serial_sequence($1, $2))",
                &[&table, &column],
            )
            .await?
            .try_get(0)?;
        numbers.extend(last.map(|last| (table, last)));
    }
    Ok(numbers)
}
