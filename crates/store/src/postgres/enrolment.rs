//! Enrolments: started, then completed once.

use std::sync::Arc;

use aws_lc_rs::constant_time;
use serde_json::json;
use tokio_postgres::Row;

use super::columns::Columns;
use super::error::is_duplicate;
use super::session::Session;
use super::transaction::Transaction;
use super::{PostgresStore, candidate, ek_list, event, host, token};
use crate::row::event::Change;
use crate::{
    Approval, ApprovalRule, By, Completion, Conflict, Enrolled, EnrolledKeys, Enrolments, Host,
    HostId, Identity, JoinTokenId, Kind, Origin, PAST_IDENTITIES_MAX, PENDING_PER_JOIN_TOKEN_MAX,
    PendingEnrolment, PendingId, Reply, Sha256, StoreError, TpmPresence,
};

impl Enrolments for PostgresStore {
    fn begin_enrolment(&self, pending: PendingEnrolment, by: By) -> Reply<'_, ()> {
        self.change((pending, by), |tx, (pending, by)| Box::pin(begin(tx, pending, by)))
    }

    fn pending_enrolment(
        &self,
        id: &PendingId,
        now_ms: i64,
    ) -> Reply<'_, Option<PendingEnrolment>> {
        let id = id.clone();
        self.look((id, now_ms), |db, (id, now_ms)| Box::pin(pending(db, id, *now_ms)))
    }

    fn complete_enrolment(&self, completion: Completion, by: By) -> Reply<'_, Enrolled> {
        self.change((completion, by), |tx, (completion, by)| Box::pin(complete(tx, completion, by)))
    }

    fn past_identity(&self, host: &HostId, version: i64) -> Reply<'_, Option<Identity>> {
        let host = host.clone();
        self.look((host, version), |db, (host, version)| {
            Box::pin(past_identity(db, host, *version))
        })
    }
}

pub(super) async fn begin(
    tx: &Transaction,
    pending: &PendingEnrolment,
    by: &By,
) -> Result<(), StoreError> {
    // Those that somebody else is just removing, or completing, are left to them.
    tx.execute(
        "DELETE FROM pending_enrolments WHERE id IN
            (SELECT id FROM pending_enrolments WHERE expires_at_ms <= $1 FOR UPDATE SKIP LOCKED)",
        &[&by.at_ms],
    )
    .await?;
    let (join_token, host) = match &pending.origin {
        Origin::JoinToken(id) => {
            token::usable_join(tx, id, by.at_ms).await?;
            check_limit(tx, id).await?;
            (Some(id.as_str()), None)
        }
        Origin::Host(id) => {
            right(tx, id, &pending.origin, &pending.keys, by.at_ms).await?;
            // An agent that was stopped half-way starts again; it must not lock itself out.
            forget_pending(tx, id).await?;
            (None, Some(id.as_str()))
        }
        Origin::Known { host, join_token } => {
            token::usable_join(tx, join_token, by.at_ms).await?;
            right(tx, host, &pending.origin, &pending.keys, by.at_ms).await?;
            forget_pending(tx, host).await?;
            (Some(join_token.as_str()), Some(host.as_str()))
        }
    };
    tx.try_execute(
        "INSERT INTO pending_enrolments
            (id, join_token_id, host_id, ek_spki_sha256, ak_name, host_name, documents_json,
             proof_sha256, expires_at_ms)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        &[
            &pending.id.as_str(),
            &join_token,
            &host,
            &pending.keys.ek_spki_sha256.as_slice(),
            &pending.keys.ak_name,
            &pending.host_name,
            &pending.documents_json,
            &pending.proof_sha256.as_slice(),
            &pending.expires_at_ms,
        ],
    )
    .await
    .map_err(|error| match is_duplicate(&error) {
        true => Conflict::IdTaken.into(),
        false => StoreError::from(error),
    })?;
    let detail = json!({
        "host_name": pending.host_name,
        "join_token": join_token,
        "host": host,
    });
    tx.audit(by, "enrolment.begin", subject(&pending.id), &detail);
    Ok(())
}

/// The token is locked, so that nobody begins another one meanwhile.
async fn check_limit(tx: &Transaction, id: &JoinTokenId) -> Result<(), StoreError> {
    let row = tx
        .row(
            "SELECT count(*) FROM pending_enrolments
             WHERE join_token_id = $1 AND completed_host IS NULL",
            &[&id.as_str()],
        )
        .await?;
    if Columns::of(&row).count()? >= u64::from(PENDING_PER_JOIN_TOKEN_MAX) {
        return Err(StoreError::Limit {
            what: "unfinished enrolments with one join token",
            max: PENDING_PER_JOIN_TOKEN_MAX,
        });
    }
    Ok(())
}

