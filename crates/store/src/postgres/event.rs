//! Events, and their numbers.
//!
//! A number that is taken inside a change becomes visible when that is committed, and a larger one may be
//! visible before: a reader that goes on from it misses the smaller one. So changes write events without
//! numbers, and wait for nobody. Numbers are given afterwards, by one server at a time, to what it sees
//! as committed, in the order in which it was written: two changes of one host come in their order, as
//! the second is written after the first one is committed.

use tokio_postgres::Row;

use super::columns::Columns;
use super::session::Session;
use super::transaction::Transaction;
use super::{PostgresStore, lapse};
use crate::row::event::Change;
use crate::{
    Conflict, Event, EventCursor, EventKind, EventSpan, Events, HISTORY_PAGE_MAX, Reply, StoreError,
};

impl Events for PostgresStore {
    fn events(&self, after: EventCursor, n_max: u32) -> Reply<'_, Vec<Event>> {
        self.look((after, n_max), |db, (after, n_max)| Box::pin(page(db, *after, *n_max)))
    }

    fn event_span(&self) -> Reply<'_, EventSpan> {
        self.look((), |db, ()| Box::pin(span(db)))
    }

    fn publish_events(&self) -> Reply<'_, u32> {
        Box::pin(async {
            // In the normal case there are none, and this is all.
            if !self.look((), |db, ()| Box::pin(is_any_without_number(db))).await? {
                return Ok(0);
            }
            self.change((), |tx, ()| Box::pin(publish(tx))).await
        })
    }

    fn forget_events(&self, before_ms: i64, n_max: u32) -> Reply<'_, u32> {
        self.change((before_ms, n_max), |tx, (before_ms, n_max)| {
            Box::pin(forget(tx, *before_ms, *n_max))
        })
    }

    fn end_lapsed(&self, now_ms: i64, n_max: u32) -> Reply<'_, u32> {
        Box::pin(async move {
            if !self.look((now_ms,), |db, (now_ms,)| Box::pin(lapse::is_any(db, *now_ms))).await? {
                return Ok(0);
            }
            self.change((now_ms, n_max), |tx, (now_ms, n_max)| {
                Box::pin(lapse::end(tx, *now_ms, *n_max))
            })
            .await
        })
    }
}

/// Writes events with what is changed in the same transaction. Their hosts must still be there.
pub(super) async fn append(tx: &Transaction, changes: &[Change]) -> Result<(), StoreError> {
    if changes.is_empty() {
        return Ok(());
    }
    let at_ms: Vec<i64> = changes.iter().map(|change| change.at_ms).collect();
    let kinds: Vec<&str> = changes.iter().map(|change| change.kind.as_str()).collect();
    let hosts: Vec<&str> = changes.iter().map(|change| change.host.as_str()).collect();
    let severities: Vec<Option<&str>> =
        changes.iter().map(|change| change.severity.as_deref()).collect();
    let muted: Vec<bool> = changes.iter().map(|change| change.is_muted).collect();
    let data: Vec<&str> = changes.iter().map(|change| &*change.data_json).collect();
    tx.execute(
        "INSERT INTO events
            (at_ms, kind, host_id, host_name, labels_json, severity, is_muted, data_json)
         SELECT new.at_ms, new.kind, hosts.id, hosts.name, hosts.labels_json, new.severity,
            new.is_muted, new.data_json
         FROM unnest($1::bigint[], $2::text[], $3::text[], $4::text[], $5::boolean[], $6::text[])
            WITH ORDINALITY AS new (at_ms, kind, host_id, severity, is_muted, data_json, n)
         JOIN hosts ON hosts.id = new.host_id ORDER BY n",
        &[&at_ms, &kinds, &hosts, &severities, &muted, &data],
    )
    .await
    .map(drop)
}

pub(super) async fn is_any_without_number(db: &Session) -> Result<bool, StoreError> {
    let sql = "SELECT EXISTS (SELECT 1 FROM events WHERE seq IS NULL)";
    Ok(db.row(sql, &[]).await?.try_get(0)?)
}

