//! Hosts.

use std::sync::Arc;

use rusqlite::{Connection as Db, OptionalExtension, Row, ToSql, params};
use serde_json::{Value, json};

use super::columns::Columns;
use super::error::is_duplicate;
use super::token::UsedJoin;
use super::{
    SqliteStore, audit, candidate, client_certificate, event, evidence, inventory, recent,
    recent::Touched, token,
};
use crate::row::event::Change;
use crate::{
    AdmittedEks, AppraisalId, Approval, By, Conflict, Connection, Enrolled, HOSTS_PAGE_MAX, Host,
    HostCursor, HostFilter, HostId, Hosts, Identity, Kind, LabelCount, Labels, LabelsChange,
    LastAppraisal, Maintenance, NewHost, QuoteClock, Reenrolment, Reply, RevokedFor, RevokedKeys,
    Sha256, Stood, StoreError, TpmPresence,
};

impl Hosts for SqliteStore {
    fn create_host(&self, host: NewHost, by: By) -> Reply<'_, Enrolled> {
        self.write(move |db| create(db, &host, &by))
    }

    fn hosts(
        &self,
        filter: HostFilter,
        after: Option<HostCursor>,
        n_max: u32,
    ) -> Reply<'_, Vec<Host>> {
        self.read(move |db| inventory::page(db, &filter, after.as_ref(), n_max))
    }

    fn host(&self, id: &HostId) -> Reply<'_, Option<Host>> {
        let id = id.clone();
        self.look_up(move |db| by_id(db, &id))
    }

    fn hosts_by_name(&self, name: &str) -> Reply<'_, Vec<Host>> {
        let name = name.to_owned();
        self.read(move |db| by_name(db, &name))
    }

    fn hosts_of_cohort(
        &self,
        cohort: &str,
        after: Option<HostId>,
        n_max: u32,
    ) -> Reply<'_, Vec<Host>> {
        let cohort = cohort.to_owned();
        self.read(move |db| of_cohort(db, &cohort, after.as_ref(), n_max))
    }

    fn n_hosts(&self) -> Reply<'_, u64> {
        self.read(count)
    }

    fn host_by_api_token(&self, token_sha256: Sha256) -> Reply<'_, Option<Host>> {
        recent::host(self, token_sha256)
    }

    fn disconnect_host(&self, id: &HostId, by: By) -> Reply<'_, ()> {
        let id = id.clone();
        self.write(move |db| disconnect(db, &id, &by))
    }

    fn reconnect_host(&self, id: &HostId, reenrolment: Reenrolment, by: By) -> Reply<'_, ()> {
        let id = id.clone();
        self.write(move |db| reconnect(db, &id, reenrolment, &by))
    }

    fn set_approval(&self, id: &HostId, approval: Approval, by: By) -> Reply<'_, ()> {
        let id = id.clone();
        self.write(move |db| set_approval(db, &id, approval, &by))
    }

    fn change_labels(&self, id: &HostId, change: LabelsChange, by: By) -> Reply<'_, Labels> {
        let id = id.clone();
        self.write(move |db| inventory::change_labels(db, &id, &change, &by))
    }

    fn replace_labels(&self, id: &HostId, from: Labels, to: Labels, by: By) -> Reply<'_, ()> {
        let id = id.clone();
        self.write(move |db| inventory::replace_labels(db, &id, &from, to, &by))
    }

    fn label_counts(&self, key: Option<&str>) -> Reply<'_, Vec<LabelCount>> {
        let key = key.map(str::to_owned);
        self.read(move |db| inventory::label_counts(db, key.as_deref()))
    }

    fn enter_maintenance(
        &self,
        id: &HostId,
        until_ms: Option<i64>,
        reason: &str,
        by: By,
    ) -> Reply<'_, ()> {
        let (id, reason) = (id.clone(), reason.to_owned());
        self.write(move |db| inventory::enter_maintenance(db, &id, until_ms, &reason, &by))
    }

    fn leave_maintenance(&self, id: &HostId, by: By) -> Reply<'_, ()> {
        let id = id.clone();
        self.write(move |db| inventory::leave_maintenance(db, &id, &by))
    }

    fn request_attestation(&self, id: &HostId, by: By) -> Reply<'_, ()> {
        let id = id.clone();
        self.write(move |db| request_attestation(db, &id, &by))
    }

    fn remove_host(&self, id: &HostId, by: By) -> Reply<'_, ()> {
        let id = id.clone();
        self.write(move |db| remove(db, &id, &by))
    }

    fn note_seen(&self, id: &HostId, at_ms: i64) -> Reply<'_, ()> {
        let (host, touched) = (id.clone(), Touched::Host(id.clone()));
        let work = move |db: &Db| note_seen(db, &host, at_ms);
        Box::pin(self.writer.run_checked(work, move |()| touched))
    }

    fn note_tpm(&self, id: &HostId, tpm: TpmPresence) -> Reply<'_, ()> {
        let host = id.clone();
        Box::pin(self.writer.run_for(id.clone(), move |db| note_tpm(db, &host, tpm)))
    }

    fn note_enrolment_problem(&self, id: &HostId, problem_json: String) -> Reply<'_, ()> {
        let id = id.clone();
        self.write(move |db| note_enrolment_problem(db, &id, &problem_json))
    }

    fn want_rotation(&self, id: &HostId, by: By) -> Reply<'_, ()> {
        let id = id.clone();
        self.write(move |db| want_rotation(db, &id, &by))
    }
}

