//! Events, and their numbers: given as in PostgreSQL, so that a store of one kind can be put back as the
//! other.

use rusqlite::{Connection as Db, OptionalExtension, Row, params};

use super::columns::Columns;
use super::{SqliteStore, lapse};
use crate::row::event::Change;
use crate::{
    Conflict, Event, EventCursor, EventKind, EventSpan, Events, HISTORY_PAGE_MAX, Reply, StoreError,
};

impl Events for SqliteStore {
    fn events(&self, after: EventCursor, n_max: u32) -> Reply<'_, Vec<Event>> {
        self.read(move |db| page(db, after, n_max))
    }

    fn event_span(&self) -> Reply<'_, EventSpan> {
        self.read(span)
    }

    fn publish_events(&self) -> Reply<'_, u32> {
        Box::pin(async {
            // In the normal case there are none, and nothing is written.
            match self.read(is_any_without_number).await? {
                true => self.write(publish).await,
                false => Ok(0),
            }
        })
    }

    fn forget_events(&self, before_ms: i64, n_max: u32) -> Reply<'_, u32> {
        self.write(move |db| forget(db, before_ms, n_max))
    }

    fn end_lapsed(&self, now_ms: i64, n_max: u32) -> Reply<'_, u32> {
        Box::pin(async move {
            // In the normal case there is nothing to end, and nothing is written.
            match self.read(move |db| lapse::is_any(db, now_ms)).await? {
                true => self.write(move |db| lapse::end(db, now_ms, n_max)).await,
                false => Ok(0),
            }
        })
    }
}

/// Writes an event with what is changed in the same transaction. Its host must still be there.
pub(super) fn append(db: &Db, change: &Change) -> Result<(), StoreError> {
    let Change { at_ms, kind, host, severity, is_muted, data_json } = change;
    db.prepare_cached(
        "INSERT INTO events
            (at_ms, kind, host_id, host_name, labels_json, severity, is_muted, data_json)
         SELECT ?1, ?2, id, name, labels_json, ?4, ?5, ?6 FROM hosts WHERE id = ?3",
    )?
    .execute(params![at_ms, kind.as_str(), host.as_str(), severity, is_muted, data_json])?;
    Ok(())
}

pub(super) fn is_any_without_number(db: &Db) -> Result<bool, StoreError> {
    Ok(db.prepare_cached("SELECT 1 FROM events WHERE seq IS NULL LIMIT 1")?.exists([])?)
}

pub(super) fn publish(db: &Db) -> Result<u32, StoreError> {
    let n = db
        .prepare_cached(
            "UPDATE events SET seq = new.seq FROM (
                SELECT waiting.id, numbered.value + row_number() OVER (ORDER BY waiting.id) AS seq
                FROM (SELECT id FROM events WHERE seq IS NULL ORDER BY id LIMIT ?1) AS waiting,
                    counters AS numbered WHERE numbered.name = 'events_numbered'
             ) AS new WHERE events.id = new.id",
        )?
        .execute([HISTORY_PAGE_MAX])?;
    db.prepare_cached("UPDATE counters SET value = value + ?1 WHERE name = 'events_numbered'")?
        .execute([i64::try_from(n).unwrap_or(i64::MAX)])?;
    Ok(u32::try_from(n).unwrap_or(u32::MAX))
}

fn event_row(row: &Row<'_>) -> rusqlite::Result<Event> {
    let mut columns = Columns::of(row);
    Ok(Event {
        cursor: EventCursor { seq: columns.take()?, at_ms: columns.take()? },
        kind: columns.word(EventKind::from_word)?,
        host: columns.take::<String>()?.into(),
        host_name: columns.take()?,
        labels: columns.labels()?,
        severity: columns.take()?,
        is_muted: columns.take()?,
        data_json: columns.take()?,
    })
}

pub(super) fn page(db: &Db, after: EventCursor, n_max: u32) -> Result<Vec<Event>, StoreError> {
    // One snapshot for what is there and what is read.
    let tx = db.unchecked_transaction()?;
    check(&tx, after)?;
    let mut statement = tx.prepare_cached(
        "SELECT seq, at_ms, kind, host_id, host_name, labels_json, severity, is_muted, data_json
         FROM events WHERE seq > ?1 ORDER BY seq LIMIT ?2",
    )?;
    let rows = statement.query_map(params![after.seq, n_max.min(HISTORY_PAGE_MAX)], event_row)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Whether all that came after it is still there.
fn check(db: &Db, after: EventCursor) -> Result<(), StoreError> {
    let is_there = db
        .prepare_cached("SELECT 1 FROM events WHERE seq = ?1 AND at_ms = ?2")?
        .exists(params![after.seq, after.at_ms])?;
    let forgotten = forgotten(db)?;
    if is_there || after.seq == forgotten {
        Ok(())
    } else if after.seq < forgotten {
        Err(Conflict::EventsForgotten { after }.into())
    } else {
        Err(Conflict::NoSuchEvent { after }.into())
    }
}

fn forgotten(db: &Db) -> Result<i64, StoreError> {
    Ok(db
        .prepare_cached("SELECT value FROM counters WHERE name = 'events_forgotten'")?
        .query_row([], |row| row.get(0))?)
}

pub(super) fn span(db: &Db) -> Result<EventSpan, StoreError> {
    let tx = db.unchecked_transaction()?;
    span_in(&tx)
}

/// The same, where the caller has a snapshot.
pub(super) fn span_in(db: &Db) -> Result<EventSpan, StoreError> {
    let first = EventCursor { seq: forgotten(db)?, at_ms: 0 };
    let last = db
        .prepare_cached(
            "SELECT seq, at_ms FROM events WHERE seq IS NOT NULL ORDER BY seq DESC LIMIT 1",
        )?
        .query_row([], |row| Ok(EventCursor { seq: row.get(0)?, at_ms: row.get(1)? }))
        .optional()?;
    Ok(EventSpan { first, last: last.unwrap_or(first) })
}

pub(super) fn forget(db: &Db, before_ms: i64, n_max: u32) -> Result<u32, StoreError> {
    let oldest: Vec<(i64, i64)> = db
        .prepare_cached(
            "SELECT seq, at_ms FROM events WHERE seq IS NOT NULL ORDER BY seq LIMIT ?1",
        )?
        .query_map([n_max], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<Result<_, _>>()?;
    let old = oldest.iter().take_while(|(_, at_ms)| *at_ms < before_ms);
    let Some((last, _)) = old.last() else { return Ok(0) };
    let n = db.prepare_cached("DELETE FROM events WHERE seq <= ?1")?.execute([last])?;
    db.prepare_cached("UPDATE counters SET value = ?1 WHERE name = 'events_forgotten'")?
        .execute([last])?;
    Ok(u32::try_from(n).unwrap_or(u32::MAX))
}
