//! Verdicts and evidence.

use rusqlite::{Connection as Db, OptionalExtension, Row, params};
use serde_json::json;

use super::columns::Columns;
use super::recent::{Judged, Touched};
use super::{SqliteStore, audit, event, evidence, evidence_list, host, peers, reference};
use crate::elsewhere::{self, PlacedParts};
use crate::row::appraisal::{Judgement, LastList, NextLook};
use crate::row::event::Change;
use crate::{
    AppraisalId, AppraisalLine, AppraisalRow, Appraisals, By, Conflict, Connection, DecidedBy,
    EvidencePart, HISTORY_PAGE_MAX, HostId, Kind, NewAppraisal, Peers, Rejudgement, Reply, Sha256,
    StoreError, StoredPart,
};

impl SqliteStore {
    /// Records a judgement, with parts of its evidence that were placed elsewhere.
    async fn record(
        &self,
        new: NewAppraisal,
        placed: PlacedParts,
        by: By,
    ) -> Result<AppraisalId, StoreError> {
        let work = move |db: &Db| {
            let id = record(db, &new, &placed, &by)?;
            Ok((id, Some(Box::new(Judged::of(id, new)))))
        };
        let touched = |(_, judged): &mut (AppraisalId, Option<Box<Judged>>)| {
            judged.take().map_or(Touched::Nothing, Touched::Judged)
        };
        self.writer.run_checked(work, touched).await.map(|(id, _)| id)
    }
}

impl Appraisals for SqliteStore {
    fn record_appraisal(&self, appraisal: NewAppraisal, by: By) -> Reply<'_, AppraisalId> {
        if self.objects.is_none() {
            return Box::pin(self.record(appraisal, PlacedParts::new(), by));
        }
        Box::pin(async move {
            let placed = elsewhere::place(self, &appraisal).await?;
            self.record(appraisal, placed, by).await
        })
    }

    fn record_rejudgement(&self, rejudgement: Rejudgement, by: By) -> Reply<'_, AppraisalId> {
        self.write(move |db| record_anew(db, &rejudgement, &by))
    }

    fn appraisals(&self, host: &HostId, n_max: u32) -> Reply<'_, Vec<AppraisalRow>> {
        let host = host.clone();
        self.read(move |db| of_host(db, &host, n_max))
    }

    fn appraisal_lines(&self, host: &HostId, n_max: u32) -> Reply<'_, Vec<AppraisalLine>> {
        let host = host.clone();
        self.read(move |db| lines_of_host(db, &host, n_max))
    }

    fn appraisal(&self, id: AppraisalId) -> Reply<'_, Option<AppraisalRow>> {
        self.read(move |db| by_id(db, id))
    }

    fn evidence(&self, id: AppraisalId) -> Reply<'_, Vec<EvidencePart>> {
        Box::pin(async move {
            let named = self.read(move |db| evidence::of_appraisal(db, id)).await?;
            elsewhere::parts(self, named).await
        })
    }

    fn evidence_of_many(
        &self,
        ids: Vec<AppraisalId>,
        bytes_max: u32,
    ) -> Reply<'_, Vec<Vec<StoredPart>>> {
        Box::pin(async move {
            let named = self.read(move |db| evidence::of_many(db, &ids, bytes_max)).await?;
            elsewhere::parts_of_many(self, named).await
        })
    }

    fn evidence_by_sha256(&self, sha256: Sha256) -> Reply<'_, Option<Vec<u8>>> {
        Box::pin(async move {
            match self.read(move |db| evidence::by_sha256(db, &sha256)).await? {
                Some(kept) => elsewhere::open(self, &sha256, kept).await,
                None => Ok(None),
            }
        })
    }

    fn peers(&self, host: &HostId) -> Reply<'_, Option<Peers>> {
        let host = host.clone();
        self.read(move |db| peers::of_host(db, &host))
    }
}

/// What decides whether a verdict may be recorded; less than a whole host, as this is the hot path.
struct Gate {
    connection: Connection,
    identity_version: i64,
    last_nonce_at_ms: Option<i64>,
    last_verdict: Option<String>,
    last_appraisal_id: Option<i64>,
    cohort: Option<String>,
    quoted_sha256: Option<Sha256>,
    last_findings_json: Option<String>,
    look_at_ms: i64,
    /// What the last one rests on.
    last_list: Option<LastList>,
}

