//! The audit log, for readers.

use api::audit::{AuditPage, AuditRow, CHECKPOINT_TYPE, Checkpoint, SignedCheckpoint};
use store::HISTORY_PAGE_MAX;

use super::{
    App, AppError, cursor,
    paging::{cut, one_more},
};

impl App {
    /// Rows behind `cursor`, which may be a row's number, oldest first.
    pub async fn audit(
        &self,
        cursor: Option<&str>,
        limit: Option<u32>,
    ) -> Result<AuditPage, AppError> {
        let after = cursor::number(cursor)?.unwrap_or(0);
        let limit = limit.unwrap_or(HISTORY_PAGE_MAX).clamp(1, HISTORY_PAGE_MAX);
        let rows = self.store.audit(after, one_more(limit)).await?;
        let (rows, follows) = cut(rows, limit, HISTORY_PAGE_MAX);
        let next_cursor = rows.last().filter(|_| follows).map(|last| cursor::to_text(last.seq));
        let view = |row: store::AuditRow| AuditRow {
            seq: row.seq,
            at_ms: row.at_ms,
            actor: row.actor,
            action: row.action,
            subject: row.subject,
            detail_json: row.detail_json,
            sha256: hex::encode(row.sha256),
        };
        Ok(AuditPage { rows: rows.into_iter().map(view).collect(), next_cursor })
    }

    /// The newest `limit` rows with numbers below `before`, newest first; without it, of all.
    pub async fn audit_before(
        &self,
        before: Option<i64>,
        limit: u32,
    ) -> Result<Vec<AuditRow>, AppError> {
        let end = match before {
            Some(before) => before.saturating_sub(1),
            None => self.store.audit_head().await?.0,
        };
        // Numbers have no gaps.
        let after = end.saturating_sub(i64::from(limit)).max(0);
        let n = u32::try_from(end.saturating_sub(after).max(0)).unwrap_or(0);
        if n == 0 {
            return Ok(Vec::new());
        }
        let mut rows = self.audit(Some(&cursor::to_text(after)), Some(n)).await?.rows;
        rows.reverse();
        Ok(rows)
    }

    /// The end of the log, signed.
    pub async fn audit_checkpoint(&self) -> Result<SignedCheckpoint, AppError> {
        let (seq, sha256) = self.store.audit_head().await?;
        let iat = self.store.now_ms().await?.div_euclid(1000);
        let checkpoint = Checkpoint { seq, sha256: hex::encode(sha256), iat };
        Ok(SignedCheckpoint { jws: self.signer.sign(CHECKPOINT_TYPE, &checkpoint)? })
    }
}
