//! Policies that are kept, and which of them counts.

use tokio_postgres::Row;

use super::columns::Columns;
use super::session::Session;
use super::transaction::Transaction;
use super::{PostgresStore, operation};
use crate::row::appraisal::sha256;
use crate::row::policy::{activate_detail, put_detail, subject};
use crate::{
    ActivePolicy, By, Conflict, HISTORY_PAGE_MAX, Kind, NewPolicyVersion, POLICY_VERSIONS_MAX,
    Policies, PolicyActivation, PolicyDocument, PolicyFile, PolicyInForce, PolicyVersion, Reply,
    Sha256, StoreError,
};

impl Policies for PostgresStore {
    fn policy_in_force(&self) -> Reply<'_, Option<PolicyInForce>> {
        self.look((), |db, ()| Box::pin(operation::policy(db)))
    }

    fn put_policy_in_force(&self, sha256: Sha256, by: By) -> Reply<'_, Option<PolicyInForce>> {
        self.change((sha256, by), |tx, (sha256, by)| {
            Box::pin(operation::put_policy(tx, sha256, by))
        })
    }

    fn add_policy_version(&self, new: NewPolicyVersion, by: By) -> Reply<'_, PolicyVersion> {
        self.change((new, by), |tx, (new, by)| Box::pin(add(tx, new, by)))
    }

    fn policy_versions(&self, before: Option<i64>, n_max: u32) -> Reply<'_, Vec<PolicyVersion>> {
        self.look((before, n_max), |db, (before, n_max)| Box::pin(page(db, *before, *n_max)))
    }

    fn policy_document(&self, number: i64) -> Reply<'_, PolicyDocument> {
        self.look((number,), |db, (number,)| Box::pin(document(db, *number)))
    }

    fn active_policy(&self) -> Reply<'_, Option<ActivePolicy>> {
        self.look((), |db, ()| Box::pin(active(db)))
    }

    fn activate_policy(&self, activation: PolicyActivation, by: By) -> Reply<'_, ActivePolicy> {
        self.change((activation, by), |tx, (activation, by)| Box::pin(activate(tx, activation, by)))
    }
}

const COLUMNS: &str = "number, sha256, note, created_at_ms, created_by";

fn version(row: &Row) -> Result<PolicyVersion, StoreError> {
    let mut columns = Columns::of(row);
    Ok(PolicyVersion {
        number: columns.take()?,
        sha256: columns.sha256()?,
        note: columns.take()?,
        created_at_ms: columns.take()?,
        created_by: columns.take()?,
    })
}

/// One who puts or activates at a time: of two that put the same, the second finds the first one's.
async fn lock(tx: &Transaction) -> Result<(), StoreError> {
    tx.execute("LOCK TABLE active_policy IN SHARE ROW EXCLUSIVE MODE", &[]).await.map(drop)
}

/// The same text with the same files is there once.
pub(super) async fn add(
    tx: &Transaction,
    new: &NewPolicyVersion,
    by: &By,
) -> Result<PolicyVersion, StoreError> {
    lock(tx).await?;
    let sha256_of_all = new.sha256();
    let sql = format!("SELECT {COLUMNS} FROM policy_versions WHERE sha256 = $1");
    if let Some(row) = tx.row_or_none(&sql, &[&sha256_of_all.as_slice()]).await? {
        return version(&row);
    }
    let sql = format!(
        "INSERT INTO policy_versions (sha256, text, note, created_at_ms, created_by)
         VALUES ($1, $2, $3, $4, $5) RETURNING {COLUMNS}"
    );
    let digest = sha256_of_all.as_slice();
    let row = tx.row(&sql, &[&digest, &new.text, &new.note, &by.at_ms, &by.actor]).await?;
    let added = version(&row)?;
    for PolicyFile { name, bytes } in &new.files {
        let digest = sha256(bytes);
        tx.execute(
            "INSERT INTO policy_files (sha256, bytes) VALUES ($1, $2) ON CONFLICT DO NOTHING",
            &[&digest.as_slice(), &bytes.as_slice()],
        )
        .await?;
        tx.execute(
            "INSERT INTO policy_version_files (number, name, file_sha256) VALUES ($1, $2, $3)",
            &[&added.number, name, &digest.as_slice()],
        )
        .await?;
    }
    forget_oldest(tx, added.number).await?;
    tx.audit(by, "policy.put", subject(added.number), &put_detail(&added));
    Ok(added)
}

