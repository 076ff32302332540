//! Other TPMs that were shown for hosts.

use rusqlite::{Connection as Db, params};
use serde_json::json;

use super::columns::Columns;
use super::{audit, enrolment, host};
use crate::{
    By, Candidate, Conflict, HostId, Kind, NewCandidate, Noted, Replacement, Sha256, StoreError,
};

/// The candidate in the next columns.
pub(super) fn from_columns(columns: &mut Columns<'_, '_>) -> rusqlite::Result<Option<Candidate>> {
    let Some(ek_spki_sha256) = columns.take()? else { return Ok(None) };
    Ok(Some(Candidate {
        ek_spki_sha256,
        judgement_json: columns.take()?,
        first_at_ms: columns.take()?,
        seen_at_ms: columns.take()?,
        expires_at_ms: columns.take()?,
        approved_at_ms: columns.take()?,
        refused_at_ms: columns.take()?,
    }))
}

pub(super) fn note(db: &Db, new: &NewCandidate, by: &By) -> Result<Noted, StoreError> {
    let host = host::by_id(db, &new.host)?.ok_or(StoreError::NotFound(Kind::Host))?;
    match host.candidate_at(by.at_ms) {
        Some(known) if known.ek_spki_sha256 == new.ek_spki_sha256 => {
            // What a person allowed does not get longer by being used.
            db.prepare_cached(
                "UPDATE candidates SET candidate_judgement_json = ?2, candidate_seen_at_ms = ?3,
                    candidate_expires_at_ms = iif(candidate_approved_at_ms IS NULL, ?4,
                        candidate_expires_at_ms)
                 WHERE host_id = ?1",
            )?
            .execute(params![
                new.host.as_str(),
                new.judgement_json,
                by.at_ms,
                new.expires_at_ms
            ])?;
            return Ok(Noted::Known);
        }
        Some(known)
            if known.approved_at_ms.is_some()
                || (known.waits() && known.seen_at_ms >= new.stale_before_ms) =>
        {
            return Ok(Noted::Other);
        }
        _ => {}
    }
    db.prepare_cached(
        "INSERT OR REPLACE INTO candidates
            (host_id, candidate_ek_sha256, candidate_judgement_json, candidate_first_at_ms,
             candidate_seen_at_ms, candidate_expires_at_ms)
         VALUES (?1, ?2, ?3, ?4, ?4, ?5)",
    )?
    .execute(params![
        new.host.as_str(),
        new.ek_spki_sha256,
        new.judgement_json,
        by.at_ms,
        new.expires_at_ms
    ])?;
    let detail = json!({
        "ek_spki_sha256": hex::encode(new.ek_spki_sha256),
        "identity": host::identity_detail(host.identity.as_deref()),
    });
    audit::append(db, by, "host.candidate", host::subject(&new.host), &detail)?;
    Ok(Noted::New)
}

pub(super) fn approve(
    db: &Db,
    replacement: &Replacement,
    by: &By,
) -> Result<Option<Sha256>, StoreError> {
    let id = &replacement.host;
    let host = host::by_id(db, id)?.ok_or(StoreError::NotFound(Kind::Host))?;
    let candidate = host.candidate_at(by.at_ms).ok_or(StoreError::NotFound(Kind::Candidate))?;
    if candidate.ek_spki_sha256 != replacement.ek_spki_sha256 {
        return Err(Conflict::CandidateDiffers { have: candidate.ek_spki_sha256 }.into());
    }
    enrolment::check_ek_free(db, &candidate.ek_spki_sha256, Some(id))?;
    db.prepare_cached(
        "UPDATE candidates SET candidate_approved_at_ms = ?2, candidate_expires_at_ms = ?3,
            candidate_refused_at_ms = NULL
         WHERE host_id = ?1",
    )?
    .execute(params![id.as_str(), by.at_ms, replacement.expires_at_ms])?;
    let before = host.identity.as_ref().map(|identity| identity.ek_spki_sha256);
    let detail = json!({
        "ek_spki_sha256": hex::encode(candidate.ek_spki_sha256),
        "ek_spki_sha256_before": before.map(hex::encode),
        "reason": replacement.reason,
    });
    audit::append(db, by, "host.replace", host::subject(id), &detail)?;
    Ok(before)
}

/// Forgets the candidate of a host: it was enrolled, or a person began anew.
pub(super) fn forget(db: &Db, id: &HostId) -> Result<(), StoreError> {
    db.prepare_cached("DELETE FROM candidates WHERE host_id = ?1")?.execute([id.as_str()])?;
    Ok(())
}
