//! References, their lives and their uses.

use rusqlite::{Connection as Db, OptionalExtension, Row, ToSql, params};
use serde_json::json;

use super::columns::Columns;
use super::error::is_duplicate;
use super::{SqliteStore, audit, host, recent};
use crate::row::appraisal::sha256;
use crate::{
    By, Conflict, HISTORY_PAGE_MAX, HostId, HostReference, HostReferences, JudgedBy, Kind,
    NewReference, REFERENCES_PER_SCOPE_MAX, Reference, ReferenceChange, ReferenceId,
    ReferenceOrigin, ReferenceScope, ReferenceState, ReferenceUses, References, Reply, Sha256,
    StoreError,
};

impl References for SqliteStore {
    fn add_reference(&self, reference: NewReference, by: By) -> Reply<'_, ()> {
        self.write(move |db| add(db, &reference, &by))
    }

    fn set_reference_state(
        &self,
        id: &ReferenceId,
        state: ReferenceState,
        reason: &str,
        by: By,
    ) -> Reply<'_, ()> {
        let (id, reason) = (id.clone(), reason.to_owned());
        self.write(move |db| set_state(db, &id, state, &reason, &by))
    }

    fn references(&self, after_seq: i64, n_max: u32) -> Reply<'_, Vec<Reference>> {
        self.read(move |db| page(db, after_seq, n_max))
    }

    fn reference(&self, id: &ReferenceId) -> Reply<'_, Option<Reference>> {
        let id = id.clone();
        self.read(move |db| by_id(db, &id))
    }

    fn reference_changes(&self, id: &ReferenceId) -> Reply<'_, Vec<ReferenceChange>> {
        let id = id.clone();
        self.read(move |db| changes(db, &id))
    }

    fn reference_document(&self, sha256: Sha256) -> Reply<'_, Option<Vec<u8>>> {
        self.read(move |db| document(db, &sha256))
    }

    fn references_of_host(&self, host: &HostId, cohort: Option<&str>) -> Reply<'_, HostReferences> {
        recent::references(self, host, cohort)
    }

    fn references_of_hosts(
        &self,
        hosts: Vec<(HostId, Option<String>)>,
    ) -> Reply<'_, Vec<HostReferences>> {
        self.read(move |db| of_hosts(db, &hosts))
    }
}

const COLUMNS: &str = "\
    SELECT seq, boot_references.id, host_id, cohort, name, origin, state, uses, until_ms, sha256, \
    created_at_ms, created_by, reason";

const TABLES: &str = "\
    FROM boot_references JOIN reference_documents ON reference_documents.id = document_id";

fn reference(columns: &mut Columns<'_, '_>) -> rusqlite::Result<Reference> {
    Ok(Reference {
        seq: columns.take()?,
        id: columns.take::<String>()?.into(),
        scope: scope(columns.take()?, columns.take()?),
        name: columns.take()?,
        origin: columns.word(ReferenceOrigin::from_word)?,
        state: columns.word(ReferenceState::from_word)?,
        uses: columns.word(ReferenceUses::from_word)?,
        until_ms: columns.take()?,
        document_sha256: columns.take()?,
        created_at_ms: columns.take()?,
        created_by: columns.take()?,
        reason: columns.take()?,
    })
}

/// The schema holds that one of them is there, and not both.
fn scope(host: Option<String>, cohort: Option<String>) -> ReferenceScope {
    match host {
        Some(host) => ReferenceScope::Host(host.into()),
        None => ReferenceScope::Cohort(cohort.unwrap_or_default()),
    }
}

fn row(row: &Row<'_>) -> rusqlite::Result<Reference> {
    reference(&mut Columns::of(row))
}