const COLUMNS: &str = "\
    SELECT id, name, created_at_ms, connection, approval, tpm, reenrol_wanted, identity_version, \
    enrolment_problem_json, last_seen_at_ms, attest_requested_at_ms, next_due_at_ms, \
    last_nonce_at_ms, \
    clock_ms, clock_reset_count, clock_restart_count, clock_safe, clock_firmware_version, \
    last_appraisal_id, last_at_ms, last_verdict, last_findings_json, last_identity_version, \
    cohort, stood_rank, rotation_wanted, labels_json, \
    maintenance_since_ms, maintenance_until_ms, maintenance_reason, maintenance_by, \
    ek_public, ek_cert_der, ek_chain_json, ek_spki_sha256, ak_public, ak_name, judgement_json, \
    enrolled_at_ms, \
    candidate_ek_sha256, candidate_judgement_json, candidate_first_at_ms, candidate_seen_at_ms, \
    candidate_expires_at_ms, candidate_approved_at_ms, candidate_refused_at_ms \
    FROM hosts LEFT JOIN identities ON identities.host_id = hosts.id \
    LEFT JOIN candidates ON candidates.host_id = hosts.id";

fn host_row(row: &Row<'_>) -> rusqlite::Result<Host> {
    let mut columns = Columns::of(row);
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
        last_quote_clock: quote_clock(&mut columns)?,
        last: last_appraisal(&mut columns)?,
        cohort: columns.take()?,
        stood: Stood::of_rank(columns.take()?),
        rotation_wanted: columns.take()?,
        labels: columns.labels()?,
        maintenance: maintenance(&mut columns)?,
        identity: identity(&mut columns)?.map(Arc::new),
        candidate: candidate::from_columns(&mut columns)?,
    })
}

fn quote_clock(columns: &mut Columns<'_, '_>) -> rusqlite::Result<Option<QuoteClock>> {
    let clock_ms: Option<i64> = columns.take()?;
    let reset_count: Option<u32> = columns.take()?;
    let restart_count: Option<u32> = columns.take()?;
    let safe: Option<bool> = columns.take()?;
    let firmware_version: Option<i64> = columns.take()?;
    let (Some(clock_ms), Some(reset_count), Some(restart_count), Some(safe), Some(firmware)) =
        (clock_ms, reset_count, restart_count, safe, firmware_version)
    else {
        return Ok(None);
    };
    Ok(Some(QuoteClock {
        // SQLite knows signed numbers only; the bits are kept.
        clock_ms: clock_ms.cast_unsigned(),
        reset_count,
        restart_count,
        safe,
        firmware_version: firmware.cast_unsigned(),
    }))
}

