//! What waits for a person.

use serde_json::json;

use super::session::Session;
use super::transaction::Transaction;
use super::{PostgresStore, candidate, event, host, reference};
use crate::row::event::Change;
use crate::{
    Approval, Approvals, By, CandidateRefusal, Conflict, HISTORY_PAGE_MAX, HOSTS_PAGE_MAX, Host,
    HostDecision, HostId, Kind, NewCandidate, Noted, Reference, Replacement, Reply, Sha256,
    StoreError, WaitingCursor,
};

impl Approvals for PostgresStore {
    fn note_candidate(&self, new: NewCandidate, by: By) -> Reply<'_, Noted> {
        self.change((new, by), |tx, (new, by)| Box::pin(candidate::note(tx, new, by)))
    }

    fn approve_replacement(&self, replacement: Replacement, by: By) -> Reply<'_, Option<Sha256>> {
        self.change((replacement, by), |tx, (replacement, by)| {
            Box::pin(candidate::approve(tx, replacement, by))
        })
    }

    fn hosts_waiting(&self, after: Option<WaitingCursor>, n_max: u32) -> Reply<'_, Vec<Host>> {
        self.look((after, n_max), |db, (after, n_max)| Box::pin(hosts(db, after.as_ref(), *n_max)))
    }

    fn candidates_waiting(
        &self,
        now_ms: i64,
        after: Option<HostId>,
        n_max: u32,
    ) -> Reply<'_, Vec<Host>> {
        self.look((now_ms, after, n_max), |db, (now_ms, after, n_max)| {
            Box::pin(candidates(db, *now_ms, after.as_ref(), *n_max))
        })
    }

    fn references_waiting(&self, after_seq: i64, n_max: u32) -> Reply<'_, Vec<Reference>> {
        self.look((after_seq, n_max), |db, (after_seq, n_max)| {
            Box::pin(references(db, *after_seq, *n_max))
        })
    }

    fn decide_host(
        &self,
        id: &HostId,
        decision: HostDecision,
        reason: &str,
        by: By,
    ) -> Reply<'_, ()> {
        let (id, reason) = (id.clone(), reason.to_owned());
        self.change((id, decision, reason, by), |tx, (id, decision, reason, by)| {
            Box::pin(decide_host(tx, id, *decision, reason, by))
        })
    }

    fn refuse_candidate(&self, refusal: CandidateRefusal, by: By) -> Reply<'_, ()> {
        self.change((refusal, by), |tx, (refusal, by)| Box::pin(refuse_candidate(tx, refusal, by)))
    }
}

pub(super) async fn hosts(
    db: &Session,
    after: Option<&WaitingCursor>,
    n_max: u32,
) -> Result<Vec<Host>, StoreError> {
    let (at_ms, id) =
        after.map_or((i64::MIN, ""), |after| (after.created_at_ms, after.id.as_str()));
    // The word is written out: the index is of those alone.
    host::many(
        db,
        "WHERE approval = 'waiting' AND (created_at_ms, id) > ($1, $2)
         ORDER BY created_at_ms, id LIMIT $3",
        &[&at_ms, &id, &i64::from(n_max.min(HOSTS_PAGE_MAX))],
    )
    .await
}

pub(super) async fn candidates(
    db: &Session,
    now_ms: i64,
    after: Option<&HostId>,
    n_max: u32,
) -> Result<Vec<Host>, StoreError> {
    let after = after.map_or("", HostId::as_str);
    host::many(
        db,
        "WHERE hosts.id IN (
            SELECT host_id FROM candidates WHERE host_id > $1 AND candidate_expires_at_ms > $2
                AND candidate_approved_at_ms IS NULL AND candidate_refused_at_ms IS NULL
            ORDER BY host_id LIMIT $3)
         ORDER BY hosts.id",
        &[&after, &now_ms, &i64::from(n_max.min(HOSTS_PAGE_MAX))],
    )
    .await
}

pub(super) async fn references(
    db: &Session,
    after_seq: i64,
    n_max: u32,
) -> Result<Vec<Reference>, StoreError> {
    reference::many(
        db,
        "WHERE state = 'pending' AND seq > $1 ORDER BY seq LIMIT $2",
        &[&after_seq, &i64::from(n_max.min(HISTORY_PAGE_MAX))],
    )
    .await
}

/// The host is locked: of two who decide, the second finds it decided.
pub(super) async fn decide_host(
    tx: &Transaction,
    id: &HostId,
    decision: HostDecision,
    reason: &str,
    by: &By,
) -> Result<(), StoreError> {
    let host = host::locked(tx, id).await?;
    if host.approval != Approval::Waiting {
        return Err(Conflict::NotWaiting.into());
    }
    let approval = decision.approval().as_str();
    host::update(tx, id, "approval = $2", &[&approval]).await?;
    let change = Change::approval(id, decision.approval(), &by.actor, by.at_ms);
    event::append(tx, &[change]).await?;
    let detail = json!({
        "approval": approval,
        "reason": reason,
        "identity": host::identity_detail(host.identity.as_deref()),
    });
    tx.audit(by, "host.approval", host::subject(id), &detail);
    Ok(())
}

pub(super) async fn refuse_candidate(
    tx: &Transaction,
    refusal: &CandidateRefusal,
    by: &By,
) -> Result<(), StoreError> {
    let id = &refusal.host;
    let host = host::locked(tx, id).await?;
    let candidate = host.candidate_at(by.at_ms).ok_or(StoreError::NotFound(Kind::Candidate))?;
    if candidate.ek_spki_sha256 != refusal.ek_spki_sha256 {
        return Err(Conflict::CandidateDiffers { have: candidate.ek_spki_sha256 }.into());
    }
    if !candidate.waits() {
        return Err(Conflict::NotWaiting.into());
    }
    let sql = "UPDATE candidates SET candidate_refused_at_ms = $2 WHERE host_id = $1";
    tx.execute(sql, &[&id.as_str(), &by.at_ms]).await?;
    let detail = json!({
        "ek_spki_sha256": hex::encode(candidate.ek_spki_sha256),
        "reason": refusal.reason,
    });
    tx.audit(by, "host.refuse-tpm", host::subject(id), &detail);
    Ok(())
}
