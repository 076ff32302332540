//! Quoted values of cohorts, and how many hosts share them.

use rusqlite::{Connection as Db, OptionalExtension, params};

use super::columns::Columns;
use crate::{HostId, PeerPcr, Peers, QuotedValues, StoreError};

/// Replaces the values of `host`. Without a cohort there is nobody to compare it with.
pub(super) fn replace(
    db: &Db,
    host: &HostId,
    cohort: Option<&str>,
    quoted: &QuotedValues,
) -> Result<(), StoreError> {
    db.prepare_cached("DELETE FROM quoted_values WHERE host_id = ?1")?.execute([host.as_str()])?;
    let Some(cohort) = cohort else { return Ok(()) };
    let mut insert = db.prepare_cached(
        "INSERT INTO quoted_values (host_id, pcr_index, cohort, bank, value)
         VALUES (?1, ?2, ?3, ?4, ?5)",
    )?;
    for (pcr_index, value) in &quoted.values {
        insert.execute(params![host.as_str(), pcr_index, cohort, quoted.bank, value])?;
    }
    Ok(())
}

pub(super) fn of_host(db: &Db, host: &HostId) -> Result<Option<Peers>, StoreError> {
    let of: Option<(String, String)> = db
        .prepare_cached("SELECT cohort, bank FROM quoted_values WHERE host_id = ?1 LIMIT 1")?
        .query_row([host.as_str()], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    let Some((cohort, bank)) = of else { return Ok(None) };
    let mut statement = db.prepare_cached(
        "SELECT own.pcr_index, own.value, same.n, total.n, most.value, most.n
         FROM quoted_values own
         JOIN quoted_counts same ON same.cohort = own.cohort AND same.bank = own.bank
            AND same.pcr_index = own.pcr_index AND same.value = own.value
         JOIN quoted_totals total ON total.cohort = own.cohort AND total.bank = own.bank
            AND total.pcr_index = own.pcr_index
         JOIN quoted_counts most ON most.cohort = own.cohort AND most.bank = own.bank
            AND most.pcr_index = own.pcr_index
            AND most.value = (SELECT value FROM quoted_counts
                WHERE cohort = own.cohort AND bank = own.bank AND pcr_index = own.pcr_index
                ORDER BY n DESC LIMIT 1)
         WHERE own.host_id = ?1 ORDER BY own.pcr_index",
    )?;
    let rows = statement.query_map([host.as_str()], |row| {
        let mut columns = Columns::of(row);
        Ok(PeerPcr {
            pcr_index: columns.take()?,
            value: columns.take()?,
            n_same: columns.take::<i64>()?.unsigned_abs(),
            n_hosts: columns.take::<i64>()?.unsigned_abs(),
            most_common: columns.take()?,
            n_most_common: columns.take::<i64>()?.unsigned_abs(),
        })
    })?;
    Ok(Some(Peers { cohort, bank, pcrs: rows.collect::<Result<_, _>>()? }))
}
