//! Root certificates and their generation.

use serde_json::json;

use super::PostgresStore;
use super::columns::Columns;
use super::session::Session;
use super::transaction::Transaction;
use crate::row::appraisal::sha256;
use crate::{
    Added, By, Kind, NewTrustRoot, Reply, Sha256, StoreError, TrustAnchors, TrustRoot, TrustRoots,
};

impl TrustAnchors for PostgresStore {
    fn add_trust_root(&self, root: NewTrustRoot, by: By) -> Reply<'_, Added> {
        self.change((root, by), |tx, (root, by)| Box::pin(add(tx, root, by)))
    }

    fn trust_roots(&self) -> Reply<'_, TrustRoots> {
        self.look((), |db, ()| Box::pin(all(db)))
    }

    fn trust_generation(&self) -> Reply<'_, i64> {
        Box::pin(self.looks.trust_generation())
    }

    fn remove_trust_root(&self, sha256: Sha256, by: By) -> Reply<'_, ()> {
        self.change((sha256, by), |tx, (sha256, by)| Box::pin(remove(tx, sha256, by)))
    }
}

pub(super) async fn add(
    tx: &Transaction,
    root: &NewTrustRoot,
    by: &By,
) -> Result<Added, StoreError> {
    let fingerprint = sha256(&root.der);
    let n = tx
        .execute(
            "INSERT INTO trust_roots (sha256, der, name, source, added_at_ms)
             VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING",
            &[&fingerprint.as_slice(), &root.der, &root.name, &root.source, &by.at_ms],
        )
        .await?;
    if n == 0 {
        return Ok(Added::AlreadyThere);
    }
    moved(tx).await?;
    let detail = json!({ "name": root.name, "source": root.source });
    tx.audit(by, "trust-root.add", subject(&fingerprint), &detail);
    Ok(Added::New)
}

pub(super) async fn remove(
    tx: &Transaction,
    fingerprint: &Sha256,
    by: &By,
) -> Result<(), StoreError> {
    let sql = "DELETE FROM trust_roots WHERE sha256 = $1";
    if tx.execute(sql, &[&fingerprint.as_slice()]).await? == 0 {
        return Err(StoreError::NotFound(Kind::TrustRoot));
    }
    moved(tx).await?;
    tx.audit(by, "trust-root.remove", subject(fingerprint), &json!({}));
    Ok(())
}

pub(super) async fn all(db: &Session) -> Result<TrustRoots, StoreError> {
    // One statement, one snapshot: a generation with the roots of another would be kept by whoever
    // caches them. Without a root there is one row all the same.
    let rows = db
        .rows(
            "SELECT value, sha256, der, trust_roots.name, source, added_at_ms
             FROM counters LEFT JOIN trust_roots ON true
             WHERE counters.name = 'trust_generation' ORDER BY trust_roots.id",
            &[],
        )
        .await?;
    let mut generation = None;
    let mut roots = Vec::new();
    for row in &rows {
        let mut columns = Columns::of(row);
        generation = Some(columns.take()?);
        if let Some(sha256) = columns.sha256_or_none()? {
            roots.push(TrustRoot {
                sha256,
                der: columns.take()?,
                name: columns.take()?,
                source: columns.take()?,
                added_at_ms: columns.take()?,
            });
        }
    }
    let generation = generation.ok_or_else(|| StoreError::broken("a counter is missing"))?;
    Ok(TrustRoots { generation, roots })
}

async fn moved(tx: &Transaction) -> Result<(), StoreError> {
    tx.execute("UPDATE counters SET value = value + 1 WHERE name = 'trust_generation'", &[])
        .await
        .map(drop)
}

fn subject(fingerprint: &Sha256) -> String {
    format!("trust-root:{}", hex::encode(fingerprint))
}
