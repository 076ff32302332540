//! Quoted values of cohorts, and how many hosts share them.

use tokio_postgres::Row;

use super::columns::Columns;
use super::lock;
use super::session::Session;
use super::transaction::Transaction;
use crate::{HostId, PeerPcr, Peers, QuotedValues, StoreError};

/// Replaces the values of `host`. Without a cohort there is nobody to compare it with.
pub(super) async fn replace(
    tx: &Transaction,
    host: &HostId,
    cohort: Option<&str>,
    quoted: &QuotedValues,
) -> Result<(), StoreError> {
    lock_of_host(tx, host, cohort).await?;
    tx.execute("DELETE FROM quoted_values WHERE host_id = $1", &[&host.as_str()]).await?;
    let Some(cohort) = cohort else { return Ok(()) };
    let indexes: Vec<i64> = quoted.values.iter().map(|(index, _)| i64::from(*index)).collect();
    let values: Vec<&[u8]> = quoted.values.iter().map(|(_, value)| value.as_slice()).collect();
    tx.execute(
        "INSERT INTO quoted_values (host_id, pcr_index, cohort, bank, value)
         SELECT $1, pcr_index, $2, $3, value
         FROM unnest($4::bigint[], $5::bytea[]) AS quoted (pcr_index, value)",
        &[&host.as_str(), &cohort, &quoted.bank, &indexes, &values],
    )
    .await
    .map(drop)
}

/// Locks the counts that the values of `host` are in, and those of the cohort that it goes to.
pub(super) async fn lock_of_host(
    tx: &Transaction,
    host: &HostId,
    cohort: Option<&str>,
) -> Result<(), StoreError> {
    let sql = "SELECT cohort FROM quoted_values WHERE host_id = $1 LIMIT 1";
    let row = tx.row_or_none(sql, &[&host.as_str()]).await?;
    let before: Option<String> = row.map(|row| row.try_get(0)).transpose()?;
    let both: Vec<&str> = before.as_deref().into_iter().chain(cohort).collect();
    lock::cohorts(tx, &both).await
}

pub(super) async fn of_host(db: &Session, host: &HostId) -> Result<Option<Peers>, StoreError> {
    let rows = db
        .rows(
            "SELECT own.cohort, own.bank,
                own.pcr_index, own.value, same.n, total.n, most.value, most.n
             FROM quoted_values own
             JOIN quoted_counts same ON same.cohort = own.cohort AND same.bank = own.bank
                AND same.pcr_index = own.pcr_index AND same.value = own.value
             JOIN quoted_totals total ON total.cohort = own.cohort AND total.bank = own.bank
                AND total.pcr_index = own.pcr_index
             CROSS JOIN LATERAL (SELECT value, n FROM quoted_counts
                WHERE cohort = own.cohort AND bank = own.bank AND pcr_index = own.pcr_index
                ORDER BY n DESC LIMIT 1) most
             WHERE own.host_id = $1 ORDER BY own.pcr_index",
            &[&host.as_str()],
        )
        .await?;
    let Some(first) = rows.first() else { return Ok(None) };
    let mut columns = Columns::of(first);
    let (cohort, bank) = (columns.take()?, columns.take()?);
    let pcrs = rows.iter().map(pcr).collect::<Result<_, _>>()?;
    Ok(Some(Peers { cohort, bank, pcrs }))
}

fn pcr(row: &Row) -> Result<PeerPcr, StoreError> {
    let mut columns = Columns::of(row);
    columns.pass_over(2);
    Ok(PeerPcr {
        pcr_index: columns.small_or_none()?.ok_or_else(|| StoreError::broken("no PCR"))?,
        value: columns.take()?,
        n_same: columns.count()?,
        n_hosts: columns.count()?,
        most_common: columns.take()?,
        n_most_common: columns.count()?,
    })
}
