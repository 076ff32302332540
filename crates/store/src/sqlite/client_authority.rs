//! Authorities of client certificates.

use rusqlite::{Connection as Db, params};
use serde_json::json;

use super::audit;
use crate::{
    By, CLIENT_AUTHORITIES_MAX, CLIENT_AUTHORITY_GRACE_MS, ClientAuthorityRow, Conflict,
    NewClientAuthority, StoreError, row::client_authority::subject,
};

pub(super) fn all(db: &Db, name: &str) -> Result<Vec<ClientAuthorityRow>, StoreError> {
    let mut statement = db.prepare_cached(
        "SELECT number, begins_at_ms, material FROM client_authorities
         WHERE name = ?1 AND retired_at_ms IS NULL ORDER BY number",
    )?;
    let rows = statement.query_map([name], |row| {
        Ok(ClientAuthorityRow {
            number: row.get(0)?,
            begins_at_ms: row.get(1)?,
            material: row.get(2)?,
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

pub(super) fn add(db: &Db, new: &NewClientAuthority, by: &By) -> Result<(), StoreError> {
    let (last, n): (i64, u32) = db
        .prepare_cached(
            "SELECT coalesce(max(number), 0), count(*) FILTER (WHERE retired_at_ms IS NULL)
             FROM client_authorities WHERE name = ?1",
        )?
        .query_row([&new.name], |row| Ok((row.get(0)?, row.get(1)?)))?;
    if last.checked_add(1) != Some(new.number) {
        return Err(Conflict::AuthorityKnown { number: last }.into());
    }
    let max = CLIENT_AUTHORITIES_MAX;
    if n >= max {
        return Err(StoreError::Limit { what: "authorities of client certificates", max });
    }
    db.prepare_cached(
        "INSERT INTO client_authorities (name, number, begins_at_ms, material) VALUES (?1, ?2, ?3, ?4)",
    )?
    .execute(params![new.name, new.number, new.begins_at_ms, new.material])?;
    changed(db)?;
    audit::append(db, by, "client-authority.add", subject(&new.name, new.number), &new.detail)
}

/// What relying parties get is another thing from here on.
fn changed(db: &Db) -> Result<(), StoreError> {
    db.prepare_cached("UPDATE counters SET value = value + 1 WHERE name = 'client_revocations'")?
        .execute([])?;
    Ok(())
}

/// The one that issues at `now_ms`.
pub(super) fn issuing(db: &Db, name: &str, now_ms: i64) -> Result<Option<i64>, StoreError> {
    let sql = "SELECT max(number) FROM client_authorities
         WHERE name = ?1 AND retired_at_ms IS NULL AND begins_at_ms <= ?2";
    Ok(db.prepare_cached(sql)?.query_row(params![name, now_ms], |row| row.get(0))?)
}

pub(super) fn retire(db: &Db, name: &str, by: &By) -> Result<Vec<i64>, StoreError> {
    let began_ms = by.at_ms.saturating_sub(CLIENT_AUTHORITY_GRACE_MS);
    let Some(successor) = issuing(db, name, began_ms)? else { return Ok(Vec::new()) };
    let numbers: Vec<i64> = db
        .prepare_cached(
            "UPDATE client_authorities AS old SET retired_at_ms = ?3, material = X''
             WHERE name = ?1 AND number < ?2 AND retired_at_ms IS NULL AND NOT EXISTS (
                SELECT 1 FROM client_certificates AS issued
                WHERE issued.authority_name IN (?1, '') AND issued.authority_number = old.number
                    AND issued.not_after_ms > ?3)
             RETURNING number",
        )?
        .query_map(params![name, successor, by.at_ms], |row| row.get(0))?
        .collect::<Result<_, _>>()?;
    if !numbers.is_empty() {
        changed(db)?;
    }
    for number in &numbers {
        let subject = subject(name, *number);
        audit::append(db, by, "client-authority.retire", subject, &json!({}))?;
    }
    Ok(numbers)
}
