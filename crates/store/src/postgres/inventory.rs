//! Labels, maintenance, and lists of hosts that fit a filter.

use serde_json::json;
use tokio_postgres::Row;
use tokio_postgres::types::ToSql;

use super::columns::Columns;
use super::session::{Session, Values};
use super::transaction::Transaction;
use super::{alarm, event, host};
use crate::{
    By, Conflict, HISTORY_PAGE_MAX, HOSTS_PAGE_MAX, Host, HostCursor, HostFilter, HostId,
    LABELS_PER_HOST_MAX, LabelCount, LabelFilter, Labels, LabelsChange, Maintenance, MayStand,
    OrderValue, StoreError,
    row::{event::Change, inventory::FEW_HOSTS},
};

/// Hosts that fit `filter`, in its order, after `after`.
pub(super) async fn page(
    db: &Session,
    filter: &HostFilter,
    after: Option<&HostCursor>,
    n_max: u32,
) -> Result<Vec<Host>, StoreError> {
    let mut values = Places::default();
    let ways = Ways {
        code: match &filter.has_code {
            Some(code) => few(db, BY_CODE, &[code]).await?,
            None => Way::All,
        },
        stand: match filter.may_stand {
            Some(may) => few(db, &by_standing(may), &[&may.due_by_ms]).await?,
            None => Way::All,
        },
    };
    let clause = clause(filter, ways, after, n_max, &mut values);
    host::many(db, &clause, &values.as_refs()).await
}

/// How hosts that a list is to show are come by. Said in the statement itself: a plan that fits both is good for one.
enum Way {
    /// They are few: these, put in order.
    Few(Vec<String>),
    /// All hosts are gone through in the list's order.
    All,
}

/// The way to each thing that is asked of hosts and that an index knows.
struct Ways {
    code: Way,
    stand: Way,
}

const BY_CODE: &str = "SELECT host_id FROM host_findings WHERE code = $1 ORDER BY host_id";

/// How it stood is a part of the text: of three values a plan for any of them is wrong for the rare one.
fn by_standing(may: MayStand) -> String {
    format!(
        "(SELECT id FROM hosts WHERE stood_rank = {} ORDER BY name, id LIMIT {n}) \
         UNION ALL (SELECT id FROM hosts WHERE look_at_ms <= $1 ORDER BY look_at_ms LIMIT {n})",
        may.stood.rank(),
        n = FEW_HOSTS + 1,
    )
}

/// The identifiers that `sql` gives, where they are few.
async fn few(db: &Session, sql: &str, values: Values<'_>) -> Result<Way, StoreError> {
    let sql = format!("{sql} LIMIT {}", FEW_HOSTS + 1);
    let ids = db.read(&sql, values, |row| Ok(row.try_get(0)?)).await?;
    Ok(match ids.len() > usize::try_from(FEW_HOSTS).unwrap_or(usize::MAX) {
        true => Way::All,
        false => Way::Few(ids),
    })
}

/// Which rows, and in which order.
fn clause(
    filter: &HostFilter,
    ways: Ways,
    after: Option<&HostCursor>,
    n_max: u32,
    values: &mut Places,
) -> String {
    let mut terms = Vec::new();
    if let Some(after) = after {
        let compared = after.compared().into_iter().map(|value| match value {
            OrderValue::Number(number) => values.place(number),
            OrderValue::Text(text) => values.place(text),
        });
        terms.push(after.order.after(&compared.collect::<Vec<_>>()));
    }
    if let Some(part) = &filter.name_contains {
        // Both sides by the same function, which in this collation knows the capitals of ASCII alone.
        let part = values.place(part.clone());
        terms.push(format!("strpos(lower(name), lower({part}::text COLLATE \"C\")) > 0"));
    }
    for LabelFilter { key, value } in &filter.labels {
        let mut has = format!("key = {}", values.place(key.clone()));
        if let Some(value) = value {
            has.push_str(&format!(" AND value = {}", values.place(value.clone())));
        }
        terms.push(format!("id IN (SELECT host_id FROM host_labels WHERE {has})"));
    }
    if let (Some(code), Way::All) = (&filter.has_code, &ways.code) {
        let code = values.place(code.clone());
        terms.push(format!(
            "EXISTS (SELECT 1 FROM host_findings WHERE code = {code} AND host_id = hosts.id)"
        ));
    }
    if let (Some(may), Way::All) = (filter.may_stand, &ways.stand) {
        let due_by = values.place(may.due_by_ms);
        terms.push(format!("(stood_rank = {} OR look_at_ms <= {due_by})", may.stood.rank()));
    }
    for way in [ways.code, ways.stand] {
        if let Way::Few(ids) = way {
            terms.push(format!("id = ANY({})", values.place(ids)));
        }
    }
    let terms = match terms.is_empty() {
        true => String::new(),
        false => format!("WHERE {} ", terms.join(" AND ")),
    };
    let limit = values.place(i64::from(n_max.min(HOSTS_PAGE_MAX)));
    format!("{terms}ORDER BY {} LIMIT {limit}", filter.order.clause())
}

