//! Evidence: each part once, by its SHA-256.

use std::collections::HashSet;

use rusqlite::{Connection as Db, OptionalExtension, Row, params};

use super::SqliteStore;
use super::columns::Columns;
use crate::elsewhere::{self, EvidenceRow, EvidenceRows, Found, Kept, Placed, PlacedParts, Which};
use crate::{
    AppraisalId, Checked, EvidenceCensus, EvidenceObjects, EvidencePart, EvidencePlace,
    EvidencePlaces, HostId, Moved, Reply, Sha256, StoreError,
};

impl EvidencePlaces for SqliteStore {
    fn move_evidence(&self, to: EvidencePlace, after: i64, n_max: u32) -> Reply<'_, Moved> {
        Box::pin(elsewhere::move_some(self, to, after, n_max))
    }

    fn check_objects(&self, after: i64, n_max: u32) -> Reply<'_, Checked> {
        Box::pin(elsewhere::check_some(self, after, n_max))
    }

    fn evidence_census(&self) -> Reply<'_, EvidenceCensus> {
        self.read(census)
    }

    fn has_objects(&self) -> Reply<'_, bool> {
        self.read(has_objects)
    }

    fn evidence_objects(&self) -> Option<&EvidenceObjects> {
        self.objects.as_ref()
    }

    fn objects_to_remove(&self, before_ms: i64, n_max: u32) -> Reply<'_, Vec<String>> {
        self.read(move |db| objects_to_remove(db, before_ms, n_max))
    }

    fn note_objects_removed(&self, objects: Vec<String>) -> Reply<'_, ()> {
        self.write(move |db| note_removed(db, &objects))
    }

    fn known_objects(&self, objects: Vec<String>) -> Reply<'_, Vec<String>> {
        self.read(move |db| known_objects(db, objects))
    }
}

/// A part of a judgement: its name and digest, and where it lies.
pub(super) type Named = (String, Sha256, Kept);

impl EvidenceRows for SqliteStore {
    fn objects(&self) -> Option<&EvidenceObjects> {
        self.objects.as_ref()
    }

    fn whole(&self, digests: Vec<Sha256>) -> Reply<'_, HashSet<Sha256>> {
        self.look_up(move |db| {
            let mut statement =
                db.prepare_cached("SELECT 1 FROM evidence WHERE sha256 = ?1 AND object_lost = 0")?;
            let mut whole = HashSet::new();
            for sha256 in digests {
                if statement.exists([sha256.as_slice()])? {
                    whole.insert(sha256);
                }
            }
            Ok(whole)
        })
    }

    fn rows_after(&self, which: Which, after: i64, n_max: u32) -> Reply<'_, Vec<EvidenceRow>> {
        self.read(move |db| rows_after(db, which, after, n_max))
    }

    fn put_place(&self, id: i64, from: Option<String>, to: Placed) -> Reply<'_, bool> {
        self.write(move |db| {
            let n = db
                .prepare_cached(
                    "UPDATE evidence SET bytes = ?3, packing = ?4, n_bytes = ?5, object = ?6,
                        object_lost = 0
                     WHERE id = ?1 AND object IS ?2",
                )?
                .execute(params![id, from, to.bytes, to.packing, to.n_bytes, to.object])?;
            Ok(n > 0)
        })
    }

    fn note_found(&self, object: String, found: Found) -> Reply<'_, ()> {
        self.write(move |db| {
            db.prepare_cached(
                "UPDATE evidence SET object_lost = ?2 WHERE object = ?1 AND object_lost <> ?2",
            )?
            .execute(params![object, found.number()])?;
            Ok(())
        })
    }
}

/// The row of the bytes with this digest, where they are not lost.
pub(super) fn known(db: &Db, sha256: &Sha256) -> Result<Option<i64>, StoreError> {
    let mut statement =
        db.prepare_cached("SELECT id FROM evidence WHERE sha256 = ?1 AND object_lost = 0")?;
    Ok(statement.query_row([sha256.as_slice()], |row| row.get(0)).optional()?)
}

