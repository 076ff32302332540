//! Thinning the history, in slices. Servers that share the database take turns: who finds the run's row
//! locked leaves it to the other.

use std::collections::BTreeSet;

use serde_json::json;

use super::session::Session;
use super::transaction::Transaction;
use super::{PostgresStore, appraisal, evidence_list};
use crate::row::thinning::DAY_MS;
use crate::{By, History, HostId, Reply, StoreError, Thinning, ThinningPreview, ThinningStep};

impl History for PostgresStore {
    fn forget_appraisals(&self, before_ms: i64, n_max: u32, by: By) -> Reply<'_, u32> {
        self.change((before_ms, n_max, by), |tx, (before_ms, n_max, by)| {
            Box::pin(appraisal::forget(tx, *before_ms, *n_max, by))
        })
    }

    fn thin_history(&self, rule: Thinning, n_max: u32, by: By) -> Reply<'_, ThinningStep> {
        self.change((rule, n_max, by), |tx, (rule, n_max, by)| Box::pin(step(tx, rule, *n_max, by)))
    }

    fn thinning_preview(
        &self,
        rule: Thinning,
        after: Option<HostId>,
        n_hosts: u32,
    ) -> Reply<'_, ThinningPreview> {
        self.look((rule, after, n_hosts), |db, (rule, after, n_hosts)| {
            Box::pin(preview(db, rule, after.as_ref(), *n_hosts))
        })
    }

    fn return_space(&self, _n_max: u32) -> Reply<'_, u64> {
        // Autovacuum does it, and what is freed is used again.
        Box::pin(async { Ok(0) })
    }
}

/// Hosts in one slice: of most there is nothing to do.
const HOSTS_MAX: u32 = 64;

/// How far a run is. A run whose server was killed goes on at any server.
struct Run {
    host_after: String,
    thin_before_ms: i64,
    end_before_ms: i64,
    n_gone: i64,
}

pub(super) async fn step(
    tx: &Transaction,
    rule: &Thinning,
    n_max: u32,
    by: &By,
) -> Result<ThinningStep, StoreError> {
    let row = tx
        .row_or_none(
            "SELECT host_after, thin_before_ms, end_before_ms, n_gone, ended_at_ms,
                thinned_before_ms FROM thinning FOR UPDATE SKIP LOCKED",
            &[],
        )
        .await?;
    let Some(row) = row else { return Ok(ThinningStep::NotNow) };
    let ended_at_ms: i64 = row.try_get(4)?;
    let mut run = match row.try_get::<_, Option<String>>(0)? {
        Some(host_after) => Run {
            host_after,
            thin_before_ms: row.try_get(1)?,
            end_before_ms: row.try_get(2)?,
            n_gone: row.try_get(3)?,
        },
        None => {
            // A clock that went back makes no run wait for it.
            let waits = ended_at_ms.saturating_add(rule.pause_ms);
            if (ended_at_ms..waits).contains(&rule.now_ms) {
                return Ok(ThinningStep::NotNow);
            }
            Run {
                host_after: String::new(),
                thin_before_ms: rule.thin_before_ms(),
                end_before_ms: rule.end_before_ms(),
                n_gone: 0,
            }
        }
    };
    let bounds = Bounds::of(tx, row.try_get(5)?, run.thin_before_ms, run.end_before_ms).await?;
    let mut gone: Vec<i64> = Vec::new();
    let left = |gone: &Vec<i64>| usize::try_from(n_max).unwrap_or(0).saturating_sub(gone.len());
    let mut is_over = false;
    for _ in 0..HOSTS_MAX {
        let Some(host) = next_host(tx, &run.host_after).await? else {
            is_over = true;
            break;
        };
        let go = going(tx, &host, &bounds).await?;
        let n_before = gone.len();
        gone.extend(go.iter().take(left(&gone)));
        if gone.len().saturating_sub(n_before) < go.len() {
            break;
        }
        run.host_after = host;
    }
    if !gone.is_empty() {
        evidence_list::remove_appraisals(tx, &gone).await?;
    }
    let n_gone = i64::try_from(gone.len()).unwrap_or(i64::MAX);
    run.n_gone = run.n_gone.saturating_add(n_gone);
    let host_after = (!is_over).then_some(run.host_after.as_str());
    tx.execute(
        "UPDATE thinning SET host_after = $1, thin_before_ms = $2, end_before_ms = $3, n_gone = $4,
            ended_at_ms = CASE WHEN $1::text IS NULL THEN $5 ELSE ended_at_ms END,
            thinned_before_ms = CASE WHEN $1::text IS NULL THEN greatest(thinned_before_ms, $2)
                ELSE thinned_before_ms END",
        &[&host_after, &run.thin_before_ms, &run.end_before_ms, &run.n_gone, &by.at_ms],
    )
    .await?;
    if !is_over {
        return Ok(ThinningStep::More(u32::try_from(gone.len()).unwrap_or(u32::MAX)));
    }
    if run.n_gone > 0 {
        let detail = json!({
            "n": run.n_gone,
            "thinned_before_ms": run.thin_before_ms,
            "ended_before_ms": run.end_before_ms,
        });
        tx.audit(by, "appraisal.thin", "appraisals".to_owned(), &detail);
    }
    Ok(ThinningStep::Done(run.n_gone.unsigned_abs()))
}

