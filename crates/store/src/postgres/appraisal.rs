//! Verdicts.

use serde_json::json;
use std::sync::Arc;
use tokio_postgres::{Row, Statement};

use super::columns::Columns;
use super::evidence_list::{self, List};
use super::session::{Session, Values};
use super::transaction::{Begins, Transaction};
use super::{PostgresStore, event, evidence, host, peers, reference};
use crate::elsewhere::{self, PlacedParts};
use crate::row::appraisal::{Judgement, LastList};
use crate::row::event::Change;
use crate::{
    AppraisalId, AppraisalLine, AppraisalRow, Appraisals, By, Conflict, Connection, DecidedBy,
    EvidencePart, HISTORY_PAGE_MAX, HostId, Kind, NewAppraisal, Peers, Rejudgement, Reply, Sha256,
    StoreError, StoredPart,
};

impl Appraisals for PostgresStore {
    fn record_appraisal(&self, appraisal: NewAppraisal, by: By) -> Reply<'_, AppraisalId> {
        Box::pin(async move {
            let appraisal = Arc::new(appraisal);
            if let Some(id) = self.routine.record(&appraisal).await? {
                return Ok(id);
            }
            let placed = elsewhere::place(self, &appraisal).await?;
            let with = (appraisal, placed, by);
            self.change_begun(Begins::Itself, with, |tx, (appraisal, placed, by)| {
                Box::pin(record(tx, appraisal, placed, by))
            })
            .await
        })
    }

    fn record_rejudgement(&self, rejudgement: Rejudgement, by: By) -> Reply<'_, AppraisalId> {
        self.change((rejudgement, by), |tx, (rejudgement, by)| {
            Box::pin(record_anew(tx, rejudgement, by))
        })
    }

    fn appraisals(&self, host: &HostId, n_max: u32) -> Reply<'_, Vec<AppraisalRow>> {
        let host = host.clone();
        self.look((host, n_max), |db, (host, n_max)| Box::pin(of_host(db, host, *n_max)))
    }

    fn appraisal_lines(&self, host: &HostId, n_max: u32) -> Reply<'_, Vec<AppraisalLine>> {
        let host = host.clone();
        self.look((host, n_max), |db, (host, n_max)| Box::pin(lines_of_host(db, host, *n_max)))
    }

    fn appraisal(&self, id: AppraisalId) -> Reply<'_, Option<AppraisalRow>> {
        self.look((id,), |db, (id,)| Box::pin(by_id(db, *id)))
    }

    fn evidence(&self, id: AppraisalId) -> Reply<'_, Vec<EvidencePart>> {
        Box::pin(async move {
            let named =
                self.look((id,), |db, (id,)| Box::pin(evidence::of_appraisal(db, *id))).await?;
            elsewhere::parts(self, named).await
        })
    }

    fn evidence_of_many(
        &self,
        ids: Vec<AppraisalId>,
        bytes_max: u32,
    ) -> Reply<'_, Vec<Vec<StoredPart>>> {
        Box::pin(async move {
            let named = self.look((ids, bytes_max), |db, (ids, bytes_max)| {
                Box::pin(evidence::of_many(db, ids, *bytes_max))
            });
            elsewhere::parts_of_many(self, named.await?).await
        })
    }

    fn evidence_by_sha256(&self, sha256: Sha256) -> Reply<'_, Option<Vec<u8>>> {
        Box::pin(async move {
            let kept =
                self.look((sha256,), |db, (sha256,)| Box::pin(evidence::by_sha256(db, sha256)));
            match kept.await? {
                Some(kept) => elsewhere::open(self, &sha256, kept).await,
                None => Ok(None),
            }
        })
    }

    fn peers(&self, host: &HostId) -> Reply<'_, Option<Peers>> {
        let host = host.clone();
        self.look((host,), |db, (host,)| Box::pin(peers::of_host(db, host)))
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
    /// The number that the verdict gets, if it is recorded.
    next_id: AppraisalId,
    /// What the last one rests on.
    last_list: Option<LastList>,
}

const GATE: &str = "\
    SELECT connection, identity_version, last_nonce_at_ms, last_verdict, last_appraisal_id, cohort, \
    quoted_sha256, nextval('appraisals_id_seq'), evidence_lists.id, evidence_lists.sha256 \
    FROM hosts \
    LEFT JOIN appraisals ON appraisals.id = last_appraisal_id \
    LEFT JOIN evidence_lists ON evidence_lists.id = list_id \
    WHERE hosts.id = $1 FOR NO KEY UPDATE OF hosts";