/// Stores the part unless it is there and not lost, and returns its row.
pub(super) fn keep(db: &Db, part: &EvidencePart, placed: &PlacedParts) -> Result<i64, StoreError> {
    let known = db
        .prepare_cached("SELECT id, object_lost FROM evidence WHERE sha256 = ?1")?
        .query_row([part.sha256.as_slice()], |row| Ok((row.get(0)?, row.get::<_, i64>(1)?)))
        .optional()?;
    if let Some((id, 0)) = known {
        return Ok(id);
    }
    let here;
    let Placed { object, bytes, packing, n_bytes } = match placed.get(&part.sha256) {
        Some(placed) => placed,
        None => {
            here = Placed::here(part);
            &here
        }
    };
    if let Some((id, _)) = known {
        db.prepare_cached(
            "UPDATE evidence SET bytes = ?2, packing = ?3, n_bytes = ?4, object = ?5, object_lost = 0
             WHERE id = ?1",
        )?
        .execute(params![id, bytes, packing, n_bytes, object])?;
        return Ok(id);
    }
    db.prepare_cached(
        "INSERT INTO evidence (sha256, bytes, packing, n_bytes, object) VALUES (?1, ?2, ?3, ?4, ?5)",
    )?
    .execute(params![part.sha256, bytes, packing, n_bytes, object])?;
    Ok(db.last_insert_rowid())
}

pub(super) fn of_appraisal(db: &Db, id: AppraisalId) -> Result<Vec<Named>, StoreError> {
    of_one(db, id, u32::MAX)
}

/// Limited by the unpacked length. SQLite knows the length of a value without reading it.
pub(super) fn of_many(
    db: &Db,
    ids: &[AppraisalId],
    bytes_max: u32,
) -> Result<Vec<Vec<Named>>, StoreError> {
    ids.iter().map(|id| of_one(db, *id, bytes_max)).collect()
}

