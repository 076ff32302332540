//! Evidence: each part once, by its SHA-256.

use std::collections::HashMap;

use tokio_postgres::Row;

use super::columns::Columns;
use super::session::Session;
use super::transaction::Transaction;
use crate::{AppraisalId, EvidencePart, HostId, Sha256, StoreError, StoredPart};

/// Stores the parts' bytes unless they are there, and says that `id` rests on them.
pub(super) async fn keep(
    tx: &Transaction,
    id: AppraisalId,
    parts: &[EvidencePart],
) -> Result<(), StoreError> {
    let digests: Vec<&[u8]> = parts.iter().map(|part| part.sha256.as_slice()).collect();
    // Locked against who would remove them: from now on there is somebody who needs them.
    let known = "SELECT sha256, id FROM evidence WHERE sha256 = ANY($1)
         ORDER BY id FOR KEY SHARE";
    let mut rows = ids_by_digest(tx.rows(known, &[&digests]).await?)?;
    let missing: Vec<&EvidencePart> =
        parts.iter().filter(|part| !rows.contains_key(&part.sha256)).collect();
    if !missing.is_empty() {
        let digests: Vec<&[u8]> = missing.iter().map(|part| part.sha256.as_slice()).collect();
        let bytes: Vec<&[u8]> = missing.iter().map(|part| part.bytes.as_slice()).collect();
        // In the order of their digests, so that two who bring the same ones do not wait for each
        // other. Updated in place of nothing, where another one was first, so that its row comes back.
        let new = "INSERT INTO evidence (sha256, bytes)
             SELECT DISTINCT ON (sha256) sha256, bytes
             FROM unnest($1::bytea[], $2::bytea[]) AS part (sha256, bytes) ORDER BY sha256
             ON CONFLICT (sha256) DO UPDATE SET sha256 = excluded.sha256
             RETURNING sha256, id";
        rows.extend(ids_by_digest(tx.rows(new, &[&digests, &bytes]).await?)?);
    }
    let ids: Vec<i64> = parts.iter().filter_map(|part| rows.get(&part.sha256).copied()).collect();
    if ids.len() != parts.len() {
        return Err(StoreError::broken("evidence that was stored is not there"));
    }
    let names: Vec<&str> = parts.iter().map(|part| part.name.as_str()).collect();
    tx.execute(
        "INSERT INTO appraisal_evidence (appraisal_id, position, name, evidence_id)
         SELECT $1, position - 1, name, evidence_id
         FROM unnest($2::text[], $3::bigint[]) WITH ORDINALITY
            AS part (name, evidence_id, position)",
        &[&id.0, &names, &ids],
    )
    .await
    .map(drop)
}

fn ids_by_digest(rows: Vec<Row>) -> Result<HashMap<Sha256, i64>, StoreError> {
    rows.iter()
        .map(|row| {
            let mut columns = Columns::of(row);
            Ok((columns.sha256()?, columns.take()?))
        })
        .collect()
}

pub(super) async fn of_appraisal(
    db: &Session,
    id: AppraisalId,
) -> Result<Vec<EvidencePart>, StoreError> {
    db.read(
        "SELECT name, sha256, bytes FROM appraisal_evidence
         JOIN evidence ON evidence.id = evidence_id
         WHERE appraisal_id = $1 ORDER BY position",
        &[&id.0],
        |row| {
            let mut columns = Columns::of(row);
            let (name, sha256) = (columns.take()?, columns.sha256()?);
            Ok(EvidencePart { name, sha256, bytes: columns.take()? })
        },
    )
    .await
}

/// PostgreSQL knows the length of a value without reading it.
pub(super) async fn of_many(
    db: &Session,
    ids: &[AppraisalId],
    bytes_max: u32,
) -> Result<Vec<Vec<StoredPart>>, StoreError> {
    let numbers: Vec<i64> = ids.iter().map(|id| id.0).collect();
    let rows = db
        .rows(
            "SELECT wish.n, name, sha256, CASE WHEN octet_length(bytes) <= $2::bigint THEN bytes END
             FROM unnest($1::bigint[]) WITH ORDINALITY AS wish (id, n)
             JOIN appraisal_evidence ON appraisal_id = wish.id
             JOIN evidence ON evidence.id = evidence_id
             ORDER BY wish.n, position",
            &[&numbers, &i64::from(bytes_max)],
        )
        .await?;
    let mut all = vec![Vec::new(); ids.len()];
    for row in &rows {
        let mut columns = Columns::of(row);
        let n: i64 = columns.take()?;
        let (name, sha256) = (columns.take()?, columns.sha256()?);
        let part = StoredPart { name, sha256, bytes: columns.take()? };
        // Numbered from one on.
        let place = usize::try_from(n.saturating_sub(1)).ok().and_then(|n| all.get_mut(n));
        place.ok_or_else(|| StoreError::broken("a row that nobody asked for"))?.push(part);
    }
    Ok(all)
}

pub(super) async fn by_sha256(
    db: &Session,
    sha256: &Sha256,
) -> Result<Option<Vec<u8>>, StoreError> {
    let sql = "SELECT bytes FROM evidence WHERE sha256 = $1";
    let row = db.row_or_none(sql, &[&sha256.as_slice()]).await?;
    Ok(row.map(|row| row.try_get(0)).transpose()?)
}

/// Rows of `evidence` that appraisals refer to.
pub(super) async fn ids_of(tx: &Transaction, appraisals: &[i64]) -> Result<Vec<i64>, StoreError> {
    let sql = "SELECT DISTINCT evidence_id FROM appraisal_evidence WHERE appraisal_id = ANY($1)";
    let rows = tx.rows(sql, &[&appraisals]).await?;
    Ok(rows.iter().map(|row| row.try_get(0)).collect::<Result<_, _>>()?)
}

/// Rows of `evidence` that a host's appraisals refer to.
pub(super) async fn ids_of_host(tx: &Transaction, host: &HostId) -> Result<Vec<i64>, StoreError> {
    let rows = tx
        .rows(
            "SELECT DISTINCT evidence_id FROM appraisal_evidence
             JOIN appraisals ON appraisals.id = appraisal_id WHERE host_id = $1",
            &[&host.as_str()],
        )
        .await?;
    Ok(rows.iter().map(|row| row.try_get(0)).collect::<Result<_, _>>()?)
}

/// Removes those of `ids` that no appraisal refers to. One that somebody just begins to refer to is
/// kept by the constraint: the transaction is then tried again, and sees it.
pub(super) async fn remove_orphans(tx: &Transaction, ids: &[i64]) -> Result<(), StoreError> {
    tx.execute(
        "DELETE FROM evidence WHERE id = ANY($1)
         AND NOT EXISTS (SELECT 1 FROM appraisal_evidence WHERE evidence_id = evidence.id)",
        &[&ids],
    )
    .await
    .map(drop)
}