/// What is above the limit goes, but for what counts and what was just added.
async fn forget_oldest(tx: &Transaction, added: i64) -> Result<(), StoreError> {
    let n = tx
        .execute(
            "DELETE FROM policy_versions WHERE number IN (
                SELECT number FROM policy_versions
                WHERE number <> $1 AND number NOT IN (SELECT number FROM active_policy)
                ORDER BY number
                LIMIT greatest(0, (SELECT count(*) FROM policy_versions) - $2))",
            &[&added, &i64::from(POLICY_VERSIONS_MAX)],
        )
        .await?;
    if n > 0 {
        tx.execute(
            "DELETE FROM policy_files
             WHERE sha256 NOT IN (SELECT file_sha256 FROM policy_version_files)",
            &[],
        )
        .await?;
    }
    Ok(())
}

pub(super) async fn page(
    db: &Session,
    before: Option<i64>,
    n_max: u32,
) -> Result<Vec<PolicyVersion>, StoreError> {
    let sql = format!(
        "SELECT {COLUMNS} FROM policy_versions WHERE number < $1 ORDER BY number DESC LIMIT $2"
    );
    let n_max = i64::from(n_max.min(HISTORY_PAGE_MAX));
    db.read(&sql, &[&before.unwrap_or(i64::MAX), &n_max], version).await
}

pub(super) async fn document(db: &Session, number: i64) -> Result<PolicyDocument, StoreError> {
    let sql = format!("SELECT {COLUMNS}, text FROM policy_versions WHERE number = $1");
    let row = db.row_or_none(&sql, &[&number]).await?;
    let row = row.ok_or(StoreError::NotFound(Kind::PolicyVersion))?;
    let files = db
        .read(
            "SELECT name, bytes FROM policy_version_files JOIN policy_files ON sha256 = file_sha256
             WHERE number = $1 ORDER BY name",
            &[&number],
            |row| Ok(PolicyFile { name: row.try_get(0)?, bytes: row.try_get(1)? }),
        )
        .await?;
    Ok(PolicyDocument { version: version(&row)?, text: row.try_get(5)?, files })
}

pub(super) async fn active(db: &Session) -> Result<Option<ActivePolicy>, StoreError> {
    let sql = "SELECT number, at_ms, actor, reason FROM active_policy";
    let Some(row) = db.row_or_none(sql, &[]).await? else { return Ok(None) };
    let mut columns = Columns::of(&row);
    Ok(Some(ActivePolicy {
        number: columns.take()?,
        at_ms: columns.take()?,
        actor: columns.take()?,
        reason: columns.take()?,
    }))
}

pub(super) async fn activate(
    tx: &Transaction,
    activation: &PolicyActivation,
    by: &By,
) -> Result<ActivePolicy, StoreError> {
    lock(tx).await?;
    let PolicyActivation { number, before, reason } = activation;
    let counts = active(tx).await?;
    if counts.as_ref().map(|active| active.number) != *before {
        let number = counts.map(|active| active.number);
        return Err(Conflict::OtherPolicyCounts { number }.into());
    }
    let sql = "SELECT 1 FROM policy_versions WHERE number = $1";
    let known = tx.row_or_none(sql, &[number]).await?;
    known.ok_or(StoreError::NotFound(Kind::PolicyVersion))?;
    tx.execute(
        "INSERT INTO active_policy (id, number, at_ms, actor, reason) VALUES (1, $1, $2, $3, $4)
         ON CONFLICT (id) DO UPDATE SET number = $1, at_ms = $2, actor = $3, reason = $4",
        &[number, &by.at_ms, &by.actor, reason],
    )
    .await?;
    tx.audit(by, "policy.activate", subject(*number), &activate_detail(activation));
    Ok(ActivePolicy {
        number: *number,
        at_ms: by.at_ms,
        actor: by.actor.clone(),
        reason: reason.clone(),
    })
}