fn of_one(db: &Db, id: AppraisalId, bytes_max: u32) -> Result<Vec<Named>, StoreError> {
    let mut statement =
        db.prepare_cached("SELECT answer, list_id FROM appraisals WHERE id = ?1")?;
    let row = statement.query_row([id.0], |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
    let row: Option<(Option<Vec<u8>>, Option<i64>)> = row;
    let Some((answer, list)) = row else { return Ok(Vec::new()) };
    let mut parts: Vec<Named> = Vec::new();
    parts.extend(answer.map(|bytes| elsewhere::answer(bytes, bytes_max)));
    let mut statement = db.prepare_cached(
        "SELECT name, sha256, packing,
            CASE WHEN coalesce(n_bytes, length(bytes)) <= ?2 THEN bytes END, n_bytes, object
         FROM listed_evidence JOIN evidence ON evidence.id = evidence_id
         WHERE list_id = ?1 ORDER BY position",
    )?;
    let rows = statement.query_map(params![list, bytes_max], |row| {
        let mut columns = Columns::of(row);
        Ok((columns.take()?, columns.take()?, kept(&mut columns)?))
    })?;
    for row in rows {
        parts.push(row?);
    }
    Ok(parts)
}

pub(super) fn by_sha256(db: &Db, sha256: &Sha256) -> Result<Option<Kept>, StoreError> {
    let mut statement = db
        .prepare_cached("SELECT packing, bytes, n_bytes, object FROM evidence WHERE sha256 = ?1")?;
    let found =
        statement.query_row([sha256.as_slice()], |row| kept(&mut Columns::of(row))).optional()?;
    Ok(found)
}

fn kept(columns: &mut Columns<'_, '_>) -> rusqlite::Result<Kept> {
    let (packing, bytes) = (columns.take()?, columns.take()?);
    Ok(Kept { packing, bytes, n_bytes: columns.take()?, object: columns.take()? })
}

fn rows_after(
    db: &Db,
    which: Which,
    after: i64,
    n_max: u32,
) -> Result<Vec<EvidenceRow>, StoreError> {
    let row = |row: &Row<'_>| {
        let mut columns = Columns::of(row);
        let (id, sha256) = (columns.take()?, columns.take()?);
        Ok(EvidenceRow { id, sha256, kept: kept(&mut columns)? })
    };
    let (condition, bytes_min) = match which {
        Which::Objects => ("object IS NOT NULL AND ?2 = 0", 0),
        Which::HereFrom(bytes_min) => (
            "object IS NULL AND coalesce(n_bytes, length(bytes)) >= ?2
             AND NOT EXISTS (SELECT 1 FROM listed_evidence
                 WHERE evidence_id = evidence.id AND name IN ('boot-facts', 'judgement'))",
            bytes_min,
        ),
    };
    let mut statement = db.prepare_cached(&format!(
        "SELECT id, sha256, packing, bytes, n_bytes, object FROM evidence
         WHERE id > ?1 AND {condition} ORDER BY id LIMIT ?3"
    ))?;
    let rows = statement.query_map(params![after, bytes_min, n_max], row)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Rows of `evidence` that are on lists of a host.
pub(super) fn ids_of_host(db: &Db, host: &HostId) -> Result<Vec<i64>, StoreError> {
    ids(db, "list_id IN (SELECT id FROM evidence_lists WHERE host_id = ?1)", &host.as_str())
}

/// Rows of `evidence` that are on a list.
pub(super) fn ids_of_list(db: &Db, list: i64) -> Result<Vec<i64>, StoreError> {
    ids(db, "list_id = ?1", &list)
}

fn ids(db: &Db, condition: &str, value: &dyn rusqlite::ToSql) -> Result<Vec<i64>, StoreError> {
    let sql = format!("SELECT DISTINCT evidence_id FROM listed_evidence WHERE {condition}");
    let mut statement = db.prepare_cached(&sql)?;
    let rows = statement.query_map([value], |row| row.get(0))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Removes those of `ids` that are on no list. A trigger notes their objects.
pub(super) fn remove_orphans(db: &Db, ids: &[i64]) -> Result<(), StoreError> {
    let mut statement = db.prepare_cached(
        "DELETE FROM evidence WHERE id = ?1
         AND NOT EXISTS (SELECT 1 FROM listed_evidence WHERE evidence_id = ?1)",
    )?;
    for id in ids {
        statement.execute([id])?;
    }
    Ok(())
}

pub(super) fn census(db: &Db) -> Result<EvidenceCensus, StoreError> {
    let count = |sql: &str| -> Result<u64, StoreError> {
        Ok(db.query_row(sql, [], |row| row.get::<_, i64>(0))?.unsigned_abs())
    };
    Ok(EvidenceCensus {
        n_here: count("SELECT count(*) FROM evidence WHERE object IS NULL")?,
        n_objects: count("SELECT count(*) FROM evidence WHERE object IS NOT NULL")?,
        n_lost: count(
            "SELECT count(*) FROM evidence WHERE object IS NOT NULL AND object_lost = 1",
        )?,
        n_to_remove: count("SELECT count(*) FROM removed_objects")?,
    })
}

pub(super) fn has_objects(db: &Db) -> Result<bool, StoreError> {
    Ok(db.prepare_cached("SELECT 1 FROM evidence WHERE object IS NOT NULL")?.exists([])?)
}

pub(super) fn objects_to_remove(
    db: &Db,
    before_ms: i64,
    n_max: u32,
) -> Result<Vec<String>, StoreError> {
    let mut statement = db.prepare_cached(
        "SELECT object FROM removed_objects WHERE removed_at_ms < ?1
         ORDER BY removed_at_ms, object LIMIT ?2",
    )?;
    let rows = statement.query_map(params![before_ms, n_max], |row| row.get(0))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

pub(super) fn note_removed(db: &Db, objects: &[String]) -> Result<(), StoreError> {
    let mut statement = db.prepare_cached("DELETE FROM removed_objects WHERE object = ?1")?;
    for object in objects {
        statement.execute([object])?;
    }
    Ok(())
}

pub(super) fn known_objects(db: &Db, objects: Vec<String>) -> Result<Vec<String>, StoreError> {
    let mut statement = db.prepare_cached(
        "SELECT 1 FROM evidence WHERE object = ?1
         UNION ALL SELECT 1 FROM removed_objects WHERE object = ?1",
    )?;
    let mut known = Vec::new();
    for object in objects {
        if statement.exists([&object])? {
            known.push(object);
        }
    }
    Ok(known)
}
