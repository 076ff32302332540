//! References, their lives and their uses.

use serde_json::json;
use tokio_postgres::{Row, Statement};

use super::columns::Columns;
use super::error::is_duplicate;
use super::lock;
use super::session::{Session, Values};
use super::transaction::Transaction;
use super::{PostgresStore, host};
use crate::row::appraisal::sha256;
use crate::{
    By, Conflict, HISTORY_PAGE_MAX, HostId, HostReference, HostReferences, JudgedBy, Kind,
    NewReference, REFERENCES_PER_SCOPE_MAX, Reference, ReferenceChange, ReferenceId,
    ReferenceOrigin, ReferenceScope, ReferenceState, ReferenceUses, References, Reply, Sha256,
    StoreError,
};

impl References for PostgresStore {
    fn add_reference(&self, reference: NewReference, by: By) -> Reply<'_, ()> {
        self.change((reference, by), |tx, (reference, by)| Box::pin(add(tx, reference, by)))
    }

    fn set_reference_state(
        &self,
        id: &ReferenceId,
        state: ReferenceState,
        reason: &str,
        by: By,
    ) -> Reply<'_, ()> {
        let (id, reason) = (id.clone(), reason.to_owned());
        self.change((id, state, reason, by), |tx, (id, state, reason, by)| {
            Box::pin(set_state(tx, id, *state, reason, by))
        })
    }

    fn references(&self, after_seq: i64, n_max: u32) -> Reply<'_, Vec<Reference>> {
        self.look((after_seq, n_max), |db, (after_seq, n_max)| {
            Box::pin(page(db, *after_seq, *n_max))
        })
    }

    fn reference(&self, id: &ReferenceId) -> Reply<'_, Option<Reference>> {
        let id = id.clone();
        self.look((id,), |db, (id,)| Box::pin(by_id(db, id)))
    }

    fn reference_changes(&self, id: &ReferenceId) -> Reply<'_, Vec<ReferenceChange>> {
        let id = id.clone();
        self.look((id,), |db, (id,)| Box::pin(changes(db, id)))
    }

    fn reference_document(&self, sha256: Sha256) -> Reply<'_, Option<Vec<u8>>> {
        self.look((sha256,), |db, (sha256,)| Box::pin(document(db, sha256)))
    }

    fn references_of_host(&self, host: &HostId, cohort: Option<&str>) -> Reply<'_, HostReferences> {
        Box::pin(self.looks.references((host.clone(), cohort.map(str::to_owned))))
    }

    fn references_of_hosts(
        &self,
        hosts: Vec<(HostId, Option<String>)>,
    ) -> Reply<'_, Vec<HostReferences>> {
        self.look((hosts,), |db, (hosts,)| Box::pin(of_hosts(db, hosts)))
    }
}

const COLUMNS: &str = "\
    seq, boot_references.id, boot_references.host_id, cohort, name, origin, state, uses, until_ms, \
    sha256, created_at_ms, created_by, reason";

const TABLES: &str = "\
    FROM boot_references JOIN reference_documents ON reference_documents.id = document_id";