/// Values of a statement.
#[derive(Default)]
struct Places(Vec<Box<dyn ToSql + Sync + Send>>);

impl Places {
    /// Adds one, and gives the place for it in the statement.
    fn place(&mut self, value: impl ToSql + Sync + Send + 'static) -> String {
        self.0.push(Box::new(value));
        format!("${}", self.0.len())
    }

    fn as_refs(&self) -> Vec<&(dyn ToSql + Sync)> {
        self.0.iter().map(|value| -> &(dyn ToSql + Sync) { &**value }).collect()
    }
}

/// Labels and how many hosts have them, by key and value.
pub(super) async fn label_counts(
    db: &Session,
    key: Option<&str>,
) -> Result<Vec<LabelCount>, StoreError> {
    db.read(
        "SELECT key, value, count(*) FROM host_labels WHERE $1::text IS NULL OR key = $1
         GROUP BY key, value ORDER BY key, value LIMIT $2",
        &[&key, &i64::from(HISTORY_PAGE_MAX)],
        label_count,
    )
    .await
}

fn label_count(row: &Row) -> Result<LabelCount, StoreError> {
    let mut columns = Columns::of(row);
    Ok(LabelCount { key: columns.take()?, value: columns.take()?, n_hosts: columns.count()? })
}

pub(super) async fn change_labels(
    tx: &Transaction,
    id: &HostId,
    change: &LabelsChange,
    by: &By,
) -> Result<Labels, StoreError> {
    let host = host::locked(tx, id).await?;
    let mut labels = host.labels.clone();
    for key in &change.remove {
        labels.remove(key);
    }
    labels.extend(change.set.clone());
    if labels == host.labels {
        return Ok(labels);
    }
    if labels.len() > usize::try_from(LABELS_PER_HOST_MAX).unwrap_or(usize::MAX) {
        return Err(StoreError::Limit { what: "labels of a host", max: LABELS_PER_HOST_MAX });
    }
    // By its labels its verdict may count for another time.
    let change = "labels_json = $2, look_at_ms = 0, look_seq = look_seq + 1";
    host::update(tx, id, change, &[&json!(labels).to_string()]).await?;
    event::append(tx, &[Change::labels(id, &by.actor, by.at_ms)]).await?;
    let detail = json!({ "labels": labels, "labels_before": host.labels });
    tx.audit(by, "host.label", host::subject(id), &detail);
    Ok(labels)
}

pub(super) async fn replace_labels(
    tx: &Transaction,
    id: &HostId,
    from: &Labels,
    to: &Labels,
    by: &By,
) -> Result<(), StoreError> {
    if host::locked(tx, id).await?.labels != *from {
        return Err(Conflict::LabelsChanged.into());
    }
    let remove = from.keys().filter(|key| !to.contains_key(*key)).cloned().collect();
    change_labels(tx, id, &LabelsChange { set: to.clone(), remove }, by).await.map(drop)
}

