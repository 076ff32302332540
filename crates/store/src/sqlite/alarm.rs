//! Alarms.

use std::collections::BTreeSet;

use rusqlite::{Connection as Db, Row, params};
use serde_json::json;

use super::columns::Columns;
use super::{SqliteStore, audit, event, host};
use crate::{
    Acknowledgement, Alarm, AlarmCause, AlarmEdges, AlarmFilter, AlarmGroup, AlarmId,
    AlarmSelection, Alarms, By, DueLook, EventKind, HISTORY_PAGE_MAX, HOSTS_PAGE_MAX, HostId,
    Reply, Settlement, StoreError, row::event::Change,
};

impl Alarms for SqliteStore {
    // One process on one file: nobody else could look at them.
    fn claim_looks(
        &self,
        now_ms: i64,
        _lease_until_ms: i64,
        n_max: u32,
    ) -> Reply<'_, Vec<DueLook>> {
        self.read(move |db| due_looks(db, now_ms, n_max))
    }

    fn look_at_all(&self) -> Reply<'_, ()> {
        self.write(look_at_all)
    }

    fn settle_alarms(&self, settlement: Settlement) -> Reply<'_, AlarmEdges> {
        let host = settlement.host.clone();
        Box::pin(self.writer.run_for(host, move |db| settle(db, &settlement)))
    }

    fn alarms(
        &self,
        filter: AlarmFilter,
        before: Option<AlarmId>,
        n_max: u32,
    ) -> Reply<'_, Vec<Alarm>> {
        self.read(move |db| page(db, &filter, before, n_max))
    }

    fn alarm_groups(&self, now_ms: i64) -> Reply<'_, Vec<AlarmGroup>> {
        self.read(move |db| groups(db, now_ms))
    }

    fn acknowledge_alarms(
        &self,
        selection: AlarmSelection,
        reason: &str,
        until_ms: Option<i64>,
        by: By,
    ) -> Reply<'_, u32> {
        let reason = reason.to_owned();
        self.write(move |db| acknowledge(db, &selection, &reason, until_ms, &by))
    }

    fn withdraw_acknowledgements(&self, selection: AlarmSelection, by: By) -> Reply<'_, u32> {
        self.write(move |db| withdraw(db, &selection, &by))
    }
}

const COLUMNS: &str = "\
    SELECT alarms.id, host_id, name, code, severity, cause, raised_at_ms, cleared_at_ms, \
    ack_at_ms, ack_by, ack_reason, ack_until_ms, is_told, maintenance_since_ms, maintenance_until_ms, \
    labels_json FROM alarms JOIN hosts ON hosts.id = host_id";

fn alarm_row(row: &Row<'_>) -> rusqlite::Result<Alarm> {
    let mut columns = Columns::of(row);
    Ok(Alarm {
        id: AlarmId(columns.take()?),
        host: columns.take::<String>()?.into(),
        host_name: columns.take()?,
        code: columns.take()?,
        severity: columns.take()?,
        cause: columns.take()?,
        raised_at_ms: columns.take()?,
        cleared_at_ms: columns.take()?,
        acknowledgement: acknowledgement(&mut columns)?,
        is_told: columns.take()?,
        host_maintenance_until_ms: {
            let since_ms: Option<i64> = columns.take()?;
            let until_ms = columns.take()?;
            since_ms.map(|_| until_ms)
        },
        host_labels: columns.labels()?,
    })
}

fn acknowledgement(columns: &mut Columns<'_, '_>) -> rusqlite::Result<Option<Acknowledgement>> {
    let Some(at_ms) = columns.take()? else {
        columns.pass_over(3);
        return Ok(None);
    };
    let (by, reason, until_ms) = (columns.take()?, columns.take()?, columns.take()?);
    Ok(Some(Acknowledgement { at_ms, by, reason, until_ms }))
}

pub(super) fn due_looks(db: &Db, now_ms: i64, n_max: u32) -> Result<Vec<DueLook>, StoreError> {
    let due: Vec<(String, i64)> = db
        .prepare_cached(
            "SELECT id, look_seq FROM hosts WHERE look_at_ms <= ?1 ORDER BY look_at_ms LIMIT ?2",
        )?
        .query_map(params![now_ms, n_max.min(HOSTS_PAGE_MAX)], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })?
        .collect::<Result<_, _>>()?;
    let mut looks = Vec::with_capacity(due.len());
    for (id, change) in due {
        // Read after its number: a change in between has another one.
        if let Some(host) = host::by_id(db, &id.into())? {
            looks.push(DueLook { host, change });
        }
    }
    Ok(looks)
}

pub(super) fn look_at_all(db: &Db) -> Result<(), StoreError> {
    db.execute("UPDATE hosts SET look_at_ms = 0, look_seq = look_seq + 1", [])?;
    Ok(())
}

