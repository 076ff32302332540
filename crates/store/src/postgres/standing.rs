//! How the fleet stood, hour by hour.

use super::columns::Columns;
use super::session::Session;
use super::transaction::Transaction;
use crate::row::standing::stored;
use crate::{HOUR_MS, STANDING_HOURS_MAX, StandingHour, StoreError};

/// Of servers that count at once the last one's count stays: all counted the same hosts.
pub(super) async fn put(tx: &Transaction, hour: &StandingHour) -> Result<(), StoreError> {
    tx.execute(
        "INSERT INTO standing_hours
            (hour_ms, n_accepted, n_not_accepted, n_not_appraised, n_not_responding)
         VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT (hour_ms) DO UPDATE SET n_accepted = $2, n_not_accepted = $3,
            n_not_appraised = $4, n_not_responding = $5",
        &[
            &hour.hour_ms,
            &stored(hour.n_accepted),
            &stored(hour.n_not_accepted),
            &stored(hour.n_not_appraised),
            &stored(hour.n_not_responding),
        ],
    )
    .await?;
    let oldest_ms = hour.hour_ms.saturating_sub(STANDING_HOURS_MAX.saturating_mul(HOUR_MS));
    tx.execute("DELETE FROM standing_hours WHERE hour_ms < $1", &[&oldest_ms]).await.map(drop)
}

pub(super) async fn since(db: &Session, since_ms: i64) -> Result<Vec<StandingHour>, StoreError> {
    db.read(
        "SELECT hour_ms, n_accepted, n_not_accepted, n_not_appraised, n_not_responding
         FROM standing_hours WHERE hour_ms >= $1 ORDER BY hour_ms LIMIT $2",
        &[&since_ms, &STANDING_HOURS_MAX],
        |row| {
            let mut columns = Columns::of(row);
            Ok(StandingHour {
                hour_ms: columns.take()?,
                n_accepted: columns.count()?,
                n_not_accepted: columns.count()?,
                n_not_appraised: columns.count()?,
                n_not_responding: columns.count()?,
            })
        },
    )
    .await
}
