//! Thinning the history, in slices.

use std::collections::BTreeSet;

use rusqlite::{Connection as Db, OptionalExtension, params};
use serde_json::json;

use super::{SqliteStore, appraisal, audit};
use crate::row::thinning::DAY_MS;
use crate::{By, History, HostId, Reply, StoreError, Thinning, ThinningPreview, ThinningStep};

impl History for SqliteStore {
    fn forget_appraisals(&self, before_ms: i64, n_max: u32, by: By) -> Reply<'_, u32> {
        self.write(move |db| appraisal::forget(db, before_ms, n_max, &by))
    }

    fn thin_history(&self, rule: Thinning, n_max: u32, by: By) -> Reply<'_, ThinningStep> {
        self.write(move |db| step(db, &rule, n_max, &by))
    }

    fn thinning_preview(
        &self,
        rule: Thinning,
        after: Option<HostId>,
        n_hosts: u32,
    ) -> Reply<'_, ThinningPreview> {
        self.read(move |db| preview(db, &rule, after.as_ref(), n_hosts))
    }

    fn return_space(&self, n_max: u32) -> Reply<'_, u64> {
        self.write(move |db| return_space(db, n_max))
    }
}

/// Hosts in one slice: of most there is nothing to do, and looking takes some microseconds.
const HOSTS_MAX: u32 = 64;

/// How far a run is. A run that was cut off by a crash goes on where it was.
struct Run {
    host_after: String,
    thin_before_ms: i64,
    end_before_ms: i64,
    n_gone: u64,
}

pub(super) fn step(
    db: &Db,
    rule: &Thinning,
    n_max: u32,
    by: &By,
) -> Result<ThinningStep, StoreError> {
    let Some(mut run) = run(db, rule)? else { return Ok(ThinningStep::NotNow) };
    let bounds = Bounds::of(db, thinned_before(db)?, &run)?;
    let mut left = n_max;
    for _ in 0..HOSTS_MAX {
        let Some(host) = next_host(db, &run.host_after)? else {
            return end(db, &run, by);
        };
        let go = going(db, &host, &bounds)?;
        let now: Vec<i64> = go.iter().copied().take(usize::try_from(left).unwrap_or(0)).collect();
        appraisal::remove(db, &now)?;
        let n_now = u32::try_from(now.len()).unwrap_or(u32::MAX);
        left = left.saturating_sub(n_now);
        run.n_gone = run.n_gone.saturating_add(u64::from(n_now));
        if now.len() < go.len() {
            break;
        }
        run.host_after = host;
    }
    db.prepare_cached("UPDATE thinning SET host_after = ?1, n_gone = ?2")?
        .execute(params![run.host_after, run.n_gone.cast_signed()])?;
    Ok(ThinningStep::More(n_max.saturating_sub(left)))
}

/// The run that is under way, or one that begins now.
fn run(db: &Db, rule: &Thinning) -> Result<Option<Run>, StoreError> {
    let (host_after, thin_before_ms, end_before_ms, n_gone, ended_at_ms) = db
        .prepare_cached(
            "SELECT host_after, thin_before_ms, end_before_ms, n_gone, ended_at_ms FROM thinning",
        )?
        .query_row([], |row| {
            let row: (Option<String>, i64, i64, i64, i64) =
                (row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?);
            Ok(row)
        })?;
    if let Some(host_after) = host_after {
        let n_gone = n_gone.unsigned_abs();
        return Ok(Some(Run { host_after, thin_before_ms, end_before_ms, n_gone }));
    }
    // A clock that went back makes no run wait for it.
    let waits = ended_at_ms.saturating_add(rule.pause_ms);
    if (ended_at_ms..waits).contains(&rule.now_ms) {
        return Ok(None);
    }
    let (thin_before_ms, end_before_ms) = (rule.thin_before_ms(), rule.end_before_ms());
    db.execute(
        "UPDATE thinning SET host_after = '', thin_before_ms = ?1, end_before_ms = ?2, n_gone = 0",
        [thin_before_ms, end_before_ms],
    )?;
    Ok(Some(Run { host_after: String::new(), thin_before_ms, end_before_ms, n_gone: 0 }))
}

fn thinned_before(db: &Db) -> Result<i64, StoreError> {
    Ok(db.query_row("SELECT thinned_before_ms FROM thinning", [], |row| row.get(0))?)
}

fn end(db: &Db, run: &Run, by: &By) -> Result<ThinningStep, StoreError> {
    db.execute(
        "UPDATE thinning SET host_after = NULL, ended_at_ms = ?1,
            thinned_before_ms = max(thinned_before_ms, thin_before_ms)",
        [by.at_ms],
    )?;
    if run.n_gone > 0 {
        let detail = json!({
            "n": run.n_gone,
            "thinned_before_ms": run.thin_before_ms,
            "ended_before_ms": run.end_before_ms,
        });
        audit::append(db, by, "appraisal.thin", "appraisals".to_owned(), &detail)?;
    }
    Ok(ThinningStep::Done(run.n_gone))
}

