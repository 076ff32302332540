//! Channels. Which server delivers is said by a lease, so that none of them leads.

use serde_json::json;
use tokio_postgres::Row;

use super::columns::Columns;
use super::error::is_duplicate;
use super::session::Session;
use super::transaction::Transaction;
use super::{PostgresStore, event};
use crate::{
    By, CHANNELS_MAX, Channel, ChannelActivity, ChannelLease, Channels, Conflict, DEAD_LETTERS_MAX,
    DeadLetter, DeadLetterId, DeadLetters, EventCursor, HISTORY_PAGE_MAX, Kind, NewChannel,
    Progress, Reply, StoreError,
};

impl Channels for PostgresStore {
    fn add_channel(&self, channel: NewChannel, by: By) -> Reply<'_, ()> {
        self.change((channel, by), |tx, (channel, by)| Box::pin(add(tx, channel, by)))
    }

    fn channels(&self) -> Reply<'_, Vec<Channel>> {
        self.look((), |db, ()| Box::pin(all(db)))
    }

    fn channel(&self, name: &str) -> Reply<'_, Option<Channel>> {
        let name = name.to_owned();
        self.look((name,), |db, (name,)| Box::pin(by_name(db, name)))
    }

    fn change_channel(&self, channel: NewChannel, by: By) -> Reply<'_, ()> {
        self.change((channel, by), |tx, (channel, by)| Box::pin(change(tx, channel, by)))
    }

    fn set_channel_activity(&self, name: &str, activity: ChannelActivity, by: By) -> Reply<'_, ()> {
        let name = name.to_owned();
        self.change((name, activity, by), |tx, (name, activity, by)| {
            Box::pin(set_activity(tx, name, *activity, by))
        })
    }

    fn remove_channel(&self, name: &str, by: By) -> Reply<'_, ()> {
        let name = name.to_owned();
        self.change((name, by), |tx, (name, by)| Box::pin(remove(tx, name, by)))
    }

    fn claim_channel(&self, lease: ChannelLease, now_ms: i64) -> Reply<'_, Option<Channel>> {
        Box::pin(async move {
            // In the normal case nothing is due, and this is all.
            let due = self.look((now_ms,), |db, (now_ms,)| Box::pin(is_any_due(db, *now_ms)));
            if !due.await? {
                return Ok(None);
            }
            self.change((lease, now_ms), |tx, (lease, now_ms)| Box::pin(claim(tx, lease, *now_ms)))
                .await
        })
    }

    fn note_progress(
        &self,
        name: &str,
        progress: Progress,
        lease: ChannelLease,
    ) -> Reply<'_, bool> {
        let name = name.to_owned();
        self.change((name, progress, lease), |tx, (name, progress, lease)| {
            Box::pin(note_progress(tx, name, progress, lease))
        })
    }

    fn release_channel(&self, name: &str, holder: &str) -> Reply<'_, ()> {
        let (name, holder) = (name.to_owned(), holder.to_owned());
        self.look((name, holder), |db, (name, holder)| Box::pin(release(db, name, holder)))
    }

    fn dead_letters(
        &self,
        channel: &str,
        after: DeadLetterId,
        n_max: u32,
    ) -> Reply<'_, Vec<DeadLetter>> {
        let name = channel.to_owned();
        self.look((name, after, n_max), |db, (name, after, n_max)| {
            Box::pin(dead_letters(db, name, *after, *n_max))
        })
    }

    fn redeliver(&self, channel: &str, which: DeadLetters, by: By) -> Reply<'_, u32> {
        let name = channel.to_owned();
        self.change((name, which, by), |tx, (name, which, by)| {
            Box::pin(redeliver(tx, name, which, by))
        })
    }

    fn due_dead_letter(&self, channel: &str) -> Reply<'_, Option<DeadLetter>> {
        let name = channel.to_owned();
        self.look((name,), |db, (name,)| Box::pin(due_dead_letter(db, name)))
    }

    fn note_redelivery(&self, id: DeadLetterId, error: Option<String>) -> Reply<'_, ()> {
        self.look((id, error), |db, (id, error)| {
            Box::pin(note_redelivery(db, *id, error.as_deref()))
        })
    }
}

const COLUMNS: &str = "\
    SELECT name, kind, settings_json, sealed, filter_json, is_paused, created_at_ms, cursor_seq, \
    cursor_at_ms, due_at_ms, renew_at_ms, n_failed, last_error, delivered_at_ms, \
    (SELECT count(*) FROM dead_letters WHERE channel = name) FROM channels";

/// Those that are due at `$1`, and that nobody holds.
const DUE: &str = "\
    WHERE NOT is_paused AND due_at_ms <= $1 AND lease_until_ms <= $1 AND (
        cursor_seq < (SELECT coalesce(max(seq), 0) FROM events) OR renew_at_ms <= $1
        OR EXISTS (SELECT 1 FROM dead_letters WHERE channel = name AND is_due)
    ) ORDER BY due_at_ms LIMIT 1";

