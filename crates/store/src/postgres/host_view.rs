//! Lists of hosts that somebody keeps under a name.

use serde_json::json;

use super::PostgresStore;
use super::columns::Columns;
use super::session::Session;
use super::transaction::Transaction;
use crate::{By, HOST_VIEWS_MAX, HostView, HostViews, Kind, Reply, StoreError, ViewOf};

impl HostViews for PostgresStore {
    fn host_views(&self, person: Option<String>) -> Reply<'_, Vec<HostView>> {
        self.look((person,), |db, (person,)| Box::pin(all(db, person.as_deref())))
    }

    fn put_host_view(&self, of: ViewOf, name: &str, query_json: &str, by: By) -> Reply<'_, ()> {
        let with = (of, name.to_owned(), query_json.to_owned(), by);
        self.change(with, |tx, (of, name, query_json, by)| {
            Box::pin(put(tx, of, name, query_json, by))
        })
    }

    fn remove_host_view(&self, of: ViewOf, name: &str, by: By) -> Reply<'_, ()> {
        self.change((of, name.to_owned(), by), |tx, (of, name, by)| {
            Box::pin(remove(tx, of, name, by))
        })
    }
}

/// Everybody's views, then those of `person`, by name.
async fn all(db: &Session, person: Option<&str>) -> Result<Vec<HostView>, StoreError> {
    db.read(
        "SELECT owner, name, query_json, kept_at_ms, kept_by FROM host_views
         WHERE owner IN ('', $1) ORDER BY owner, name LIMIT $2",
        &[&person.unwrap_or_default(), &i64::from(2 * HOST_VIEWS_MAX)],
        |row| {
            let mut columns = Columns::of(row);
            Ok(HostView {
                of: ViewOf::from_column(columns.take()?),
                name: columns.take()?,
                query_json: columns.take()?,
                kept_at_ms: columns.take()?,
                kept_by: columns.take()?,
            })
        },
    )
    .await
}

/// Keeps a view, in the place of one of its name.
async fn put(
    tx: &Transaction,
    of: &ViewOf,
    name: &str,
    query_json: &str,
    by: &By,
) -> Result<(), StoreError> {
    // Some more than that, where some come at once, do no harm.
    let sql = "SELECT count(*) FROM host_views WHERE owner = $1 AND name <> $2";
    let row = tx.row(sql, &[&of.column(), &name]).await?;
    if Columns::of(&row).count()? >= u64::from(HOST_VIEWS_MAX) {
        return Err(StoreError::Limit { what: "views", max: HOST_VIEWS_MAX });
    }
    tx.execute(
        "INSERT INTO host_views (owner, name, query_json, kept_at_ms, kept_by)
         VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT (owner, name) DO UPDATE
         SET query_json = $3, kept_at_ms = $4, kept_by = $5",
        &[&of.column(), &name, &query_json, &by.at_ms, &by.actor],
    )
    .await?;
    // What a person keeps for themselves changes nothing for anybody else.
    if *of == ViewOf::Everybody {
        tx.audit(by, "host-view.keep", subject(name), &json!({ "query": query_json }));
    }
    Ok(())
}

/// Removes a view.
async fn remove(tx: &Transaction, of: &ViewOf, name: &str, by: &By) -> Result<(), StoreError> {
    let sql = "DELETE FROM host_views WHERE owner = $1 AND name = $2";
    if tx.execute(sql, &[&of.column(), &name]).await? == 0 {
        return Err(StoreError::NotFound(Kind::HostView));
    }
    if *of == ViewOf::Everybody {
        tx.audit(by, "host-view.remove", subject(name), &json!({}));
    }
    Ok(())
}

fn subject(name: &str) -> String {
    format!("host-view:{name}")
}