pub(super) fn add(db: &Db, new: &NewReference, by: &By) -> Result<(), StoreError> {
    if !matches!(new.state, ReferenceState::Pending | ReferenceState::Active) {
        return Err(Conflict::ReferenceState { from: None, to: new.state }.into());
    }
    let (column, of) = match &new.scope {
        ReferenceScope::Host(id) => {
            host::by_id(db, id)?.ok_or(StoreError::NotFound(Kind::Host))?;
            ("host_id", id.as_str())
        }
        ReferenceScope::Cohort(cohort) => ("cohort", cohort.as_str()),
    };
    let document_sha256 = sha256(&new.document);
    check_content(db, column, of, &document_sha256)?;
    let n: u32 = db
        .prepare_cached(&format!(
            "SELECT count(*) FROM boot_references WHERE {column} = ?1 AND state <> 'retired'"
        ))?
        .query_row([of], |row| row.get(0))?;
    if n >= REFERENCES_PER_SCOPE_MAX {
        return Err(StoreError::Limit {
            what: "references of one host or cohort that are not retired",
            max: REFERENCES_PER_SCOPE_MAX,
        });
    }
    let document_id = keep(db, &document_sha256, &new.document)?;
    db.prepare_cached(&format!(
        "INSERT INTO boot_references ({column}, id, name, origin, state, uses, until_ms,
            document_id, created_at_ms, created_by, reason)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)"
    ))?
    .execute(params![
        of,
        new.id.as_str(),
        new.name,
        new.origin.as_str(),
        new.state.as_str(),
        new.uses.as_str(),
        new.until_ms,
        document_id,
        by.at_ms,
        by.actor,
        new.reason,
    ])
    .map_err(|error| match is_duplicate(&error) {
        true => Conflict::IdTaken.into(),
        false => StoreError::from(error),
    })?;
    changed(db, db.last_insert_rowid(), new.state, &new.reason, by)?;
    let detail = json!({
        "name": new.name,
        "scope": { column: of },
        "origin": new.origin.as_str(),
        "state": new.state.as_str(),
        "uses": new.uses.as_str(),
        "until_ms": new.until_ms,
        "sha256": hex::encode(document_sha256),
        "reason": new.reason,
    });
    audit::append(db, by, "reference.add", subject(&new.id), &detail)
}

/// Content that was revoked for this host or cohort does not come back under another name, and
/// content that counts already is not added twice.
fn check_content(
    db: &Db,
    column: &'static str,
    of: &str,
    document_sha256: &Sha256,
) -> Result<(), StoreError> {
    let known = db
        .prepare_cached(&format!(
            "SELECT boot_references.id, state {TABLES} WHERE {column} = ?1 AND sha256 = ?2
             AND (state = 'revoked' OR (state <> 'retired' AND until_ms IS NULL AND uses = 'any'))
             ORDER BY state = 'revoked' DESC LIMIT 1"
        ))?
        .query_row(params![of, document_sha256], |row| {
            let mut columns = Columns::of(row);
            let id: String = columns.take()?;
            Ok((id, columns.word(ReferenceState::from_word)?))
        })
        .optional()?;
    match known {
        None => Ok(()),
        Some((id, state)) => Err(Conflict::ReferenceKnown { id: id.into(), state }.into()),
    }
}

fn keep(db: &Db, sha256: &Sha256, bytes: &[u8]) -> Result<i64, StoreError> {
    let known = db
        .prepare_cached("SELECT id FROM reference_documents WHERE sha256 = ?1")?
        .query_row([sha256.as_slice()], |row| row.get(0))
        .optional()?;
    if let Some(id) = known {
        return Ok(id);
    }
    db.prepare_cached("INSERT INTO reference_documents (sha256, bytes) VALUES (?1, ?2)")?
        .execute(params![sha256, bytes])?;
    Ok(db.last_insert_rowid())
}

/// Writes the step into the reference's life, and moves the generation.
fn changed(
    db: &Db,
    seq: i64,
    state: ReferenceState,
    reason: &str,
    by: &By,
) -> Result<(), StoreError> {
    db.prepare_cached(
        "INSERT INTO reference_changes (reference_seq, position, at_ms, actor, state, reason)
         SELECT ?1, count(*), ?2, ?3, ?4, ?5 FROM reference_changes WHERE reference_seq = ?1",
    )?
    .execute(params![seq, by.at_ms, by.actor, state.as_str(), reason])?;
    db.prepare_cached("UPDATE counters SET value = value + 1 WHERE name = 'reference_generation'")?
        .execute([])?;
    Ok(())
}