fn next_host(db: &Db, after: &str) -> Result<Option<String>, StoreError> {
    let mut statement =
        db.prepare_cached("SELECT id FROM hosts WHERE id > ?1 ORDER BY id LIMIT 1")?;
    Ok(statement.query_row([after], |row| row.get(0)).optional()?)
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
    fn of(db: &Db, thinned_before_ms: i64, run: &Run) -> Result<Self, StoreError> {
        let number = |before_ms: i64| -> Result<i64, StoreError> {
            let last: Option<i64> = db
                .prepare_cached("SELECT id FROM appraisals WHERE at_ms < ?1 ORDER BY at_ms DESC, id DESC LIMIT 1")?
                .query_row([before_ms], |row| row.get(0))
                .optional()?;
            Ok(last.unwrap_or(0))
        };
        let (thin_before_ms, end_before_ms) = (run.thin_before_ms, run.end_before_ms);
        Ok(Self {
            thinned_to: number(thinned_before_ms)?,
            thin_to: number(thin_before_ms)?,
            thin_before_ms,
            end_to: number(end_before_ms)?,
            end_before_ms,
        })
    }
}

/// The judgements of a host that go.
fn going(db: &Db, host: &str, bounds: &Bounds) -> Result<BTreeSet<i64>, StoreError> {
    let mut go = BTreeSet::new();
    // The first of a day has none before it, so it stays; so does each change.
    let mut statement = db.prepare_cached(
        "SELECT id FROM (SELECT id, at_ms, verdict = lag(verdict)
                OVER (PARTITION BY at_ms / ?4 ORDER BY id) AS is_more
            FROM appraisals WHERE host_id = ?1 AND id > ?2 AND id <= ?3 AND at_ms < ?5)
         WHERE is_more",
    )?;
    let values = params![host, bounds.thinned_to, bounds.thin_to, DAY_MS, bounds.thin_before_ms];
    for id in statement.query_map(values, |row| row.get(0))? {
        go.insert(id?);
    }
    let mut statement = db.prepare_cached(
        "SELECT id FROM appraisals WHERE host_id = ?1 AND id <= ?2 AND at_ms < ?3",
    )?;
    let values = params![host, bounds.end_to, bounds.end_before_ms];
    for id in statement.query_map(values, |row| row.get(0))? {
        go.insert(id?);
    }
    if !go.is_empty() {
        let mut statement = db.prepare_cached(
            "SELECT last_appraisal_id FROM hosts WHERE id = ?1
             UNION SELECT (SELECT max(id) FROM appraisals
                WHERE host_id = ?1 AND at_ms <= raised_at_ms)
                FROM alarms WHERE host_id = ?1 AND cleared_at_ms IS NULL
             UNION SELECT (SELECT max(id) FROM appraisals
                WHERE host_id = ?1 AND at_ms <= created_at_ms)
                FROM boot_references WHERE host_id = ?1 AND state IN ('pending', 'active')",
        )?;
        for id in statement.query_map([host], |row| row.get::<_, Option<i64>>(0))? {
            if let Some(id) = id? {
                go.remove(&id);
            }
        }
    }
    Ok(go)
}

pub(super) fn preview(
    db: &Db,
    rule: &Thinning,
    after: Option<&HostId>,
    n_hosts: u32,
) -> Result<ThinningPreview, StoreError> {
    let run = Run {
        host_after: after.map(|host| host.as_str().to_owned()).unwrap_or_default(),
        thin_before_ms: rule.thin_before_ms(),
        end_before_ms: rule.end_before_ms(),
        n_gone: 0,
    };
    let bounds = Bounds::of(db, thinned_before(db)?, &run)?;
    let mut preview = ThinningPreview { n_appraisals: 0, n_go: 0, next: None };
    let mut at = run.host_after;
    for _ in 0..n_hosts {
        let Some(host) = next_host(db, &at)? else { return Ok(preview) };
        let n: i64 = db
            .prepare_cached("SELECT count(*) FROM appraisals WHERE host_id = ?1")?
            .query_row([&host], |row| row.get(0))?;
        preview.n_appraisals = preview.n_appraisals.saturating_add(n.unsigned_abs());
        let n_go = u64::try_from(going(db, &host, &bounds)?.len()).unwrap_or(u64::MAX);
        preview.n_go = preview.n_go.saturating_add(n_go);
        at = host;
    }
    preview.next = Some(at.as_str().into());
    Ok(preview)
}

/// Gives free pages at the end of the file back to the disk, `n_max` at most; returns how many are left. Some
/// are left on purpose: the next day's rows need them. A file from before it was made so keeps all of them.
pub(super) fn return_space(db: &Db, n_max: u32) -> Result<u64, StoreError> {
    let number = |pragma: &str| -> Result<i64, StoreError> {
        Ok(db.query_row(&format!("PRAGMA {pragma}"), [], |row| row.get(0))?)
    };
    /// Incremental. [SQLite, PRAGMA auto_vacuum]
    const INCREMENTAL: i64 = 2;
    if number("auto_vacuum")? != INCREMENTAL {
        return Ok(0);
    }
    let (n_free, n_all) = (number("freelist_count")?, number("page_count")?);
    // A tenth.
    let spare = n_all / 10;
    let n_return = n_free.saturating_sub(spare).min(i64::from(n_max));
    if n_return <= 0 {
        return Ok(0);
    }
    // Steps through one row for each page.
    let mut statement = db.prepare(&format!("PRAGMA incremental_vacuum({n_return})"))?;
    let mut rows = statement.query([])?;
    while rows.next()?.is_some() {}
    Ok(n_free.saturating_sub(spare).saturating_sub(n_return).unsigned_abs())
}