/// Refuses before it changes anything, as the writer wants it.
pub(super) fn record(
    db: &Db,
    new: &NewAppraisal,
    placed: &PlacedParts,
    by: &By,
) -> Result<AppraisalId, StoreError> {
    let gate = gate(db, &new.host)?.ok_or(StoreError::NotFound(Kind::Host))?;
    if gate.connection == Connection::Disconnected {
        return Err(Conflict::HostDisconnected { host: new.host.clone() }.into());
    }
    if gate.identity_version != new.identity_version {
        return Err(Conflict::IdentityChanged { host: new.host.clone() }.into());
    }
    if gate.last_nonce_at_ms.is_some_and(|last| new.nonce_at_ms <= last) {
        return Err(Conflict::NonceUsed.into());
    }
    let list = evidence_list::of(db, gate.last_list.as_ref(), new)?;
    reference::check_and_use(db, &new.host, &new.judged_by, by)?;
    let list = evidence_list::keep(db, &list, new, placed)?;
    let id = insert(db, &Judgement::of(new, list))?;
    summarise(db, &gate, id, new)?;
    note_cohort(db, &gate, new)?;
    if gate.last_verdict.as_ref() != Some(&new.verdict) {
        let detail =
            json!({ "verdict": new.verdict, "before": gate.last_verdict, "appraisal": id.0 });
        audit::append(db, by, "host.verdict", host::subject(&new.host), &detail)?;
        let (host, before) = (&new.host, gate.last_verdict.as_deref());
        event::append(db, &Change::of_verdict(host, &new.verdict, before, id, by.at_ms))?;
    }
    Ok(id)
}

fn insert(db: &Db, row: &Judgement<'_>) -> Result<AppraisalId, StoreError> {
    let Judgement { host, at_ms, verdict, document_json, deciding, answer, list } = row;
    let (code, cause) = DecidedBy::columns(*deciding);
    db.prepare_cached(
        "INSERT INTO appraisals (host_id, at_ms, verdict, document_json, answer, list_id,
            deciding_code, deciding_cause)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
    )?
    .execute(params![
        host.as_str(),
        at_ms,
        verdict,
        document_json,
        answer,
        list,
        code,
        cause
    ])?;
    Ok(AppraisalId(db.last_insert_rowid()))
}

pub(super) fn record_anew(db: &Db, anew: &Rejudgement, by: &By) -> Result<AppraisalId, StoreError> {
    let gate = gate(db, &anew.host)?.ok_or(StoreError::NotFound(Kind::Host))?;
    if gate.identity_version != anew.identity_version {
        return Err(Conflict::IdentityChanged { host: anew.host.clone() }.into());
    }
    if gate.last_appraisal_id != Some(anew.of.0) {
        return Err(Conflict::NewerEvidence { host: anew.host.clone() }.into());
    }
    reference::check_and_use(db, &anew.host, &anew.judged_by, by)?;
    let answer: Option<Vec<u8>> = db
        .prepare_cached("SELECT answer FROM appraisals WHERE id = ?1")?
        .query_row([anew.of.0], |row| row.get(0))?;
    let row = Judgement::anew(anew, answer.as_deref(), gate.last_list.as_ref());
    let id = insert(db, &row)?;
    // Its time stays that of the evidence: a verdict ends by the age of what it rests on.
    host::update(
        db,
        &anew.host,
        "last_appraisal_id = ?2, last_verdict = ?3, last_findings_json = ?4",
        &[&id.0, &anew.verdict, &anew.findings_json],
    )?;
    if gate.last_verdict.as_ref() != Some(&anew.verdict) {
        let detail = json!({
            "verdict": anew.verdict,
            "before": gate.last_verdict,
            "appraisal": id.0,
            "anew": anew.of.0,
        });
        audit::append(db, by, "host.verdict", host::subject(&anew.host), &detail)?;
        let (host, before) = (&anew.host, gate.last_verdict.as_deref());
        event::append(db, &Change::of_verdict(host, &anew.verdict, before, id, by.at_ms))?;
    }
    Ok(id)
}

