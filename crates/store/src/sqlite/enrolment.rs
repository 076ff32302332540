//! Enrolments: started, then completed once.

use std::sync::Arc;

use aws_lc_rs::constant_time;
use rusqlite::{Connection as Db, OptionalExtension, Row, params};
use serde_json::json;

use super::columns::Columns;
use super::error::is_duplicate;
use super::{SqliteStore, audit, candidate, ek_list, event, host, token};
use crate::row::event::Change;
use crate::{
    Approval, ApprovalRule, By, Completion, Conflict, Enrolled, EnrolledKeys, Enrolments, Host,
    HostId, Identity, JoinTokenId, Kind, Origin, PAST_IDENTITIES_MAX, PENDING_PER_JOIN_TOKEN_MAX,
    PendingEnrolment, PendingId, Reply, Sha256, StoreError, TpmPresence,
};

impl Enrolments for SqliteStore {
    fn begin_enrolment(&self, pending: PendingEnrolment, by: By) -> Reply<'_, ()> {
        self.write(move |db| begin(db, &pending, &by))
    }

    fn pending_enrolment(
        &self,
        id: &PendingId,
        now_ms: i64,
    ) -> Reply<'_, Option<PendingEnrolment>> {
        let id = id.clone();
        self.read(move |db| pending(db, &id, now_ms))
    }

    fn complete_enrolment(&self, completion: Completion, by: By) -> Reply<'_, Enrolled> {
        self.write(move |db| complete(db, &completion, &by))
    }

    fn past_identity(&self, host: &HostId, version: i64) -> Reply<'_, Option<Identity>> {
        let host = host.clone();
        self.read(move |db| past_identity(db, &host, version))
    }
}

pub(super) fn begin(db: &Db, pending: &PendingEnrolment, by: &By) -> Result<(), StoreError> {
    db.prepare_cached("DELETE FROM pending_enrolments WHERE expires_at_ms <= ?1")?
        .execute([by.at_ms])?;
    let (join_token, host) = match &pending.origin {
        Origin::JoinToken(id) => {
            token::usable_join(db, id, by.at_ms)?;
            check_limit(db, id)?;
            (Some(id.as_str()), None)
        }
        Origin::Host(id) => {
            right(db, id, &pending.origin, &pending.keys, by.at_ms)?;
            // An agent that was stopped half-way starts again; it must not lock itself out.
            forget_pending(db, id)?;
            (None, Some(id.as_str()))
        }
        Origin::Known { host, join_token } => {
            token::usable_join(db, join_token, by.at_ms)?;
            right(db, host, &pending.origin, &pending.keys, by.at_ms)?;
            forget_pending(db, host)?;
            (Some(join_token.as_str()), Some(host.as_str()))
        }
    };
    db.prepare_cached(
        "INSERT INTO pending_enrolments
            (id, join_token_id, host_id, ek_spki_sha256, ak_name, host_name, documents_json,
             proof_sha256, expires_at_ms)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
    )?
    .execute(params![
        pending.id.as_str(),
        join_token,
        host,
        pending.keys.ek_spki_sha256,
        pending.keys.ak_name,
        pending.host_name,
        pending.documents_json,
        pending.proof_sha256,
        pending.expires_at_ms
    ])
    .map_err(|error| match is_duplicate(&error) {
        true => Conflict::IdTaken.into(),
        false => StoreError::from(error),
    })?;
    let detail = json!({
        "host_name": pending.host_name,
        "join_token": join_token,
        "host": host,
    });
    audit::append(db, by, "enrolment.begin", subject(&pending.id), &detail)
}

fn check_limit(db: &Db, id: &JoinTokenId) -> Result<(), StoreError> {
    let n: u32 = db
        .prepare_cached(
            "SELECT count(*) FROM pending_enrolments
             WHERE join_token_id = ?1 AND completed_host IS NULL",
        )?
        .query_row([id.as_str()], |row| row.get(0))?;
    if n >= PENDING_PER_JOIN_TOKEN_MAX {
        return Err(StoreError::Limit {
            what: "unfinished enrolments with one join token",
            max: PENDING_PER_JOIN_TOKEN_MAX,
        });
    }
    Ok(())
}