fn reference(columns: &mut Columns<'_>) -> Result<Reference, StoreError> {
    Ok(Reference {
        seq: columns.take()?,
        id: columns.take::<String>()?.into(),
        scope: scope(columns.take()?, columns.take()?),
        name: columns.take()?,
        origin: columns.word(ReferenceOrigin::from_word)?,
        state: columns.word(ReferenceState::from_word)?,
        uses: columns.word(ReferenceUses::from_word)?,
        until_ms: columns.take()?,
        document_sha256: columns.sha256()?,
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

fn row(row: &Row) -> Result<Reference, StoreError> {
    reference(&mut Columns::of(row))
}

pub(super) async fn add(tx: &Transaction, new: &NewReference, by: &By) -> Result<(), StoreError> {
    if !matches!(new.state, ReferenceState::Pending | ReferenceState::Active) {
        return Err(Conflict::ReferenceState { from: None, to: new.state }.into());
    }
    lock::references(tx).await?;
    let (column, of) = match &new.scope {
        ReferenceScope::Host(id) => {
            host::by_id(tx, id).await?.ok_or(StoreError::NotFound(Kind::Host))?;
            ("host_id", id.as_str())
        }
        ReferenceScope::Cohort(cohort) => ("cohort", cohort.as_str()),
    };
    let document_sha256 = sha256(&new.document);
    check_content(tx, column, of, &document_sha256).await?;
    let n = tx
        .row(
            &format!(
                "SELECT count(*) FROM boot_references WHERE {column} = $1 AND state <> 'retired'"
            ),
            &[&of],
        )
        .await?;
    if Columns::of(&n).count()? >= u64::from(REFERENCES_PER_SCOPE_MAX) {
        return Err(StoreError::Limit {
            what: "references of one host or cohort that are not retired",
            max: REFERENCES_PER_SCOPE_MAX,
        });
    }
    let document_id = keep(tx, &document_sha256, &new.document).await?;
    tx.try_execute(
        &format!(
            "INSERT INTO boot_references ({column}, id, name, origin, state, uses, until_ms,
                document_id, created_at_ms, created_by, reason)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)"
        ),
        &[
            &of,
            &new.id.as_str(),
            &new.name,
            &new.origin.as_str(),
            &new.state.as_str(),
            &new.uses.as_str(),
            &new.until_ms,
            &document_id,
            &by.at_ms,
            &by.actor,
            &new.reason,
        ],
    )
    .await
    .map_err(|error| match is_duplicate(&error) {
        true => Conflict::IdTaken.into(),
        false => StoreError::from(error),
    })?;
    changed(tx, &new.id, new.state, &new.reason, by).await?;
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
    tx.audit(by, "reference.add", subject(&new.id), &detail);
    Ok(())
}

/// Content that was revoked for this host or cohort does not come back under another name, and
/// content that counts already is not added twice.
async fn check_content(
    tx: &Transaction,
    column: &'static str,
    of: &str,
    document_sha256: &Sha256,
) -> Result<(), StoreError> {
    let known = tx
        .row_or_none(
            &format!(
                "SELECT boot_references.id, state {TABLES} WHERE {column} = $1 AND sha256 = $2
                 AND (state = 'revoked'
                    OR (state <> 'retired' AND until_ms IS NULL AND uses = 'any'))
                 ORDER BY (state = 'revoked') DESC LIMIT 1"
            ),
            &[&of, &document_sha256.as_slice()],
        )
        .await?;
    let Some(known) = known else { return Ok(()) };
    let mut columns = Columns::of(&known);
    let id: String = columns.take()?;
    let state = columns.word(ReferenceState::from_word)?;
    Err(Conflict::ReferenceKnown { id: id.into(), state }.into())
}

/// Stores the document unless it is there, and returns its row, which stays until the transaction ends.
async fn keep(tx: &Transaction, sha256: &Sha256, bytes: &[u8]) -> Result<i64, StoreError> {
    let row = tx
        .row(
            "INSERT INTO reference_documents (sha256, bytes) VALUES ($1, $2)
             ON CONFLICT (sha256) DO UPDATE SET bytes = reference_documents.bytes RETURNING id",
            &[&sha256.as_slice(), &bytes],
        )
        .await?;
    Ok(row.try_get(0)?)
}

/// Writes the step into the reference's life, and moves the generation.
async fn changed(
    tx: &Transaction,
    id: &ReferenceId,
    state: ReferenceState,
    reason: &str,
    by: &By,
) -> Result<(), StoreError> {
    tx.execute(
        "INSERT INTO reference_changes (reference_seq, position, at_ms, actor, state, reason)
         SELECT seq, (SELECT count(*) FROM reference_changes WHERE reference_seq = seq),
            $2, $3, $4, $5
         FROM boot_references WHERE id = $1",
        &[&id.as_str(), &by.at_ms, &by.actor, &state.as_str(), &reason],
    )
    .await?;
    tx.execute("UPDATE counters SET value = value + 1 WHERE name = 'reference_generation'", &[])
        .await
        .map(drop)
}

pub(super) async fn set_state(
    tx: &Transaction,
    id: &ReferenceId,
    to: ReferenceState,
    reason: &str,
    by: &By,
) -> Result<(), StoreError> {
    lock::references(tx).await?;
    let known = by_id(tx, id).await?.ok_or(StoreError::NotFound(Kind::Reference))?;
    if !known.state.may_become(to) {
        return Err(Conflict::ReferenceState { from: Some(known.state), to }.into());
    }
    let sql = "UPDATE boot_references SET state = $2 WHERE seq = $1";
    tx.execute(sql, &[&known.seq, &to.as_str()]).await?;
    changed(tx, id, to, reason, by).await?;
    let detail = json!({ "state": to.as_str(), "before": known.state.as_str(), "reason": reason });
    tx.audit(by, "reference.state", subject(id), &detail);
    Ok(())
}

pub(super) async fn by_id(db: &Session, id: &ReferenceId) -> Result<Option<Reference>, StoreError> {
    let sql = format!("SELECT {COLUMNS} {TABLES} WHERE boot_references.id = $1");
    let found = db.row_or_none(&sql, &[&id.as_str()]).await?;
    found.as_ref().map(row).transpose()
}

pub(super) async fn page(
    db: &Session,
    after_seq: i64,
    n_max: u32,
) -> Result<Vec<Reference>, StoreError> {
    let clause = "WHERE seq > $1 ORDER BY seq LIMIT $2";
    many(db, clause, &[&after_seq, &i64::from(n_max.min(HISTORY_PAGE_MAX))]).await
}

pub(super) async fn many(
    db: &Session,
    clause: &str,
    values: Values<'_>,
) -> Result<Vec<Reference>, StoreError> {
    db.read(&format!("SELECT {COLUMNS} {TABLES} {clause}"), values, row).await
}

pub(super) async fn changes(
    db: &Session,
    id: &ReferenceId,
) -> Result<Vec<ReferenceChange>, StoreError> {
    db.read(
        "SELECT reference_changes.at_ms, actor, reference_changes.state, reference_changes.reason
         FROM reference_changes JOIN boot_references ON seq = reference_seq
         WHERE id = $1 ORDER BY position",
        &[&id.as_str()],
        |row| {
            let mut columns = Columns::of(row);
            Ok(ReferenceChange {
                at_ms: columns.take()?,
                actor: columns.take()?,
                state: columns.word(ReferenceState::from_word)?,
                reason: columns.take()?,
            })
        },
    )
    .await
}

pub(super) async fn document(db: &Session, sha256: &Sha256) -> Result<Option<Vec<u8>>, StoreError> {
    let sql = "SELECT bytes FROM reference_documents WHERE sha256 = $1";
    let row = db.row_or_none(sql, &[&sha256.as_slice()]).await?;
    Ok(row.map(|row| row.try_get(0)).transpose()?)
}

/// Which references a host may be judged by: a judgement says of each of them what it is worth.
const COUNTS: &str = "state NOT IN ('pending', 'retired')";

/// One statement, one snapshot: references of another generation than the one that is named would be
/// judged by and not noticed.
pub(super) async fn of_hosts(
    db: &Session,
    hosts: &[(HostId, Option<String>)],
) -> Result<Vec<HostReferences>, StoreError> {
    let sql = format!(
        "SELECT generation.value, found.* FROM
            (SELECT value FROM counters WHERE name = 'reference_generation') AS generation
         LEFT JOIN (
            SELECT wish.n, 0 AS scope, {COLUMNS}, wish.host
            {TABLES} JOIN unnest($1::text[]) WITH ORDINALITY AS wish (host, n)
                ON boot_references.host_id = wish.host
            WHERE {COUNTS}
            UNION ALL
            SELECT wish.n, 1 AS scope, {COLUMNS}, wish.host
            {TABLES} JOIN unnest($1::text[], $2::text[]) WITH ORDINALITY
                AS wish (host, of_cohort, n) ON boot_references.cohort = wish.of_cohort
            WHERE {COUNTS}
         ) AS found ON true
         ORDER BY found.n, found.scope, found.seq"
    );
    // Uses are few, and looked up where there are any.
    let sql = format!(
        "SELECT judged.*, reset_count FROM ({sql}) AS judged
         LEFT JOIN reference_boots ON reference_seq = judged.seq
            AND reference_boots.host_id = judged.host
         ORDER BY judged.n, judged.scope, judged.seq"
    );
    let ids: Vec<&str> = hosts.iter().map(|(host, _)| host.as_str()).collect();
    let cohorts: Vec<Option<&str>> = hosts.iter().map(|(_, cohort)| cohort.as_deref()).collect();
    let rows = db.rows(&sql, &[&ids, &cohorts]).await?;
    let first = rows.first().ok_or_else(|| StoreError::broken("a counter is missing"))?;
    let generation: i64 = first.try_get(0)?;
    let mut all = vec![HostReferences { generation, references: Vec::new() }; hosts.len()];
    for row in &rows {
        let mut columns = Columns::of(row);
        columns.pass_over(1);
        let Some(n) = columns.take::<Option<i64>>()? else { continue };
        columns.pass_over(1);
        let reference = reference(&mut columns)?;
        columns.pass_over(1);
        let used_for_boot = columns.small_or_none()?;
        // Numbered from one on.
        let place = usize::try_from(n.saturating_sub(1)).ok().and_then(|n| all.get_mut(n));
        let place = place.ok_or_else(|| StoreError::broken("a row that nobody asked for"))?;
        place.references.push(HostReference { reference, used_for_boot });
    }
    Ok(all)
}

/// What a judgement rests on beside its host and its evidence, of one moment.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ground {
    /// How often the anchors changed.
    pub(super) trust_generation: i64,
    /// The generation of references, where none of them counts.
    pub(super) no_references: Option<i64>,
}