/// Writes the cohort and the quoted values where they differ from those known: in the normal case
/// nothing is written.
fn note_cohort(db: &Db, gate: &Gate, new: &NewAppraisal) -> Result<(), StoreError> {
    if gate.cohort != new.cohort {
        host::update(db, &new.host, "cohort = ?2", &[&new.cohort])?;
    }
    let Some(quoted) = &new.quoted else { return Ok(()) };
    let digest = quoted.digest(new.cohort.as_deref().unwrap_or_default());
    if gate.quoted_sha256 == Some(digest) {
        return Ok(());
    }
    peers::replace(db, &new.host, new.cohort.as_deref(), quoted)?;
    host::update(db, &new.host, "quoted_sha256 = ?2", &[&digest])
}

fn gate(db: &Db, host: &HostId) -> Result<Option<Gate>, StoreError> {
    let mut statement = db.prepare_cached(
        "SELECT connection, identity_version, last_nonce_at_ms, last_verdict, last_appraisal_id,
            cohort, quoted_sha256, last_findings_json, look_at_ms, evidence_lists.id, evidence_lists.sha256
         FROM hosts
         LEFT JOIN appraisals ON appraisals.id = last_appraisal_id
         LEFT JOIN evidence_lists ON evidence_lists.id = list_id
         WHERE hosts.id = ?1",
    )?;
    let gate = statement.query_row([host.as_str()], |row| {
        let mut columns = Columns::of(row);
        Ok(Gate {
            connection: columns.word(Connection::from_word)?,
            identity_version: columns.take()?,
            last_nonce_at_ms: columns.take()?,
            last_verdict: columns.take()?,
            last_appraisal_id: columns.take()?,
            cohort: columns.take()?,
            quoted_sha256: columns.take()?,
            last_findings_json: columns.take()?,
            look_at_ms: columns.take()?,
            last_list: match (columns.take()?, columns.take()?) {
                (Some(id), sha256) => Some(LastList { id, sha256 }),
                (None, _) => None,
            },
        })
    });
    Ok(gate.optional()?)
}

/// What each judgement changes of its host, in one statement: each writes the whole row. It begins with what only
/// some change: an index is written for each column that is named, be its value the same or not.
macro_rules! summary {
    ($($changed:literal)*) => { concat!(
        "UPDATE hosts SET ", $($changed,)*
        "last_appraisal_id = ?2, last_at_ms = ?3, last_identity_version = identity_version,
         next_due_at_ms = ?6, last_nonce_at_ms = ?7,
         last_seen_at_ms = max(coalesce(last_seen_at_ms, ?3), ?3),
         attest_requested_at_ms =
            CASE WHEN attest_requested_at_ms > ?7 THEN attest_requested_at_ms END,
         clock_ms = coalesce(?9, clock_ms),
         clock_reset_count = coalesce(?10, clock_reset_count),
         clock_restart_count = coalesce(?11, clock_restart_count),
         clock_safe = coalesce(?12, clock_safe),
         clock_firmware_version = coalesce(?13, clock_firmware_version)
         WHERE id = ?1"
    ) };
}

fn summarise(db: &Db, gate: &Gate, id: AppraisalId, new: &NewAppraisal) -> Result<(), StoreError> {
    let is_same = gate.last_verdict.as_ref() == Some(&new.verdict)
        && gate.last_findings_json.as_ref() == Some(&new.findings_json);
    let sql = match (is_same, NextLook::of(gate.look_at_ms, new)) {
        (true, NextLook::Stays) => summary!(),
        (true, NextLook::Sooner) => summary!("look_at_ms = ?8, "),
        (true, NextLook::Now) => summary!("look_at_ms = 0, look_seq = look_seq + 1, "),
        // A trigger has the host looked at.
        (false, _) => summary!("last_verdict = ?4, last_findings_json = ?5, "),
    };
    let clock = new.quote_clock.as_ref();
    let n = db.prepare_cached(sql)?.execute(params![
        new.host.as_str(),
        id.0,
        new.at_ms,
        new.verdict,
        new.findings_json,
        new.next_due_at_ms,
        new.nonce_at_ms,
        new.look_again_at_ms,
        // SQLite knows signed numbers only; the bits are kept.
        clock.map(|clock| clock.clock_ms.cast_signed()),
        clock.map(|clock| clock.reset_count),
        clock.map(|clock| clock.restart_count),
        clock.map(|clock| clock.safe),
        clock.map(|clock| clock.firmware_version.cast_signed()),
    ])?;
    match n {
        0 => Err(StoreError::NotFound(Kind::Host)),
        _ => Ok(()),
    }
}