pub(super) fn set_state(
    db: &Db,
    id: &ReferenceId,
    to: ReferenceState,
    reason: &str,
    by: &By,
) -> Result<(), StoreError> {
    let known = by_id(db, id)?.ok_or(StoreError::NotFound(Kind::Reference))?;
    if !known.state.may_become(to) {
        return Err(Conflict::ReferenceState { from: Some(known.state), to }.into());
    }
    db.prepare_cached("UPDATE boot_references SET state = ?2 WHERE seq = ?1")?
        .execute(params![known.seq, to.as_str()])?;
    changed(db, known.seq, to, reason, by)?;
    let detail = json!({ "state": to.as_str(), "before": known.state.as_str(), "reason": reason });
    audit::append(db, by, "reference.state", subject(id), &detail)
}

pub(super) fn by_id(db: &Db, id: &ReferenceId) -> Result<Option<Reference>, StoreError> {
    let mut statement =
        db.prepare_cached(&format!("{COLUMNS} {TABLES} WHERE boot_references.id = ?1"))?;
    Ok(statement.query_row([id.as_str()], row).optional()?)
}

pub(super) fn page(db: &Db, after_seq: i64, n_max: u32) -> Result<Vec<Reference>, StoreError> {
    let clause = "WHERE seq > ?1 ORDER BY seq LIMIT ?2";
    many(db, clause, params![after_seq, n_max.min(HISTORY_PAGE_MAX)])
}

