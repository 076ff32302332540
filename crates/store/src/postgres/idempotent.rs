//! Requests that are to be done once.

use super::PostgresStore;
use super::transaction::Transaction;
use crate::{
    Begun, IDEMPOTENT_REQUESTS_MAX, IdempotentRequest, IdempotentRequests, Reply, Sha256,
    StoreError, row::idempotent::forgets,
};

impl IdempotentRequests for PostgresStore {
    fn begin_idempotent(&self, request: IdempotentRequest) -> Reply<'_, Begun> {
        self.change((request,), |tx, (request,)| Box::pin(begin(tx, request)))
    }

    fn answer_idempotent(&self, id: Sha256, sealed: Vec<u8>) -> Reply<'_, ()> {
        self.change((id, sealed), |tx, (id, sealed)| Box::pin(answer(tx, id, sealed)))
    }

    fn forget_idempotent(&self, id: Sha256) -> Reply<'_, ()> {
        self.change((id,), |tx, (id,)| Box::pin(forget(tx, id)))
    }
}

pub(super) async fn begin(
    tx: &Transaction,
    request: &IdempotentRequest,
) -> Result<Begun, StoreError> {
    // Two that remove the same rows would wait for each other.
    tx.execute(
        "DELETE FROM idempotent_requests WHERE id IN (SELECT id FROM idempotent_requests
         WHERE expires_at_ms <= $1 ORDER BY expires_at_ms LIMIT $2 FOR UPDATE SKIP LOCKED)",
        &[&request.at_ms, &i64::from(forgets())],
    )
    .await?;
    let n_kept: i64 = tx
        .row(
            "SELECT count(*) FROM idempotent_requests WHERE caller = $1",
            &[&request.caller.as_slice()],
        )
        .await?
        .try_get(0)?;
    let values: super::session::Values<'_> = &[
        &request.id.as_slice(),
        &request.caller.as_slice(),
        &request.request_sha256.as_slice(),
        &request.at_ms,
        &request.expires_at_ms,
    ];
    // One of two servers inserts; the other waits here, and then sees it.
    let n_new = match n_kept < i64::from(IDEMPOTENT_REQUESTS_MAX) {
        true => {
            tx.execute(
                "INSERT INTO idempotent_requests
                    (id, caller, request_sha256, begun_at_ms, expires_at_ms)
                 VALUES ($1, $2, $3, $4, $5)
                 ON CONFLICT (id) DO UPDATE SET request_sha256 = excluded.request_sha256,
                    begun_at_ms = excluded.begun_at_ms, expires_at_ms = excluded.expires_at_ms,
                    sealed_answer = NULL
                    WHERE idempotent_requests.expires_at_ms <= excluded.begun_at_ms",
                values,
            )
            .await?
        }
        false => 0,
    };
    if n_new > 0 {
        return Ok(Begun::First);
    }
    let row = tx
        .row_or_none(
            "SELECT request_sha256, begun_at_ms, sealed_answer FROM idempotent_requests
             WHERE id = $1 AND expires_at_ms > $2",
            &[&request.id.as_slice(), &request.at_ms],
        )
        .await?;
    let Some(row) = row else {
        let what = "requests with a key within a day";
        return Err(StoreError::Limit { what, max: IDEMPOTENT_REQUESTS_MAX });
    };
    let request_sha256: &[u8] = row.try_get(0)?;
    if request_sha256 != request.request_sha256 {
        return Ok(Begun::Other);
    }
    Ok(match row.try_get(2)? {
        Some(sealed) => Begun::Answered { sealed },
        None => Begun::Unanswered { begun_at_ms: row.try_get(1)? },
    })
}

pub(super) async fn answer(tx: &Transaction, id: &Sha256, sealed: &[u8]) -> Result<(), StoreError> {
    tx.execute(
        "UPDATE idempotent_requests SET sealed_answer = $2 WHERE id = $1",
        &[&id.as_slice(), &sealed],
    )
    .await
    .map(drop)
}

pub(super) async fn forget(tx: &Transaction, id: &Sha256) -> Result<(), StoreError> {
    tx.execute(
        "DELETE FROM idempotent_requests WHERE id = $1 AND sealed_answer IS NULL",
        &[&id.as_slice()],
    )
    .await
    .map(drop)
}