pub(super) fn settle(db: &Db, settlement: &Settlement) -> Result<AlarmEdges, StoreError> {
    let Settlement { host, change, causes, look_again_at_ms, stands, at_ms } = settlement;
    // A change since the look keeps the host due.
    let n = db
        .prepare_cached(
            "UPDATE hosts SET look_at_ms = ?3, stood_rank = ?4 WHERE id = ?1 AND look_seq = ?2",
        )?
        .execute(params![
            host.as_str(),
            change,
            look_again_at_ms.unwrap_or(i64::MAX),
            stands.rank()
        ])?;
    if n == 0 {
        return Ok(AlarmEdges::default());
    }
    let standing = many(db, "WHERE host_id = ?1 AND cleared_at_ms IS NULL", &[&host.as_str()])?;
    let mut edges = AlarmEdges::default();
    for alarm in standing {
        match causes.iter().find(|cause| cause.code == alarm.code) {
            None => {
                db.prepare_cached("UPDATE alarms SET cleared_at_ms = ?2 WHERE id = ?1")?
                    .execute(params![alarm.id.0, at_ms])?;
                let cleared = Alarm { cleared_at_ms: Some(*at_ms), ..alarm };
                let change = Change::of_alarm(EventKind::AlarmCleared, &cleared, None, *at_ms);
                event::append(db, &change)?;
                edges.cleared.push(cleared);
            }
            Some(cause) if cause.cause != alarm.cause || cause.severity != alarm.severity => {
                db.prepare_cached("UPDATE alarms SET cause = ?2, severity = ?3 WHERE id = ?1")?
                    .execute(params![alarm.id.0, cause.cause, cause.severity])?;
            }
            Some(_) => {}
        }
    }
    for AlarmCause { code, severity, cause } in causes {
        // One that stands already has this code: the index lets no second one in.
        let n = db
            .prepare_cached(
                "INSERT INTO alarms (host_id, code, severity, cause, raised_at_ms, is_told)
                 SELECT id, ?2, ?3, ?4, ?5,
                    maintenance_since_ms IS NULL OR coalesce(maintenance_until_ms <= ?5, 0)
                 FROM hosts WHERE id = ?1
                 ON CONFLICT (host_id, code) WHERE cleared_at_ms IS NULL DO NOTHING",
            )?
            .execute(params![host.as_str(), code, severity, cause, at_ms])?;
        if n == 1 {
            let id = db.last_insert_rowid();
            for raised in many(db, "WHERE alarms.id = ?1", &[&id])? {
                let change = Change::of_alarm(EventKind::AlarmRaised, &raised, None, *at_ms);
                event::append(db, &change)?;
                edges.raised.push(raised);
            }
        }
    }
    Ok(edges)
}

pub(super) fn page(
    db: &Db,
    filter: &AlarmFilter,
    before: Option<AlarmId>,
    n_max: u32,
) -> Result<Vec<Alarm>, StoreError> {
    let before = before.map_or(i64::MAX, |id| id.0);
    let host = filter.host.as_ref().map(|host| host.as_str());
    // Written out, so that each uses the index that is for it.
    let standing = if filter.with_cleared { "" } else { " AND cleared_at_ms IS NULL" };
    let mut terms = format!("WHERE alarms.id < ?1{standing}");
    for (column, place, is_set) in
        [("code", 2, filter.code.is_some()), ("host_id", 3, host.is_some())]
    {
        let term = match is_set {
            true => format!(" AND {column} = ?{place}"),
            // Named all the same: each place must have its value.
            false => format!(" AND ?{place} IS NULL"),
        };
        terms.push_str(&term);
    }
    terms.push_str(" ORDER BY alarms.id DESC LIMIT ?4");
    many(db, &terms, &[&before, &filter.code, &host, &n_max.min(HISTORY_PAGE_MAX)])
}

