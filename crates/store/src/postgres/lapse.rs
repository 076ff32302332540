//! What ends by time. Several servers share it: what one is just ending, another leaves to it.

use super::session::Session;
use super::transaction::Transaction;
use super::{alarm, inventory};
use crate::{By, HostId, StoreError};

/// Who ends it.
const SERVER: &str = "server";

/// Whether there is anything to end.
pub(super) async fn is_any(db: &Session, now_ms: i64) -> Result<bool, StoreError> {
    let sql = "\
        SELECT EXISTS (SELECT 1 FROM alarms WHERE cleared_at_ms IS NULL AND ack_until_ms <= $1) \
        OR EXISTS (SELECT 1 FROM hosts WHERE maintenance_until_ms <= $1)";
    Ok(db.row(sql, &[&now_ms]).await?.try_get(0)?)
}

pub(super) async fn end(tx: &Transaction, now_ms: i64, n_max: u32) -> Result<u32, StoreError> {
    let n_max = i64::from(n_max);
    let hosts = tx
        .rows(
            "SELECT id FROM hosts WHERE maintenance_until_ms <= $1
             ORDER BY maintenance_until_ms LIMIT $2 FOR NO KEY UPDATE SKIP LOCKED",
            &[&now_ms, &n_max],
        )
        .await?;
    let mut n_ended = u32::try_from(hosts.len()).unwrap_or(u32::MAX);
    let by = By::new(SERVER, now_ms);
    for host in hosts {
        let host: String = host.try_get(0)?;
        inventory::end_maintenance(tx, &HostId::from(host), &by).await?;
    }
    let clause = "WHERE cleared_at_ms IS NULL AND ack_until_ms <= $1 ORDER BY ack_until_ms LIMIT $2 \
                  FOR UPDATE OF alarms SKIP LOCKED";
    let lapsed = alarm::many(tx, clause, &[&now_ms, &n_max]).await?;
    n_ended = n_ended.saturating_add(u32::try_from(lapsed.len()).unwrap_or(u32::MAX));
    alarm::end_acknowledgements(tx, lapsed, None, now_ms).await?;
    Ok(n_ended)
}
