//! Policies that are kept, and which of them counts.

use rusqlite::{Connection as Db, OptionalExtension as _, Row, params};

use super::columns::Columns;
use super::{SqliteStore, audit, operation};
use crate::row::appraisal::sha256;
use crate::row::policy::{activate_detail, put_detail, subject};
use crate::{
    ActivePolicy, By, Conflict, HISTORY_PAGE_MAX, Kind, NewPolicyVersion, POLICY_VERSIONS_MAX,
    Policies, PolicyActivation, PolicyDocument, PolicyFile, PolicyInForce, PolicyVersion, Reply,
    Sha256, StoreError,
};

impl Policies for SqliteStore {
    fn policy_in_force(&self) -> Reply<'_, Option<PolicyInForce>> {
        self.read(operation::policy)
    }

    fn put_policy_in_force(&self, sha256: Sha256, by: By) -> Reply<'_, Option<PolicyInForce>> {
        self.write(move |db| operation::put_policy(db, &sha256, &by))
    }

    fn add_policy_version(&self, new: NewPolicyVersion, by: By) -> Reply<'_, PolicyVersion> {
        self.write(move |db| add(db, &new, &by))
    }

    fn policy_versions(&self, before: Option<i64>, n_max: u32) -> Reply<'_, Vec<PolicyVersion>> {
        self.read(move |db| page(db, before, n_max))
    }

    fn policy_document(&self, number: i64) -> Reply<'_, PolicyDocument> {
        self.read(move |db| document(db, number))
    }

    fn active_policy(&self) -> Reply<'_, Option<ActivePolicy>> {
        self.read(active)
    }

    fn activate_policy(&self, activation: PolicyActivation, by: By) -> Reply<'_, ActivePolicy> {
        self.write(move |db| activate(db, &activation, &by))
    }
}

const COLUMNS: &str = "number, sha256, note, created_at_ms, created_by";

fn version(row: &Row<'_>) -> rusqlite::Result<PolicyVersion> {
    let mut columns = Columns::of(row);
    Ok(PolicyVersion {
        number: columns.take()?,
        sha256: columns.take()?,
        note: columns.take()?,
        created_at_ms: columns.take()?,
        created_by: columns.take()?,
    })
}

/// The same text with the same files is there once.
pub(super) fn add(db: &Db, new: &NewPolicyVersion, by: &By) -> Result<PolicyVersion, StoreError> {
    let sha256_of_all = new.sha256();
    let sql = format!("SELECT {COLUMNS} FROM policy_versions WHERE sha256 = ?1");
    if let Some(known) = db.prepare_cached(&sql)?.query_row([sha256_of_all], version).optional()? {
        return Ok(known);
    }
    let sql = format!(
        "INSERT INTO policy_versions (sha256, text, note, created_at_ms, created_by)
         VALUES (?1, ?2, ?3, ?4, ?5) RETURNING {COLUMNS}"
    );
    let values = params![sha256_of_all, new.text, new.note, by.at_ms, by.actor];
    let added = db.prepare_cached(&sql)?.query_row(values, version)?;
    for PolicyFile { name, bytes } in &new.files {
        let digest = sha256(bytes);
        db.prepare_cached(
            "INSERT INTO policy_files (sha256, bytes) VALUES (?1, ?2) ON CONFLICT DO NOTHING",
        )?
        .execute(params![digest, bytes])?;
        db.prepare_cached(
            "INSERT INTO policy_version_files (number, name, file_sha256) VALUES (?1, ?2, ?3)",
        )?
        .execute(params![added.number, name, digest])?;
    }
    forget_oldest(db, added.number)?;
    audit::append(db, by, "policy.put", subject(added.number), &put_detail(&added))?;
    Ok(added)
}

