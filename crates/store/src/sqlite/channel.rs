//! Channels.

use rusqlite::{Connection as Db, OptionalExtension, Row, params};
use serde_json::json;

use super::columns::Columns;
use super::error::is_duplicate;
use super::{SqliteStore, audit, event};
use crate::{
    By, CHANNELS_MAX, Channel, ChannelActivity, ChannelLease, Channels, Conflict, DEAD_LETTERS_MAX,
    DeadLetter, DeadLetterId, DeadLetters, EventCursor, HISTORY_PAGE_MAX, Kind, NewChannel,
    Progress, Reply, StoreError,
};

impl Channels for SqliteStore {
    fn add_channel(&self, channel: NewChannel, by: By) -> Reply<'_, ()> {
        self.write(move |db| add(db, &channel, &by))
    }

    fn channels(&self) -> Reply<'_, Vec<Channel>> {
        self.read(all)
    }

    fn channel(&self, name: &str) -> Reply<'_, Option<Channel>> {
        let name = name.to_owned();
        self.read(move |db| by_name(db, &name))
    }

    fn change_channel(&self, channel: NewChannel, by: By) -> Reply<'_, ()> {
        self.write(move |db| change(db, &channel, &by))
    }

    fn set_channel_activity(&self, name: &str, activity: ChannelActivity, by: By) -> Reply<'_, ()> {
        let name = name.to_owned();
        self.write(move |db| set_activity(db, &name, activity, &by))
    }

    fn remove_channel(&self, name: &str, by: By) -> Reply<'_, ()> {
        let name = name.to_owned();
        self.write(move |db| remove(db, &name, &by))
    }

    fn claim_channel(&self, lease: ChannelLease, now_ms: i64) -> Reply<'_, Option<Channel>> {
        Box::pin(async move {
            // In the normal case nothing is due, and nothing is written.
            let asked = lease.clone();
            match self.read(move |db| is_any_due(db, &asked, now_ms)).await? {
                true => self.write(move |db| claim(db, &lease, now_ms)).await,
                false => Ok(None),
            }
        })
    }

    fn note_progress(
        &self,
        name: &str,
        progress: Progress,
        lease: ChannelLease,
    ) -> Reply<'_, bool> {
        let name = name.to_owned();
        self.write(move |db| note_progress(db, &name, &progress, &lease))
    }

    fn release_channel(&self, name: &str, holder: &str) -> Reply<'_, ()> {
        let (name, holder) = (name.to_owned(), holder.to_owned());
        self.write(move |db| release(db, &name, &holder))
    }

    fn dead_letters(
        &self,
        channel: &str,
        after: DeadLetterId,
        n_max: u32,
    ) -> Reply<'_, Vec<DeadLetter>> {
        let name = channel.to_owned();
        self.read(move |db| dead_letters(db, &name, after, n_max))
    }

    fn redeliver(&self, channel: &str, which: DeadLetters, by: By) -> Reply<'_, u32> {
        let name = channel.to_owned();
        self.write(move |db| redeliver(db, &name, &which, &by))
    }

    fn due_dead_letter(&self, channel: &str) -> Reply<'_, Option<DeadLetter>> {
        let name = channel.to_owned();
        self.read(move |db| due_dead_letter(db, &name))
    }

    fn note_redelivery(&self, id: DeadLetterId, error: Option<String>) -> Reply<'_, ()> {
        self.write(move |db| note_redelivery(db, id, error.as_deref()))
    }
}

const COLUMNS: &str = "\
    SELECT name, kind, settings_json, sealed, filter_json, is_paused, created_at_ms, cursor_seq, \
    cursor_at_ms, due_at_ms, renew_at_ms, n_failed, last_error, delivered_at_ms, \
    (SELECT count(*) FROM dead_letters WHERE channel = name) FROM channels";

/// Those that are due at `?1` and that nobody holds but `?2`: any other holder is a process that died.
const DUE: &str = "\
    WHERE NOT is_paused AND due_at_ms <= ?1 AND (lease_until_ms <= ?1 OR lease_holder <> ?2) AND (
        cursor_seq < (SELECT coalesce(max(seq), 0) FROM events) OR renew_at_ms <= ?1
        OR EXISTS (SELECT 1 FROM dead_letters WHERE channel = name AND is_due)
    ) ORDER BY due_at_ms LIMIT 1";

fn channel_row(row: &Row<'_>) -> rusqlite::Result<Channel> {
    let mut columns = Columns::of(row);
    Ok(Channel {
        name: columns.take()?,
        kind: columns.take()?,
        settings_json: columns.take()?,
        sealed: columns.take()?,
        filter_json: columns.take()?,
        is_paused: columns.take()?,
        created_at_ms: columns.take()?,
        cursor: EventCursor { seq: columns.take()?, at_ms: columns.take()? },
        due_at_ms: columns.take()?,
        renew_at_ms: columns.take()?,
        n_failed: columns.take()?,
        last_error: columns.take()?,
        delivered_at_ms: columns.take()?,
        n_dead: columns.take::<i64>()?.unsigned_abs(),
    })
}