fn last_appraisal(columns: &mut Columns<'_, '_>) -> rusqlite::Result<Option<LastAppraisal>> {
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

fn maintenance(columns: &mut Columns<'_, '_>) -> rusqlite::Result<Option<Maintenance>> {
    let Some(since_ms) = columns.take()? else {
        columns.pass_over(3);
        return Ok(None);
    };
    let (until_ms, reason, by) = (columns.take()?, columns.take()?, columns.take()?);
    Ok(Some(Maintenance { since_ms, until_ms, reason, by }))
}

/// The identity in the next columns; where there is none they are passed over.
pub(super) fn identity(columns: &mut Columns<'_, '_>) -> rusqlite::Result<Option<Identity>> {
    let Some(ek_public) = columns.take()? else {
        columns.pass_over(7);
        return Ok(None);
    };
    Ok(Some(Identity {
        ek_public,
        ek_cert_der: columns.take()?,
        ek_chain_der: columns.hex_list()?,
        ek_spki_sha256: columns.take()?,
        ak_public: columns.take()?,
        ak_name: columns.take()?,
        judgement_json: columns.take()?,
        enrolled_at_ms: columns.take()?,
    }))
}

pub(super) fn create(db: &Db, host: &NewHost, by: &By) -> Result<Enrolled, StoreError> {
    let UsedJoin { approval, labels, admitted } = token::use_join(db, &host.join_token, by.at_ms)?;
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
    new.run(db, by.at_ms)?;
    event::append(db, &Change::added(&host.id, approval, &by.actor, by.at_ms))?;
    let detail = json!({
        "name": host.name,
        "join_token": host.join_token.as_str(),
        "approval": approval.as_str(),
        "tpm": host.tpm.as_str(),
        "labels": labels,
    });
    audit::append(db, by, "host.join", subject(&host.id), &detail)?;
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
    pub(super) fn run(&self, db: &Db, now_ms: i64) -> Result<(), StoreError> {
        db.prepare_cached(
            "INSERT INTO hosts
                (id, name, created_at_ms, api_token_sha256, connection, approval, tpm,
                 last_seen_at_ms, labels_json)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?3, ?8)",
        )?
        .execute(params![
            self.id.as_str(),
            self.name,
            now_ms,
            self.api_token_sha256,
            Connection::Connected.as_str(),
            self.approval.as_str(),
            self.tpm.as_str(),
            json!(self.labels).to_string()
        ])
        .map_err(|error| match is_duplicate(&error) {
            true => Conflict::IdTaken.into(),
            false => StoreError::from(error),
        })?;
        Ok(())
    }
}

pub(super) fn by_name(db: &Db, name: &str) -> Result<Vec<Host>, StoreError> {
    many(db, "WHERE name = ?1 ORDER BY id LIMIT ?2", &[&name, &HOSTS_PAGE_MAX])
}

pub(super) fn of_cohort(
    db: &Db,
    cohort: &str,
    after: Option<&HostId>,
    n_max: u32,
) -> Result<Vec<Host>, StoreError> {
    let after = after.map_or("", HostId::as_str);
    let n_max = n_max.min(HOSTS_PAGE_MAX);
    many(db, "WHERE cohort = ?1 AND id > ?2 ORDER BY id LIMIT ?3", &[&cohort, &after, &n_max])
}

pub(super) fn count(db: &Db) -> Result<u64, StoreError> {
    let n: i64 =
        db.prepare_cached("SELECT count(*) FROM hosts")?.query_row([], |row| row.get(0))?;
    Ok(n.unsigned_abs())
}

