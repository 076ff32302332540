//! Hosts.

use std::sync::Arc;

use serde_json::{Value, json};
use tokio_postgres::types::ToSql;
use tokio_postgres::{Row, Statement};

use super::columns::Columns;
use super::error::is_duplicate;
use super::session::{Session, Values};
use super::token::UsedJoin;
use super::transaction::Transaction;
use super::{
    PostgresStore, candidate, client_certificate, event, evidence, inventory, lock, peers, token,
};
use crate::row::event::Change;
use crate::{
    AdmittedEks, AppraisalId, Approval, By, Conflict, Connection, DueLook, Enrolled,
    HOSTS_PAGE_MAX, Host, HostCursor, HostFilter, HostId, Hosts, Identity, Kind, LabelCount,
    Labels, LabelsChange, LastAppraisal, Maintenance, NewHost, QuoteClock, Reenrolment, Reply,
    RevokedFor, RevokedKeys, Sha256, Stood, StoreError, TpmPresence,
};

impl Hosts for PostgresStore {
    fn create_host(&self, host: NewHost, by: By) -> Reply<'_, Enrolled> {
        self.change((host, by), |tx, (host, by)| Box::pin(create(tx, host, by)))
    }

    fn hosts(
        &self,
        filter: HostFilter,
        after: Option<HostCursor>,
        n_max: u32,
    ) -> Reply<'_, Vec<Host>> {
        self.look((filter, after, n_max), |db, (filter, after, n_max)| {
            Box::pin(inventory::page(db, filter, after.as_ref(), *n_max))
        })
    }

    fn host(&self, id: &HostId) -> Reply<'_, Option<Host>> {
        let id = id.clone();
        self.look((id,), |db, (id,)| Box::pin(by_id(db, id)))
    }

    fn hosts_by_name(&self, name: &str) -> Reply<'_, Vec<Host>> {
        let name = name.to_owned();
        self.look((name,), |db, (name,)| Box::pin(by_name(db, name)))
    }

    fn hosts_of_cohort(
        &self,
        cohort: &str,
        after: Option<HostId>,
        n_max: u32,
    ) -> Reply<'_, Vec<Host>> {
        let cohort = cohort.to_owned();
        self.look((cohort, after, n_max), |db, (cohort, after, n_max)| {
            Box::pin(of_cohort(db, cohort, after.as_ref(), *n_max))
        })
    }

    fn n_hosts(&self) -> Reply<'_, u64> {
        self.look((), |db, ()| Box::pin(count(db)))
    }

    fn host_by_api_token(&self, token_sha256: Sha256) -> Reply<'_, Option<Host>> {
        Box::pin(self.looks.host(token_sha256))
    }

    fn disconnect_host(&self, id: &HostId, by: By) -> Reply<'_, ()> {
        let id = id.clone();
        self.change((id, by), |tx, (id, by)| Box::pin(disconnect(tx, id, by)))
    }

    fn reconnect_host(&self, id: &HostId, reenrolment: Reenrolment, by: By) -> Reply<'_, ()> {
        let id = id.clone();
        self.change((id, reenrolment, by), |tx, (id, reenrolment, by)| {
            Box::pin(reconnect(tx, id, *reenrolment, by))
        })
    }

    fn set_approval(&self, id: &HostId, approval: Approval, by: By) -> Reply<'_, ()> {
        let id = id.clone();
        self.change((id, approval, by), |tx, (id, approval, by)| {
            Box::pin(set_approval(tx, id, *approval, by))
        })
    }

    fn change_labels(&self, id: &HostId, change: LabelsChange, by: By) -> Reply<'_, Labels> {
        let id = id.clone();
        self.change((id, change, by), |tx, (id, change, by)| {
            Box::pin(inventory::change_labels(tx, id, change, by))
        })
    }

    fn replace_labels(&self, id: &HostId, from: Labels, to: Labels, by: By) -> Reply<'_, ()> {
        let id = id.clone();
        self.change((id, from, to, by), |tx, (id, from, to, by)| {
            Box::pin(inventory::replace_labels(tx, id, from, to, by))
        })
    }

    fn label_counts(&self, key: Option<&str>) -> Reply<'_, Vec<LabelCount>> {
        let key = key.map(str::to_owned);
        self.look((key,), |db, (key,)| Box::pin(inventory::label_counts(db, key.as_deref())))
    }

    fn enter_maintenance(
        &self,
        id: &HostId,
        until_ms: Option<i64>,
        reason: &str,
        by: By,
    ) -> Reply<'_, ()> {
        let (id, reason) = (id.clone(), reason.to_owned());
        self.change((id, until_ms, reason, by), |tx, (id, until_ms, reason, by)| {
            Box::pin(inventory::enter_maintenance(tx, id, *until_ms, reason, by))
        })
    }

    fn leave_maintenance(&self, id: &HostId, by: By) -> Reply<'_, ()> {
        let id = id.clone();
        self.change((id, by), |tx, (id, by)| Box::pin(inventory::leave_maintenance(tx, id, by)))
    }

    fn request_attestation(&self, id: &HostId, by: By) -> Reply<'_, ()> {
        let id = id.clone();
        self.change((id, by), |tx, (id, by)| Box::pin(request_attestation(tx, id, by)))
    }

    fn remove_host(&self, id: &HostId, by: By) -> Reply<'_, ()> {
        let id = id.clone();
        self.change((id, by), |tx, (id, by)| Box::pin(remove(tx, id, by)))
    }

    fn note_seen(&self, id: &HostId, at_ms: i64) -> Reply<'_, ()> {
        let id = id.clone();
        self.look((id, at_ms), |db, (id, at_ms)| Box::pin(note_seen(db, id, *at_ms)))
    }

    fn note_tpm(&self, id: &HostId, tpm: TpmPresence) -> Reply<'_, ()> {
        let id = id.clone();
        self.look((id, tpm), |db, (id, tpm)| Box::pin(note_tpm(db, id, *tpm)))
    }

    fn note_enrolment_problem(&self, id: &HostId, problem_json: String) -> Reply<'_, ()> {
        let id = id.clone();
        self.look((id, problem_json), |db, (id, problem_json)| {
            Box::pin(note_enrolment_problem(db, id, problem_json))
        })
    }

    fn want_rotation(&self, id: &HostId, by: By) -> Reply<'_, ()> {
        let id = id.clone();
        self.change((id, by), |tx, (id, by)| Box::pin(want_rotation(tx, id, by)))
    }
}

