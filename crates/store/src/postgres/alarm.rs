//! Alarms.

use serde_json::json;
use tokio_postgres::Row;
use tokio_postgres::types::ToSql;

use super::columns::Columns;
use super::session::{Session, Values};
use super::transaction::Transaction;
use super::{PostgresStore, event, host};
use crate::{
    Acknowledgement, Alarm, AlarmCause, AlarmEdges, AlarmFilter, AlarmGroup, AlarmId,
    AlarmSelection, Alarms, By, DueLook, EventKind, HISTORY_PAGE_MAX, HostId, Reply, Settlement,
    StoreError, row::event::Change,
};

impl Alarms for PostgresStore {
    fn claim_looks(&self, now_ms: i64, lease_until_ms: i64, n_max: u32) -> Reply<'_, Vec<DueLook>> {
        self.look((now_ms, lease_until_ms, n_max), |db, (now_ms, lease_until_ms, n_max)| {
            Box::pin(host::claim_looks(db, *now_ms, *lease_until_ms, *n_max))
        })
    }

    fn look_at_all(&self) -> Reply<'_, ()> {
        self.look((), |db, ()| Box::pin(look_at_all(db)))
    }

    fn settle_alarms(&self, settlement: Settlement) -> Reply<'_, AlarmEdges> {
        self.change((settlement,), |tx, (settlement,)| Box::pin(settle(tx, settlement)))
    }

    fn alarms(
        &self,
        filter: AlarmFilter,
        before: Option<AlarmId>,
        n_max: u32,
    ) -> Reply<'_, Vec<Alarm>> {
        self.look((filter, before, n_max), |db, (filter, before, n_max)| {
            Box::pin(page(db, filter, *before, *n_max))
        })
    }

    fn alarm_groups(&self, now_ms: i64) -> Reply<'_, Vec<AlarmGroup>> {
        self.look((now_ms,), |db, (now_ms,)| Box::pin(groups(db, *now_ms)))
    }

    fn acknowledge_alarms(
        &self,
        selection: AlarmSelection,
        reason: &str,
        until_ms: Option<i64>,
        by: By,
    ) -> Reply<'_, u32> {
        let reason = reason.to_owned();
        self.change((selection, reason, until_ms, by), |tx, (selection, reason, until_ms, by)| {
            Box::pin(acknowledge(tx, selection, reason, *until_ms, by))
        })
    }

    fn withdraw_acknowledgements(&self, selection: AlarmSelection, by: By) -> Reply<'_, u32> {
        self.change((selection, by), |tx, (selection, by)| Box::pin(withdraw(tx, selection, by)))
    }
}

const COLUMNS: &str = "\
    SELECT alarms.id, host_id, name, code, severity, cause, raised_at_ms, cleared_at_ms, \
    ack_at_ms, ack_by, ack_reason, ack_until_ms, is_told, maintenance_since_ms, maintenance_until_ms, \
    labels_json FROM alarms JOIN hosts ON hosts.id = host_id";

fn alarm_row(row: &Row) -> Result<Alarm, StoreError> {
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

fn acknowledgement(columns: &mut Columns<'_>) -> Result<Option<Acknowledgement>, StoreError> {
    let Some(at_ms) = columns.take()? else {
        columns.pass_over(3);
        return Ok(None);
    };
    let (by, reason, until_ms) = (columns.take()?, columns.take()?, columns.take()?);
    Ok(Some(Acknowledgement { at_ms, by, reason, until_ms }))
}

/// Rows that one statement changes of a fleet: within the time that a statement may take, and so that
/// nobody waits for the lock on his host for longer than an instant.
const HOSTS_AT_ONCE: i64 = 5_000;

/// Not one transaction: what is done of it is done, and to do it again does no harm.
pub(super) async fn look_at_all(db: &Session) -> Result<(), StoreError> {
    let mut after = Some(String::new());
    while let Some(last) = after {
        let row = db
            .row(
                "WITH part AS (UPDATE hosts SET look_at_ms = 0, look_seq = look_seq + 1
                    WHERE id IN (SELECT id FROM hosts WHERE id > $1 ORDER BY id LIMIT $2)
                    RETURNING id)
                 SELECT max(id) FROM part",
                &[&last, &HOSTS_AT_ONCE],
            )
            .await?;
        after = row.try_get(0)?;
    }
    Ok(())
}