fn channel_row(row: &Row) -> Result<Channel, StoreError> {
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
        n_failed: columns.small_or_none()?.unwrap_or(0),
        last_error: columns.take()?,
        delivered_at_ms: columns.take()?,
        n_dead: columns.count()?,
    })
}

fn dead_row(row: &Row) -> Result<DeadLetter, StoreError> {
    let mut columns = Columns::of(row);
    Ok(DeadLetter {
        id: DeadLetterId(columns.take()?),
        event_json: columns.take()?,
        error: columns.take()?,
        died_at_ms: columns.take()?,
        is_due: columns.take()?,
    })
}

pub(super) async fn add(tx: &Transaction, new: &NewChannel, by: &By) -> Result<(), StoreError> {
    let row = tx.row("SELECT count(*) FROM channels", &[]).await?;
    if Columns::of(&row).count()? >= u64::from(CHANNELS_MAX) {
        return Err(StoreError::Limit { what: "channels", max: CHANNELS_MAX });
    }
    let cursor = event::span(tx).await?.last;
    tx.try_execute(
        "INSERT INTO channels
            (name, kind, settings_json, sealed, filter_json, created_at_ms, cursor_seq, cursor_at_ms,
             renew_at_ms)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        &[
            &new.name,
            &new.kind,
            &new.settings_json,
            &new.sealed,
            &new.filter_json,
            &by.at_ms,
            &cursor.seq,
            &cursor.at_ms,
            &new.renew_at_ms,
        ],
    )
    .await
    .map_err(|error| match is_duplicate(&error) {
        true => Conflict::NameTaken { name: new.name.clone() }.into(),
        false => StoreError::from(error),
    })?;
    tx.audit(by, "channel.add", subject(&new.name), &json!({ "kind": new.kind }));
    Ok(())
}

pub(super) async fn all(db: &Session) -> Result<Vec<Channel>, StoreError> {
    db.read(&format!("{COLUMNS} ORDER BY name"), &[], channel_row).await
}

pub(super) async fn by_name(db: &Session, name: &str) -> Result<Option<Channel>, StoreError> {
    let row = db.row_or_none(&format!("{COLUMNS} WHERE name = $1"), &[&name]).await?;
    row.as_ref().map(channel_row).transpose()
}

pub(super) async fn change(tx: &Transaction, new: &NewChannel, by: &By) -> Result<(), StoreError> {
    let n = tx
        .execute(
            "UPDATE channels SET settings_json = $2, sealed = $3, filter_json = $4, due_at_ms = 0,
                n_failed = 0, last_error = NULL, renew_at_ms = $5
             WHERE name = $1",
            &[&new.name, &new.settings_json, &new.sealed, &new.filter_json, &new.renew_at_ms],
        )
        .await?;
    found(n)?;
    tx.audit(by, "channel.change", subject(&new.name), &json!({ "kind": new.kind }));
    Ok(())
}

pub(super) async fn set_activity(
    tx: &Transaction,
    name: &str,
    activity: ChannelActivity,
    by: &By,
) -> Result<(), StoreError> {
    let (is_paused, action) = match activity {
        ChannelActivity::Paused => (true, "channel.pause"),
        ChannelActivity::Active => (false, "channel.resume"),
    };
    let sql = "UPDATE channels SET is_paused = $2, due_at_ms = 0 WHERE name = $1";
    found(tx.execute(sql, &[&name, &is_paused]).await?)?;
    tx.audit(by, action, subject(name), &json!({}));
    Ok(())
}

pub(super) async fn remove(tx: &Transaction, name: &str, by: &By) -> Result<(), StoreError> {
    found(tx.execute("DELETE FROM channels WHERE name = $1", &[&name]).await?)?;
    tx.audit(by, "channel.remove", subject(name), &json!({}));
    Ok(())
}

pub(super) async fn is_any_due(db: &Session, now_ms: i64) -> Result<bool, StoreError> {
    let sql = format!("SELECT 1 FROM channels {DUE}");
    Ok(db.row_or_none(&sql, &[&now_ms]).await?.is_some())
}

pub(super) async fn claim(
    tx: &Transaction,
    lease: &ChannelLease,
    now_ms: i64,
) -> Result<Option<Channel>, StoreError> {
    // What another server is just claiming is left to it.
    let free = format!("SELECT name FROM channels {DUE} FOR UPDATE OF channels SKIP LOCKED");
    let Some(row) = tx.row_or_none(&free, &[&now_ms]).await? else { return Ok(None) };
    let name: String = row.try_get(0)?;
    let sql = "UPDATE channels SET lease_holder = $2, lease_until_ms = $3 WHERE name = $1";
    tx.execute(sql, &[&name, &lease.holder, &lease.until_ms]).await?;
    by_name(tx, &name).await
}