fn dead_row(row: &Row<'_>) -> rusqlite::Result<DeadLetter> {
    let mut columns = Columns::of(row);
    Ok(DeadLetter {
        id: DeadLetterId(columns.take()?),
        event_json: columns.take()?,
        error: columns.take()?,
        died_at_ms: columns.take()?,
        is_due: columns.take()?,
    })
}

pub(super) fn add(db: &Db, new: &NewChannel, by: &By) -> Result<(), StoreError> {
    let n: u32 = db.query_row("SELECT count(*) FROM channels", [], |row| row.get(0))?;
    if n >= CHANNELS_MAX {
        return Err(StoreError::Limit { what: "channels", max: CHANNELS_MAX });
    }
    let cursor = event::span_in(db)?.last;
    db.prepare_cached(
        "INSERT INTO channels
            (name, kind, settings_json, sealed, filter_json, created_at_ms, cursor_seq, cursor_at_ms,
             renew_at_ms)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
    )?
    .execute(params![
        new.name,
        new.kind,
        new.settings_json,
        new.sealed,
        new.filter_json,
        by.at_ms,
        cursor.seq,
        cursor.at_ms,
        new.renew_at_ms
    ])
    .map_err(|error| match is_duplicate(&error) {
        true => Conflict::NameTaken { name: new.name.clone() }.into(),
        false => StoreError::from(error),
    })?;
    audit::append(db, by, "channel.add", subject(&new.name), &json!({ "kind": new.kind }))
}

pub(super) fn all(db: &Db) -> Result<Vec<Channel>, StoreError> {
    let mut statement = db.prepare_cached(&format!("{COLUMNS} ORDER BY name"))?;
    let rows = statement.query_map([], channel_row)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

pub(super) fn by_name(db: &Db, name: &str) -> Result<Option<Channel>, StoreError> {
    let mut statement = db.prepare_cached(&format!("{COLUMNS} WHERE name = ?1"))?;
    Ok(statement.query_row([name], channel_row).optional()?)
}

pub(super) fn change(db: &Db, new: &NewChannel, by: &By) -> Result<(), StoreError> {
    let n = db
        .prepare_cached(
            "UPDATE channels SET settings_json = ?2, sealed = ?3, filter_json = ?4, due_at_ms = 0,
                n_failed = 0, last_error = NULL, renew_at_ms = ?5
             WHERE name = ?1",
        )?
        .execute(params![
            new.name,
            new.settings_json,
            new.sealed,
            new.filter_json,
            new.renew_at_ms
        ])?;
    found(n)?;
    audit::append(db, by, "channel.change", subject(&new.name), &json!({ "kind": new.kind }))
}

pub(super) fn set_activity(
    db: &Db,
    name: &str,
    activity: ChannelActivity,
    by: &By,
) -> Result<(), StoreError> {
    let (is_paused, action) = match activity {
        ChannelActivity::Paused => (true, "channel.pause"),
        ChannelActivity::Active => (false, "channel.resume"),
    };
    let n = db
        .prepare_cached("UPDATE channels SET is_paused = ?2, due_at_ms = 0 WHERE name = ?1")?
        .execute(params![name, is_paused])?;
    found(n)?;
    audit::append(db, by, action, subject(name), &json!({}))
}

pub(super) fn remove(db: &Db, name: &str, by: &By) -> Result<(), StoreError> {
    found(db.prepare_cached("DELETE FROM channels WHERE name = ?1")?.execute([name])?)?;
    audit::append(db, by, "channel.remove", subject(name), &json!({}))
}

pub(super) fn is_any_due(db: &Db, lease: &ChannelLease, now_ms: i64) -> Result<bool, StoreError> {
    let sql = format!("SELECT 1 FROM channels {DUE}");
    Ok(db.prepare_cached(&sql)?.exists(params![now_ms, lease.holder])?)
}

pub(super) fn claim(
    db: &Db,
    lease: &ChannelLease,
    now_ms: i64,
) -> Result<Option<Channel>, StoreError> {
    let sql = format!(
        "UPDATE channels SET lease_holder = ?2, lease_until_ms = ?3
         WHERE name = (SELECT name FROM channels {DUE}) RETURNING name"
    );
    let name: Option<String> = db
        .prepare_cached(&sql)?
        .query_row(params![now_ms, lease.holder, lease.until_ms], |row| row.get(0))
        .optional()?;
    name.map_or(Ok(None), |name| by_name(db, &name))
}

pub(super) fn note_progress(
    db: &Db,
    name: &str,
    progress: &Progress,
    lease: &ChannelLease,
) -> Result<bool, StoreError> {
    let n = db
        .prepare_cached(
            "UPDATE channels SET cursor_seq = ?3, cursor_at_ms = ?4, due_at_ms = ?5,
                renew_at_ms = ?6, n_failed = ?7, last_error = ?8,
                delivered_at_ms = coalesce(?9, delivered_at_ms), lease_until_ms = ?10
             WHERE name = ?1 AND lease_holder = ?2 AND NOT is_paused",
        )?
        .execute(params![
            name,
            lease.holder,
            progress.cursor.seq,
            progress.cursor.at_ms,
            progress.due_at_ms,
            progress.renew_at_ms,
            progress.n_failed,
            progress.last_error,
            progress.delivered_at_ms,
            lease.until_ms
        ])?;
    if n == 0 {
        return Ok(false);
    }
    for dead in &progress.dead {
        db.prepare_cached(
            "INSERT INTO dead_letters (channel, event_json, error, died_at_ms)
             VALUES (?1, ?2, ?3, ?4)",
        )?
        .execute(params![name, dead.event_json, dead.error, dead.died_at_ms])?;
    }
    if !progress.dead.is_empty() {
        db.prepare_cached(
            "DELETE FROM dead_letters WHERE channel = ?1 AND id <= (
                SELECT id FROM dead_letters WHERE channel = ?1 ORDER BY id DESC LIMIT 1 OFFSET ?2)",
        )?
        .execute(params![name, DEAD_LETTERS_MAX])?;
    }
    Ok(true)
}