/// The columns of a host, with those of its identity.
macro_rules! columns {
    ($identity:literal) => {
        concat!(
            "SELECT id, name, created_at_ms, connection, approval, tpm, reenrol_wanted, \
            identity_version, enrolment_problem_json, last_seen_at_ms, attest_requested_at_ms, \
            next_due_at_ms, last_nonce_at_ms, \
            clock_ms, clock_reset_count, clock_restart_count, clock_safe, clock_firmware_version, \
            last_appraisal_id, last_at_ms, last_verdict, last_findings_json, \
            last_identity_version, cohort, stood_rank, rotation_wanted, labels_json, \
            maintenance_since_ms, maintenance_until_ms, maintenance_reason, maintenance_by, ",
            $identity,
            ", candidate_ek_sha256, candidate_judgement_json, candidate_first_at_ms, \
            candidate_seen_at_ms, candidate_expires_at_ms, candidate_approved_at_ms, \
            candidate_refused_at_ms"
        )
    };
}

const COLUMNS: &str = columns!(
    "ek_public, ek_cert_der, ek_chain_json, ek_spki_sha256, ak_public, ak_name, judgement_json, \
    enrolled_at_ms"
);

/// Without the identity, which is kilobytes and the same from look to look; only when it was enrolled.
const WITHOUT_IDENTITY: &str = columns!(
    "NULL::bytea, NULL::bytea, NULL::text, NULL::bytea, NULL::bytea, NULL::bytea, NULL::text, \
    NULL::bigint"
);

const TABLES: &str = "\
    FROM hosts LEFT JOIN identities ON identities.host_id = hosts.id \
    LEFT JOIN candidates ON candidates.host_id = hosts.id";

fn host_row(row: &Row) -> Result<Host, StoreError> {
    host_columns(&mut Columns::of(row))
}

fn host_columns(columns: &mut Columns<'_>) -> Result<Host, StoreError> {
    Ok(Host {
        id: columns.take::<String>()?.into(),
        name: columns.take()?,
        created_at_ms: columns.take()?,
        connection: columns.word(Connection::from_word)?,
        approval: columns.word(Approval::from_word)?,
        tpm: columns.word(TpmPresence::from_word)?,
        reenrol_wanted: columns.take()?,
        identity_version: columns.take()?,
        enrolment_problem_json: columns.take()?,
        last_seen_at_ms: columns.take()?,
        attest_requested_at_ms: columns.take()?,
        next_due_at_ms: columns.take()?,
        last_nonce_at_ms: columns.take()?,
        last_quote_clock: quote_clock(columns)?,
        last: last_appraisal(columns)?,
        cohort: columns.take()?,
        stood: Stood::of_rank(columns.take()?),
        rotation_wanted: columns.take()?,
        labels: columns.labels()?,
        maintenance: maintenance(columns)?,
        identity: identity(columns)?.map(Arc::new),
        candidate: candidate::from_columns(columns)?,
    })
}