pub(super) async fn note_progress(
    tx: &Transaction,
    name: &str,
    progress: &Progress,
    lease: &ChannelLease,
) -> Result<bool, StoreError> {
    let n = tx
        .execute(
            "UPDATE channels SET cursor_seq = $3, cursor_at_ms = $4, due_at_ms = $5,
                renew_at_ms = $6, n_failed = $7, last_error = $8,
                delivered_at_ms = coalesce($9, delivered_at_ms), lease_until_ms = $10
             WHERE name = $1 AND lease_holder = $2 AND NOT is_paused",
            &[
                &name,
                &lease.holder,
                &progress.cursor.seq,
                &progress.cursor.at_ms,
                &progress.due_at_ms,
                &progress.renew_at_ms,
                &i64::from(progress.n_failed),
                &progress.last_error,
                &progress.delivered_at_ms,
                &lease.until_ms,
            ],
        )
        .await?;
    if n == 0 {
        return Ok(false);
    }
    for dead in &progress.dead {
        tx.execute(
            "INSERT INTO dead_letters (channel, event_json, error, died_at_ms)
             VALUES ($1, $2, $3, $4)",
            &[&name, &dead.event_json, &dead.error, &dead.died_at_ms],
        )
        .await?;
    }
    if !progress.dead.is_empty() {
        tx.execute(
            "DELETE FROM dead_letters WHERE channel = $1 AND id <= (
                SELECT id FROM dead_letters WHERE channel = $1 ORDER BY id DESC LIMIT 1 OFFSET $2)",
            &[&name, &i64::from(DEAD_LETTERS_MAX)],
        )
        .await?;
    }
    Ok(true)
}

pub(super) async fn release(db: &Session, name: &str, holder: &str) -> Result<(), StoreError> {
    let sql = "UPDATE channels SET lease_until_ms = 0 WHERE name = $1 AND lease_holder = $2";
    db.execute(sql, &[&name, &holder]).await.map(drop)
}

const DEAD_COLUMNS: &str = "SELECT id, event_json, error, died_at_ms, is_due FROM dead_letters";

pub(super) async fn dead_letters(
    db: &Session,
    channel: &str,
    after: DeadLetterId,
    n_max: u32,
) -> Result<Vec<DeadLetter>, StoreError> {
    by_name(db, channel).await?.ok_or(StoreError::NotFound(Kind::Channel))?;
    let sql = format!("{DEAD_COLUMNS} WHERE channel = $1 AND id > $2 ORDER BY id LIMIT $3");
    let n_max = i64::from(n_max.min(HISTORY_PAGE_MAX));
    db.read(&sql, &[&channel, &after.0, &n_max], dead_row).await
}

pub(super) async fn redeliver(
    tx: &Transaction,
    channel: &str,
    which: &DeadLetters,
    by: &By,
) -> Result<u32, StoreError> {
    by_name(tx, channel).await?.ok_or(StoreError::NotFound(Kind::Channel))?;
    let n = match which {
        DeadLetters::All => {
            let sql = "UPDATE dead_letters SET is_due = true WHERE channel = $1";
            tx.execute(sql, &[&channel]).await?
        }
        DeadLetters::Ids(ids) => {
            let ids: Vec<i64> = ids.iter().map(|id| id.0).collect();
            let sql = "UPDATE dead_letters SET is_due = true WHERE channel = $1 AND id = ANY($2)";
            tx.execute(sql, &[&channel, &ids]).await?
        }
    };
    let n = u32::try_from(n).unwrap_or(u32::MAX);
    if n > 0 {
        tx.execute("UPDATE channels SET due_at_ms = 0 WHERE name = $1", &[&channel]).await?;
        tx.audit(by, "channel.redeliver", subject(channel), &json!({ "n": n }));
    }
    Ok(n)
}

pub(super) async fn due_dead_letter(
    db: &Session,
    channel: &str,
) -> Result<Option<DeadLetter>, StoreError> {
    let sql = format!("{DEAD_COLUMNS} WHERE channel = $1 AND is_due ORDER BY id LIMIT 1");
    db.row_or_none(&sql, &[&channel]).await?.as_ref().map(dead_row).transpose()
}

pub(super) async fn note_redelivery(
    db: &Session,
    id: DeadLetterId,
    error: Option<&str>,
) -> Result<(), StoreError> {
    match error {
        None => db.execute("DELETE FROM dead_letters WHERE id = $1", &[&id.0]).await?,
        Some(error) => {
            let sql = "UPDATE dead_letters SET is_due = false, error = $2 WHERE id = $1";
            db.execute(sql, &[&id.0, &error]).await?
        }
    };
    Ok(())
}

fn found(n: u64) -> Result<(), StoreError> {
    if n == 0 { Err(StoreError::NotFound(Kind::Channel)) } else { Ok(()) }
}

fn subject(name: &str) -> String {
    format!("channel:{name}")
}