fn forget_pending(db: &Db, id: &HostId) -> Result<(), StoreError> {
    db.prepare_cached("DELETE FROM pending_enrolments WHERE host_id = ?1")?
        .execute([id.as_str()])?;
    Ok(())
}

/// By what right a known host binds keys.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Right {
    /// A person reconnected it.
    Reconnected,
    /// A person said that this TPM takes the place of the one before.
    Replaced,
    /// The same TPM has a new attestation key, as activation proves.
    Renewed,
}

impl Right {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Reconnected => "reconnected",
            Self::Replaced => "replaced",
            Self::Renewed => "key-renewed",
        }
    }
}

fn right(
    db: &Db,
    id: &HostId,
    origin: &Origin,
    keys: &EnrolledKeys,
    now_ms: i64,
) -> Result<(Host, Right), StoreError> {
    let host = host::by_id(db, id)?.ok_or(StoreError::NotFound(Kind::Host))?;
    let right = match &host.identity {
        Some(enrolled) if enrolled.ek_spki_sha256 != keys.ek_spki_sha256 => {
            if !host.may_be_replaced_by(&keys.ek_spki_sha256, now_ms) {
                return Err(Conflict::OtherTpm { host: id.clone() }.into());
            }
            Right::Replaced
        }
        _ if host.reenrol_wanted => Right::Reconnected,
        // Without the API token it needs a person, though it is the same TPM: the token of who has
        // it now ends by this.
        Some(enrolled) if enrolled.ak_name != keys.ak_name && matches!(origin, Origin::Host(_)) => {
            Right::Renewed
        }
        _ => return Err(Conflict::ReenrolmentNotWanted { host: id.clone() }.into()),
    };
    Ok((host, right))
}

/// A started enrolment with the host that it was completed as.
struct Started {
    pending: PendingEnrolment,
    completed_host: Option<HostId>,
}

fn started_row(row: &Row<'_>) -> rusqlite::Result<Started> {
    let mut columns = Columns::of(row);
    let id: String = columns.take()?;
    let join_token: Option<String> = columns.take()?;
    let host: Option<String> = columns.take()?;
    let origin = match (join_token, host) {
        (Some(token), None) => Origin::JoinToken(token.into()),
        (Some(token), Some(host)) => Origin::Known { host: host.into(), join_token: token.into() },
        // The schema wants one of the two at least.
        (None, host) => Origin::Host(host.unwrap_or_default().into()),
    };
    Ok(Started {
        pending: PendingEnrolment {
            id: id.into(),
            origin,
            keys: EnrolledKeys { ek_spki_sha256: columns.take()?, ak_name: columns.take()? },
            host_name: columns.take()?,
            documents_json: columns.take()?,
            proof_sha256: columns.take()?,
            expires_at_ms: columns.take()?,
        },
        completed_host: columns.take::<Option<String>>()?.map(HostId::from),
    })
}

fn started(db: &Db, id: &PendingId, now_ms: i64) -> Result<Option<Started>, StoreError> {
    let mut statement = db.prepare_cached(
        "SELECT id, join_token_id, host_id, ek_spki_sha256, ak_name, host_name, documents_json, proof_sha256,
            expires_at_ms, completed_host
         FROM pending_enrolments WHERE id = ?1 AND expires_at_ms > ?2",
    )?;
    Ok(statement.query_row(params![id.as_str(), now_ms], started_row).optional()?)
}

pub(super) fn pending(
    db: &Db,
    id: &PendingId,
    now_ms: i64,
) -> Result<Option<PendingEnrolment>, StoreError> {
    Ok(started(db, id, now_ms)?.map(|started| started.pending))
}