fn quote_clock(columns: &mut Columns<'_>) -> Result<Option<QuoteClock>, StoreError> {
    let clock_ms: Option<i64> = columns.take()?;
    let reset_count: Option<u32> = columns.small_or_none()?;
    let restart_count: Option<u32> = columns.small_or_none()?;
    let safe: Option<bool> = columns.take()?;
    let firmware_version: Option<i64> = columns.take()?;
    let (Some(clock_ms), Some(reset_count), Some(restart_count), Some(safe), Some(firmware)) =
        (clock_ms, reset_count, restart_count, safe, firmware_version)
    else {
        return Ok(None);
    };
    Ok(Some(QuoteClock {
        // PostgreSQL knows signed numbers only; the bits are kept.
        clock_ms: clock_ms.cast_unsigned(),
        reset_count,
        restart_count,
        safe,
        firmware_version: firmware.cast_unsigned(),
    }))
}

fn last_appraisal(columns: &mut Columns<'_>) -> Result<Option<LastAppraisal>, StoreError> {
    let id: Option<i64> = columns.take()?;
    let at_ms: Option<i64> = columns.take()?;
    let verdict: Option<String> = columns.take()?;
    let findings_json: Option<String> = columns.take()?;
    let identity_version: Option<i64> = columns.take()?;
    let (Some(id), Some(at_ms), Some(verdict), Some(findings_json), Some(identity_version)) =
        (id, at_ms, verdict, findings_json, identity_version)
    else {
        return Ok(None);
    };
    let id = AppraisalId(id);
    Ok(Some(LastAppraisal { id, at_ms, verdict, findings_json, identity_version }))
}

fn maintenance(columns: &mut Columns<'_>) -> Result<Option<Maintenance>, StoreError> {
    let Some(since_ms) = columns.take()? else {
        columns.pass_over(3);
        return Ok(None);
    };
    let (until_ms, reason, by) = (columns.take()?, columns.take()?, columns.take()?);
    Ok(Some(Maintenance { since_ms, until_ms, reason, by }))
}

/// The identity in the next columns; where there is none they are passed over.
pub(super) fn identity(columns: &mut Columns<'_>) -> Result<Option<Identity>, StoreError> {
    let Some(ek_public) = columns.take()? else {
        columns.pass_over(7);
        return Ok(None);
    };
    Ok(Some(Identity {
        ek_public,
        ek_cert_der: columns.take()?,
        ek_chain_der: columns.hex_list()?,
        ek_spki_sha256: columns.sha256()?,
        ak_public: columns.take()?,
        ak_name: columns.take()?,
        judgement_json: columns.take()?,
        enrolled_at_ms: columns.take()?,
    }))
}

pub(super) async fn create(
    tx: &Transaction,
    host: &NewHost,
    by: &By,
) -> Result<Enrolled, StoreError> {
    let UsedJoin { approval, labels, admitted } =
        token::use_join(tx, &host.join_token, by.at_ms).await?;
    // No key was proved.
    if admitted != AdmittedEks::Any {
        return Err(Conflict::EkNotListed.into());
    }
    let new = Insert {
        id: &host.id,
        name: &host.name,
        api_token_sha256: &host.api_token_sha256,
        approval,
        tpm: host.tpm,
        labels: &labels,
    };
    new.run(tx, by.at_ms).await?;
    event::append(tx, &[Change::added(&host.id, approval, &by.actor, by.at_ms)]).await?;
    let detail = json!({
        "name": host.name,
        "join_token": host.join_token.as_str(),
        "approval": approval.as_str(),
        "tpm": host.tpm.as_str(),
        "labels": labels,
    });
    tx.audit(by, "host.join", subject(&host.id), &detail);
    Ok(Enrolled { host: host.id.clone(), approval })
}

/// A row of `hosts` without an identity.
pub(super) struct Insert<'a> {
    pub(super) id: &'a HostId,
    pub(super) name: &'a str,
    pub(super) api_token_sha256: &'a Sha256,
    pub(super) approval: Approval,
    pub(super) tpm: TpmPresence,
    pub(super) labels: &'a Labels,
}

