//! Evidence: each part once, by its SHA-256.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use tokio_postgres::{Row, Statement};

use super::columns::Columns;
use super::session::{Session, Values};
use super::transaction::Transaction;
use crate::elsewhere::{self, EvidenceRow, EvidenceRows, Found, Kept, Placed, PlacedParts, Which};
use crate::{
    AppraisalId, Checked, EvidenceCensus, EvidenceObjects, EvidencePart, EvidencePlace,
    EvidencePlaces, HostId, Moved, NewAppraisal, Reply, Sha256, StoreError,
};

use super::PostgresStore;

impl EvidencePlaces for PostgresStore {
    fn move_evidence(&self, to: EvidencePlace, after: i64, n_max: u32) -> Reply<'_, Moved> {
        Box::pin(elsewhere::move_some(self, to, after, n_max))
    }

    fn check_objects(&self, after: i64, n_max: u32) -> Reply<'_, Checked> {
        Box::pin(elsewhere::check_some(self, after, n_max))
    }

    fn evidence_census(&self) -> Reply<'_, EvidenceCensus> {
        self.look((), |db, ()| Box::pin(census(db)))
    }

    fn has_objects(&self) -> Reply<'_, bool> {
        self.look((), |db, ()| Box::pin(has_objects(db)))
    }

    fn evidence_objects(&self) -> Option<&EvidenceObjects> {
        self.objects.as_ref()
    }

    fn objects_to_remove(&self, before_ms: i64, n_max: u32) -> Reply<'_, Vec<String>> {
        self.look((before_ms, n_max), |db, (before_ms, n_max)| {
            Box::pin(objects_to_remove(db, *before_ms, *n_max))
        })
    }

    fn note_objects_removed(&self, objects: Vec<String>) -> Reply<'_, ()> {
        self.change((objects,), |tx, (objects,)| Box::pin(note_removed(tx, objects)))
    }

    fn known_objects(&self, objects: Vec<String>) -> Reply<'_, Vec<String>> {
        self.look((objects,), |db, (objects,)| Box::pin(known_objects(db, objects)))
    }
}

/// A part of a judgement: its name and digest, and where it lies.
pub(super) type Named = (String, Sha256, Kept);

/// Rows of `evidence` by digest, locked against who would remove them: there is somebody now who needs
/// them. Those that are lost are as those that are not there: they come back with the bytes that are here.
pub(super) const KNOWN: &str = "\
    SELECT sha256, id FROM evidence WHERE sha256 = ANY($1) AND object_lost = 0 \
    ORDER BY id FOR KEY SHARE";

impl EvidenceRows for PostgresStore {
    fn objects(&self) -> Option<&EvidenceObjects> {
        self.objects.as_ref()
    }

    fn whole(&self, digests: Vec<Sha256>) -> Reply<'_, HashSet<Sha256>> {
        self.look((digests,), |db, (digests,)| {
            Box::pin(async move {
                let digests: Vec<&[u8]> = digests.iter().map(<[u8; 32]>::as_slice).collect();
                let sql = "SELECT sha256 FROM evidence WHERE sha256 = ANY($1) AND object_lost = 0";
                let whole = db.read(sql, &[&digests], |row| Columns::of(row).sha256()).await?;
                Ok(whole.into_iter().collect())
            })
        })
    }

    fn rows_after(&self, which: Which, after: i64, n_max: u32) -> Reply<'_, Vec<EvidenceRow>> {
        self.look((which, after, n_max), |db, (which, after, n_max)| {
            Box::pin(rows_after(db, *which, *after, *n_max))
        })
    }

    fn put_place(&self, id: i64, from: Option<String>, to: Placed) -> Reply<'_, bool> {
        self.change((id, from, to), |tx, (id, from, to)| {
            Box::pin(async move {
                let sql = "UPDATE evidence SET bytes = $3, packing = $4, n_bytes = $5, object = $6,
                        object_lost = 0
                     WHERE id = $1 AND object IS NOT DISTINCT FROM $2";
                let values: Values<'_> =
                    &[id, from, &to.bytes, &to.packing, &to.n_bytes, &to.object];
                Ok(tx.execute(sql, values).await? > 0)
            })
        })
    }

    fn note_found(&self, object: String, found: Found) -> Reply<'_, ()> {
        self.change((object, found), |tx, (object, found)| {
            Box::pin(async move {
                let sql = "UPDATE evidence SET object_lost = $2
                     WHERE object = $1 AND object_lost <> $2";
                tx.execute(sql, &[object, &found.number()]).await.map(drop)
            })
        })
    }
}