pub(super) fn complete(db: &Db, completion: &Completion, by: &By) -> Result<Enrolled, StoreError> {
    let Started { pending, completed_host } = started(db, &completion.pending, by.at_ms)?
        .ok_or(StoreError::NotFound(Kind::PendingEnrolment))?;
    if let Some(host) = completed_host {
        return Err(Conflict::AlreadyCompleted { host }.into());
    }
    constant_time::verify_slices_are_equal(&pending.proof_sha256, &completion.proof_sha256)
        .map_err(|_| Conflict::ProofWrong)?;
    let known = match &pending.origin {
        Origin::JoinToken(_) => None,
        Origin::Host(id) | Origin::Known { host: id, .. } => Some(id),
    };
    check_ek_free(db, &completion.identity.ek_spki_sha256, known)?;
    let (enrolled, before, by_right) = match &pending.origin {
        Origin::JoinToken(join_token) => {
            (create(db, &pending, completion, join_token, by)?, None, "joined")
        }
        Origin::Host(id) => renew(db, &pending.origin, completion, id, by.at_ms)?,
        Origin::Known { host, join_token } => {
            let token = token::use_join(db, join_token, by.at_ms)?;
            ek_list::admit(db, &completion.identity, &token.admitted)?;
            renew(db, &pending.origin, completion, host, by.at_ms)?
        }
    };
    bind(db, &enrolled, completion, by.at_ms)?;
    let change = match &pending.origin {
        Origin::JoinToken(_) => Change::added,
        Origin::Host(_) | Origin::Known { .. } => Change::identity,
    };
    event::append(db, &change(&enrolled.host, enrolled.approval, &by.actor, by.at_ms))?;
    db.prepare_cached("UPDATE pending_enrolments SET completed_host = ?2 WHERE id = ?1")?
        .execute(params![pending.id.as_str(), enrolled.host.as_str()])?;
    let detail = json!({
        "pending": pending.id.as_str(),
        "approval": enrolled.approval.as_str(),
        "right": by_right,
        "identity": host::identity_detail(Some(&completion.identity)),
        "identity_before": host::identity_detail(before.as_deref()),
    });
    audit::append(db, by, "host.enrol", host::subject(&enrolled.host), &detail)?;
    Ok(enrolled)
}

