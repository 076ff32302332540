//! Evidence: each part once, by its SHA-256.

use std::collections::HashMap;

use tokio_postgres::{Row, Statement};

use super::columns::Columns;
use super::session::{Session, Values};
use super::transaction::Transaction;
use crate::packing::{self, Packed};
use crate::{AppraisalId, EvidencePart, HostId, NewAppraisal, Sha256, StoreError, StoredPart};

/// Rows of `evidence` by digest, locked against who would remove them: there is somebody now who needs
/// them.
pub(super) const KNOWN: &str =
    "SELECT sha256, id FROM evidence WHERE sha256 = ANY($1) ORDER BY id FOR KEY SHARE";

/// Names and digests of all that a judgement rests on, in their order.
fn named(new: &NewAppraisal) -> impl Iterator<Item = (&str, &[u8])> {
    let parts = new.evidence.iter().map(|part| (part.name.as_str(), part.sha256.as_slice()));
    parts.chain(new.kept.iter().map(|part| (part.name.as_str(), part.sha256.as_slice())))
}

/// Which of the parts are there, and in which rows.
pub(super) async fn known(
    tx: &Transaction,
    way: &Statement,
    new: &NewAppraisal,
) -> Result<HashMap<Sha256, i64>, StoreError> {
    let digests: Vec<&[u8]> = named(new).map(|(_, sha256)| sha256).collect();
    ids_by_digest(&tx.ask(way, &[&digests]).await?)
}

/// Stores parts that are not there, and says that an appraisal rests on all of them: its number; names
/// and digests of all; digests and bytes of those that are not there; digests and rows of the others.
/// New ones come with how they are packed, in the order of their digests, so that two who bring the same ones do not wait for each
/// other; where another one was first, that row is touched, so that it comes back. Not its key: that would
/// wait for all who hold it, who may wait for us.
pub(super) const KEEP: &str = "\
    WITH new AS ( \
        INSERT INTO evidence (sha256, bytes, packing, n_bytes) \
        SELECT DISTINCT ON (sha256) sha256, bytes, packing, n_bytes \
        FROM unnest($4::bytea[], $5::bytea[], $8::bigint[], $9::bigint[]) \
            AS part (sha256, bytes, packing, n_bytes) ORDER BY sha256 \
        ON CONFLICT (sha256) DO UPDATE SET bytes = evidence.bytes \
        RETURNING sha256, id), \
    kept AS ( \
        SELECT sha256, id FROM new \
        UNION ALL SELECT sha256, id FROM unnest($6::bytea[], $7::bigint[]) AS known (sha256, id)) \
    INSERT INTO appraisal_evidence (appraisal_id, position, name, evidence_id) \
    SELECT $1, position - 1, name, kept.id \
    FROM unnest($2::text[], $3::bytea[]) WITH ORDINALITY AS part (name, sha256, position) \
    JOIN kept ON kept.sha256 = part.sha256";

pub(super) async fn keep(
    tx: &Transaction,
    way: &Statement,
    id: AppraisalId,
    new: &NewAppraisal,
    known: &HashMap<Sha256, i64>,
) -> Result<(), StoreError> {
    let (names, digests): (Vec<&str>, Vec<&[u8]>) = named(new).unzip();
    let n_parts = names.len();
    let new: Vec<&EvidencePart> =
        new.evidence.iter().filter(|part| !known.contains_key(&part.sha256)).collect();
    let new_digests: Vec<&[u8]> = new.iter().map(|part| part.sha256.as_slice()).collect();
    let packed: Vec<Packed<'_>> = new.iter().map(|part| packing::pack(&part.bytes)).collect();
    let new_bytes: Vec<&[u8]> = packed.iter().map(|packed| &*packed.bytes).collect();
    let packings: Vec<i64> = packed.iter().map(|packed| packed.packing.number()).collect();
    let lengths: Vec<i64> = packed.iter().map(|packed| packed.n_bytes).collect();
    let known_digests: Vec<&[u8]> = known.keys().map(|sha256| sha256.as_slice()).collect();
    let known_ids: Vec<i64> = known.values().copied().collect();
    let values: Values<'_> = &[
        &id.0,
        &names,
        &digests,
        &new_digests,
        &new_bytes,
        &known_digests,
        &known_ids,
        &packings,
        &lengths,
    ];
    let n = tx.send(way, values).await?;
    if usize::try_from(n) == Ok(n_parts) {
        return Ok(());
    }
    Err(StoreError::broken("evidence that was stored is not there"))
}

fn ids_by_digest(rows: &[Row]) -> Result<HashMap<Sha256, i64>, StoreError> {
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
        "SELECT name, sha256, packing, bytes, n_bytes FROM appraisal_evidence
         JOIN evidence ON evidence.id = evidence_id
         WHERE appraisal_id = $1 ORDER BY position",
        &[&id.0],
        |row| {
            let mut columns = Columns::of(row);
            let (name, sha256) = (columns.take()?, columns.sha256()?);
            let bytes = packing::unpack(columns.take()?, columns.take()?, columns.take()?)?;
            Ok(EvidencePart { name, sha256, bytes })
        },
    )
    .await
}

/// Limited by the unpacked length. PostgreSQL knows the length of a value without reading it.
pub(super) async fn of_many(
    db: &Session,
    ids: &[AppraisalId],
    bytes_max: u32,
) -> Result<Vec<Vec<StoredPart>>, StoreError> {
    let numbers: Vec<i64> = ids.iter().map(|id| id.0).collect();
    let rows = db
        .rows(
            "SELECT wish.n, name, sha256, packing,
                CASE WHEN coalesce(n_bytes, octet_length(bytes)) <= $2::bigint THEN bytes END, n_bytes
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
        let (name, sha256, packing) = (columns.take()?, columns.sha256()?, columns.take()?);
        let (bytes, n_bytes) = (columns.take::<Option<Vec<u8>>>()?, columns.take()?);
        let bytes = bytes.map(|bytes| packing::unpack(packing, bytes, n_bytes)).transpose()?;
        let part = StoredPart { name, sha256, bytes };
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
    let sql = "SELECT packing, bytes, n_bytes FROM evidence WHERE sha256 = $1";
    let Some(row) = db.row_or_none(sql, &[&sha256.as_slice()]).await? else { return Ok(None) };
    packing::unpack(row.try_get(0)?, row.try_get(1)?, row.try_get(2)?).map(Some)
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
