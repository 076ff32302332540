//! Lists of hosts that somebody keeps under a name.

use rusqlite::{Connection as Db, params};
use serde_json::json;

use super::columns::Columns;
use super::{SqliteStore, audit};
use crate::{By, HOST_VIEWS_MAX, HostView, HostViews, Kind, Reply, StoreError, ViewOf};

impl HostViews for SqliteStore {
    fn host_views(&self, person: Option<String>) -> Reply<'_, Vec<HostView>> {
        self.read(move |db| all(db, person.as_deref()))
    }

    fn put_host_view(&self, of: ViewOf, name: &str, query_json: &str, by: By) -> Reply<'_, ()> {
        let (name, query_json) = (name.to_owned(), query_json.to_owned());
        self.write(move |db| put(db, &of, &name, &query_json, &by))
    }

    fn remove_host_view(&self, of: ViewOf, name: &str, by: By) -> Reply<'_, ()> {
        let name = name.to_owned();
        self.write(move |db| remove(db, &of, &name, &by))
    }
}

/// Everybody's views, then those of `person`, by name.
fn all(db: &Db, person: Option<&str>) -> Result<Vec<HostView>, StoreError> {
    let mut statement = db.prepare_cached(
        "SELECT owner, name, query_json, kept_at_ms, kept_by FROM host_views
         WHERE owner IN ('', ?1) ORDER BY owner, name LIMIT ?2",
    )?;
    let rows =
        statement.query_map(params![person.unwrap_or_default(), 2 * HOST_VIEWS_MAX], |row| {
            let mut columns = Columns::of(row);
            Ok(HostView {
                of: ViewOf::from_column(columns.take()?),
                name: columns.take()?,
                query_json: columns.take()?,
                kept_at_ms: columns.take()?,
                kept_by: columns.take()?,
            })
        })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Keeps a view, in the place of one of its name.
fn put(db: &Db, of: &ViewOf, name: &str, query_json: &str, by: &By) -> Result<(), StoreError> {
    let n_others: u32 = db
        .prepare_cached("SELECT count(*) FROM host_views WHERE owner = ?1 AND name <> ?2")?
        .query_row(params![of.column(), name], |row| row.get(0))?;
    if n_others >= HOST_VIEWS_MAX {
        return Err(StoreError::Limit { what: "views", max: HOST_VIEWS_MAX });
    }
    db.prepare_cached(
        "INSERT INTO host_views (owner, name, query_json, kept_at_ms, kept_by)
         VALUES (?1, ?2, ?3, ?4, ?5)
         ON CONFLICT (owner, name) DO UPDATE
         SET query_json = ?3, kept_at_ms = ?4, kept_by = ?5",
    )?
    .execute(params![of.column(), name, query_json, by.at_ms, by.actor])?;
    match of {
        // What a person keeps for themselves changes nothing for anybody else.
        ViewOf::Person(_) => Ok(()),
        ViewOf::Everybody => {
            let detail = json!({ "query": query_json });
            audit::append(db, by, "host-view.keep", subject(name), &detail)
        }
    }
}

/// Removes a view.
fn remove(db: &Db, of: &ViewOf, name: &str, by: &By) -> Result<(), StoreError> {
    let n = db
        .prepare_cached("DELETE FROM host_views WHERE owner = ?1 AND name = ?2")?
        .execute(params![of.column(), name])?;
    match (n, of) {
        (0, _) => Err(StoreError::NotFound(Kind::HostView)),
        (_, ViewOf::Person(_)) => Ok(()),
        (_, ViewOf::Everybody) => {
            audit::append(db, by, "host-view.remove", subject(name), &json!({}))
        }
    }
}

fn subject(name: &str) -> String {
    format!("host-view:{name}")
}