pub(super) fn many(
    db: &Db,
    clause: &str,
    values: &[&dyn ToSql],
) -> Result<Vec<Reference>, StoreError> {
    let mut statement = db.prepare_cached(&format!("{COLUMNS} {TABLES} {clause}"))?;
    let rows = statement.query_map(values, row)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

pub(super) fn changes(db: &Db, id: &ReferenceId) -> Result<Vec<ReferenceChange>, StoreError> {
    let mut statement = db.prepare_cached(
        "SELECT reference_changes.at_ms, actor, reference_changes.state, reference_changes.reason
         FROM reference_changes JOIN boot_references ON seq = reference_seq
         WHERE id = ?1 ORDER BY position",
    )?;
    let rows = statement.query_map([id.as_str()], |row| {
        let mut columns = Columns::of(row);
        Ok(ReferenceChange {
            at_ms: columns.take()?,
            actor: columns.take()?,
            state: columns.word(ReferenceState::from_word)?,
            reason: columns.take()?,
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

pub(super) fn document(db: &Db, sha256: &Sha256) -> Result<Option<Vec<u8>>, StoreError> {
    let mut statement =
        db.prepare_cached("SELECT bytes FROM reference_documents WHERE sha256 = ?1")?;
    Ok(statement.query_row([sha256.as_slice()], |row| row.get(0)).optional()?)
}

fn generation(db: &Db) -> Result<i64, StoreError> {
    Ok(db
        .prepare_cached("SELECT value FROM counters WHERE name = 'reference_generation'")?
        .query_row([], |row| row.get(0))?)
}

/// The generation of references, where none of them counts.
pub(super) fn none(db: &Db) -> Result<Option<i64>, StoreError> {
    // One statement is a snapshot by itself.
    let sql = format!(
        "SELECT value FROM counters WHERE name = 'reference_generation'
         AND NOT EXISTS (SELECT 1 FROM boot_references WHERE {COUNTS})"
    );
    Ok(db.prepare_cached(&sql)?.query_row([], |row| row.get(0)).optional()?)
}

pub(super) fn of_host(
    db: &Db,
    host: &HostId,
    cohort: Option<&str>,
) -> Result<HostReferences, StoreError> {
    // One snapshot: references of another generation than the one that is named would be judged
    // by and not noticed.
    let snapshot = db.unchecked_transaction()?;
    Counting::of(&snapshot)?.host(host, cohort)
}

pub(super) fn of_hosts(
    db: &Db,
    hosts: &[(HostId, Option<String>)],
) -> Result<Vec<HostReferences>, StoreError> {
    let snapshot = db.unchecked_transaction()?;
    let counting = Counting::of(&snapshot)?;
    hosts.iter().map(|(host, cohort)| counting.host(host, cohort.as_deref())).collect()
}

/// The references that count, in one snapshot.
struct Counting<'s> {
    snapshot: &'s Db,
    generation: i64,
    /// Whether there is one at all: most fleets begin without, and to look for those of a host costs
    /// more than this.
    is_any: bool,
}

impl<'s> Counting<'s> {
    fn of(snapshot: &'s Db) -> Result<Self, StoreError> {
        let any = format!("SELECT EXISTS (SELECT 1 FROM boot_references WHERE {COUNTS})");
        let is_any = snapshot.prepare_cached(&any)?.query_row([], |row| row.get(0))?;
        Ok(Self { snapshot, generation: generation(snapshot)?, is_any })
    }

    fn host(&self, host: &HostId, cohort: Option<&str>) -> Result<HostReferences, StoreError> {
        let Self { snapshot, generation, is_any } = *self;
        let mut references = Vec::new();
        if is_any {
            references = counting(snapshot, "host_id", host.as_str(), host)?;
            if let Some(cohort) = cohort {
                references.extend(counting(snapshot, "cohort", cohort, host)?);
            }
        }
        Ok(HostReferences { generation, references })
    }
}

/// Which references a host may be judged by: a judgement says of each of them what it is worth.
const COUNTS: &str = "state NOT IN ('pending', 'retired')";

fn counting(
    db: &Db,
    column: &'static str,
    of: &str,
    host: &HostId,
) -> Result<Vec<HostReference>, StoreError> {
    let mut statement = db.prepare_cached(&format!(
        "{COLUMNS}, (SELECT reset_count FROM reference_boots
                     WHERE reference_seq = seq AND reference_boots.host_id = ?2)
         {TABLES} WHERE {column} = ?1 AND {COUNTS} ORDER BY seq"
    ))?;
    let rows = statement.query_map(params![of, host.as_str()], |row| {
        let mut columns = Columns::of(row);
        Ok(HostReference { reference: reference(&mut columns)?, used_for_boot: columns.take()? })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Inside the transaction that records a judgement: that the references it was made by are those
/// that count, and that a reference of one boot is used for one boot.
pub(super) fn check_and_use(
    db: &Db,
    host: &HostId,
    judged_by: &JudgedBy,
    by: &By,
) -> Result<(), StoreError> {
    let Some(judged) = judged_by.reference_generation else { return Ok(()) };
    if generation(db)? != judged {
        return Err(Conflict::ReferencesChanged.into());
    }
    let Some((id, reset_count)) = &judged_by.one_boot else { return Ok(()) };
    let known = by_id(db, id)?.ok_or(Conflict::ReferencesChanged)?;
    let used: Option<u32> = db
        .prepare_cached(
            "SELECT reset_count FROM reference_boots WHERE reference_seq = ?1 AND host_id = ?2",
        )?
        .query_row(params![known.seq, host.as_str()], |row| row.get(0))
        .optional()?;
    match used {
        Some(used) if used == *reset_count => Ok(()),
        Some(_) => Err(Conflict::ReferencesChanged.into()),
        None => {
            db.prepare_cached(
                "INSERT INTO reference_boots (reference_seq, host_id, reset_count, at_ms)
                 VALUES (?1, ?2, ?3, ?4)",
            )?
            .execute(params![known.seq, host.as_str(), reset_count, by.at_ms])?;
            let detail = json!({ "host": host.as_str(), "reset_count": reset_count });
            audit::append(db, by, "reference.use", subject(id), &detail)
        }
    }
}

fn subject(id: &ReferenceId) -> String {
    format!("reference:{id}")
}