pub(super) async fn enter_maintenance(
    tx: &Transaction,
    id: &HostId,
    until_ms: Option<i64>,
    reason: &str,
    by: &By,
) -> Result<(), StoreError> {
    host::update(
        tx,
        id,
        "maintenance_since_ms = $2, maintenance_until_ms = $3, maintenance_reason = $4, \
         maintenance_by = $5",
        &[&by.at_ms, &until_ms, &reason, &by.actor],
    )
    .await?;
    let (since_ms, reason) = (by.at_ms, reason.to_owned());
    let now = Maintenance { since_ms, until_ms, reason, by: by.actor.clone() };
    event::append(tx, &[Change::maintenance(id, Some(&now), &by.actor, by.at_ms)]).await?;
    let detail = json!({ "until_ms": until_ms, "reason": now.reason });
    tx.audit(by, "host.enter-maintenance", host::subject(id), &detail);
    Ok(())
}

pub(super) async fn leave_maintenance(
    tx: &Transaction,
    id: &HostId,
    by: &By,
) -> Result<(), StoreError> {
    let host = host::locked(tx, id).await?;
    if host.maintenance.is_none() {
        return Ok(());
    }
    end_maintenance(tx, id, by).await?;
    tx.audit(by, "host.leave-maintenance", host::subject(id), &json!({}));
    Ok(())
}

/// Nobody works on it any more. Where it ends by time, nobody did it who could stand in the audit log.
pub(super) async fn end_maintenance(
    tx: &Transaction,
    id: &HostId,
    by: &By,
) -> Result<(), StoreError> {
    host::update(
        tx,
        id,
        "maintenance_since_ms = NULL, maintenance_until_ms = NULL, maintenance_reason = NULL, \
         maintenance_by = NULL",
        &[],
    )
    .await?;
    event::append(tx, &[Change::maintenance(id, None, &by.actor, by.at_ms)]).await?;
    alarm::unmute(tx, id, by.at_ms).await
}

#[cfg(test)]
mod tests {
    use testkit::postgres::Database;

    use super::*;
    use crate::postgres::address::PostgresAddress;
    use crate::{Direction, HostOrder, HostSort, PostgresStore};

    /// A list that is sorted when it is asked for would read all hosts for each page of it.
    #[tokio::test]
    async fn each_order_is_that_of_an_index() {
        let database = Database::new().unwrap();
        let address = || database.address().parse::<PostgresAddress>().unwrap();
        drop(PostgresStore::open(address()).await.unwrap());
        database
            .psql(
                "INSERT INTO hosts (id, name, created_at_ms, api_token_sha256, connection, approval,
                    tpm, last_seen_at_ms, last_at_ms, cohort, stood_rank)
                 SELECT lpad(n::text, 8, '0'), 'h' || n, n, sha256(n::text::bytea), 'connected',
                    'not-required', 'unknown', n, n, 'm' || n % 9, n % 3
                 FROM generate_series(1, 20000) n;
                 ANALYZE hosts",
            )
            .unwrap();
        let db = Session::connect(&address()).await.unwrap();
        for by in HostSort::ALL {
            for direction in [Direction::Ascending, Direction::Descending] {
                let order = HostOrder { by, direction };
                let filter = HostFilter { order, ..HostFilter::default() };
                // One in the middle, as the database gives it.
                let all = page(&db, &filter, None, 200).await.unwrap();
                let middle = all[150].cursor(order);
                for after in [None, Some(middle)] {
                    let mut values = Places::default();
                    let ways = Ways { code: Way::All, stand: Way::All };
                    let clause = clause(&filter, ways, after.as_ref(), 50, &mut values);
                    let sql = format!("EXPLAIN SELECT * FROM hosts {clause}");
                    let line = |row: &Row| Ok(row.try_get::<_, String>(0)?);
                    let lines = db.read(&sql, &values.as_refs(), line).await.unwrap();
                    let plan = lines.join("\n");
                    assert!(!plan.contains("Sort"), "{order:?}: {plan}");
                    assert!(plan.contains("using hosts_by"), "{order:?}: {plan}");
                    let begins = plan.contains("Index Cond");
                    assert_eq!(begins, after.is_some(), "{order:?}: {plan}");
                }
            }
        }
    }
}