pub(super) fn release(db: &Db, name: &str, holder: &str) -> Result<(), StoreError> {
    db.prepare_cached(
        "UPDATE channels SET lease_until_ms = 0 WHERE name = ?1 AND lease_holder = ?2",
    )?
    .execute([name, holder])?;
    Ok(())
}

const DEAD_COLUMNS: &str = "SELECT id, event_json, error, died_at_ms, is_due FROM dead_letters";

pub(super) fn dead_letters(
    db: &Db,
    channel: &str,
    after: DeadLetterId,
    n_max: u32,
) -> Result<Vec<DeadLetter>, StoreError> {
    by_name(db, channel)?.ok_or(StoreError::NotFound(Kind::Channel))?;
    let sql = format!("{DEAD_COLUMNS} WHERE channel = ?1 AND id > ?2 ORDER BY id LIMIT ?3");
    let mut statement = db.prepare_cached(&sql)?;
    let n_max = n_max.min(HISTORY_PAGE_MAX);
    let rows = statement.query_map(params![channel, after.0, n_max], dead_row)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

pub(super) fn redeliver(
    db: &Db,
    channel: &str,
    which: &DeadLetters,
    by: &By,
) -> Result<u32, StoreError> {
    by_name(db, channel)?.ok_or(StoreError::NotFound(Kind::Channel))?;
    let n = match which {
        DeadLetters::All => db
            .prepare_cached("UPDATE dead_letters SET is_due = 1 WHERE channel = ?1")?
            .execute([channel])?,
        DeadLetters::Ids(ids) => {
            let mut statement = db.prepare_cached(
                "UPDATE dead_letters SET is_due = 1 WHERE channel = ?1 AND id = ?2",
            )?;
            let mut n = 0_usize;
            for id in ids {
                n = n.saturating_add(statement.execute(params![channel, id.0])?);
            }
            n
        }
    };
    let n = u32::try_from(n).unwrap_or(u32::MAX);
    if n > 0 {
        db.prepare_cached("UPDATE channels SET due_at_ms = 0 WHERE name = ?1")?
            .execute([channel])?;
        audit::append(db, by, "channel.redeliver", subject(channel), &json!({ "n": n }))?;
    }
    Ok(n)
}

pub(super) fn due_dead_letter(db: &Db, channel: &str) -> Result<Option<DeadLetter>, StoreError> {
    let sql = format!("{DEAD_COLUMNS} WHERE channel = ?1 AND is_due ORDER BY id LIMIT 1");
    Ok(db.prepare_cached(&sql)?.query_row([channel], dead_row).optional()?)
}

pub(super) fn note_redelivery(
    db: &Db,
    id: DeadLetterId,
    error: Option<&str>,
) -> Result<(), StoreError> {
    match error {
        None => db.prepare_cached("DELETE FROM dead_letters WHERE id = ?1")?.execute([id.0])?,
        Some(error) => db
            .prepare_cached("UPDATE dead_letters SET is_due = 0, error = ?2 WHERE id = ?1")?
            .execute(params![id.0, error])?,
    };
    Ok(())
}

fn found(n: usize) -> Result<(), StoreError> {
    if n == 0 { Err(StoreError::NotFound(Kind::Channel)) } else { Ok(()) }
}

fn subject(name: &str) -> String {
    format!("channel:{name}")
}