impl Insert<'_> {
    pub(super) async fn run(&self, tx: &Transaction, now_ms: i64) -> Result<(), StoreError> {
        tx.try_execute(
            "INSERT INTO hosts
                (id, name, created_at_ms, api_token_sha256, connection, approval, tpm,
                 last_seen_at_ms, labels_json)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $3, $8)",
            &[
                &self.id.as_str(),
                &self.name,
                &now_ms,
                &self.api_token_sha256.as_slice(),
                &Connection::Connected.as_str(),
                &self.approval.as_str(),
                &self.tpm.as_str(),
                &json!(self.labels).to_string(),
            ],
        )
        .await
        .map_err(|error| match is_duplicate(&error) {
            true => Conflict::IdTaken.into(),
            false => StoreError::from(error),
        })?;
        Ok(())
    }
}

pub(super) async fn by_name(db: &Session, name: &str) -> Result<Vec<Host>, StoreError> {
    let n_max = i64::from(HOSTS_PAGE_MAX);
    many(db, "WHERE name = $1 ORDER BY id LIMIT $2", &[&name, &n_max]).await
}

pub(super) async fn of_cohort(
    db: &Session,
    cohort: &str,
    after: Option<&HostId>,
    n_max: u32,
) -> Result<Vec<Host>, StoreError> {
    let after = after.map_or("", HostId::as_str);
    let n_max = i64::from(n_max.min(HOSTS_PAGE_MAX));
    let clause = "WHERE cohort = $1 AND id > $2 ORDER BY id LIMIT $3";
    many(db, clause, &[&cohort, &after, &n_max]).await
}

pub(super) async fn count(db: &Session) -> Result<u64, StoreError> {
    Columns::of(&db.row("SELECT count(*) FROM hosts", &[]).await?).count()
}

pub(super) async fn many(
    db: &Session,
    clause: &str,
    values: Values<'_>,
) -> Result<Vec<Host>, StoreError> {
    db.read(&format!("{COLUMNS} {TABLES} {clause}"), values, host_row).await
}

/// Hosts at which to look, each given to nobody else before `lease_until_ms`, and which change each look is
/// of: of one snapshot, so that a change in between has another number. Who claims at the same moment
/// passes over those that are just being claimed, and over those that somebody changes, which are due anew.
pub(super) async fn claim_looks(
    db: &Session,
    now_ms: i64,
    lease_until_ms: i64,
    n_max: u32,
) -> Result<Vec<DueLook>, StoreError> {
    let sql = format!(
        "WITH claimed AS (UPDATE hosts SET look_lease_ms = $2 WHERE id IN (
            SELECT id FROM hosts WHERE look_at_ms <= $1 AND look_lease_ms <= $1
            ORDER BY look_at_ms LIMIT $3 FOR NO KEY UPDATE SKIP LOCKED) RETURNING id)
         {COLUMNS}, look_seq {TABLES} WHERE id IN (SELECT id FROM claimed)"
    );
    let n_max = i64::from(n_max.min(HOSTS_PAGE_MAX));
    db.read(&sql, &[&now_ms, &lease_until_ms, &n_max], |row| {
        Ok(DueLook { host: host_row(row)?, change: row.try_get("look_seq")? })
    })
    .await
}

async fn one(
    db: &Session,
    clause: &str,
    value: &(dyn ToSql + Sync),
) -> Result<Option<Host>, StoreError> {
    let row = db.row_or_none(&format!("{COLUMNS} {TABLES} {clause}"), &[value]).await?;
    row.as_ref().map(host_row).transpose()
}

pub(super) async fn by_id(db: &Session, id: &HostId) -> Result<Option<Host>, StoreError> {
    one(db, "WHERE id = $1", &id.as_str()).await
}

pub(super) async fn by_api_token(
    db: &Session,
    sha256: &Sha256,
) -> Result<Option<Host>, StoreError> {
    one(db, "WHERE api_token_sha256 = $1", &sha256.as_slice()).await
}

/// A host without its identity, and which one that is.
pub(super) struct Without {
    pub(super) token: Sha256,
    pub(super) host: Host,
    /// When it was enrolled, where there is one.
    pub(super) enrolled_at_ms: Option<i64>,
}

