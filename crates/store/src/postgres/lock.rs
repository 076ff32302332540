//! Locks on what is no row.

use tokio_postgres::Statement;

use super::transaction::Transaction;
use crate::StoreError;

/// The first half of the keys of our locks in this database. ("BPRF" is that of the schema.)
pub(super) const REFERENCES: i32 = 1;
const COHORTS: i32 = 2;
const REMOVALS: i32 = 3;
const PEOPLE: i32 = 4;

/// Locks all references to change them, until the transaction ends: whoever judges by them waits, or is
/// waited for. Not a lock on the row of their generation: each judgement would have to write into that
/// row.
pub(super) async fn references(tx: &Transaction) -> Result<(), StoreError> {
    tx.execute("SELECT pg_advisory_xact_lock($1, 0)", &[&REFERENCES]).await.map(drop)
}

/// What [`judge`] sends.
pub(super) async fn prepare_judge(tx: &Transaction) -> Result<Statement, StoreError> {
    tx.prepare("SELECT pg_advisory_xact_lock_shared($1, 0)").await
}

/// Locks all references to judge by them: they stay as they are until the transaction ends.
pub(super) async fn judge(tx: &Transaction, way: &Statement) -> Result<(), StoreError> {
    tx.send(way, &[&REFERENCES]).await.map(drop)
}

/// Locks the counts of quoted values of cohorts, in an order that is the same for everybody.
pub(super) async fn cohorts(tx: &Transaction, cohorts: &[&str]) -> Result<(), StoreError> {
    tx.execute(
        "SELECT pg_advisory_xact_lock($1, key)
         FROM (SELECT DISTINCT hashtext(name) AS key FROM unnest($2::text[]) AS name
               ORDER BY 1) AS keys",
        &[&COHORTS, &cohorts],
    )
    .await
    .map(drop)
}

/// Lets one transaction at a time remove what others may refer to as well: two that each leave the rest
/// to the other would both leave it.
pub(super) async fn removals(tx: &Transaction) -> Result<(), StoreError> {
    tx.execute("SELECT pg_advisory_xact_lock($1, 0)", &[&REMOVALS]).await.map(drop)
}

/// Lets one transaction at a time change accounts, begin sessions and take a provider's logout: all are rare, and no
/// session is to begin beside a change that ends it, nor the last administrator to go beside the last but one.
pub(super) async fn people(tx: &Transaction) -> Result<(), StoreError> {
    tx.execute("SELECT pg_advisory_xact_lock($1, 0)", &[&PEOPLE]).await.map(drop)
}