/// What [`ground`] sends.
pub(super) async fn prepare_ground(db: &Session) -> Result<Statement, StoreError> {
    // One statement, one snapshot.
    let sql = format!(
        "SELECT (SELECT value FROM counters WHERE name = 'trust_generation'),
            (SELECT value FROM counters WHERE name = 'reference_generation'
                AND NOT EXISTS (SELECT 1 FROM boot_references WHERE {COUNTS}))"
    );
    db.prepare(&sql).await
}

/// On its way as soon as polled.
pub(super) async fn ground(db: &Session, way: &Statement) -> Result<Ground, StoreError> {
    let rows = db.ask(way, &[]).await?;
    let row = rows.first().ok_or_else(|| StoreError::broken("a counter is missing"))?;
    Ok(Ground { trust_generation: row.try_get(0)?, no_references: row.try_get(1)? })
}

/// How the generation is looked at that a judgement must be of.
pub(super) struct Generation {
    lock: Statement,
    look: Statement,
}

impl Generation {
    pub(super) async fn prepare(tx: &Transaction) -> Result<Self, StoreError> {
        let look = "SELECT value FROM counters WHERE name = 'reference_generation'";
        Ok(Self { lock: lock::prepare_judge(tx).await?, look: tx.prepare(look).await? })
    }