pub(super) async fn record(
    tx: &Transaction,
    new: &NewAppraisal,
    placed: &PlacedParts,
    by: &By,
) -> Result<AppraisalId, StoreError> {
    let way = tx.prepare(GATE).await?;
    let references = reference::Generation::prepare(tx).await?;
    // One flight: it only locks and looks. The order is that of the locks.
    let (_, gate, generation) = tokio::try_join!(
        biased;
        tx.begin(),
        gate(tx, &way, &new.host),
        references.of_judgement(tx, &new.judged_by),
    )?;
    if gate.connection == Connection::Disconnected {
        return Err(Conflict::HostDisconnected { host: new.host.clone() }.into());
    }
    if gate.identity_version != new.identity_version {
        return Err(Conflict::IdentityChanged { host: new.host.clone() }.into());
    }
    if gate.last_nonce_at_ms.is_some_and(|last| new.nonce_at_ms <= last) {
        return Err(Conflict::NonceUsed.into());
    }
    let list = List::of(tx, gate.last_list.as_ref(), new).await?;
    reference::check_and_use(tx, &new.host, &new.judged_by, generation, by).await?;
    note_cohort(tx, &gate, new).await?;
    let id = gate.next_id;
    if gate.last_verdict.as_ref() != Some(&new.verdict) {
        let detail =
            json!({ "verdict": new.verdict, "before": gate.last_verdict, "appraisal": id.0 });
        tx.audit(by, "host.verdict", host::subject(&new.host), &detail);
        let (host, before) = (&new.host, gate.last_verdict.as_deref());
        let change = Change::of_verdict(host, &new.verdict, before, id, by.at_ms);
        event::append(tx, &[change]).await?;
    }
    let ways = [tx.prepare(INSERT).await?, tx.prepare(SUMMARY).await?];
    let list_ways = list.prepare(tx).await?;
    let row = insert(tx, &ways[0], id, Judgement::of(new, list.id()));
    let summary = summarise(tx, &ways[1], id, new);
    let parts = list.keep(tx, list_ways.as_ref(), new, placed);
    // The second flight; what is not told in the audit log lands with it.
    if tx.is_silent() {
        tokio::try_join!(biased; row, summary, parts, tx.commit_in_flight())?;
    } else {
        tokio::try_join!(biased; row, summary, parts)?;
    }
    Ok(id)
}

const INSERT: &str = "\
    INSERT INTO appraisals (id, host_id, at_ms, verdict, document_json, answer, list_id, \
        deciding_code, deciding_cause) \
    OVERRIDING SYSTEM VALUE VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)";

async fn insert(
    tx: &Transaction,
    way: &Statement,
    id: AppraisalId,
    row: Judgement<'_>,
) -> Result<(), StoreError> {
    let Judgement { host, at_ms, verdict, document_json, deciding, answer, list } = row;
    let (code, cause) = DecidedBy::columns(deciding);
    let values: Values<'_> =
        &[&id.0, &host.as_str(), &at_ms, &verdict, &document_json, &answer, &list, &code, &cause];
    tx.send(way, values).await.map(drop)
}