pub(super) async fn publish(tx: &Transaction) -> Result<u32, StoreError> {
    // A statement of its own: the next one sees all that was numbered before the lock was free.
    let lock = "SELECT value FROM counters WHERE name = 'events_numbered' FOR UPDATE";
    let numbered: i64 = tx.row(lock, &[]).await?.try_get(0)?;
    let n = tx
        .execute(
            "UPDATE events SET seq = new.seq FROM (
                SELECT id, $1 + row_number() OVER (ORDER BY id) AS seq FROM (
                    SELECT id FROM events WHERE seq IS NULL ORDER BY id LIMIT $2
                ) AS waiting
             ) AS new WHERE events.id = new.id",
            &[&numbered, &i64::from(HISTORY_PAGE_MAX)],
        )
        .await?;
    let last = numbered.saturating_add(i64::try_from(n).unwrap_or(i64::MAX));
    tx.execute("UPDATE counters SET value = $1 WHERE name = 'events_numbered'", &[&last]).await?;
    Ok(u32::try_from(n).unwrap_or(u32::MAX))
}

fn event_row(row: &Row) -> Result<Event, StoreError> {
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

pub(super) async fn page(
    db: &Session,
    after: EventCursor,
    n_max: u32,
) -> Result<Vec<Event>, StoreError> {
    let events = db
        .read(
            "SELECT seq, at_ms, kind, host_id, host_name, labels_json, severity, is_muted, data_json
             FROM events WHERE seq > $1 ORDER BY seq LIMIT $2",
            &[&after.seq, &i64::from(n_max.min(HISTORY_PAGE_MAX))],
            event_row,
        )
        .await?;
    // Afterwards, so that what was forgotten in between is noticed.
    check(db, after).await?;
    Ok(events)
}

/// Whether all that came after it was still there.
async fn check(db: &Session, after: EventCursor) -> Result<(), StoreError> {
    let row = db
        .row(
            "SELECT EXISTS (SELECT 1 FROM events WHERE seq = $1 AND at_ms = $2), value
             FROM counters WHERE name = 'events_forgotten'",
            &[&after.seq, &after.at_ms],
        )
        .await?;
    let mut columns = Columns::of(&row);
    let (is_there, forgotten): (bool, i64) = (columns.take()?, columns.take()?);
    if is_there || after.seq == forgotten {
        Ok(())
    } else if after.seq < forgotten {
        Err(Conflict::EventsForgotten { after }.into())
    } else {
        Err(Conflict::NoSuchEvent { after }.into())
    }
}

pub(super) async fn span(db: &Session) -> Result<EventSpan, StoreError> {
    let row = db
        .row(
            "SELECT value, seq, at_ms FROM counters LEFT JOIN (
                SELECT seq, at_ms FROM events WHERE seq IS NOT NULL ORDER BY seq DESC LIMIT 1
             ) AS newest ON true WHERE name = 'events_forgotten'",
            &[],
        )
        .await?;
    let mut columns = Columns::of(&row);
    let first = EventCursor { seq: columns.take()?, at_ms: 0 };
    let (seq, at_ms): (Option<i64>, Option<i64>) = (columns.take()?, columns.take()?);
    let last = seq.zip(at_ms).map(|(seq, at_ms)| EventCursor { seq, at_ms });
    Ok(EventSpan { first, last: last.unwrap_or(first) })
}

pub(super) async fn forget(
    tx: &Transaction,
    before_ms: i64,
    n_max: u32,
) -> Result<u32, StoreError> {
    // Whoever forgets at another server has done it then.
    let lock = "SELECT value FROM counters WHERE name = 'events_forgotten' FOR UPDATE";
    tx.execute(lock, &[]).await?;
    let oldest = tx
        .rows(
            "SELECT seq, at_ms FROM events WHERE seq IS NOT NULL ORDER BY seq LIMIT $1",
            &[&i64::from(n_max)],
        )
        .await?;
    let mut last: Option<i64> = None;
    for row in oldest {
        if row.try_get::<_, i64>(1)? >= before_ms {
            break;
        }
        last = Some(row.try_get(0)?);
    }
    let Some(last) = last else { return Ok(0) };
    let n = tx.execute("DELETE FROM events WHERE seq <= $1", &[&last]).await?;
    tx.execute("UPDATE counters SET value = $1 WHERE name = 'events_forgotten'", &[&last]).await?;
    Ok(u32::try_from(n).unwrap_or(u32::MAX))
}
