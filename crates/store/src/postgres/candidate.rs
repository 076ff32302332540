//! Other TPMs that were shown for hosts.

use serde_json::json;

use super::columns::Columns;
use super::transaction::Transaction;
use super::{enrolment, host};
use crate::{
    By, Candidate, Conflict, HostId, Kind, NewCandidate, Noted, Replacement, Sha256, StoreError,
};

/// The candidate in the next columns.
pub(super) fn from_columns(columns: &mut Columns<'_>) -> Result<Option<Candidate>, StoreError> {
    let Some(ek_spki_sha256) = columns.sha256_or_none()? else {
        columns.pass_over(6);
        return Ok(None);
    };
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

pub(super) async fn note(
    tx: &Transaction,
    new: &NewCandidate,
    by: &By,
) -> Result<Noted, StoreError> {
    let host = host::locked(tx, &new.host).await?;
    match host.candidate_at(by.at_ms) {
        Some(known) if known.ek_spki_sha256 == new.ek_spki_sha256 => {
            // What a person allowed does not get longer by being used.
            tx.execute(
                "UPDATE candidates SET candidate_judgement_json = $2, candidate_seen_at_ms = $3,
                    candidate_expires_at_ms = CASE WHEN candidate_approved_at_ms IS NULL THEN $4
                        ELSE candidate_expires_at_ms END
                 WHERE host_id = $1",
                &[&new.host.as_str(), &new.judgement_json, &by.at_ms, &new.expires_at_ms],
            )
            .await?;
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
    forget(tx, &new.host).await?;
    tx.execute(
        "INSERT INTO candidates
            (host_id, candidate_ek_sha256, candidate_judgement_json, candidate_first_at_ms,
             candidate_seen_at_ms, candidate_expires_at_ms)
         VALUES ($1, $2, $3, $4, $4, $5)",
        &[
            &new.host.as_str(),
            &new.ek_spki_sha256.as_slice(),
            &new.judgement_json,
            &by.at_ms,
            &new.expires_at_ms,
        ],
    )
    .await?;
    let detail = json!({
        "ek_spki_sha256": hex::encode(new.ek_spki_sha256),
        "identity": host::identity_detail(host.identity.as_ref()),
    });
    tx.audit(by, "host.candidate", host::subject(&new.host), &detail);
    Ok(Noted::New)
}

pub(super) async fn approve(
    tx: &Transaction,
    replacement: &Replacement,
    by: &By,
) -> Result<Option<Sha256>, StoreError> {
    let id = &replacement.host;
    let host = host::locked(tx, id).await?;
    let candidate = host.candidate_at(by.at_ms).ok_or(StoreError::NotFound(Kind::Candidate))?;
    if candidate.ek_spki_sha256 != replacement.ek_spki_sha256 {
        return Err(Conflict::CandidateDiffers { have: candidate.ek_spki_sha256 }.into());
    }
    enrolment::check_ek_free(tx, &candidate.ek_spki_sha256, Some(id)).await?;
    tx.execute(
        "UPDATE candidates SET candidate_approved_at_ms = $2, candidate_expires_at_ms = $3,
            candidate_refused_at_ms = NULL
         WHERE host_id = $1",
        &[&id.as_str(), &by.at_ms, &replacement.expires_at_ms],
    )
    .await?;
    let before = host.identity.as_ref().map(|identity| identity.ek_spki_sha256);
    let detail = json!({
        "ek_spki_sha256": hex::encode(candidate.ek_spki_sha256),
        "ek_spki_sha256_before": before.map(hex::encode),
        "reason": replacement.reason,
    });
    tx.audit(by, "host.replace", host::subject(id), &detail);
    Ok(before)
}

/// Forgets the candidate of a host: it was enrolled, or a person began anew.
pub(super) async fn forget(tx: &Transaction, id: &HostId) -> Result<(), StoreError> {
    tx.execute("DELETE FROM candidates WHERE host_id = $1", &[&id.as_str()]).await.map(drop)
}
