//! How the fleet stood, hour by hour.

use rusqlite::{Connection as Db, params};

use super::columns::Columns;
use crate::row::standing::stored;
use crate::{HOUR_MS, STANDING_HOURS_MAX, StandingHour, StoreError};

pub(super) fn put(db: &Db, hour: &StandingHour) -> Result<(), StoreError> {
    db.prepare_cached(
        "INSERT INTO standing_hours
            (hour_ms, n_accepted, n_not_accepted, n_not_appraised, n_not_responding)
         VALUES (?1, ?2, ?3, ?4, ?5)
         ON CONFLICT (hour_ms) DO UPDATE SET n_accepted = ?2, n_not_accepted = ?3,
            n_not_appraised = ?4, n_not_responding = ?5",
    )?
    .execute(params![
        hour.hour_ms,
        stored(hour.n_accepted),
        stored(hour.n_not_accepted),
        stored(hour.n_not_appraised),
        stored(hour.n_not_responding)
    ])?;
    let oldest_ms = hour.hour_ms.saturating_sub(STANDING_HOURS_MAX.saturating_mul(HOUR_MS));
    db.prepare_cached("DELETE FROM standing_hours WHERE hour_ms < ?1")?.execute([oldest_ms])?;
    Ok(())
}

pub(super) fn since(db: &Db, since_ms: i64) -> Result<Vec<StandingHour>, StoreError> {
    let mut statement = db.prepare_cached(
        "SELECT hour_ms, n_accepted, n_not_accepted, n_not_appraised, n_not_responding
         FROM standing_hours WHERE hour_ms >= ?1 ORDER BY hour_ms LIMIT ?2",
    )?;
    let rows = statement.query_map([since_ms, STANDING_HOURS_MAX], |row| {
        let mut columns = Columns::of(row);
        Ok(StandingHour {
            hour_ms: columns.take()?,
            n_accepted: columns.take::<i64>()?.unsigned_abs(),
            n_not_accepted: columns.take::<i64>()?.unsigned_abs(),
            n_not_appraised: columns.take::<i64>()?.unsigned_abs(),
            n_not_responding: columns.take::<i64>()?.unsigned_abs(),
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}