async fn next_host(db: &Session, after: &str) -> Result<Option<String>, StoreError> {
    let sql = "SELECT id FROM hosts WHERE id > $1 ORDER BY id LIMIT 1";
    Ok(db.row_or_none(sql, &[&after]).await?.map(|row| row.try_get(0)).transpose()?)
}

/// Numbers of judgements that lie around times: numbers and times go up together but for judgements anew, so
/// times are looked at as well.
struct Bounds {
    /// Up to here all days were thinned before.
    thinned_to: i64,
    thin_to: i64,
    thin_before_ms: i64,
    end_to: i64,
    end_before_ms: i64,
}

impl Bounds {
    async fn of(
        db: &Session,
        thinned_before_ms: i64,
        thin_before_ms: i64,
        end_before_ms: i64,
    ) -> Result<Self, StoreError> {
        let [thinned_to, thin_to, end_to] = [
            number(db, thinned_before_ms).await?,
            number(db, thin_before_ms).await?,
            number(db, end_before_ms).await?,
        ];
        Ok(Self { thinned_to, thin_to, thin_before_ms, end_to, end_before_ms })
    }
}

async fn number(db: &Session, before_ms: i64) -> Result<i64, StoreError> {
    let sql = "SELECT id FROM appraisals WHERE at_ms < $1 ORDER BY at_ms DESC, id DESC LIMIT 1";
    let row = db.row_or_none(sql, &[&before_ms]).await?;
    Ok(row.map(|row| row.try_get(0)).transpose()?.unwrap_or(0))
}

/// The judgements of a host that go.
async fn going(db: &Session, host: &str, bounds: &Bounds) -> Result<BTreeSet<i64>, StoreError> {
    // The first of a day has none before it, so it stays; so does each change.
    let rows = db
        .rows(
            "SELECT id FROM (SELECT id, verdict = lag(verdict)
                    OVER (PARTITION BY at_ms / $4 ORDER BY id) AS is_more
                FROM appraisals WHERE host_id = $1 AND id > $2 AND id <= $3 AND at_ms < $5) AS old
             WHERE is_more
             UNION
             SELECT id FROM appraisals WHERE host_id = $1 AND id <= $6 AND at_ms < $7",
            &[
                &host,
                &bounds.thinned_to,
                &bounds.thin_to,
                &DAY_MS,
                &bounds.thin_before_ms,
                &bounds.end_to,
                &bounds.end_before_ms,
            ],
        )
        .await?;
    let mut go = rows
        .iter()
        .map(|row| Ok(row.try_get(0)?))
        .collect::<Result<BTreeSet<i64>, StoreError>>()?;
    if go.is_empty() {
        return Ok(go);
    }
    let rows = db
        .rows(
            "SELECT last_appraisal_id FROM hosts WHERE id = $1
             UNION SELECT (SELECT max(id) FROM appraisals
                WHERE host_id = $1 AND at_ms <= raised_at_ms)
                FROM alarms WHERE host_id = $1 AND cleared_at_ms IS NULL
             UNION SELECT (SELECT max(id) FROM appraisals
                WHERE host_id = $1 AND at_ms <= created_at_ms)
                FROM boot_references WHERE host_id = $1 AND state IN ('pending', 'active')",
            &[&host],
        )
        .await?;
    for row in &rows {
        if let Some(id) = row.try_get::<_, Option<i64>>(0)? {
            go.remove(&id);
        }
    }
    Ok(go)
}

pub(super) async fn preview(
    db: &Session,
    rule: &Thinning,
    after: Option<&HostId>,
    n_hosts: u32,
) -> Result<ThinningPreview, StoreError> {
    let thinned: i64 = db.row("SELECT thinned_before_ms FROM thinning", &[]).await?.try_get(0)?;
    let bounds = Bounds::of(db, thinned, rule.thin_before_ms(), rule.end_before_ms()).await?;
    let mut preview = ThinningPreview { n_appraisals: 0, n_go: 0, next: None };
    let mut at = after.map(|host| host.as_str().to_owned()).unwrap_or_default();
    for _ in 0..n_hosts {
        let Some(host) = next_host(db, &at).await? else { return Ok(preview) };
        let count = "SELECT count(*) FROM appraisals WHERE host_id = $1";
        let n: i64 = db.row(count, &[&host]).await?.try_get(0)?;
        preview.n_appraisals = preview.n_appraisals.saturating_add(n.unsigned_abs());
        let n_go = u64::try_from(going(db, &host, &bounds).await?.len()).unwrap_or(u64::MAX);
        preview.n_go = preview.n_go.saturating_add(n_go);
        at = host;
    }
    preview.next = Some(at.as_str().into());
    Ok(preview)
}