pub(super) async fn record_anew(
    tx: &Transaction,
    anew: &Rejudgement,
    by: &By,
) -> Result<AppraisalId, StoreError> {
    let gate = gate(tx, &tx.prepare(GATE).await?, &anew.host).await?;
    if gate.identity_version != anew.identity_version {
        return Err(Conflict::IdentityChanged { host: anew.host.clone() }.into());
    }
    if gate.last_appraisal_id != Some(anew.of.0) {
        return Err(Conflict::NewerEvidence { host: anew.host.clone() }.into());
    }
    let references = reference::Generation::prepare(tx).await?;
    let generation = references.of_judgement(tx, &anew.judged_by).await?;
    reference::check_and_use(tx, &anew.host, &anew.judged_by, generation, by).await?;
    let (id, way) = (gate.next_id, tx.prepare(INSERT).await?);
    let answer = tx.rows("SELECT answer FROM appraisals WHERE id = $1", &[&anew.of.0]).await?;
    let answer: Option<Vec<u8>> = match answer.first() {
        Some(row) => row.try_get(0)?,
        None => None,
    };
    let row = Judgement::anew(anew, answer.as_deref(), gate.last_list.as_ref());
    insert(tx, &way, id, row).await?;
    // Its time stays that of the evidence: a verdict ends by the age of what it rests on.
    host::update(
        tx,
        &anew.host,
        "last_appraisal_id = $2, last_verdict = $3, last_findings_json = $4",
        &[&id.0, &anew.verdict, &anew.findings_json],
    )
    .await?;
    if gate.last_verdict.as_ref() != Some(&anew.verdict) {
        let detail = json!({
            "verdict": anew.verdict,
            "before": gate.last_verdict,
            "appraisal": id.0,
            "anew": anew.of.0,
        });
        tx.audit(by, "host.verdict", host::subject(&anew.host), &detail);
        let (host, before) = (&anew.host, gate.last_verdict.as_deref());
        let change = Change::of_verdict(host, &anew.verdict, before, id, by.at_ms);
        event::append(tx, &[change]).await?;
    }
    Ok(id)
}

/// Writes the cohort and the quoted values where they differ from those known: in the normal case
/// nothing is written.
async fn note_cohort(tx: &Transaction, gate: &Gate, new: &NewAppraisal) -> Result<(), StoreError> {
    if gate.cohort != new.cohort {
        host::update(tx, &new.host, "cohort = $2", &[&new.cohort]).await?;
    }
    let Some(quoted) = &new.quoted else { return Ok(()) };
    let digest = quoted.digest(new.cohort.as_deref().unwrap_or_default());
    if gate.quoted_sha256 == Some(digest) {
        return Ok(());
    }
    peers::replace(tx, &new.host, new.cohort.as_deref(), quoted).await?;
    host::update(tx, &new.host, "quoted_sha256 = $2", &[&digest.as_slice()]).await
}

/// Until the transaction ends nobody else records a verdict of this host.
async fn gate(tx: &Transaction, way: &Statement, host: &HostId) -> Result<Gate, StoreError> {
    let rows = tx.ask(way, &[&host.as_str()]).await?;
    let row = rows.first().ok_or(StoreError::NotFound(Kind::Host))?;
    let mut columns = Columns::of(row);
    Ok(Gate {
        connection: columns.word(Connection::from_word)?,
        identity_version: columns.take()?,
        last_nonce_at_ms: columns.take()?,
        last_verdict: columns.take()?,
        last_appraisal_id: columns.take()?,
        cohort: columns.take()?,
        quoted_sha256: columns.sha256_or_none()?,
        next_id: AppraisalId(columns.take()?),
        last_list: match (columns.take()?, columns.sha256_or_none()?) {
            (Some(id), sha256) => Some(LastList { id, sha256 }),
            (None, _) => None,
        },
    })
}

/// One statement also where there is no quote: each makes a new version of the row. When the host is to be looked at
/// is that of [`NextLook`](crate::row::appraisal::NextLook): in most versions no column differs that has an index, and
/// no index is written.
const SUMMARY: &str = "\
    UPDATE hosts SET \
    last_appraisal_id = $2, last_at_ms = $3, last_verdict = $4, last_findings_json = $5, \
    last_identity_version = identity_version, \
    next_due_at_ms = $6, last_nonce_at_ms = $7, \
    look_at_ms = CASE WHEN look_at_ms <= $3 OR look_at_ms = 9223372036854775807 THEN 0 \
        ELSE least(look_at_ms, $8) END, \
    look_seq = look_seq + \
        CASE WHEN look_at_ms <= $3 OR look_at_ms = 9223372036854775807 THEN 1 ELSE 0 END, \
    last_seen_at_ms = greatest(coalesce(last_seen_at_ms, $3), $3), \
    attest_requested_at_ms = \
        CASE WHEN attest_requested_at_ms > $7 THEN attest_requested_at_ms END, \
    clock_ms = coalesce($9, clock_ms), \
    clock_reset_count = coalesce($10, clock_reset_count), \
    clock_restart_count = coalesce($11, clock_restart_count), \
    clock_safe = coalesce($12, clock_safe), \
    clock_firmware_version = coalesce($13, clock_firmware_version) \
    WHERE id = $1";

