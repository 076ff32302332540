//! Authorities of client certificates.

use serde_json::json;

use super::columns::Columns;
use super::session::Session;
use super::transaction::Transaction;
use crate::{
    By, CLIENT_AUTHORITIES_MAX, CLIENT_AUTHORITY_GRACE_MS, ClientAuthorityRow, Conflict,
    NewClientAuthority, StoreError, row::client_authority::subject,
};

pub(super) async fn all(db: &Session, name: &str) -> Result<Vec<ClientAuthorityRow>, StoreError> {
    let sql = "SELECT number, begins_at_ms, material FROM client_authorities
         WHERE name = $1 AND retired_at_ms IS NULL ORDER BY number";
    db.read(sql, &[&name], |row| {
        let mut columns = Columns::of(row);
        Ok(ClientAuthorityRow {
            number: columns.take()?,
            begins_at_ms: columns.take()?,
            material: columns.take()?,
        })
    })
    .await
}

/// The counter is locked first: of two that add one the second sees the first.
pub(super) async fn add(
    tx: &Transaction,
    new: &NewClientAuthority,
    by: &By,
) -> Result<(), StoreError> {
    changed(tx).await?;
    let sql = "SELECT coalesce(max(number), 0), count(*) FILTER (WHERE retired_at_ms IS NULL)
         FROM client_authorities WHERE name = $1";
    let row = tx.row(sql, &[&new.name]).await?;
    let mut columns = Columns::of(&row);
    let last: i64 = columns.take()?;
    let n = columns.count()?;
    if last.checked_add(1) != Some(new.number) {
        return Err(Conflict::AuthorityKnown { number: last }.into());
    }
    let max = CLIENT_AUTHORITIES_MAX;
    if n >= u64::from(max) {
        return Err(StoreError::Limit { what: "authorities of client certificates", max });
    }
    let sql = "INSERT INTO client_authorities (name, number, begins_at_ms, material)
         VALUES ($1, $2, $3, $4)";
    tx.execute(sql, &[&new.name, &new.number, &new.begins_at_ms, &new.material]).await?;
    tx.audit(by, "client-authority.add", subject(&new.name, new.number), &new.detail);
    Ok(())
}

/// What relying parties get is another thing from here on.
async fn changed(tx: &Transaction) -> Result<(), StoreError> {
    let sql = "UPDATE counters SET value = value + 1 WHERE name = 'client_revocations'";
    tx.execute(sql, &[]).await?;
    Ok(())
}

/// The one that issues at `now_ms`.
pub(super) async fn issuing(
    tx: &Transaction,
    name: &str,
    now_ms: i64,
) -> Result<Option<i64>, StoreError> {
    let sql = "SELECT max(number) FROM client_authorities
         WHERE name = $1 AND retired_at_ms IS NULL AND begins_at_ms <= $2";
    Ok(tx.row(sql, &[&name, &now_ms]).await?.try_get(0)?)
}

pub(super) async fn retire(tx: &Transaction, name: &str, by: &By) -> Result<Vec<i64>, StoreError> {
    let began_ms = by.at_ms.saturating_sub(CLIENT_AUTHORITY_GRACE_MS);
    let Some(successor) = issuing(tx, name, began_ms).await? else { return Ok(Vec::new()) };
    let sql = "UPDATE client_authorities AS old SET retired_at_ms = $3, material = ''::bytea
         WHERE name = $1 AND number < $2 AND retired_at_ms IS NULL AND NOT EXISTS (
            SELECT 1 FROM client_certificates AS issued
            WHERE issued.authority_name IN ($1, '') AND issued.authority_number = old.number
                AND issued.not_after_ms > $3)
         RETURNING number";
    let rows = tx.rows(sql, &[&name, &successor, &by.at_ms]).await?;
    let numbers: Vec<i64> =
        rows.iter().map(|row| Columns::of(row).take()).collect::<Result<_, _>>()?;
    if !numbers.is_empty() {
        changed(tx).await?;
    }
    for number in &numbers {
        tx.audit(by, "client-authority.retire", subject(name, *number), &json!({}));
    }
    Ok(numbers)
}