pub(super) async fn settle(
    tx: &Transaction,
    settlement: &Settlement,
) -> Result<AlarmEdges, StoreError> {
    let Settlement { host, change, causes, look_again_at_ms, stands, at_ms } = settlement;
    let host = host.as_str();
    // A change since the look keeps the host due. Until the transaction ends nobody else settles it.
    let n = tx
        .execute(
            "UPDATE hosts SET look_at_ms = $3, stood_rank = $4, look_lease_ms = 0
             WHERE id = $1 AND look_seq = $2",
            &[&host, change, &look_again_at_ms.unwrap_or(i64::MAX), &stands.rank()],
        )
        .await?;
    if n == 0 {
        // It is due anew, for whoever comes.
        tx.execute("UPDATE hosts SET look_lease_ms = 0 WHERE id = $1", &[&host]).await?;
        return Ok(AlarmEdges::default());
    }
    let clause = "WHERE host_id = $1 AND cleared_at_ms IS NULL FOR UPDATE OF alarms";
    let standing = many(tx, clause, &[&host]).await?;
    let mut edges = AlarmEdges::default();
    let mut changes = Vec::new();
    for alarm in standing {
        match causes.iter().find(|cause| cause.code == alarm.code) {
            None => {
                let sql = "UPDATE alarms SET cleared_at_ms = $2 WHERE id = $1";
                tx.execute(sql, &[&alarm.id.0, at_ms]).await?;
                let cleared = Alarm { cleared_at_ms: Some(*at_ms), ..alarm };
                changes.push(Change::of_alarm(EventKind::AlarmCleared, &cleared, None, *at_ms));
                edges.cleared.push(cleared);
            }
            Some(cause) if cause.cause != alarm.cause || cause.severity != alarm.severity => {
                let sql = "UPDATE alarms SET cause = $2, severity = $3 WHERE id = $1";
                tx.execute(sql, &[&alarm.id.0, &cause.cause, &cause.severity]).await?;
            }
            Some(_) => {}
        }
    }
    for AlarmCause { code, severity, cause } in causes {
        // One that stands already has this code: the index lets no second one in.
        let new = tx
            .row_or_none(
                "INSERT INTO alarms (host_id, code, severity, cause, raised_at_ms, is_told)
                 SELECT id, $2, $3, $4, $5,
                    maintenance_since_ms IS NULL OR coalesce(maintenance_until_ms <= $5, false)
                 FROM hosts WHERE id = $1
                 ON CONFLICT (host_id, code) WHERE cleared_at_ms IS NULL DO NOTHING RETURNING id",
                &[&host, code, severity, cause, at_ms],
            )
            .await?;
        if let Some(new) = new {
            let id: i64 = new.try_get(0)?;
            for raised in many(tx, "WHERE alarms.id = $1", &[&id]).await? {
                changes.push(Change::of_alarm(EventKind::AlarmRaised, &raised, None, *at_ms));
                edges.raised.push(raised);
            }
        }
    }
    event::append(tx, &changes).await?;
    Ok(edges)
}