/// Which of the parts are there, and in which rows.
pub(super) async fn known(
    tx: &Transaction,
    way: &Statement,
    new: &NewAppraisal,
) -> Result<HashMap<Sha256, i64>, StoreError> {
    let digests: Vec<&[u8]> = new.listed().map(|(_, sha256)| sha256.as_slice()).collect();
    ids_by_digest(&tx.ask(way, &[&digests]).await?)
}

/// Stores parts that are not there, and puts all of them on a list: its number; names
/// and digests of all; digests and bytes of those that are not there; digests and rows of the others.
/// New ones come with how they are packed, in the order of their digests, so that two who bring the same ones do not wait for each
/// other; where another one was first, that row is touched, so that it comes back. Not its key: that would
/// wait for all who hold it, who may wait for us. One that was lost gets what came now.
pub(super) const KEEP: &str = "\
    WITH new AS ( \
        INSERT INTO evidence (sha256, bytes, packing, n_bytes, object) \
        SELECT DISTINCT ON (sha256) sha256, bytes, packing, n_bytes, object \
        FROM unnest($4::bytea[], $5::bytea[], $8::bigint[], $9::bigint[], $10::text[]) \
            AS part (sha256, bytes, packing, n_bytes, object) ORDER BY sha256 \
        ON CONFLICT (sha256) DO UPDATE SET \
            bytes = CASE evidence.object_lost WHEN 0 THEN evidence.bytes ELSE excluded.bytes END, \
            packing = CASE evidence.object_lost WHEN 0 THEN evidence.packing ELSE excluded.packing END, \
            n_bytes = CASE evidence.object_lost WHEN 0 THEN evidence.n_bytes ELSE excluded.n_bytes END, \
            object = CASE evidence.object_lost WHEN 0 THEN evidence.object ELSE excluded.object END, \
            object_lost = 0 \
        RETURNING sha256, id), \
    kept AS ( \
        SELECT sha256, id FROM new \
        UNION ALL SELECT sha256, id FROM unnest($6::bytea[], $7::bigint[]) AS known (sha256, id)) \
    INSERT INTO listed_evidence (list_id, position, name, evidence_id) \
    SELECT $1, position - 1, name, kept.id \
    FROM unnest($2::text[], $3::bytea[]) WITH ORDINALITY AS part (name, sha256, position) \
    JOIN kept ON kept.sha256 = part.sha256";

