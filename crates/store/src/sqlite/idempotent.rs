//! Requests that are to be done once.

use rusqlite::{Connection as Db, OptionalExtension as _, params};

use super::SqliteStore;
use crate::{
    Begun, IDEMPOTENT_REQUESTS_MAX, IdempotentRequest, IdempotentRequests, Reply, Sha256,
    StoreError, row::idempotent::forgets,
};

impl IdempotentRequests for SqliteStore {
    fn begin_idempotent(&self, request: IdempotentRequest) -> Reply<'_, Begun> {
        self.write(move |db| begin(db, &request))
    }

    fn answer_idempotent(&self, id: Sha256, sealed: Vec<u8>) -> Reply<'_, ()> {
        self.write(move |db| answer(db, &id, &sealed))
    }

    fn forget_idempotent(&self, id: Sha256) -> Reply<'_, ()> {
        self.write(move |db| forget(db, &id))
    }
}

pub(super) fn begin(db: &Db, request: &IdempotentRequest) -> Result<Begun, StoreError> {
    db.prepare_cached(
        "DELETE FROM idempotent_requests WHERE id IN (SELECT id FROM idempotent_requests
         WHERE expires_at_ms <= ?1 ORDER BY expires_at_ms LIMIT ?2)",
    )?
    .execute(params![request.at_ms, forgets()])?;
    let known = db
        .prepare_cached(
            "SELECT request_sha256, begun_at_ms, sealed_answer FROM idempotent_requests
             WHERE id = ?1 AND expires_at_ms > ?2",
        )?
        .query_row(params![request.id, request.at_ms], |row| {
            Ok((row.get::<_, Sha256>(0)?, row.get(1)?, row.get(2)?))
        })
        .optional()?;
    match known {
        Some((request_sha256, _, _)) if request_sha256 != request.request_sha256 => {
            return Ok(Begun::Other);
        }
        Some((_, _, Some(sealed))) => return Ok(Begun::Answered { sealed }),
        Some((_, begun_at_ms, None)) => return Ok(Begun::Unanswered { begun_at_ms }),
        None => {}
    }
    let n_kept: u32 = db
        .prepare_cached("SELECT count(*) FROM idempotent_requests WHERE caller = ?1")?
        .query_row([request.caller], |row| row.get(0))?;
    if n_kept >= IDEMPOTENT_REQUESTS_MAX {
        let what = "requests with a key within a day";
        return Err(StoreError::Limit { what, max: IDEMPOTENT_REQUESTS_MAX });
    }
    db.prepare_cached(
        "INSERT OR REPLACE INTO idempotent_requests
            (id, caller, request_sha256, begun_at_ms, expires_at_ms)
         VALUES (?1, ?2, ?3, ?4, ?5)",
    )?
    .execute(params![
        request.id,
        request.caller,
        request.request_sha256,
        request.at_ms,
        request.expires_at_ms
    ])?;
    Ok(Begun::First)
}

pub(super) fn answer(db: &Db, id: &Sha256, sealed: &[u8]) -> Result<(), StoreError> {
    db.prepare_cached("UPDATE idempotent_requests SET sealed_answer = ?2 WHERE id = ?1")?
        .execute(params![id, sealed])?;
    Ok(())
}

pub(super) fn forget(db: &Db, id: &Sha256) -> Result<(), StoreError> {
    db.prepare_cached("DELETE FROM idempotent_requests WHERE id = ?1 AND sealed_answer IS NULL")?
        .execute([id])?;
    Ok(())
}
