//! Reports that are sent by themselves.

use rusqlite::{Connection as Db, params};

use super::columns::Columns;
use super::{SqliteStore, audit};
use crate::{
    By, ChannelLease, Reply, ReportRun, ReportRuns, ReportTry, StoreError, row::report::subject,
};

impl ReportRuns for SqliteStore {
    fn report_runs(&self) -> Reply<'_, Vec<ReportRun>> {
        self.read(all)
    }

    fn claim_report(
        &self,
        name: &str,
        due_ms: i64,
        lease: ChannelLease,
        now_ms: i64,
    ) -> Reply<'_, bool> {
        let name = name.to_owned();
        self.write(move |db| claim(db, &name, due_ms, &lease, now_ms))
    }

    fn note_report(
        &self,
        name: &str,
        due_ms: i64,
        became: ReportTry,
        holder: &str,
        by: By,
    ) -> Reply<'_, bool> {
        let (name, holder) = (name.to_owned(), holder.to_owned());
        self.write(move |db| note(db, &name, due_ms, &became, &holder, &by))
    }
}

pub(super) fn all(db: &Db) -> Result<Vec<ReportRun>, StoreError> {
    let mut statement = db.prepare_cached(
        "SELECT name, served_ms, sent_at_ms, n_failed, last_error FROM report_runs ORDER BY name",
    )?;
    let rows = statement.query_map([], |row| {
        let mut columns = Columns::of(row);
        Ok(ReportRun {
            name: columns.take()?,
            served_ms: columns.take()?,
            sent_at_ms: columns.take()?,
            n_failed: columns.take()?,
            last_error: columns.take()?,
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

pub(super) fn claim(
    db: &Db,
    name: &str,
    due_ms: i64,
    lease: &ChannelLease,
    now_ms: i64,
) -> Result<bool, StoreError> {
    let n_new = db
        .prepare_cached(
            "INSERT INTO report_runs (name, served_ms) VALUES (?1, ?2) ON CONFLICT DO NOTHING",
        )?
        .execute(params![name, due_ms])?;
    if n_new > 0 {
        return Ok(false);
    }
    // Any other holder is a process that died.
    let n = db
        .prepare_cached(
            "UPDATE report_runs SET lease_holder = ?3, lease_until_ms = ?4
             WHERE name = ?1 AND served_ms < ?2 AND try_at_ms <= ?5
                AND (lease_until_ms <= ?5 OR lease_holder <> ?3)",
        )?
        .execute(params![name, due_ms, lease.holder, lease.until_ms, now_ms])?;
    Ok(n > 0)
}

pub(super) fn note(
    db: &Db,
    name: &str,
    due_ms: i64,
    became: &ReportTry,
    holder: &str,
    by: &By,
) -> Result<bool, StoreError> {
    let n = match became {
        ReportTry::Sent(_) => db
            .prepare_cached(
                "UPDATE report_runs SET served_ms = ?3, sent_at_ms = ?4, n_failed = 0,
                    last_error = NULL, try_at_ms = 0, lease_until_ms = 0
                 WHERE name = ?1 AND lease_holder = ?2 AND served_ms < ?3",
            )?
            .execute(params![name, holder, due_ms, by.at_ms])?,
        ReportTry::Failed { error, again_at_ms } => db
            .prepare_cached(
                "UPDATE report_runs SET n_failed = n_failed + 1, last_error = ?4, try_at_ms = ?5,
                    lease_until_ms = 0
                 WHERE name = ?1 AND lease_holder = ?2 AND served_ms < ?3",
            )?
            .execute(params![name, holder, due_ms, error, again_at_ms])?,
    };
    if n > 0
        && let ReportTry::Sent(detail) = became
    {
        audit::append(db, by, "report.send", subject(name), detail)?;
    }
    Ok(n > 0)
}