    /// The generation, where the judgement is by references at all. Whoever changes one waits from here
    /// on until the judgement is recorded, and judges anew what it must. On its way as soon as polled.
    pub(super) async fn of_judgement(
        &self,
        tx: &Transaction,
        judged_by: &JudgedBy,
    ) -> Result<Option<i64>, StoreError> {
        if judged_by.reference_generation.is_none() {
            return Ok(None);
        }
        let (_, rows) = tokio::try_join!(
            biased;
            lock::judge(tx, &self.lock),
            tx.ask(&self.look, &[]),
        )?;
        let row = rows.first().ok_or_else(|| StoreError::broken("a counter is missing"))?;
        Ok(Some(row.try_get(0)?))
    }
}

/// Inside the transaction that records a judgement, which holds its host: that the references it was
/// made by are those that count, and that a reference of one boot is used for one boot.
pub(super) async fn check_and_use(
    tx: &Transaction,
    host: &HostId,
    judged_by: &JudgedBy,
    generation: Option<i64>,
    by: &By,
) -> Result<(), StoreError> {
    if judged_by.reference_generation.is_none() {
        return Ok(());
    }
    if generation != judged_by.reference_generation {
        return Err(Conflict::ReferencesChanged.into());
    }
    let Some((id, reset_count)) = &judged_by.one_boot else { return Ok(()) };
    let known = by_id(tx, id).await?.ok_or(Conflict::ReferencesChanged)?;
    let used = tx
        .row_or_none(
            "SELECT reset_count FROM reference_boots WHERE reference_seq = $1 AND host_id = $2",
            &[&known.seq, &host.as_str()],
        )
        .await?;
    let reset_count = i64::from(*reset_count);
    match used.map(|row| row.try_get::<_, i64>(0)).transpose()? {
        Some(used) if used == reset_count => Ok(()),
        Some(_) => Err(Conflict::ReferencesChanged.into()),
        None => {
            tx.execute(
                "INSERT INTO reference_boots (reference_seq, host_id, reset_count, at_ms)
                 VALUES ($1, $2, $3, $4)",
                &[&known.seq, &host.as_str(), &reset_count, &by.at_ms],
            )
            .await?;
            let detail = json!({ "host": host.as_str(), "reset_count": reset_count });
            tx.audit(by, "reference.use", subject(id), &detail);
            Ok(())
        }
    }
}

fn subject(id: &ReferenceId) -> String {
    format!("reference:{id}")
}
