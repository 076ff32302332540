//! Root certificates and their generation.

use rusqlite::{Connection as Db, params};
use serde_json::json;

use super::columns::Columns;
use super::{SqliteStore, audit, recent};
use crate::row::appraisal::sha256;
use crate::{
    Added, By, Kind, NewTrustRoot, Reply, Sha256, StoreError, TrustAnchors, TrustRoot, TrustRoots,
};

impl TrustAnchors for SqliteStore {
    fn add_trust_root(&self, root: NewTrustRoot, by: By) -> Reply<'_, Added> {
        self.write(move |db| add(db, &root, &by))
    }

    fn trust_roots(&self) -> Reply<'_, TrustRoots> {
        self.read(all)
    }

    fn trust_generation(&self) -> Reply<'_, i64> {
        recent::trust_generation(self)
    }

    fn remove_trust_root(&self, sha256: Sha256, by: By) -> Reply<'_, ()> {
        self.write(move |db| remove(db, &sha256, &by))
    }
}

pub(super) fn add(db: &Db, root: &NewTrustRoot, by: &By) -> Result<Added, StoreError> {
    let fingerprint = sha256(&root.der);
    let n = db
        .prepare_cached(
            "INSERT INTO trust_roots (sha256, der, name, source, added_at_ms)
             VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT DO NOTHING",
        )?
        .execute(params![fingerprint, root.der, root.name, root.source, by.at_ms])?;
    if n == 0 {
        return Ok(Added::AlreadyThere);
    }
    moved(db)?;
    let detail = json!({ "name": root.name, "source": root.source });
    audit::append(db, by, "trust-root.add", subject(&fingerprint), &detail)?;
    Ok(Added::New)
}

pub(super) fn remove(db: &Db, fingerprint: &Sha256, by: &By) -> Result<(), StoreError> {
    let n = db
        .prepare_cached("DELETE FROM trust_roots WHERE sha256 = ?1")?
        .execute([fingerprint.as_slice()])?;
    if n == 0 {
        return Err(StoreError::NotFound(Kind::TrustRoot));
    }
    moved(db)?;
    audit::append(db, by, "trust-root.remove", subject(fingerprint), &json!({}))
}

pub(super) fn generation(db: &Db) -> Result<i64, StoreError> {
    Ok(db
        .prepare_cached("SELECT value FROM counters WHERE name = 'trust_generation'")?
        .query_row([], |row| row.get(0))?)
}

pub(super) fn all(db: &Db) -> Result<TrustRoots, StoreError> {
    // Two statements, one snapshot: a generation with the roots of another would be kept by
    // whoever caches them.
    let snapshot = db.unchecked_transaction()?;
    let generation = generation(&snapshot)?;
    let mut statement = snapshot.prepare_cached(
        "SELECT sha256, der, name, source, added_at_ms FROM trust_roots ORDER BY id",
    )?;
    let rows = statement.query_map([], |row| {
        let mut columns = Columns::of(row);
        Ok(TrustRoot {
            sha256: columns.take()?,
            der: columns.take()?,
            name: columns.take()?,
            source: columns.take()?,
            added_at_ms: columns.take()?,
        })
    })?;
    let roots = rows.collect::<Result<_, _>>()?;
    Ok(TrustRoots { generation, roots })
}

fn moved(db: &Db) -> Result<(), StoreError> {
    db.prepare_cached("UPDATE counters SET value = value + 1 WHERE name = 'trust_generation'")?
        .execute([])?;
    Ok(())
}

fn subject(fingerprint: &Sha256) -> String {
    format!("trust-root:{}", hex::encode(fingerprint))
}