const COLUMNS: &str = "SELECT id, host_id, at_ms, verdict, document_json FROM appraisals";

fn appraisal_row(row: &Row<'_>) -> rusqlite::Result<AppraisalRow> {
    let mut columns = Columns::of(row);
    Ok(AppraisalRow {
        id: AppraisalId(columns.take()?),
        host: columns.take::<String>()?.into(),
        at_ms: columns.take()?,
        verdict: columns.take()?,
        document_json: columns.take()?,
    })
}

pub(super) fn of_host(db: &Db, host: &HostId, n_max: u32) -> Result<Vec<AppraisalRow>, StoreError> {
    let sql = format!("{COLUMNS} WHERE host_id = ?1 ORDER BY id DESC LIMIT ?2");
    let mut statement = db.prepare_cached(&sql)?;
    let rows =
        statement.query_map(params![host.as_str(), n_max.min(HISTORY_PAGE_MAX)], appraisal_row)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

const LINES: &str = "SELECT id, at_ms, verdict, deciding_code, deciding_cause FROM appraisals";

fn line(row: &Row<'_>) -> rusqlite::Result<AppraisalLine> {
    let mut columns = Columns::of(row);
    Ok(AppraisalLine {
        id: AppraisalId(columns.take()?),
        at_ms: columns.take()?,
        verdict: columns.take()?,
        decided_by: DecidedBy::of_columns(columns.take()?, columns.take()?),
    })
}

pub(super) fn lines_of_host(
    db: &Db,
    host: &HostId,
    n_max: u32,
) -> Result<Vec<AppraisalLine>, StoreError> {
    let sql = format!("{LINES} WHERE host_id = ?1 ORDER BY id DESC LIMIT ?2");
    let mut statement = db.prepare_cached(&sql)?;
    let rows = statement.query_map(params![host.as_str(), n_max.min(HISTORY_PAGE_MAX)], line)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

pub(super) fn by_id(db: &Db, id: AppraisalId) -> Result<Option<AppraisalRow>, StoreError> {
    let mut statement = db.prepare_cached(&format!("{COLUMNS} WHERE id = ?1"))?;
    Ok(statement.query_row([id.0], appraisal_row).optional()?)
}

pub(super) fn forget(db: &Db, before_ms: i64, n_max: u32, by: &By) -> Result<u32, StoreError> {
    let mut statement = db.prepare_cached(
        "SELECT appraisals.id FROM appraisals JOIN hosts ON hosts.id = host_id
         WHERE at_ms < ?1 AND appraisals.id IS NOT last_appraisal_id
         ORDER BY at_ms LIMIT ?2",
    )?;
    let old: Vec<i64> = statement
        .query_map(params![before_ms, n_max], |row| row.get(0))?
        .collect::<Result<_, _>>()?;
    if old.is_empty() {
        return Ok(0);
    }
    remove(db, &old)?;
    let n_gone = u32::try_from(old.len()).unwrap_or(u32::MAX);
    let detail = json!({ "before_ms": before_ms, "n": n_gone });
    audit::append(db, by, "appraisal.forget", "appraisals".to_owned(), &detail)?;
    Ok(n_gone)
}

/// Removes judgements, and evidence that nothing refers to any more.
pub(super) fn remove(db: &Db, ids: &[i64]) -> Result<(), StoreError> {
    let lists = evidence_list::of_appraisals(db, ids)?;
    let mut statement = db.prepare_cached("DELETE FROM appraisals WHERE id = ?1")?;
    for id in ids {
        statement.execute([id])?;
    }
    evidence_list::remove_unused(db, &lists)
}
