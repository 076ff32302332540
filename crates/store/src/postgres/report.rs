//! Reports that are sent by themselves. Which server sends is said by a lease, so that one of them does.

use super::PostgresStore;
use super::columns::Columns;
use super::session::Session;
use super::transaction::Transaction;
use crate::{
    By, ChannelLease, Reply, ReportRun, ReportRuns, ReportTry, StoreError, row::report::subject,
};

impl ReportRuns for PostgresStore {
    fn report_runs(&self) -> Reply<'_, Vec<ReportRun>> {
        self.look((), |db, ()| Box::pin(all(db)))
    }

    fn claim_report(
        &self,
        name: &str,
        due_ms: i64,
        lease: ChannelLease,
        now_ms: i64,
    ) -> Reply<'_, bool> {
        self.change((name.to_owned(), lease), move |tx, (name, lease)| {
            Box::pin(claim(tx, name, due_ms, lease, now_ms))
        })
    }

    fn note_report(
        &self,
        name: &str,
        due_ms: i64,
        became: ReportTry,
        holder: &str,
        by: By,
    ) -> Reply<'_, bool> {
        let given = (name.to_owned(), became, holder.to_owned(), by);
        self.change(given, move |tx, (name, became, holder, by)| {
            Box::pin(note(tx, name, due_ms, became, holder, by))
        })
    }
}

pub(super) async fn all(db: &Session) -> Result<Vec<ReportRun>, StoreError> {
    let sql =
        "SELECT name, served_ms, sent_at_ms, n_failed, last_error FROM report_runs ORDER BY name";
    db.read(sql, &[], |row| {
        let mut columns = Columns::of(row);
        Ok(ReportRun {
            name: columns.take()?,
            served_ms: columns.take()?,
            sent_at_ms: columns.take()?,
            n_failed: columns.small_or_none()?.unwrap_or(0),
            last_error: columns.take()?,
        })
    })
    .await
}

pub(super) async fn claim(
    tx: &Transaction,
    name: &str,
    due_ms: i64,
    lease: &ChannelLease,
    now_ms: i64,
) -> Result<bool, StoreError> {
    let sql = "INSERT INTO report_runs (name, served_ms) VALUES ($1, $2) ON CONFLICT DO NOTHING";
    if tx.execute(sql, &[&name, &due_ms]).await? > 0 {
        return Ok(false);
    }
    // The row is locked by the first who claims it; who comes next sees the lease.
    let sql = "UPDATE report_runs SET lease_holder = $3, lease_until_ms = $4
         WHERE name = $1 AND served_ms < $2 AND try_at_ms <= $5 AND lease_until_ms <= $5";
    let n = tx.execute(sql, &[&name, &due_ms, &lease.holder, &lease.until_ms, &now_ms]).await?;
    Ok(n > 0)
}

pub(super) async fn note(
    tx: &Transaction,
    name: &str,
    due_ms: i64,
    became: &ReportTry,
    holder: &str,
    by: &By,
) -> Result<bool, StoreError> {
    let n = match became {
        ReportTry::Sent(_) => {
            let sql = "UPDATE report_runs SET served_ms = $3, sent_at_ms = $4, n_failed = 0,
                    last_error = NULL, try_at_ms = 0, lease_until_ms = 0
                 WHERE name = $1 AND lease_holder = $2 AND served_ms < $3";
            tx.execute(sql, &[&name, &holder, &due_ms, &by.at_ms]).await?
        }
        ReportTry::Failed { error, again_at_ms } => {
            let sql = "UPDATE report_runs SET n_failed = n_failed + 1, last_error = $4,
                    try_at_ms = $5, lease_until_ms = 0
                 WHERE name = $1 AND lease_holder = $2 AND served_ms < $3";
            tx.execute(sql, &[&name, &holder, &due_ms, error, again_at_ms]).await?
        }
    };
    if n > 0
        && let ReportTry::Sent(detail) = became
    {
        tx.audit(by, "report.send", subject(name), detail);
    }
    Ok(n > 0)
}