async fn summarise(
    tx: &Transaction,
    way: &Statement,
    id: AppraisalId,
    new: &NewAppraisal,
) -> Result<(), StoreError> {
    let clock = new.quote_clock.as_ref();
    let values: Values<'_> = &[
        &new.host.as_str(),
        &id.0,
        &new.at_ms,
        &new.verdict,
        &new.findings_json,
        &new.next_due_at_ms,
        &new.nonce_at_ms,
        &new.look_again_at_ms,
        // PostgreSQL knows signed numbers only; the bits are kept.
        &clock.map(|clock| clock.clock_ms.cast_signed()),
        &clock.map(|clock| i64::from(clock.reset_count)),
        &clock.map(|clock| i64::from(clock.restart_count)),
        &clock.map(|clock| clock.safe),
        &clock.map(|clock| clock.firmware_version.cast_signed()),
    ];
    match tx.send(way, values).await? {
        0 => Err(StoreError::NotFound(Kind::Host)),
        _ => Ok(()),
    }
}

const COLUMNS: &str = "SELECT id, host_id, at_ms, verdict, document_json FROM appraisals";

fn appraisal_row(row: &Row) -> Result<AppraisalRow, StoreError> {
    let mut columns = Columns::of(row);
    Ok(AppraisalRow {
        id: AppraisalId(columns.take()?),
        host: columns.take::<String>()?.into(),
        at_ms: columns.take()?,
        verdict: columns.take()?,
        document_json: columns.take()?,
    })
}

pub(super) async fn of_host(
    db: &Session,
    host: &HostId,
    n_max: u32,
) -> Result<Vec<AppraisalRow>, StoreError> {
    let sql = format!("{COLUMNS} WHERE host_id = $1 ORDER BY id DESC LIMIT $2");
    db.read(&sql, &[&host.as_str(), &i64::from(n_max.min(HISTORY_PAGE_MAX))], appraisal_row).await
}

const LINES: &str = "SELECT id, at_ms, verdict, deciding_code, deciding_cause FROM appraisals";

fn line(row: &Row) -> Result<AppraisalLine, StoreError> {
    let mut columns = Columns::of(row);
    Ok(AppraisalLine {
        id: AppraisalId(columns.take()?),
        at_ms: columns.take()?,
        verdict: columns.take()?,
        decided_by: DecidedBy::of_columns(columns.take()?, columns.take()?),
    })
}

pub(super) async fn lines_of_host(
    db: &Session,
    host: &HostId,
    n_max: u32,
) -> Result<Vec<AppraisalLine>, StoreError> {
    let sql = format!("{LINES} WHERE host_id = $1 ORDER BY id DESC LIMIT $2");
    db.read(&sql, &[&host.as_str(), &i64::from(n_max.min(HISTORY_PAGE_MAX))], line).await
}

pub(super) async fn by_id(
    db: &Session,
    id: AppraisalId,
) -> Result<Option<AppraisalRow>, StoreError> {
    let row = db.row_or_none(&format!("{COLUMNS} WHERE id = $1"), &[&id.0]).await?;
    row.as_ref().map(appraisal_row).transpose()
}

pub(super) async fn forget(
    tx: &Transaction,
    before_ms: i64,
    n_max: u32,
    by: &By,
) -> Result<u32, StoreError> {
    // Those that another server is just forgetting are left to it. One that is not the last of its
    // host does not become it again.
    let old = tx
        .rows(
            "SELECT appraisals.id FROM appraisals JOIN hosts ON hosts.id = host_id
             WHERE at_ms < $1 AND appraisals.id IS DISTINCT FROM last_appraisal_id
             ORDER BY at_ms LIMIT $2 FOR UPDATE OF appraisals SKIP LOCKED",
            &[&before_ms, &i64::from(n_max)],
        )
        .await?;
    let old: Vec<i64> = old.iter().map(|row| row.try_get(0)).collect::<Result<_, _>>()?;
    if old.is_empty() {
        return Ok(0);
    }
    evidence_list::remove_appraisals(tx, &old).await?;
    let n_gone = u32::try_from(old.len()).unwrap_or(u32::MAX);
    let detail = json!({ "before_ms": before_ms, "n": n_gone });
    tx.audit(by, "appraisal.forget", "appraisals".to_owned(), &detail);
    Ok(n_gone)
}
