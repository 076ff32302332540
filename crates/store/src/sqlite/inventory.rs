//! Labels, maintenance, and lists of hosts that fit a filter.

use rusqlite::{Connection as Db, ToSql, params};
use serde_json::json;

use super::{alarm, audit, event, host};
use crate::{
    By, Conflict, HISTORY_PAGE_MAX, HOSTS_PAGE_MAX, Host, HostCursor, HostFilter, HostId, Kind,
    LABELS_PER_HOST_MAX, LabelCount, LabelFilter, Labels, LabelsChange, Maintenance, MayStand,
    OrderValue, StoreError,
    row::{event::Change, inventory::FEW_HOSTS},
};

/// Hosts that fit `filter`, in its order, after `after`.
pub(super) fn page(
    db: &Db,
    filter: &HostFilter,
    after: Option<&HostCursor>,
    n_max: u32,
) -> Result<Vec<Host>, StoreError> {
    let mut values = Values::default();
    let ways = Ways {
        code: match &filter.has_code {
            Some(code) => few(db, BY_CODE, code)?,
            None => Way::All,
        },
        stand: match filter.may_stand {
            Some(may) => few(db, &by_standing(may), &may.due_by_ms)?,
            None => Way::All,
        },
    };
    let clause = clause(filter, &ways, after, n_max, &mut values);
    let values: Vec<&dyn ToSql> = values.0.iter().map(AsRef::as_ref).collect();
    host::many(db, &clause, &values)
}

/// How hosts that a list is to show are come by.
enum Way {
    /// They are few: these, put in order.
    Few(String),
    /// All hosts are gone through in the list's order.
    All,
}

/// The way to each thing that is asked of hosts and that an index knows.
struct Ways {
    code: Way,
    stand: Way,
}

const BY_CODE: &str = "SELECT host_id FROM host_findings WHERE code = ?1 ORDER BY host_id";

fn by_standing(may: MayStand) -> String {
    format!(
        "SELECT * FROM (SELECT id FROM hosts WHERE stood_rank = {} ORDER BY name, id LIMIT {n}) \
         UNION ALL SELECT * FROM (SELECT id FROM hosts WHERE look_at_ms <= ?1 ORDER BY look_at_ms LIMIT {n})",
        may.stood.rank(),
        n = FEW_HOSTS + 1,
    )
}

/// The identifiers that `sql` gives, as a JSON array, where they are few.
fn few(db: &Db, sql: &str, value: &dyn ToSql) -> Result<Way, StoreError> {
    let mut statement = db.prepare_cached(&format!("{sql} LIMIT {}", FEW_HOSTS + 1))?;
    let ids = statement.query_map([value], |row| row.get(0))?;
    let ids = ids.collect::<Result<Vec<String>, _>>()?;
    Ok(match ids.len() > usize::try_from(FEW_HOSTS).unwrap_or(usize::MAX) {
        true => Way::All,
        false => Way::Few(json!(ids).to_string()),
    })
}

/// Which rows, and in which order.
fn clause(
    filter: &HostFilter,
    ways: &Ways,
    after: Option<&HostCursor>,
    n_max: u32,
    values: &mut Values,
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
        // Both sides by the same function: SQLite knows the capitals of ASCII alone.
        terms.push(format!("instr(lower(name), lower({})) > 0", values.place(part.clone())));
    }
    for LabelFilter { key, value } in &filter.labels {
        let mut has = format!("key = {}", values.place(key.clone()));
        if let Some(value) = value {
            has.push_str(&format!(" AND value = {}", values.place(value.clone())));
        }
        terms.push(format!("id IN (SELECT host_id FROM host_labels WHERE {has})"));
    }
    for way in [&ways.code, &ways.stand] {
        if let Way::Few(ids) = way {
            let ids = values.place(ids.clone());
            terms.push(format!("id IN (SELECT value FROM json_each({ids}))"));
        }
    }
    if let (Some(code), Way::All) = (&filter.has_code, &ways.code) {
        let code = values.place(code.clone());
        terms.push(format!(
            "EXISTS (SELECT 1 FROM host_findings WHERE code = {code} AND host_id = hosts.id)"
        ));
    }
    if let (Some(may), Way::All) = (filter.may_stand, &ways.stand) {
        // Not by the indexes of these columns, which are in another order than the list.
        let due_by = values.place(may.due_by_ms);
        terms.push(format!("(+stood_rank = {} OR +look_at_ms <= {due_by})", may.stood.rank()));
    }
    let terms = match terms.is_empty() {
        true => String::new(),
        false => format!("WHERE {} ", terms.join(" AND ")),
    };
    let limit = values.place(n_max.min(HOSTS_PAGE_MAX));
    format!("{terms}ORDER BY {} LIMIT {limit}", filter.order.clause())
}

