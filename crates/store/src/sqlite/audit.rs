//! The audit log.

use rusqlite::{Connection as Db, OptionalExtension, params};

use super::columns::Columns;
use crate::{AuditRow, By, HISTORY_PAGE_MAX, Sha256, StoreError};

/// Number and seal of the last row; 0 and zeros before the first.
pub(super) fn head(db: &Db) -> Result<(i64, Sha256), StoreError> {
    let last = db
        .prepare_cached("SELECT seq, sha256 FROM audit ORDER BY seq DESC LIMIT 1")?
        .query_row([], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    Ok(last.unwrap_or_default())
}

/// Appends a row for a change that is part of the same transaction.
pub(super) fn append(
    db: &Db,
    by: &By,
    action: &str,
    subject: String,
    detail: &serde_json::Value,
) -> Result<(), StoreError> {
    let (last_seq, before) = head(db)?;
    let mut row = AuditRow {
        seq: last_seq.saturating_add(1),
        at_ms: by.at_ms,
        actor: by.actor.clone(),
        action: action.to_owned(),
        subject,
        detail_json: detail.to_string(),
        sha256: [0; 32],
    };
    row.sha256 = row.seal(&before);
    db.prepare_cached(
        "INSERT INTO audit (seq, at_ms, actor, action, subject, detail_json, sha256)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    )?
    .execute(params![
        row.seq,
        row.at_ms,
        row.actor,
        row.action,
        row.subject,
        row.detail_json,
        row.sha256
    ])?;
    Ok(())
}

pub(super) fn page(db: &Db, after_seq: i64, n_max: u32) -> Result<Vec<AuditRow>, StoreError> {
    let mut statement = db.prepare_cached(
        "SELECT seq, at_ms, actor, action, subject, detail_json, sha256
         FROM audit WHERE seq > ?1 ORDER BY seq LIMIT ?2",
    )?;
    let rows = statement.query_map(params![after_seq, n_max.min(HISTORY_PAGE_MAX)], |row| {
        let mut columns = Columns::of(row);
        Ok(AuditRow {
            seq: columns.take()?,
            at_ms: columns.take()?,
            actor: columns.take()?,
            action: columns.take()?,
            subject: columns.take()?,
            detail_json: columns.take()?,
            sha256: columns.take()?,
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}
