//! Secrets of the server.

use super::transaction::Transaction;
use crate::StoreError;

pub(super) async fn get_or_insert(
    tx: &Transaction,
    name: &str,
    candidate: &[u8],
) -> Result<Vec<u8>, StoreError> {
    // Waits for another server that is just inserting its own.
    tx.execute(
        "INSERT INTO secrets (name, value) VALUES ($1, $2) ON CONFLICT DO NOTHING",
        &[&name, &candidate],
    )
    .await?;
    Ok(tx.row("SELECT value FROM secrets WHERE name = $1", &[&name]).await?.try_get(0)?)
}
