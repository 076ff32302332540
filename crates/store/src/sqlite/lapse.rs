//! What ends by time.

use rusqlite::{Connection as Db, params};

use super::{alarm, inventory};
use crate::{By, HostId, StoreError};

/// Who ends it.
const SERVER: &str = "server";

/// Whether there is anything to end.
pub(super) fn is_any(db: &Db, now_ms: i64) -> Result<bool, StoreError> {
    let sql = "\
        SELECT EXISTS (SELECT 1 FROM alarms WHERE cleared_at_ms IS NULL AND ack_until_ms <= ?1) \
        OR EXISTS (SELECT 1 FROM hosts WHERE maintenance_until_ms <= ?1)";
    Ok(db.prepare_cached(sql)?.query_row([now_ms], |row| row.get(0))?)
}

pub(super) fn end(db: &Db, now_ms: i64, n_max: u32) -> Result<u32, StoreError> {
    let mut n_ended = 0_u32;
    let clause =
        "WHERE cleared_at_ms IS NULL AND ack_until_ms <= ?1 ORDER BY ack_until_ms LIMIT ?2";
    for lapsed in alarm::many(db, clause, &[&now_ms, &n_max])? {
        alarm::end_acknowledgement(db, lapsed, None, now_ms)?;
        n_ended = n_ended.saturating_add(1);
    }
    let hosts: Vec<String> = db
        .prepare_cached(
            "SELECT id FROM hosts WHERE maintenance_until_ms <= ?1
             ORDER BY maintenance_until_ms LIMIT ?2",
        )?
        .query_map(params![now_ms, n_max], |row| row.get(0))?
        .collect::<Result<_, _>>()?;
    for host in hosts {
        inventory::end_maintenance(db, &HostId::from(host), &By::new(SERVER, now_ms))?;
        n_ended = n_ended.saturating_add(1);
    }
    Ok(n_ended)
}
