//! Labels, maintenance, and lists of hosts that fit a filter.

use rusqlite::{Connection as Db, ToSql, params};
use serde_json::json;

use super::{alarm, audit, event, host};
use crate::{
    By, Conflict, HISTORY_PAGE_MAX, HOSTS_PAGE_MAX, Host, HostCursor, HostFilter, HostId, Kind,
    LABELS_PER_HOST_MAX, LabelCount, LabelFilter, Labels, LabelsChange, Maintenance, MayStand,
    OrderValue, StoreError, row::event::Change,
};

/// Hosts that fit `filter`, in its order, after `after`.
pub(super) fn page(
    db: &Db,
    filter: &HostFilter,
    after: Option<&HostCursor>,
    n_max: u32,
) -> Result<Vec<Host>, StoreError> {
    let mut values = Values::default();
    let clause = clause(filter, after, n_max, &mut values);
    let values: Vec<&dyn ToSql> = values.0.iter().map(AsRef::as_ref).collect();
    host::many(db, &clause, &values)
}

/// Which rows, and in which order.
fn clause(
    filter: &HostFilter,
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
    if let Some(code) = &filter.may_have_code {
        let word = values.place(format!("\"{code}\""));
        terms.push(format!(
            "(instr(last_findings_json, {word}) > 0 OR instr(enrolment_problem_json, {word}) > 0)"
        ));
    }
    match filter.may_stand {
        None => {}
        Some(MayStand::Accepted) => terms.push("last_verdict = 'accepted'".to_owned()),
        Some(MayStand::NotAccepted) => terms.push(
            "(last_verdict = 'not accepted' OR id IN (SELECT host_id FROM candidates))".to_owned(),
        ),
        Some(MayStand::NotAppraised { good_since_ms }) => terms.push(format!(
            "NOT (coalesce(last_verdict, '') IN ('accepted', 'not accepted') AND last_at_ms >= {} \
             AND tpm <> 'absent' AND approval IN ('not-required', 'approved') \
             AND json_valid(last_findings_json))",
            values.place(good_since_ms)
        )),
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
                    let clause = clause(&filter, after.as_ref(), 50, &mut values);
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
}