/// What [`by_api_tokens`] sends: a look by indexes for each, however few or many hosts there were when it was planned.
pub(super) async fn prepare_by_api_tokens(db: &Session) -> Result<Statement, StoreError> {
    let sql = format!(
        "SELECT found.* FROM unnest($1::bytea[]) AS token CROSS JOIN LATERAL ( \
            {WITHOUT_IDENTITY}, api_token_sha256, enrolled_at_ms {TABLES} \
            WHERE api_token_sha256 = token OFFSET 0) AS found"
    );
    db.prepare(&sql).await
}

/// The hosts that show these tokens, in no order. On its way as soon as polled.
pub(super) async fn by_api_tokens(
    db: &Session,
    way: &Statement,
    tokens: &[Sha256],
) -> Result<Vec<Without>, StoreError> {
    let tokens: Vec<&[u8]> = tokens.iter().map(<[u8; 32]>::as_slice).collect();
    let rows = db.ask(way, &[&tokens]).await?;
    let without = |row: &Row| {
        let mut columns = Columns::of(row);
        let host = host_columns(&mut columns)?;
        Ok(Without { host, token: columns.sha256()?, enrolled_at_ms: columns.take()? })
    };
    rows.iter().map(without).collect()
}

/// Identities of hosts, in no order, each with its version.
pub(super) async fn identities(
    db: &Session,
    hosts: &[&str],
) -> Result<Vec<(HostId, i64, Identity)>, StoreError> {
    let sql = "SELECT hosts.id, identity_version, ek_public, ek_cert_der, ek_chain_json,
            ek_spki_sha256, ak_public, ak_name, judgement_json, enrolled_at_ms
         FROM hosts JOIN identities ON identities.host_id = hosts.id WHERE hosts.id = ANY($1)";
    let mut found = Vec::new();
    for row in &db.rows(sql, &[&hosts]).await? {
        let mut columns = Columns::of(row);
        let (id, version) = (columns.take::<String>()?.into(), columns.take()?);
        if let Some(identity) = identity(&mut columns)? {
            found.push((id, version, identity));
        }
    }
    Ok(found)
}

/// The host as it is, and stays but for this transaction. Two statements: the second sees what the
/// first may have waited for, also in the tables beside.
pub(super) async fn locked(tx: &Transaction, id: &HostId) -> Result<Host, StoreError> {
    hold(tx, id).await?;
    by_id(tx, id).await?.ok_or(StoreError::NotFound(Kind::Host))
}

/// Holds a host. Not against rows that name it: no transaction changes what it is named by.
async fn hold(tx: &Transaction, id: &HostId) -> Result<(), StoreError> {
    let sql = "SELECT id FROM hosts WHERE id = $1 FOR NO KEY UPDATE";
    match tx.execute(sql, &[&id.as_str()]).await? {
        0 => Err(StoreError::NotFound(Kind::Host)),
        _ => Ok(()),
    }
}

pub(super) async fn disconnect(tx: &Transaction, id: &HostId, by: &By) -> Result<(), StoreError> {
    update(
        tx,
        id,
        "connection = $2, reenrol_wanted = false, rotation_wanted = false, \
         attest_requested_at_ms = NULL",
        &[&Connection::Disconnected.as_str()],
    )
    .await?;
    // A person begins anew with this host.
    candidate::forget(tx, id).await?;
    let change = Change::connection(id, Connection::Disconnected, &by.actor, by.at_ms);
    event::append(tx, &[change]).await?;
    tx.audit(by, "host.disconnect", subject(id), &json!({}));
    Ok(())
}

pub(super) async fn reconnect(
    tx: &Transaction,
    id: &HostId,
    reenrolment: Reenrolment,
    by: &By,
) -> Result<(), StoreError> {
    let wanted = matches!(reenrolment, Reenrolment::Wanted);
    update(
        tx,
        id,
        "connection = $2, reenrol_wanted = $3, next_due_at_ms = NULL",
        &[&Connection::Connected.as_str(), &wanted],
    )
    .await?;
    let change = Change::connection(id, Connection::Connected, &by.actor, by.at_ms);
    event::append(tx, &[change]).await?;
    let detail = json!({ "reenrolment_wanted": wanted });
    tx.audit(by, "host.reconnect", subject(id), &detail);
    Ok(())
}

pub(super) async fn set_approval(
    tx: &Transaction,
    id: &HostId,
    approval: Approval,
    by: &By,
) -> Result<(), StoreError> {
    update(tx, id, "approval = $2", &[&approval.as_str()]).await?;
    event::append(tx, &[Change::approval(id, approval, &by.actor, by.at_ms)]).await?;
    let detail = json!({ "approval": approval.as_str() });
    tx.audit(by, "host.approval", subject(id), &detail);
    Ok(())
}

