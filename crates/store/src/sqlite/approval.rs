//! What waits for a person.

use rusqlite::{Connection as Db, params};
use serde_json::json;

use super::{SqliteStore, audit, candidate, event, host, reference};
use crate::row::event::Change;
use crate::{
    Approval, Approvals, By, CandidateRefusal, Conflict, HISTORY_PAGE_MAX, HOSTS_PAGE_MAX, Host,
    HostDecision, HostId, Kind, NewCandidate, Noted, Reference, Replacement, Reply, Sha256,
    StoreError, WaitingCursor,
};

impl Approvals for SqliteStore {
    fn note_candidate(&self, new: NewCandidate, by: By) -> Reply<'_, Noted> {
        self.write(move |db| candidate::note(db, &new, &by))
    }

    fn approve_replacement(&self, replacement: Replacement, by: By) -> Reply<'_, Option<Sha256>> {
        self.write(move |db| candidate::approve(db, &replacement, &by))
    }

    fn hosts_waiting(&self, after: Option<WaitingCursor>, n_max: u32) -> Reply<'_, Vec<Host>> {
        self.read(move |db| hosts(db, after.as_ref(), n_max))
    }

    fn candidates_waiting(
        &self,
        now_ms: i64,
        after: Option<HostId>,
        n_max: u32,
    ) -> Reply<'_, Vec<Host>> {
        self.read(move |db| candidates(db, now_ms, after.as_ref(), n_max))
    }

    fn references_waiting(&self, after_seq: i64, n_max: u32) -> Reply<'_, Vec<Reference>> {
        self.read(move |db| references(db, after_seq, n_max))
    }

    fn decide_host(
        &self,
        id: &HostId,
        decision: HostDecision,
        reason: &str,
        by: By,
    ) -> Reply<'_, ()> {
        let (id, reason) = (id.clone(), reason.to_owned());
        self.write(move |db| decide_host(db, &id, decision, &reason, &by))
    }

    fn refuse_candidate(&self, refusal: CandidateRefusal, by: By) -> Reply<'_, ()> {
        self.write(move |db| refuse_candidate(db, &refusal, &by))
    }
}

pub(super) fn hosts(
    db: &Db,
    after: Option<&WaitingCursor>,
    n_max: u32,
) -> Result<Vec<Host>, StoreError> {
    let (at_ms, id) =
        after.map_or((i64::MIN, ""), |after| (after.created_at_ms, after.id.as_str()));
    // The word is written out: the index is of those alone.
    host::many(
        db,
        "WHERE approval = 'waiting' AND (created_at_ms, id) > (?1, ?2)
         ORDER BY created_at_ms, id LIMIT ?3",
        &[&at_ms, &id, &n_max.min(HOSTS_PAGE_MAX)],
    )
}

pub(super) fn candidates(
    db: &Db,
    now_ms: i64,
    after: Option<&HostId>,
    n_max: u32,
) -> Result<Vec<Host>, StoreError> {
    let after = after.map_or("", HostId::as_str);
    host::many(
        db,
        "WHERE hosts.id IN (
            SELECT host_id FROM candidates WHERE host_id > ?1 AND candidate_expires_at_ms > ?2
                AND candidate_approved_at_ms IS NULL AND candidate_refused_at_ms IS NULL
            ORDER BY host_id LIMIT ?3)
         ORDER BY hosts.id",
        &[&after, &now_ms, &n_max.min(HOSTS_PAGE_MAX)],
    )
}

pub(super) fn references(
    db: &Db,
    after_seq: i64,
    n_max: u32,
) -> Result<Vec<Reference>, StoreError> {
    reference::many(
        db,
        "WHERE state = 'pending' AND seq > ?1 ORDER BY seq LIMIT ?2",
        params![after_seq, n_max.min(HISTORY_PAGE_MAX)],
    )
}

pub(super) fn decide_host(
    db: &Db,
    id: &HostId,
    decision: HostDecision,
    reason: &str,
    by: &By,
) -> Result<(), StoreError> {
    let host = host::by_id(db, id)?.ok_or(StoreError::NotFound(Kind::Host))?;
    if host.approval != Approval::Waiting {
        return Err(Conflict::NotWaiting.into());
    }
    let approval = decision.approval().as_str();
    host::update(db, id, "approval = ?2", &[&approval])?;
    let change = Change::approval(id, decision.approval(), &by.actor, by.at_ms);
    event::append(db, &change)?;
    let detail = json!({
        "approval": approval,
        "reason": reason,
        "identity": host::identity_detail(host.identity.as_deref()),
    });
    audit::append(db, by, "host.approval", host::subject(id), &detail)
}

pub(super) fn refuse_candidate(
    db: &Db,
    refusal: &CandidateRefusal,
    by: &By,
) -> Result<(), StoreError> {
    let id = &refusal.host;
    let host = host::by_id(db, id)?.ok_or(StoreError::NotFound(Kind::Host))?;
    let candidate = host.candidate_at(by.at_ms).ok_or(StoreError::NotFound(Kind::Candidate))?;
    if candidate.ek_spki_sha256 != refusal.ek_spki_sha256 {
        return Err(Conflict::CandidateDiffers { have: candidate.ek_spki_sha256 }.into());
    }
    if !candidate.waits() {
        return Err(Conflict::NotWaiting.into());
    }
    db.prepare_cached("UPDATE candidates SET candidate_refused_at_ms = ?2 WHERE host_id = ?1")?
        .execute(params![id.as_str(), by.at_ms])?;
    let detail = json!({
        "ek_spki_sha256": hex::encode(candidate.ek_spki_sha256),
        "reason": refusal.reason,
    });
    audit::append(db, by, "host.refuse-tpm", host::subject(id), &detail)
}
