//! Verdicts.

use serde_json::json;
use tokio_postgres::Row;

use super::columns::Columns;
use super::evidence;
use super::session::Session;
use super::transaction::Transaction;
use super::{host, lock, peers, reference};
use crate::{
    AppraisalId, AppraisalRow, By, Conflict, Connection, HISTORY_PAGE_MAX, HostId, Kind,
    NewAppraisal, QuoteClock, Rejudgement, Sha256, StoreError,
};

/// What decides whether a verdict may be recorded; less than a whole host, as this is the hot path.
struct Gate {
    connection: Connection,
    identity_version: i64,
    last_nonce_at_ms: Option<i64>,
    last_verdict: Option<String>,
    last_appraisal_id: Option<i64>,
    cohort: Option<String>,
    quoted_sha256: Option<Sha256>,
}

pub(super) async fn record(
    tx: &Transaction,
    new: &NewAppraisal,
    by: &By,
) -> Result<AppraisalId, StoreError> {
    let gate = gate(tx, &new.host).await?;
    if gate.connection == Connection::Disconnected {
        return Err(Conflict::HostDisconnected { host: new.host.clone() }.into());
    }
    if gate.identity_version != new.identity_version {
        return Err(Conflict::IdentityChanged { host: new.host.clone() }.into());
    }
    if gate.last_nonce_at_ms.is_some_and(|last| new.nonce_at_ms <= last) {
        return Err(Conflict::NonceUsed.into());
    }
    reference::check_and_use(tx, &new.host, &new.judged_by, by).await?;
    let id = insert(tx, &new.host, new.at_ms, &new.verdict, &new.document_json).await?;
    summarise(tx, id, new).await?;
    note_cohort(tx, &gate, new).await?;
    evidence::keep(tx, id, &new.evidence).await?;
    if gate.last_verdict.as_ref() != Some(&new.verdict) {
        let detail =
            json!({ "verdict": new.verdict, "before": gate.last_verdict, "appraisal": id.0 });
        tx.audit(by, "host.verdict", host::subject(&new.host), &detail);
    }
    Ok(id)
}

async fn insert(
    tx: &Transaction,
    host: &HostId,
    at_ms: i64,
    verdict: &str,
    document_json: &str,
) -> Result<AppraisalId, StoreError> {
    let row = tx
        .row(
            "INSERT INTO appraisals (host_id, at_ms, verdict, document_json)
             VALUES ($1, $2, $3, $4) RETURNING id",
            &[&host.as_str(), &at_ms, &verdict, &document_json],
        )
        .await?;
    Ok(AppraisalId(row.try_get(0)?))
}

pub(super) async fn record_anew(
    tx: &Transaction,
    anew: &Rejudgement,
    by: &By,
) -> Result<AppraisalId, StoreError> {
    let gate = gate(tx, &anew.host).await?;
    if gate.identity_version != anew.identity_version {
        return Err(Conflict::IdentityChanged { host: anew.host.clone() }.into());
    }
    if gate.last_appraisal_id != Some(anew.of.0) {
        return Err(Conflict::NewerEvidence { host: anew.host.clone() }.into());
    }
    reference::check_and_use(tx, &anew.host, &anew.judged_by, by).await?;
    let id = insert(tx, &anew.host, anew.at_ms, &anew.verdict, &anew.document_json).await?;
    tx.execute(
        "INSERT INTO appraisal_evidence (appraisal_id, position, name, evidence_id)
         SELECT $1, position, name, evidence_id FROM appraisal_evidence WHERE appraisal_id = $2",
        &[&id.0, &anew.of.0],
    )
    .await?;
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
async fn gate(tx: &Transaction, host: &HostId) -> Result<Gate, StoreError> {
    let row = tx
        .row_or_none(
            "SELECT connection, identity_version, last_nonce_at_ms, last_verdict,
                last_appraisal_id, cohort, quoted_sha256
             FROM hosts WHERE id = $1 FOR NO KEY UPDATE",
            &[&host.as_str()],
        )
        .await?
        .ok_or(StoreError::NotFound(Kind::Host))?;
    let mut columns = Columns::of(&row);
    Ok(Gate {
        connection: columns.word(Connection::from_word)?,
        identity_version: columns.take()?,
        last_nonce_at_ms: columns.take()?,
        last_verdict: columns.take()?,
        last_appraisal_id: columns.take()?,
        cohort: columns.take()?,
        quoted_sha256: columns.sha256_or_none()?,
    })
}

/// One statement also where there is a quote: each makes a new version of the row.
async fn summarise(
    tx: &Transaction,
    id: AppraisalId,
    new: &NewAppraisal,
) -> Result<(), StoreError> {
    const SUMMARY: &str = "\
        last_appraisal_id = $2, last_at_ms = $3, last_verdict = $4, last_findings_json = $5, \
        last_identity_version = identity_version, \
        next_due_at_ms = $6, last_nonce_at_ms = $7, \
        look_at_ms = CASE WHEN look_at_ms <= $3 THEN look_at_ms ELSE $8 END, \
        last_seen_at_ms = greatest(coalesce(last_seen_at_ms, $3), $3), \
        attest_requested_at_ms = \
            CASE WHEN attest_requested_at_ms > $7 THEN attest_requested_at_ms END";
    let Some(clock) = new.quote_clock else {
        return host::update(
            tx,
            &new.host,
            SUMMARY,
            &[
                &id.0,
                &new.at_ms,
                &new.verdict,
                &new.findings_json,
                &new.next_due_at_ms,
                &new.nonce_at_ms,
                &new.look_again_at_ms,
            ],
        )
        .await;
    };
    let QuoteClock { clock_ms, reset_count, restart_count, safe, firmware_version } = clock;
    host::update(
        tx,
        &new.host,
        &format!(
            "{SUMMARY}, clock_ms = $9, clock_reset_count = $10, clock_restart_count = $11, \
             clock_safe = $12, clock_firmware_version = $13"
        ),
        &[
            &id.0,
            &new.at_ms,
            &new.verdict,
            &new.findings_json,
            &new.next_due_at_ms,
            &new.nonce_at_ms,
            &new.look_again_at_ms,
            // PostgreSQL knows signed numbers only; the bits are kept.
            &clock_ms.cast_signed(),
            &i64::from(reset_count),
            &i64::from(restart_count),
            &safe,
            &firmware_version.cast_signed(),
        ],
    )
    .await
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
    lock::removals(tx).await?;
    let kept = evidence::ids_of(tx, &old).await?;
    tx.execute("DELETE FROM appraisals WHERE id = ANY($1)", &[&old]).await?;
    evidence::remove_orphans(tx, &kept).await?;
    let n_gone = u32::try_from(old.len()).unwrap_or(u32::MAX);
    let detail = json!({ "before_ms": before_ms, "n": n_gone });
    tx.audit(by, "appraisal.forget", "appraisals".to_owned(), &detail);
    Ok(n_gone)
}