pub(super) async fn request_attestation(
    tx: &Transaction,
    id: &HostId,
    by: &By,
) -> Result<(), StoreError> {
    let host = locked(tx, id).await?;
    if host.connection == Connection::Disconnected {
        return Err(Conflict::HostDisconnected { host: id.clone() }.into());
    }
    update(tx, id, "attest_requested_at_ms = $2", &[&by.at_ms]).await?;
    tx.audit(by, "host.attest", subject(id), &json!({}));
    Ok(())
}

pub(super) async fn want_rotation(
    tx: &Transaction,
    id: &HostId,
    by: &By,
) -> Result<(), StoreError> {
    let host = locked(tx, id).await?;
    if host.identity.is_none() {
        return Err(Conflict::NoIdentity { host: id.clone() }.into());
    }
    if host.connection == Connection::Disconnected {
        return Err(Conflict::HostDisconnected { host: id.clone() }.into());
    }
    update(tx, id, "rotation_wanted = true", &[]).await?;
    let detail = json!({ "identity": identity_detail(host.identity.as_deref()) });
    tx.audit(by, "host.rotate-key", subject(id), &detail);
    Ok(())
}

pub(super) async fn remove(tx: &Transaction, id: &HostId, by: &By) -> Result<(), StoreError> {
    // Against rows that name it, too: whoever just writes one ends first.
    let sql = "SELECT id FROM hosts WHERE id = $1 FOR UPDATE";
    tx.execute(sql, &[&id.as_str()]).await?;
    let host = by_id(tx, id).await?.ok_or(StoreError::NotFound(Kind::Host))?;
    lock::removals(tx).await?;
    peers::lock_of_host(tx, id, None).await?;
    let kept = evidence::ids_of_host(tx, id).await?;
    event::append(tx, &[Change::removed(id, &by.actor, by.at_ms)]).await?;
    tx.execute("DELETE FROM hosts WHERE id = $1", &[&id.as_str()]).await?;
    evidence::remove_orphans(tx, &kept).await?;
    let removed = (RevokedFor::Removed, "");
    client_certificate::revoke(tx, id, RevokedKeys::All, removed, by).await?;
    let detail =
        json!({ "name": host.name, "identity": identity_detail(host.identity.as_deref()) });
    tx.audit(by, "host.remove", subject(id), &detail);
    Ok(())
}

pub(super) async fn note_seen(tx: &Session, id: &HostId, at_ms: i64) -> Result<(), StoreError> {
    let latest = "last_seen_at_ms = greatest(coalesce(last_seen_at_ms, $2), $2)";
    update(tx, id, latest, &[&at_ms]).await
}

pub(super) async fn note_tpm(
    tx: &Session,
    id: &HostId,
    tpm: TpmPresence,
) -> Result<(), StoreError> {
    update(tx, id, "tpm = $2", &[&tpm.as_str()]).await
}

pub(super) async fn note_enrolment_problem(
    tx: &Session,
    id: &HostId,
    problem_json: &str,
) -> Result<(), StoreError> {
    let problem = "enrolment_problem_json = $2, reenrol_wanted = false, rotation_wanted = false";
    update(tx, id, problem, &[&problem_json]).await
}

/// Sets columns of one host; its id is `$1`, `values` follow.
pub(super) async fn update(
    db: &Session,
    id: &HostId,
    assignments: &str,
    values: Values<'_>,
) -> Result<(), StoreError> {
    let sql = format!("UPDATE hosts SET {assignments} WHERE id = $1");
    let id = id.as_str();
    let mut all: Vec<&(dyn ToSql + Sync)> = Vec::with_capacity(values.len().saturating_add(1));
    all.push(&id);
    all.extend_from_slice(values);
    match db.execute(&sql, &all).await? {
        0 => Err(StoreError::NotFound(Kind::Host)),
        _ => Ok(()),
    }
}

/// Which keys, for an audit row.
pub(super) fn identity_detail(identity: Option<&Identity>) -> Value {
    identity.map_or(Value::Null, |identity| {
        json!({
            "ek_spki_sha256": hex::encode(identity.ek_spki_sha256),
            "ak_name": hex::encode(&identity.ak_name),
        })
    })
}

pub(super) fn subject(id: &HostId) -> String {
    format!("host:{id}")
}