pub(super) fn many(
    db: &Db,
    clause: &str,
    values: &[&dyn rusqlite::ToSql],
) -> Result<Vec<Alarm>, StoreError> {
    let mut statement = db.prepare_cached(&format!("{COLUMNS} {clause}"))?;
    let rows = statement.query_map(values, alarm_row)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

pub(super) fn groups(db: &Db, now_ms: i64) -> Result<Vec<AlarmGroup>, StoreError> {
    let mut statement = db.prepare_cached(
        "SELECT code, n, n_ack, n_muted, since, latest, severity, cause FROM (
            SELECT code AS group_code, count(*) AS n, sum(is_ack) AS n_ack,
                sum(is_muted AND NOT is_ack) AS n_muted, min(raised_at_ms) AS since,
                max(raised_at_ms) AS latest, max(id) AS latest_id
            FROM (
                SELECT alarms.id, code, raised_at_ms,
                    ack_at_ms IS NOT NULL AND coalesce(ack_until_ms > ?1, 1) AS is_ack,
                    host_id IN (SELECT id FROM hosts WHERE maintenance_since_ms IS NOT NULL
                        AND coalesce(maintenance_until_ms > ?1, 1)) AS is_muted
                FROM alarms WHERE cleared_at_ms IS NULL
            ) GROUP BY code
         ) JOIN alarms ON alarms.id = latest_id ORDER BY code",
    )?;
    let rows = statement.query_map([now_ms], |row| {
        let mut columns = Columns::of(row);
        let code = columns.take()?;
        let mut count = || columns.take::<i64>().map(i64::unsigned_abs);
        let (n_hosts, n_acknowledged, n_muted) = (count()?, count()?, count()?);
        Ok(AlarmGroup {
            code,
            n_hosts,
            n_acknowledged,
            n_muted,
            since_ms: columns.take()?,
            latest_ms: columns.take()?,
            severity: columns.take()?,
            cause: columns.take()?,
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

pub(super) fn acknowledge(
    db: &Db,
    selection: &AlarmSelection,
    reason: &str,
    until_ms: Option<i64>,
    by: &By,
) -> Result<u32, StoreError> {
    let mut n_done = 0_u32;
    for alarm in meant(db, selection, "")? {
        db.prepare_cached(
            "UPDATE alarms SET ack_at_ms = ?2, ack_by = ?3, ack_reason = ?4, ack_until_ms = ?5
             WHERE id = ?1",
        )?
        .execute(params![alarm.id.0, by.at_ms, by.actor, reason, until_ms])?;
        let (at_ms, by_whom, reason) = (by.at_ms, by.actor.clone(), reason.to_owned());
        let acknowledgement = Some(Acknowledgement { at_ms, by: by_whom, reason, until_ms });
        let known = Alarm { acknowledgement, ..alarm };
        let kind = EventKind::AlarmAcknowledged;
        event::append(db, &Change::of_alarm(kind, &known, Some(&by.actor), by.at_ms))?;
        n_done = n_done.saturating_add(1);
    }
    if n_done > 0 {
        let detail = json!({ "n": n_done, "reason": reason, "until_ms": until_ms });
        audit::append(db, by, "alarm.acknowledge", subject(selection), &detail)?;
    }
    Ok(n_done)
}

pub(super) fn withdraw(db: &Db, selection: &AlarmSelection, by: &By) -> Result<u32, StoreError> {
    let known = meant(db, selection, " AND ack_at_ms IS NOT NULL")?;
    let n_done = u32::try_from(known.len()).unwrap_or(u32::MAX);
    for alarm in known {
        end_acknowledgement(db, alarm, Some(&by.actor), by.at_ms)?;
    }
    if n_done > 0 {
        audit::append(db, by, "alarm.withdraw", subject(selection), &json!({ "n": n_done }))?;
    }
    Ok(n_done)
}

/// Nobody's any more. While somebody works on the host it is told later.
pub(super) fn end_acknowledgement(
    db: &Db,
    alarm: Alarm,
    by: Option<&str>,
    at_ms: i64,
) -> Result<(), StoreError> {
    let is_told = !alarm.is_muted_at(at_ms);
    db.prepare_cached(
        "UPDATE alarms SET ack_at_ms = NULL, ack_by = NULL, ack_reason = NULL,
            ack_until_ms = NULL, is_told = ?2
         WHERE id = ?1",
    )?
    .execute(params![alarm.id.0, is_told])?;
    let ended = Alarm { acknowledgement: None, is_told, ..alarm };
    let kind = EventKind::AlarmAcknowledgementEnded;
    event::append(db, &Change::of_alarm(kind, &ended, by, at_ms))
}

/// Nobody works on the host any more: what was raised meanwhile is told, but for what people know of.
pub(super) fn unmute(db: &Db, host: &HostId, at_ms: i64) -> Result<(), StoreError> {
    let clause = "WHERE host_id = ?1 AND cleared_at_ms IS NULL AND NOT is_told";
    for alarm in many(db, clause, &[&host.as_str()])? {
        if alarm.acknowledged_at(at_ms).is_some() {
            continue;
        }
        db.prepare_cached("UPDATE alarms SET is_told = 1 WHERE id = ?1")?.execute([alarm.id.0])?;
        let told = Alarm { is_told: true, ..alarm };
        event::append(db, &Change::of_alarm(EventKind::AlarmUnmuted, &told, None, at_ms))?;
    }
    Ok(())
}

/// The alarms that stand and are meant, each once.
fn meant(db: &Db, selection: &AlarmSelection, condition: &str) -> Result<Vec<Alarm>, StoreError> {
    let standing = format!("AND cleared_at_ms IS NULL{condition}");
    match selection {
        AlarmSelection::Code(code) => many(db, &format!("WHERE code = ?1 {standing}"), &[code]),
        AlarmSelection::Ids(ids) => {
            let ids: BTreeSet<_> = ids.iter().collect();
            let clause = format!("WHERE alarms.id = ?1 {standing}");
            let mut alarms = Vec::new();
            for id in ids {
                alarms.extend(many(db, &clause, &[&id.0])?);
            }
            Ok(alarms)
        }
    }
}

/// What the audit log names: the cause, or the alarms by number.
fn subject(selection: &AlarmSelection) -> String {
    match selection {
        AlarmSelection::Code(code) => format!("alarm:{code}"),
        AlarmSelection::Ids(ids) => {
            let ids: Vec<_> = ids.iter().map(|id| id.0.to_string()).collect();
            format!("alarm:{}", ids.join(","))
        }
    }
}
