//! Locks on what is no row.

use super::transaction::Transaction;
use crate::StoreError;

/// The first half of the keys of our locks in this database. ("BPRF" is that of the schema.)
const REFERENCES: i32 = 1;
const COHORTS: i32 = 2;
const REMOVALS: i32 = 3;

/// Whether references are looked at or changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Use {
    /// They stay as they are until the transaction ends.
    Judge,
    /// They change: whoever judges by them waits, or is waited for.
    Change,
}

/// Locks all references, until the transaction ends. Not a lock on the row of their generation: each
/// judgement would have to write into that row.
pub(super) async fn references(tx: &Transaction, purpose: Use) -> Result<(), StoreError> {
    let sql = match purpose {
        Use::Judge => "SELECT pg_advisory_xact_lock_shared($1, 0)",
        Use::Change => "SELECT pg_advisory_xact_lock($1, 0)",
    };
    tx.execute(sql, &[&REFERENCES]).await.map(drop)
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
