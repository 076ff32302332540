//! The audit log.

use tokio_postgres::Row;

use super::columns::Columns;
use super::session::Session;
use crate::{AuditRow, By, HISTORY_PAGE_MAX, Sha256, StoreError};

/// A row that is to be written at the end of its transaction.
#[derive(Debug)]
pub(super) struct Unsealed {
    pub(super) by: By,
    pub(super) action: &'static str,
    pub(super) subject: String,
    pub(super) detail_json: String,
}

/// Appends rows for changes that are part of the same transaction. From here to its end the
/// transaction holds the end of the chain.
pub(super) async fn append(tx: &Session, rows: Vec<Unsealed>) -> Result<(), StoreError> {
    let head = tx.row("SELECT seq, sha256 FROM audit_head FOR UPDATE", &[]).await?;
    let mut columns = Columns::of(&head);
    let (mut seq, mut before) = (columns.take::<i64>()?, columns.sha256()?);
    for Unsealed { by, action, subject, detail_json } in rows {
        let By { actor, at_ms } = by;
        let action = action.to_owned();
        seq = seq.saturating_add(1);
        let mut row = AuditRow { seq, at_ms, actor, action, subject, detail_json, sha256: [0; 32] };
        row.sha256 = row.seal(&before);
        before = row.sha256;
        tx.execute(
            "WITH head AS (UPDATE audit_head SET seq = $1, sha256 = $7)
             INSERT INTO audit (seq, at_ms, actor, action, subject, detail_json, sha256)
             VALUES ($1, $2, $3, $4, $5, $6, $7)",
            &[
                &row.seq,
                &row.at_ms,
                &row.actor,
                &row.action,
                &row.subject,
                &row.detail_json,
                &row.sha256.as_slice(),
            ],
        )
        .await?;
    }
    Ok(())
}

/// What readers see as the end: the last row that is there, not what writers go on from.
pub(super) async fn head(db: &Session) -> Result<(i64, Sha256), StoreError> {
    let last = "SELECT seq, sha256 FROM audit ORDER BY seq DESC LIMIT 1";
    let Some(row) = db.row_or_none(last, &[]).await? else { return Ok((0, [0; 32])) };
    let mut columns = Columns::of(&row);
    Ok((columns.take()?, columns.sha256()?))
}

pub(super) async fn page(
    db: &Session,
    after_seq: i64,
    n_max: u32,
) -> Result<Vec<AuditRow>, StoreError> {
    db.read(
        "SELECT seq, at_ms, actor, action, subject, detail_json, sha256
         FROM audit WHERE seq > $1 ORDER BY seq LIMIT $2",
        &[&after_seq, &i64::from(n_max.min(HISTORY_PAGE_MAX))],
        row,
    )
    .await
}

fn row(row: &Row) -> Result<AuditRow, StoreError> {
    let mut columns = Columns::of(row);
    Ok(AuditRow {
        seq: columns.take()?,
        at_ms: columns.take()?,
        actor: columns.take()?,
        action: columns.take()?,
        subject: columns.take()?,
        detail_json: columns.take()?,
        sha256: columns.sha256()?,
    })
}