pub(super) async fn keep(
    tx: &Transaction,
    way: &Statement,
    list: i64,
    new: &NewAppraisal,
    known: &HashMap<Sha256, i64>,
    placed: &PlacedParts,
) -> Result<(), StoreError> {
    let (names, digests): (Vec<&str>, Vec<&[u8]>) =
        new.listed().map(|(name, sha256)| (name, sha256.as_slice())).unzip();
    let n_parts = names.len();
    let new: Vec<&EvidencePart> =
        new.evidence.iter().filter(|part| !known.contains_key(&part.sha256)).collect();
    let new_digests: Vec<&[u8]> = new.iter().map(|part| part.sha256.as_slice()).collect();
    let places: Vec<Cow<'_, Placed>> = new
        .iter()
        .map(|part| match placed.get(&part.sha256) {
            Some(placed) => Cow::Borrowed(placed),
            None => Cow::Owned(Placed::here(part)),
        })
        .collect();
    let new_bytes: Vec<&[u8]> = places.iter().map(|place| place.bytes.as_slice()).collect();
    let packings: Vec<i64> = places.iter().map(|place| place.packing).collect();
    let lengths: Vec<i64> = places.iter().map(|place| place.n_bytes).collect();
    let objects: Vec<Option<&str>> = places.iter().map(|place| place.object.as_deref()).collect();
    let known_digests: Vec<&[u8]> = known.keys().map(|sha256| sha256.as_slice()).collect();
    let known_ids: Vec<i64> = known.values().copied().collect();
    let values: Values<'_> = &[
        &list,
        &names,
        &digests,
        &new_digests,
        &new_bytes,
        &known_digests,
        &known_ids,
        &packings,
        &lengths,
        &objects,
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

pub(super) async fn of_appraisal(db: &Session, id: AppraisalId) -> Result<Vec<Named>, StoreError> {
    let all = of_many(db, &[id], u32::MAX).await?;
    Ok(all.into_iter().next().unwrap_or_default())
}

/// Limited by the unpacked length. PostgreSQL knows the length of a value without reading it.
pub(super) async fn of_many(
    db: &Session,
    ids: &[AppraisalId],
    bytes_max: u32,
) -> Result<Vec<Vec<Named>>, StoreError> {
    let numbers: Vec<i64> = ids.iter().map(|id| id.0).collect();
    let mut all = vec![Vec::new(); ids.len()];
    let mut add = |n: i64, part: Named| -> Result<(), StoreError> {
        // Numbered from one on.
        let place = usize::try_from(n.saturating_sub(1)).ok().and_then(|n| all.get_mut(n));
        place.ok_or_else(|| StoreError::broken("a row that nobody asked for"))?.push(part);
        Ok(())
    };
    let answers = db
        .rows(
            "SELECT wish.n, answer
             FROM unnest($1::bigint[]) WITH ORDINALITY AS wish (id, n)
             JOIN appraisals ON appraisals.id = wish.id WHERE answer IS NOT NULL",
            &[&numbers],
        )
        .await?;
    for row in &answers {
        let mut columns = Columns::of(row);
        add(columns.take()?, elsewhere::answer(columns.take()?, bytes_max))?;
    }
    let rows = db
        .rows(
            "SELECT wish.n, name, sha256, packing,
                CASE WHEN coalesce(n_bytes, octet_length(bytes)) <= $2::bigint THEN bytes END,
                n_bytes, object
             FROM unnest($1::bigint[]) WITH ORDINALITY AS wish (id, n)
             JOIN appraisals ON appraisals.id = wish.id
             JOIN listed_evidence ON listed_evidence.list_id = appraisals.list_id
             JOIN evidence ON evidence.id = evidence_id
             ORDER BY wish.n, position",
            &[&numbers, &i64::from(bytes_max)],
        )
        .await?;
    for row in &rows {
        let mut columns = Columns::of(row);
        let n = columns.take()?;
        add(n, (columns.take()?, columns.sha256()?, kept(&mut columns)?))?;
    }
    Ok(all)
}

pub(super) async fn by_sha256(db: &Session, sha256: &Sha256) -> Result<Option<Kept>, StoreError> {
    let sql = "SELECT packing, bytes, n_bytes, object FROM evidence WHERE sha256 = $1";
    let row = db.row_or_none(sql, &[&sha256.as_slice()]).await?;
    row.map(|row| kept(&mut Columns::of(&row))).transpose()
}

fn kept(columns: &mut Columns<'_>) -> Result<Kept, StoreError> {
    let (packing, bytes) = (columns.take()?, columns.take()?);
    Ok(Kept { packing, bytes, n_bytes: columns.take()?, object: columns.take()? })
}

async fn rows_after(
    db: &Session,
    which: Which,
    after: i64,
    n_max: u32,
) -> Result<Vec<EvidenceRow>, StoreError> {
    let (condition, bytes_min) = match which {
        Which::Objects => ("object IS NOT NULL AND $2::bigint = 0", 0),
        Which::HereFrom(bytes_min) => (
            "object IS NULL AND coalesce(n_bytes, octet_length(bytes)) >= $2::bigint
             AND NOT EXISTS (SELECT 1 FROM listed_evidence
                 WHERE evidence_id = evidence.id AND name IN ('boot-facts', 'judgement'))",
            bytes_min,
        ),
    };
    let sql = format!(
        "SELECT id, sha256, packing, bytes, n_bytes, object FROM evidence
         WHERE id > $1 AND {condition} ORDER BY id LIMIT $3"
    );
    db.read(&sql, &[&after, &bytes_min, &i64::from(n_max)], |row| {
        let mut columns = Columns::of(row);
        Ok(EvidenceRow {
            id: columns.take()?,
            sha256: columns.sha256()?,
            kept: kept(&mut columns)?,
        })
    })
    .await
}

pub(super) async fn census(db: &Session) -> Result<EvidenceCensus, StoreError> {
    let sql = "SELECT count(*) FILTER (WHERE object IS NULL),
            count(*) FILTER (WHERE object IS NOT NULL),
            count(*) FILTER (WHERE object IS NOT NULL AND object_lost = 1),
            (SELECT count(*) FROM removed_objects)
         FROM evidence";
    let row = db.row(sql, &[]).await?;
    let mut columns = Columns::of(&row);
    Ok(EvidenceCensus {
        n_here: columns.count()?,
        n_objects: columns.count()?,
        n_lost: columns.count()?,
        n_to_remove: columns.count()?,
    })
}

pub(super) async fn has_objects(db: &Session) -> Result<bool, StoreError> {
    let sql = "SELECT EXISTS (SELECT 1 FROM evidence WHERE object IS NOT NULL)";
    Ok(db.row(sql, &[]).await?.try_get(0)?)
}

pub(super) async fn objects_to_remove(
    db: &Session,
    before_ms: i64,
    n_max: u32,
) -> Result<Vec<String>, StoreError> {
    let sql = "SELECT object FROM removed_objects WHERE removed_at_ms < $1
         ORDER BY removed_at_ms, object LIMIT $2";
    db.read(sql, &[&before_ms, &i64::from(n_max)], |row| Columns::of(row).take()).await
}

pub(super) async fn note_removed(tx: &Transaction, objects: &[String]) -> Result<(), StoreError> {
    tx.execute("DELETE FROM removed_objects WHERE object = ANY($1)", &[&objects]).await.map(drop)
}

pub(super) async fn known_objects(
    db: &Session,
    objects: &[String],
) -> Result<Vec<String>, StoreError> {
    let sql = "SELECT object FROM evidence WHERE object = ANY($1)
         UNION SELECT object FROM removed_objects WHERE object = ANY($1)";
    db.read(sql, &[&objects], |row| Columns::of(row).take()).await
}

/// Rows of `evidence` that are on lists of a host.
pub(super) async fn ids_of_host(tx: &Transaction, host: &HostId) -> Result<Vec<i64>, StoreError> {
    let rows = tx
        .rows(
            "SELECT DISTINCT evidence_id FROM listed_evidence
             JOIN evidence_lists ON evidence_lists.id = list_id WHERE host_id = $1",
            &[&host.as_str()],
        )
        .await?;
    Ok(rows.iter().map(|row| row.try_get(0)).collect::<Result<_, _>>()?)
}

/// Removes those of `ids` that are on no list. One that somebody just begins to refer to is
/// kept by the constraint: the transaction is then tried again, and sees it.
pub(super) async fn remove_orphans(tx: &Transaction, ids: &[i64]) -> Result<(), StoreError> {
    tx.execute(
        "DELETE FROM evidence WHERE id = ANY($1)
         AND NOT EXISTS (SELECT 1 FROM listed_evidence WHERE evidence_id = evidence.id)",
        &[&ids],
    )
    .await
    .map(drop)
}