/// What is above the limit goes, but for what counts and what was just added.
fn forget_oldest(db: &Db, added: i64) -> Result<(), StoreError> {
    let n = db
        .prepare_cached(
            "DELETE FROM policy_versions WHERE number IN (
                SELECT number FROM policy_versions
                WHERE number <> ?1 AND number NOT IN (SELECT number FROM active_policy)
                ORDER BY number
                LIMIT max(0, (SELECT count(*) FROM policy_versions) - ?2))",
        )?
        .execute(params![added, POLICY_VERSIONS_MAX])?;
    if n > 0 {
        db.prepare_cached(
            "DELETE FROM policy_files
             WHERE sha256 NOT IN (SELECT file_sha256 FROM policy_version_files)",
        )?
        .execute([])?;
    }
    Ok(())
}

pub(super) fn page(
    db: &Db,
    before: Option<i64>,
    n_max: u32,
) -> Result<Vec<PolicyVersion>, StoreError> {
    let sql = format!(
        "SELECT {COLUMNS} FROM policy_versions WHERE number < ?1 ORDER BY number DESC LIMIT ?2"
    );
    let mut statement = db.prepare_cached(&sql)?;
    let values = params![before.unwrap_or(i64::MAX), n_max.min(HISTORY_PAGE_MAX)];
    let rows = statement.query_map(values, version)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

pub(super) fn document(db: &Db, number: i64) -> Result<PolicyDocument, StoreError> {
    let sql = format!("SELECT {COLUMNS}, text FROM policy_versions WHERE number = ?1");
    let read = |row: &Row<'_>| Ok((version(row)?, row.get(5)?));
    let found = db.prepare_cached(&sql)?.query_row([number], read).optional()?;
    let (version, text) = found.ok_or(StoreError::NotFound(Kind::PolicyVersion))?;
    let mut statement = db.prepare_cached(
        "SELECT name, bytes FROM policy_version_files JOIN policy_files ON sha256 = file_sha256
         WHERE number = ?1 ORDER BY name",
    )?;
    let rows = statement
        .query_map([number], |row| Ok(PolicyFile { name: row.get(0)?, bytes: row.get(1)? }))?;
    Ok(PolicyDocument { version, text, files: rows.collect::<Result<_, _>>()? })
}

pub(super) fn active(db: &Db) -> Result<Option<ActivePolicy>, StoreError> {
    let sql = "SELECT number, at_ms, actor, reason FROM active_policy";
    let row = db.prepare_cached(sql)?.query_row([], |row| {
        let mut columns = Columns::of(row);
        Ok(ActivePolicy {
            number: columns.take()?,
            at_ms: columns.take()?,
            actor: columns.take()?,
            reason: columns.take()?,
        })
    });
    Ok(row.optional()?)
}

pub(super) fn activate(
    db: &Db,
    activation: &PolicyActivation,
    by: &By,
) -> Result<ActivePolicy, StoreError> {
    let PolicyActivation { number, before, reason } = activation;
    let counts = active(db)?;
    if counts.as_ref().map(|active| active.number) != *before {
        let number = counts.map(|active| active.number);
        return Err(Conflict::OtherPolicyCounts { number }.into());
    }
    let sql = "SELECT 1 FROM policy_versions WHERE number = ?1";
    let known: Option<i64> =
        db.prepare_cached(sql)?.query_row([number], |row| row.get(0)).optional()?;
    known.ok_or(StoreError::NotFound(Kind::PolicyVersion))?;
    db.prepare_cached(
        "INSERT INTO active_policy (id, number, at_ms, actor, reason) VALUES (1, ?1, ?2, ?3, ?4)
         ON CONFLICT (id) DO UPDATE SET number = ?1, at_ms = ?2, actor = ?3, reason = ?4",
    )?
    .execute(params![number, by.at_ms, by.actor, reason])?;
    audit::append(db, by, "policy.activate", subject(*number), &activate_detail(activation))?;
    Ok(ActivePolicy {
        number: *number,
        at_ms: by.at_ms,
        actor: by.actor.clone(),
        reason: reason.clone(),
    })
}