/// One TPM is one host: a second host with the same endorsement key is a clone or a rename, and a
/// person must say which.
pub(super) fn check_ek_free(
    db: &Db,
    ek_spki_sha256: &Sha256,
    but_for: Option<&HostId>,
) -> Result<(), StoreError> {
    let owner: Option<(String, String)> = db
        .prepare_cached(
            "SELECT hosts.id, hosts.name FROM identities JOIN hosts ON hosts.id = host_id
             WHERE ek_spki_sha256 = ?1",
        )?
        .query_row([ek_spki_sha256.as_slice()], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    match owner {
        Some((id, _)) if but_for.is_some_and(|host| host.as_str() == id) => Ok(()),
        Some((id, host_name)) => Err(Conflict::EkTaken { host: id.into(), host_name }.into()),
        None => Ok(()),
    }
}

fn create(
    db: &Db,
    pending: &PendingEnrolment,
    completion: &Completion,
    join_token: &JoinTokenId,
    by: &By,
) -> Result<Enrolled, StoreError> {
    let token = token::use_join(db, join_token, by.at_ms)?;
    let admission = ek_list::admit(db, &completion.identity, &token.admitted)?;
    let approval = match completion.approval {
        ApprovalRule::Required => Approval::Waiting,
        // Who bought the machine consented to this very TPM.
        ApprovalRule::NotRequired if admission.is_expected => Approval::NotRequired,
        ApprovalRule::NotRequired => token.approval,
    };
    let new = host::Insert {
        id: &completion.new_host,
        name: &pending.host_name,
        api_token_sha256: &completion.api_token_sha256,
        approval,
        tpm: TpmPresence::Present,
        labels: &admission.labels_with(&token.labels),
    };
    new.run(db, by.at_ms)?;
    Ok(Enrolled { host: completion.new_host.clone(), approval })
}

/// Gives a known host its new token. What was judged under another TPM says nothing of this one; a new
/// key of the same TPM leaves the verdict.
fn renew(
    db: &Db,
    origin: &Origin,
    completion: &Completion,
    id: &HostId,
    now_ms: i64,
) -> Result<(Enrolled, Option<Arc<Identity>>, &'static str), StoreError> {
    let keys = EnrolledKeys {
        ek_spki_sha256: completion.identity.ek_spki_sha256,
        ak_name: completion.identity.ak_name.clone(),
    };
    let (known, right) = right(db, id, origin, &keys, now_ms)?;
    let approval = match completion.approval {
        // A person's consent was to the old endorsement key.
        ApprovalRule::Required => Approval::Waiting,
        ApprovalRule::NotRequired => known.approval,
    };
    host::update(
        db,
        id,
        "api_token_sha256 = ?2, approval = ?3, tpm = ?4, reenrol_wanted = 0, rotation_wanted = 0,
         enrolment_problem_json = NULL, next_due_at_ms = NULL,
         clock_ms = NULL, clock_reset_count = NULL, clock_restart_count = NULL, clock_safe = NULL,
         clock_firmware_version = NULL",
        &[&completion.api_token_sha256, &approval.as_str(), &TpmPresence::Present.as_str()],
    )?;
    if right != Right::Renewed {
        host::update(
            db,
            id,
            "last_appraisal_id = NULL, last_at_ms = NULL, last_verdict = NULL,
             last_findings_json = NULL, last_identity_version = NULL",
            &[],
        )?;
    }
    if right == Right::Replaced {
        candidate::forget(db, id)?;
    }
    Ok((Enrolled { host: id.clone(), approval }, known.identity, right.as_str()))
}

fn bind(
    db: &Db,
    enrolled: &Enrolled,
    completion: &Completion,
    now_ms: i64,
) -> Result<(), StoreError> {
    let identity = &completion.identity;
    let chain: Vec<String> = identity.ek_chain_der.iter().map(hex::encode).collect();
    keep_past(db, &enrolled.host)?;
    db.prepare_cached("DELETE FROM identities WHERE host_id = ?1")?
        .execute([enrolled.host.as_str()])?;
    db.prepare_cached(
        "INSERT INTO identities
            (host_id, ek_public, ek_cert_der, ek_chain_json, ek_spki_sha256, ak_public, ak_name,
             judgement_json, enrolled_at_ms, ek_public_sha256)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
    )?
    .execute(params![
        enrolled.host.as_str(),
        identity.ek_public,
        identity.ek_cert_der,
        json!(chain).to_string(),
        identity.ek_spki_sha256,
        identity.ak_public,
        identity.ak_name,
        identity.judgement_json,
        now_ms,
        ek_list::public_sha256(identity)
    ])?;
    host::update(db, &enrolled.host, "identity_version = identity_version + 1", &[])
}

const IDENTITY_COLUMNS: &str = "ek_public, ek_cert_der, ek_chain_json, ek_spki_sha256, ak_public, \
    ak_name, judgement_json, enrolled_at_ms";

/// Keeps the identity that is about to go, where there is one, and forgets the oldest.
fn keep_past(db: &Db, id: &HostId) -> Result<(), StoreError> {
    db.prepare_cached(&format!(
        "INSERT OR REPLACE INTO past_identities (host_id, version, {IDENTITY_COLUMNS})
         SELECT host_id, identity_version, {IDENTITY_COLUMNS}
         FROM identities JOIN hosts ON hosts.id = host_id WHERE host_id = ?1"
    ))?
    .execute([id.as_str()])?;
    db.prepare_cached(
        "DELETE FROM past_identities WHERE host_id = ?1 AND version NOT IN
            (SELECT version FROM past_identities WHERE host_id = ?1 ORDER BY version DESC LIMIT ?2)",
    )?
    .execute(params![id.as_str(), PAST_IDENTITIES_MAX])?;
    Ok(())
}

pub(super) fn past_identity(
    db: &Db,
    id: &HostId,
    version: i64,
) -> Result<Option<Identity>, StoreError> {
    let mut statement = db.prepare_cached(&format!(
        "SELECT {IDENTITY_COLUMNS} FROM past_identities WHERE host_id = ?1 AND version = ?2"
    ))?;
    let found = statement
        .query_row(params![id.as_str(), version], |row| host::identity(&mut Columns::of(row)))
        .optional()?;
    Ok(found.flatten())
}

fn subject(id: &PendingId) -> String {
    format!("enrolment:{id}")
}
