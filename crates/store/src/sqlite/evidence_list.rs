//! Lists of the parts that judgements rest on: those of a host have one in common while they rest on the same.

use rusqlite::{Connection as Db, params};

use super::evidence;
use crate::elsewhere::PlacedParts;
use crate::row::appraisal::LastList;
use crate::{Conflict, NewAppraisal, Sha256, StoreError};

/// The list of what a judgement rests on.
pub(super) enum List {
    /// That of the host's last judgement.
    Last(i64),
    /// One that is to be made, with this digest.
    New(Sha256),
}

/// That of `new`. Nothing is changed yet, and nothing is wanted which is not there.
pub(super) fn of(db: &Db, last: Option<&LastList>, new: &NewAppraisal) -> Result<List, StoreError> {
    let sha256 = new.list_sha256();
    if let Some(last) = last
        && last.sha256 == Some(sha256)
    {
        return Ok(List::Last(last.id));
    }
    for part in &new.kept {
        evidence::known(db, &part.sha256)?.ok_or(Conflict::EvidenceGone)?;
    }
    Ok(List::New(sha256))
}

/// Writes it, where it is a new one; gives its number.
pub(super) fn keep(
    db: &Db,
    list: &List,
    new: &NewAppraisal,
    placed: &PlacedParts,
) -> Result<i64, StoreError> {
    let sha256 = match list {
        List::Last(id) => return Ok(*id),
        List::New(sha256) => sha256,
    };
    db.prepare_cached("INSERT INTO evidence_lists (host_id, sha256) VALUES (?1, ?2)")?
        .execute(params![new.host.as_str(), sha256])?;
    let list = db.last_insert_rowid();
    let mut position = 0_i64;
    let mut add = |name: &str, evidence_id: i64| -> Result<(), StoreError> {
        db.prepare_cached(
            "INSERT INTO listed_evidence (list_id, position, name, evidence_id)
             VALUES (?1, ?2, ?3, ?4)",
        )?
        .execute(params![list, position, name, evidence_id])?;
        position += 1;
        Ok(())
    };
    for part in &new.evidence {
        add(&part.name, evidence::keep(db, part, placed)?)?;
    }
    for part in &new.kept {
        let known = evidence::known(db, &part.sha256)?.ok_or(Conflict::EvidenceGone)?;
        add(&part.name, known)?;
    }
    Ok(list)
}

/// Lists of judgements, with the hosts whose they are.
pub(super) fn of_appraisals(db: &Db, ids: &[i64]) -> Result<Vec<(String, i64)>, StoreError> {
    let mut statement = db.prepare_cached(
        "SELECT host_id, list_id FROM appraisals WHERE id = ?1 AND list_id IS NOT NULL",
    )?;
    let mut lists = Vec::with_capacity(ids.len());
    for id in ids {
        let rows = statement.query_map([id], |row| Ok((row.get(0)?, row.get(1)?)))?;
        lists.extend(rows.collect::<Result<Vec<_>, _>>()?);
    }
    lists.sort_unstable();
    lists.dedup();
    Ok(lists)
}

/// Removes those that no judgement rests on any more, and evidence that is on no list then.
pub(super) fn remove_unused(db: &Db, lists: &[(String, i64)]) -> Result<(), StoreError> {
    for (host, list) in lists {
        let is_used = db
            .prepare_cached("SELECT 1 FROM appraisals WHERE host_id = ?1 AND list_id = ?2")?
            .exists(params![host, list])?;
        if is_used {
            continue;
        }
        let parts = evidence::ids_of_list(db, *list)?;
        db.prepare_cached("DELETE FROM evidence_lists WHERE id = ?1")?.execute([list])?;
        evidence::remove_orphans(db, &parts)?;
    }
    Ok(())
}