pub(super) fn many(db: &Db, clause: &str, params: &[&dyn ToSql]) -> Result<Vec<Host>, StoreError> {
    let mut statement = db.prepare_cached(&format!("{COLUMNS} {clause}"))?;
    let rows = statement.query_map(params, host_row)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

pub(super) fn by_id(db: &Db, id: &HostId) -> Result<Option<Host>, StoreError> {
    let mut statement = db.prepare_cached(&format!("{COLUMNS} WHERE id = ?1"))?;
    Ok(statement.query_row([id.as_str()], host_row).optional()?)
}

pub(super) fn by_api_token(db: &Db, sha256: &Sha256) -> Result<Option<Host>, StoreError> {
    let mut statement = db.prepare_cached(&format!("{COLUMNS} WHERE api_token_sha256 = ?1"))?;
    Ok(statement.query_row([sha256.as_slice()], host_row).optional()?)
}

pub(super) fn disconnect(db: &Db, id: &HostId, by: &By) -> Result<(), StoreError> {
    update(
        db,
        id,
        "connection = ?2, reenrol_wanted = 0, rotation_wanted = 0, attest_requested_at_ms = NULL",
        &[&Connection::Disconnected.as_str()],
    )?;
    // A person begins anew with this host.
    candidate::forget(db, id)?;
    let to = Connection::Disconnected;
    event::append(db, &Change::connection(id, to, &by.actor, by.at_ms))?;
    audit::append(db, by, "host.disconnect", subject(id), &json!({}))
}

pub(super) fn reconnect(
    db: &Db,
    id: &HostId,
    reenrolment: Reenrolment,
    by: &By,
) -> Result<(), StoreError> {
    let wanted = matches!(reenrolment, Reenrolment::Wanted);
    update(
        db,
        id,
        "connection = ?2, reenrol_wanted = ?3, next_due_at_ms = NULL",
        &[&Connection::Connected.as_str(), &wanted],
    )?;
    let to = Connection::Connected;
    event::append(db, &Change::connection(id, to, &by.actor, by.at_ms))?;
    audit::append(db, by, "host.reconnect", subject(id), &json!({ "reenrolment_wanted": wanted }))
}

pub(super) fn set_approval(
    db: &Db,
    id: &HostId,
    approval: Approval,
    by: &By,
) -> Result<(), StoreError> {
    update(db, id, "approval = ?2", &[&approval.as_str()])?;
    event::append(db, &Change::approval(id, approval, &by.actor, by.at_ms))?;
    let detail = json!({ "approval": approval.as_str() });
    audit::append(db, by, "host.approval", subject(id), &detail)
}

pub(super) fn request_attestation(db: &Db, id: &HostId, by: &By) -> Result<(), StoreError> {
    let host = by_id(db, id)?.ok_or(StoreError::NotFound(Kind::Host))?;
    if host.connection == Connection::Disconnected {
        return Err(Conflict::HostDisconnected { host: id.clone() }.into());
    }
    update(db, id, "attest_requested_at_ms = ?2", &[&by.at_ms])?;
    audit::append(db, by, "host.attest", subject(id), &json!({}))
}

pub(super) fn want_rotation(db: &Db, id: &HostId, by: &By) -> Result<(), StoreError> {
    let host = by_id(db, id)?.ok_or(StoreError::NotFound(Kind::Host))?;
    if host.identity.is_none() {
        return Err(Conflict::NoIdentity { host: id.clone() }.into());
    }
    if host.connection == Connection::Disconnected {
        return Err(Conflict::HostDisconnected { host: id.clone() }.into());
    }
    update(db, id, "rotation_wanted = 1", &[])?;
    let detail = json!({ "identity": identity_detail(host.identity.as_deref()) });
    audit::append(db, by, "host.rotate-key", subject(id), &detail)
}

pub(super) fn remove(db: &Db, id: &HostId, by: &By) -> Result<(), StoreError> {
    let host = by_id(db, id)?.ok_or(StoreError::NotFound(Kind::Host))?;
    let kept = evidence::ids_of_host(db, id)?;
    event::append(db, &Change::removed(id, &by.actor, by.at_ms))?;
    db.prepare_cached("DELETE FROM hosts WHERE id = ?1")?.execute([id.as_str()])?;
    evidence::remove_orphans(db, &kept)?;
    client_certificate::revoke(db, id, RevokedKeys::All, (RevokedFor::Removed, ""), by)?;
    let detail =
        json!({ "name": host.name, "identity": identity_detail(host.identity.as_deref()) });
    audit::append(db, by, "host.remove", subject(id), &detail)
}

pub(super) fn note_seen(db: &Db, id: &HostId, at_ms: i64) -> Result<(), StoreError> {
    update(db, id, "last_seen_at_ms = max(coalesce(last_seen_at_ms, ?2), ?2)", &[&at_ms])
}

pub(super) fn note_tpm(db: &Db, id: &HostId, tpm: TpmPresence) -> Result<(), StoreError> {
    update(db, id, "tpm = ?2", &[&tpm.as_str()])
}

pub(super) fn note_enrolment_problem(
    db: &Db,
    id: &HostId,
    problem_json: &str,
) -> Result<(), StoreError> {
    update(
        db,
        id,
        "enrolment_problem_json = ?2, reenrol_wanted = 0, rotation_wanted = 0",
        &[&problem_json],
    )
}

/// Sets columns of one host; its id is `?1`, `values` follow.
pub(super) fn update(
    db: &Db,
    id: &HostId,
    assignments: &str,
    values: &[&dyn ToSql],
) -> Result<(), StoreError> {
    let sql = format!("UPDATE hosts SET {assignments} WHERE id = ?1");
    let mut params: Vec<&dyn ToSql> = Vec::with_capacity(values.len().saturating_add(1));
    let id = id.as_str();
    params.push(&id);
    params.extend_from_slice(values);
    match db.prepare_cached(&sql)?.execute(params.as_slice())? {
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