async fn forget_pending(tx: &Transaction, id: &HostId) -> Result<(), StoreError> {
    let sql = "DELETE FROM pending_enrolments WHERE host_id = $1";
    tx.execute(sql, &[&id.as_str()]).await.map(drop)
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

async fn right(
    tx: &Transaction,
    id: &HostId,
    origin: &Origin,
    keys: &EnrolledKeys,
    now_ms: i64,
) -> Result<(Host, Right), StoreError> {
    let host = host::locked(tx, id).await?;
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

fn started_row(row: &Row) -> Result<Started, StoreError> {
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
            keys: EnrolledKeys { ek_spki_sha256: columns.sha256()?, ak_name: columns.take()? },
            host_name: columns.take()?,
            documents_json: columns.take()?,
            proof_sha256: columns.sha256()?,
            expires_at_ms: columns.take()?,
        },
        completed_host: columns.take::<Option<String>>()?.map(HostId::from),
    })
}

const STARTED: &str = "\
    SELECT id, join_token_id, host_id, ek_spki_sha256, ak_name, host_name, documents_json, \
    proof_sha256, expires_at_ms, completed_host \
    FROM pending_enrolments WHERE id = $1 AND expires_at_ms > $2";

pub(super) async fn pending(
    db: &Session,
    id: &PendingId,
    now_ms: i64,
) -> Result<Option<PendingEnrolment>, StoreError> {
    let row = db.row_or_none(STARTED, &[&id.as_str(), &now_ms]).await?;
    Ok(row.as_ref().map(started_row).transpose()?.map(|started| started.pending))
}

/// The same until the transaction ends: one completion is first.
async fn locked(
    tx: &Transaction,
    id: &PendingId,
    now_ms: i64,
) -> Result<Option<Started>, StoreError> {
    let sql = format!("{STARTED} FOR NO KEY UPDATE");
    let row = tx.row_or_none(&sql, &[&id.as_str(), &now_ms]).await?;
    row.as_ref().map(started_row).transpose()
}

pub(super) async fn complete(
    tx: &Transaction,
    completion: &Completion,
    by: &By,
) -> Result<Enrolled, StoreError> {
    let Started { pending, completed_host } = locked(tx, &completion.pending, by.at_ms)
        .await?
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
    check_ek_free(tx, &completion.identity.ek_spki_sha256, known).await?;
    let (enrolled, before, by_right) = match &pending.origin {
        Origin::JoinToken(join_token) => {
            (create(tx, &pending, completion, join_token, by).await?, None, "joined")
        }
        Origin::Host(id) => renew(tx, &pending.origin, completion, id, by.at_ms).await?,
        Origin::Known { host, join_token } => {
            let token = token::use_join(tx, join_token, by.at_ms).await?;
            ek_list::admit(tx, &completion.identity, &token.admitted).await?;
            renew(tx, &pending.origin, completion, host, by.at_ms).await?
        }
    };
    bind(tx, &enrolled, completion, by.at_ms).await?;
    let change = match &pending.origin {
        Origin::JoinToken(_) => Change::added,
        Origin::Host(_) | Origin::Known { .. } => Change::identity,
    };
    let change = change(&enrolled.host, enrolled.approval, &by.actor, by.at_ms);
    event::append(tx, &[change]).await?;
    let sql = "UPDATE pending_enrolments SET completed_host = $2 WHERE id = $1";
    tx.execute(sql, &[&pending.id.as_str(), &enrolled.host.as_str()]).await?;
    let detail = json!({
        "pending": pending.id.as_str(),
        "approval": enrolled.approval.as_str(),
        "right": by_right,
        "identity": host::identity_detail(Some(&completion.identity)),
        "identity_before": host::identity_detail(before.as_deref()),
    });
    tx.audit(by, "host.enrol", host::subject(&enrolled.host), &detail);
    Ok(enrolled)
}

/// One TPM is one host: a second host with the same endorsement key is a clone or a rename, and a
/// person must say which. Two that enrol it at once meet at the index: the one that comes second is
/// tried again, and is then told of the first.
pub(super) async fn check_ek_free(
    tx: &Transaction,
    ek_spki_sha256: &Sha256,
    but_for: Option<&HostId>,
) -> Result<(), StoreError> {
    let owner = tx
        .row_or_none(
            "SELECT hosts.id, hosts.name FROM identities JOIN hosts ON hosts.id = host_id
             WHERE ek_spki_sha256 = $1",
            &[&ek_spki_sha256.as_slice()],
        )
        .await?;
    let Some(owner) = owner else { return Ok(()) };
    let mut columns = Columns::of(&owner);
    let (id, host_name): (String, String) = (columns.take()?, columns.take()?);
    if but_for.is_some_and(|host| host.as_str() == id) {
        return Ok(());
    }
    Err(Conflict::EkTaken { host: id.into(), host_name }.into())
}