/// Values of a statement.
#[derive(Default)]
struct Values(Vec<Box<dyn ToSql>>);

impl Values {
    /// Adds one, and gives the place for it in the statement.
    fn place(&mut self, value: impl ToSql + 'static) -> String {
        self.0.push(Box::new(value));
        format!("?{}", self.0.len())
    }
}

/// Labels and how many hosts have them, by key and value.
pub(super) fn label_counts(db: &Db, key: Option<&str>) -> Result<Vec<LabelCount>, StoreError> {
    let mut statement = db.prepare_cached(
        "SELECT key, value, count(*) FROM host_labels WHERE ?1 IS NULL OR key = ?1
         GROUP BY key, value ORDER BY key, value LIMIT ?2",
    )?;
    let rows = statement.query_map(params![key, HISTORY_PAGE_MAX], |row| {
        let n_hosts: i64 = row.get(2)?;
        Ok(LabelCount { key: row.get(0)?, value: row.get(1)?, n_hosts: n_hosts.unsigned_abs() })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

pub(super) fn change_labels(
    db: &Db,
    id: &HostId,
    change: &LabelsChange,
    by: &By,
) -> Result<Labels, StoreError> {
    let host = host::by_id(db, id)?.ok_or(StoreError::NotFound(Kind::Host))?;
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
    let change = "labels_json = ?2, look_at_ms = 0, look_seq = look_seq + 1";
    host::update(db, id, change, &[&json!(labels).to_string()])?;
    event::append(db, &Change::labels(id, &by.actor, by.at_ms))?;
    let detail = json!({ "labels": labels, "labels_before": host.labels });
    audit::append(db, by, "host.label", host::subject(id), &detail)?;
    Ok(labels)
}

pub(super) fn replace_labels(
    db: &Db,
    id: &HostId,
    from: &Labels,
    to: Labels,
    by: &By,
) -> Result<(), StoreError> {
    let host = host::by_id(db, id)?.ok_or(StoreError::NotFound(Kind::Host))?;
    if host.labels != *from {
        return Err(Conflict::LabelsChanged.into());
    }
    let remove = from.keys().filter(|key| !to.contains_key(*key)).cloned().collect();
    change_labels(db, id, &LabelsChange { set: to, remove }, by).map(drop)
}

pub(super) fn enter_maintenance(
    db: &Db,
    id: &HostId,
    until_ms: Option<i64>,
    reason: &str,
    by: &By,
) -> Result<(), StoreError> {
    host::update(
        db,
        id,
        "maintenance_since_ms = ?2, maintenance_until_ms = ?3, maintenance_reason = ?4, \
         maintenance_by = ?5",
        &[&by.at_ms, &until_ms, &reason, &by.actor],
    )?;
    let (since_ms, reason) = (by.at_ms, reason.to_owned());
    let now = Maintenance { since_ms, until_ms, reason, by: by.actor.clone() };
    event::append(db, &Change::maintenance(id, Some(&now), &by.actor, by.at_ms))?;
    let detail = json!({ "until_ms": until_ms, "reason": now.reason });
    audit::append(db, by, "host.enter-maintenance", host::subject(id), &detail)
}

pub(super) fn leave_maintenance(db: &Db, id: &HostId, by: &By) -> Result<(), StoreError> {
    let host = host::by_id(db, id)?.ok_or(StoreError::NotFound(Kind::Host))?;
    if host.maintenance.is_none() {
        return Ok(());
    }
    end_maintenance(db, id, by)?;
    audit::append(db, by, "host.leave-maintenance", host::subject(id), &json!({}))
}

/// Nobody works on it any more. Where it ends by time, nobody did it who could stand in the audit log.
pub(super) fn end_maintenance(db: &Db, id: &HostId, by: &By) -> Result<(), StoreError> {
    host::update(
        db,
        id,
        "maintenance_since_ms = NULL, maintenance_until_ms = NULL, maintenance_reason = NULL, \
         maintenance_by = NULL",
        &[],
    )?;
    event::append(db, &Change::maintenance(id, None, &by.actor, by.at_ms))?;
    alarm::unmute(db, id, by.at_ms)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sqlite::migrate;
    use crate::{Direction, HostOrder, HostSort, OrderValue};

    /// A cursor of this order, for its plan.
    fn cursor(order: HostOrder) -> HostCursor {
        let text = || OrderValue::Text("m".to_owned());
        let values = match order.by {
            HostSort::Name => vec![text()],
            HostSort::Model => vec![text(), text()],
            HostSort::Verdict | HostSort::Judged | HostSort::Seen => {
                vec![OrderValue::Number(1), text()]
            }
            HostSort::Joined => vec![OrderValue::Number(7)],
        };
        let cursor = HostCursor { order, values, id: "h".into() };
        assert!(cursor.is_sound());
        cursor
    }

    /// A list that is sorted when it is asked for would read all hosts for each page of it.
    #[test]
    fn each_order_is_that_of_an_index() {
        let mut db = Db::open_in_memory().unwrap();
        migrate::run(&mut db).unwrap();
        for by in HostSort::ALL {
            for direction in [Direction::Ascending, Direction::Descending] {
                let order = HostOrder { by, direction };
                let filter = HostFilter { order, ..HostFilter::default() };
                for after in [None, Some(cursor(order))] {
                    let mut values = Values::default();
                    let ways = Ways { code: Way::All, stand: Way::All };
                    let clause = clause(&filter, &ways, after.as_ref(), 50, &mut values);
                    let sql = format!("EXPLAIN QUERY PLAN SELECT * FROM hosts {clause}");
                    let values: Vec<&dyn ToSql> = values.0.iter().map(AsRef::as_ref).collect();
                    let mut plan = db.prepare(&sql).unwrap();
                    let plan = plan.query_map(values.as_slice(), |row| row.get(3)).unwrap();
                    let plan = plan.collect::<Result<Vec<String>, _>>().unwrap().join("; ");
                    assert!(!plan.contains("TEMP B-TREE"), "{order:?}: {plan}");
                    let begins = if after.is_some() { "SEARCH" } else { "SCAN" };
                    assert!(plan.starts_with(begins), "{order:?}: {plan}");
                    assert!(plan.contains("USING INDEX hosts_by"), "{order:?}: {plan}");
                }
            }
        }
    }

    /// How a list with this filter is read, where the hosts that fit are few and where they are many.
    fn plans(db: &Db, filter: &HostFilter) -> [String; 2] {
        [|| Way::Few("[\"h\"]".to_owned()), || Way::All].map(|way: fn() -> Way| {
            let mut values = Values::default();
            let ways = Ways {
                code: if filter.has_code.is_some() { way() } else { Way::All },
                stand: if filter.may_stand.is_some() { way() } else { Way::All },
            };
            let clause = clause(filter, &ways, None, 50, &mut values);
            let sql = format!("EXPLAIN QUERY PLAN SELECT * FROM hosts {clause}");
            let values: Vec<&dyn ToSql> = values.0.iter().map(AsRef::as_ref).collect();
            let mut plan = db.prepare(&sql).unwrap();
            let plan = plan.query_map(values.as_slice(), |row| row.get(3)).unwrap();
            plan.collect::<Result<Vec<String>, _>>().unwrap().join("; ")
        })
    }

    #[test]
    fn few_hosts_are_read_by_their_identifiers_and_many_in_the_order_of_the_list() {
        let mut db = Db::open_in_memory().unwrap();
        migrate::run(&mut db).unwrap();
        let may = MayStand { stood: crate::Stood::NotAccepted, due_by_ms: 7 };
        for filter in [
            HostFilter { has_code: Some("x".to_owned()), ..HostFilter::default() },
            HostFilter { may_stand: Some(may), ..HostFilter::default() },
        ] {
            let [few, many] = plans(&db, &filter);
            assert!(few.starts_with("SEARCH hosts USING INDEX sqlite_autoindex_hosts"), "{few}");
            assert!(many.starts_with("SCAN hosts USING INDEX hosts_by_name"), "{many}");
            assert!(!many.contains("TEMP B-TREE"), "{many}");
        }
        let sql = format!("EXPLAIN QUERY PLAN {}", by_standing(may));
        let mut plan = db.prepare(&sql).unwrap();
        let plan = plan.query_map([7], |row| row.get(3)).unwrap();
        let plan = plan.collect::<Result<Vec<String>, _>>().unwrap().join("; ");
        assert!(plan.contains("INDEX hosts_by_standing (stood_rank=?)"), "{plan}");
        assert!(plan.contains("INDEX hosts_to_look_at (look_at_ms<?)"), "{plan}");
        assert!(!plan.contains("TEMP B-TREE"), "{plan}");
    }
}