pub(super) async fn page(
    db: &Session,
    filter: &AlarmFilter,
    before: Option<AlarmId>,
    n_max: u32,
) -> Result<Vec<Alarm>, StoreError> {
    let before = before.map_or(i64::MAX, |id| id.0);
    let n_max = i64::from(n_max.min(HISTORY_PAGE_MAX));
    let host = filter.host.as_ref().map(|host| host.as_str());
    let mut values: Vec<&(dyn ToSql + Sync)> = vec![&before, &n_max];
    // Written out, so that each uses the index that is for it.
    let mut terms = "WHERE alarms.id < $1".to_owned();
    if !filter.with_cleared {
        terms.push_str(" AND cleared_at_ms IS NULL");
    }
    if let Some(code) = &filter.code {
        values.push(code);
        terms.push_str(&format!(" AND code = ${}", values.len()));
    }
    if let Some(host) = &host {
        values.push(host);
        terms.push_str(&format!(" AND host_id = ${}", values.len()));
    }
    terms.push_str(" ORDER BY alarms.id DESC LIMIT $2");
    many(db, &terms, &values).await
}

pub(super) async fn many(
    db: &Session,
    clause: &str,
    values: Values<'_>,
) -> Result<Vec<Alarm>, StoreError> {
    db.read(&format!("{COLUMNS} {clause}"), values, alarm_row).await
}

pub(super) async fn groups(db: &Session, now_ms: i64) -> Result<Vec<AlarmGroup>, StoreError> {
    db.read(
        "SELECT code, n, n_ack, n_muted, since, latest, severity, cause FROM (
            SELECT code AS group_code, count(*) AS n, count(*) FILTER (WHERE is_ack) AS n_ack,
                count(*) FILTER (WHERE is_muted AND NOT is_ack) AS n_muted,
                min(raised_at_ms) AS since, max(raised_at_ms) AS latest, max(id) AS latest_id
            FROM (
                SELECT alarms.id, code, raised_at_ms,
                    ack_at_ms IS NOT NULL AND coalesce(ack_until_ms > $1, true) AS is_ack,
                    host_id IN (SELECT id FROM hosts WHERE maintenance_since_ms IS NOT NULL
                        AND coalesce(maintenance_until_ms > $1, true)) AS is_muted
                FROM alarms WHERE cleared_at_ms IS NULL
            ) AS standing GROUP BY code
         ) AS cause_group JOIN alarms ON alarms.id = latest_id ORDER BY code",
        &[&now_ms],
        group_row,
    )
    .await
}

fn group_row(row: &Row) -> Result<AlarmGroup, StoreError> {
    let mut columns = Columns::of(row);
    Ok(AlarmGroup {
        code: columns.take()?,
        n_hosts: columns.count()?,
        n_acknowledged: columns.count()?,
        n_muted: columns.count()?,
        since_ms: columns.take()?,
        latest_ms: columns.take()?,
        severity: columns.take()?,
        cause: columns.take()?,
    })
}

pub(super) async fn acknowledge(
    tx: &Transaction,
    selection: &AlarmSelection,
    reason: &str,
    until_ms: Option<i64>,
    by: &By,
) -> Result<u32, StoreError> {
    let alarms = meant(tx, selection, "").await?;
    let n_done = u32::try_from(alarms.len()).unwrap_or(u32::MAX);
    if n_done == 0 {
        return Ok(0);
    }
    let ids: Vec<i64> = alarms.iter().map(|alarm| alarm.id.0).collect();
    tx.execute(
        "UPDATE alarms SET ack_at_ms = $2, ack_by = $3, ack_reason = $4, ack_until_ms = $5
         WHERE id = ANY($1)",
        &[&ids, &by.at_ms, &by.actor, &reason, &until_ms],
    )
    .await?;
    let change = |alarm| {
        let (at_ms, by_whom, reason) = (by.at_ms, by.actor.clone(), reason.to_owned());
        let acknowledgement = Some(Acknowledgement { at_ms, by: by_whom, reason, until_ms });
        let known = Alarm { acknowledgement, ..alarm };
        Change::of_alarm(EventKind::AlarmAcknowledged, &known, Some(&by.actor), by.at_ms)
    };
    event::append(tx, &alarms.into_iter().map(change).collect::<Vec<_>>()).await?;
    let detail = json!({ "n": n_done, "reason": reason, "until_ms": until_ms });
    tx.audit(by, "alarm.acknowledge", subject(selection), &detail);
    Ok(n_done)
}