async fn create(
    tx: &Transaction,
    pending: &PendingEnrolment,
    completion: &Completion,
    join_token: &JoinTokenId,
    by: &By,
) -> Result<Enrolled, StoreError> {
    let token = token::use_join(tx, join_token, by.at_ms).await?;
    let admission = ek_list::admit(tx, &completion.identity, &token.admitted).await?;
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
    new.run(tx, by.at_ms).await?;
    Ok(Enrolled { host: completion.new_host.clone(), approval })
}

/// Gives a known host its new token. What was judged under another TPM says nothing of this one; a new
/// key of the same TPM leaves the verdict.
async fn renew(
    tx: &Transaction,
    origin: &Origin,
    completion: &Completion,
    id: &HostId,
    now_ms: i64,
) -> Result<(Enrolled, Option<Arc<Identity>>, &'static str), StoreError> {
    let keys = EnrolledKeys {
        ek_spki_sha256: completion.identity.ek_spki_sha256,
        ak_name: completion.identity.ak_name.clone(),
    };
    let (known, right) = right(tx, id, origin, &keys, now_ms).await?;
    let approval = match completion.approval {
        // A person's consent was to the old endorsement key.
        ApprovalRule::Required => Approval::Waiting,
        ApprovalRule::NotRequired => known.approval,
    };
    host::update(
        tx,
        id,
        "api_token_sha256 = $2, approval = $3, tpm = $4, reenrol_wanted = false,
         rotation_wanted = false, enrolment_problem_json = NULL, next_due_at_ms = NULL,
         clock_ms = NULL, clock_reset_count = NULL, clock_restart_count = NULL, clock_safe = NULL,
         clock_firmware_version = NULL",
        &[
            &completion.api_token_sha256.as_slice(),
            &approval.as_str(),
            &TpmPresence::Present.as_str(),
        ],
    )
    .await?;
    if right != Right::Renewed {
        host::update(
            tx,
            id,
            "last_appraisal_id = NULL, last_at_ms = NULL, last_verdict = NULL,
             last_findings_json = NULL, last_identity_version = NULL",
            &[],
        )
        .await?;
    }
    if right == Right::Replaced {
        candidate::forget(tx, id).await?;
    }
    Ok((Enrolled { host: id.clone(), approval }, known.identity, right.as_str()))
}

async fn bind(
    tx: &Transaction,
    enrolled: &Enrolled,
    completion: &Completion,
    now_ms: i64,
) -> Result<(), StoreError> {
    let identity = &completion.identity;
    let chain: Vec<String> = identity.ek_chain_der.iter().map(hex::encode).collect();
    keep_past(tx, &enrolled.host).await?;
    let host = enrolled.host.as_str();
    tx.execute("DELETE FROM identities WHERE host_id = $1", &[&host]).await?;
    tx.execute(
        "INSERT INTO identities
            (host_id, ek_public, ek_cert_der, ek_chain_json, ek_spki_sha256, ak_public, ak_name,
             judgement_json, enrolled_at_ms, ek_public_sha256)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        &[
            &host,
            &identity.ek_public,
            &identity.ek_cert_der,
            &json!(chain).to_string(),
            &identity.ek_spki_sha256.as_slice(),
            &identity.ak_public,
            &identity.ak_name,
            &identity.judgement_json,
            &now_ms,
            &ek_list::public_sha256(identity),
        ],
    )
    .await?;
    host::update(tx, &enrolled.host, "identity_version = identity_version + 1", &[]).await
}

const IDENTITY_COLUMNS: &str = "ek_public, ek_cert_der, ek_chain_json, ek_spki_sha256, ak_public, \
    ak_name, judgement_json, enrolled_at_ms";

/// Keeps the identity that is about to go, where there is one, and forgets the oldest.
async fn keep_past(tx: &Transaction, id: &HostId) -> Result<(), StoreError> {
    tx.execute(
        &format!(
            "INSERT INTO past_identities (host_id, version, {IDENTITY_COLUMNS})
             SELECT host_id, identity_version, {IDENTITY_COLUMNS}
             FROM identities JOIN hosts ON hosts.id = host_id WHERE host_id = $1"
        ),
        &[&id.as_str()],
    )
    .await?;
    tx.execute(
        "DELETE FROM past_identities WHERE host_id = $1 AND version NOT IN
            (SELECT version FROM past_identities WHERE host_id = $1 ORDER BY version DESC LIMIT $2)",
        &[&id.as_str(), &i64::from(PAST_IDENTITIES_MAX)],
    )
    .await
    .map(drop)
}

pub(super) async fn past_identity(
    db: &Session,
    id: &HostId,
    version: i64,
) -> Result<Option<Identity>, StoreError> {
    let sql = format!(
        "SELECT {IDENTITY_COLUMNS} FROM past_identities WHERE host_id = $1 AND version = $2"
    );
    match db.row_or_none(&sql, &[&id.as_str(), &version]).await? {
        None => Ok(None),
        Some(row) => host::identity(&mut Columns::of(&row)),
    }
}

fn subject(id: &PendingId) -> String {
    format!("enrolment:{id}")
}