pub(super) async fn withdraw(
    tx: &Transaction,
    selection: &AlarmSelection,
    by: &By,
) -> Result<u32, StoreError> {
    let known = meant(tx, selection, " AND ack_at_ms IS NOT NULL").await?;
    let n_done = u32::try_from(known.len()).unwrap_or(u32::MAX);
    if n_done > 0 {
        end_acknowledgements(tx, known, Some(&by.actor), by.at_ms).await?;
        tx.audit(by, "alarm.withdraw", subject(selection), &json!({ "n": n_done }));
    }
    Ok(n_done)
}

/// Nobody's any more. While somebody works on the host it is told later. The alarms are locked.
pub(super) async fn end_acknowledgements(
    tx: &Transaction,
    alarms: Vec<Alarm>,
    by: Option<&str>,
    at_ms: i64,
) -> Result<(), StoreError> {
    if alarms.is_empty() {
        return Ok(());
    }
    let ids: Vec<i64> = alarms.iter().map(|alarm| alarm.id.0).collect();
    let told: Vec<bool> = alarms.iter().map(|alarm| !alarm.is_muted_at(at_ms)).collect();
    tx.execute(
        "UPDATE alarms SET ack_at_ms = NULL, ack_by = NULL, ack_reason = NULL,
            ack_until_ms = NULL, is_told = ended.is_told
         FROM unnest($1::bigint[], $2::boolean[]) AS ended (id, is_told)
         WHERE alarms.id = ended.id",
        &[&ids, &told],
    )
    .await?;
    let change = |(alarm, is_told)| {
        let ended = Alarm { acknowledgement: None, is_told, ..alarm };
        Change::of_alarm(EventKind::AlarmAcknowledgementEnded, &ended, by, at_ms)
    };
    let changes: Vec<_> = alarms.into_iter().zip(told).map(change).collect();
    event::append(tx, &changes).await
}

/// Nobody works on the host any more: what was raised meanwhile is told, but for what people know of.
pub(super) async fn unmute(tx: &Transaction, host: &HostId, at_ms: i64) -> Result<(), StoreError> {
    let clause = "WHERE host_id = $1 AND cleared_at_ms IS NULL AND NOT is_told \
                  ORDER BY alarms.id FOR UPDATE OF alarms";
    let mut untold = many(tx, clause, &[&host.as_str()]).await?;
    untold.retain(|alarm| alarm.acknowledged_at(at_ms).is_none());
    if untold.is_empty() {
        return Ok(());
    }
    let ids: Vec<i64> = untold.iter().map(|alarm| alarm.id.0).collect();
    tx.execute("UPDATE alarms SET is_told = true WHERE id = ANY($1)", &[&ids]).await?;
    let change = |alarm| {
        let told = Alarm { is_told: true, ..alarm };
        Change::of_alarm(EventKind::AlarmUnmuted, &told, None, at_ms)
    };
    event::append(tx, &untold.into_iter().map(change).collect::<Vec<_>>()).await
}

/// The alarms that stand and are meant, locked.
async fn meant(
    tx: &Transaction,
    selection: &AlarmSelection,
    condition: &str,
) -> Result<Vec<Alarm>, StoreError> {
    let ids: Vec<i64>;
    let (meant, value): (_, &(dyn ToSql + Sync)) = match selection {
        AlarmSelection::Code(code) => ("code = $1", code),
        AlarmSelection::Ids(given) => {
            ids = given.iter().map(|id| id.0).collect();
            ("alarms.id = ANY($1)", &ids)
        }
    };
    let clause = format!(
        "WHERE {meant} AND cleared_at_ms IS NULL{condition} ORDER BY alarms.id FOR UPDATE OF alarms"
    );
    many(tx, &clause, &[value]).await
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
