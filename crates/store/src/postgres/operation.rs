//! What those who run servers look at.

use tokio_postgres::Row;

use super::columns::Columns;
use super::session::Session;
use super::transaction::Transaction;
use super::{PostgresStore, attention, migrate, standing};
use crate::row::operation::policy_detail;
use crate::{
    Activity, AuditNote, By, CensusRow, CensusTimes, FindingCount, Minority, Operation,
    PolicyInForce, Probed, Reply, Sha256, StandingHour, StoreError,
};

impl Operation for PostgresStore {
    fn probe(&self) -> Reply<'_, Probed> {
        self.change((), |tx, ()| Box::pin(probe(tx)))
    }

    fn n_bytes(&self) -> Reply<'_, u64> {
        self.look((), |db, ()| Box::pin(n_bytes(db)))
    }

    fn census(&self, times: CensusTimes) -> Reply<'_, Vec<CensusRow>> {
        self.look((times,), |db, (times,)| Box::pin(census(db, times)))
    }

    fn activity(&self) -> Activity {
        let mut activity = self.pool.activity();
        activity.n_waiting = activity.n_waiting.saturating_add(self.routine.n_waiting());
        activity
    }

    fn finding_counts(&self, codes: Vec<String>) -> Reply<'_, Vec<FindingCount>> {
        self.look((codes,), |db, (codes,)| Box::pin(attention::finding_counts(db, codes)))
    }

    fn minorities(&self) -> Reply<'_, Vec<Minority>> {
        self.look((), |db, ()| Box::pin(attention::minorities(db)))
    }

    fn put_standing(&self, hour: StandingHour) -> Reply<'_, ()> {
        self.change((hour,), |tx, (hour,)| Box::pin(standing::put(tx, hour)))
    }

    fn standing_hours(&self, since_ms: i64) -> Reply<'_, Vec<StandingHour>> {
        self.look((since_ms,), |db, (since_ms,)| Box::pin(standing::since(db, *since_ms)))
    }
}

/// Takes the number of a transaction, which a database that only reads refuses.
pub(super) async fn probe(tx: &Transaction) -> Result<Probed, StoreError> {
    tx.row("SELECT pg_current_xact_id()::text", &[]).await?;
    Ok(Probed { schema_found: migrate::found(tx).await?, schema_known: migrate::known() })
}

pub(super) async fn n_bytes(db: &Session) -> Result<u64, StoreError> {
    let sql = "SELECT pg_database_size(current_database())";
    let n_bytes: i64 = db.row(sql, &[]).await?.try_get(0)?;
    Ok(n_bytes.unsigned_abs())
}

/// How hosts stand, as the server's `standing` says of each by itself.
const CENSUS: &str = "SELECT CASE
            WHEN h.connection = 'disconnected' THEN 'disconnected'
            WHEN h.last_seen_at_ms >= $3 THEN 'connected'
            ELSE 'not responding' END,
            CASE
            WHEN h.approval IN ('waiting', 'refused') THEN 'not appraised'
            WHEN c.host_id IS NOT NULL AND i.host_id IS NOT NULL
                AND NOT (coalesce(h.last_at_ms, 0) >= $2
                    AND (h.last_at_ms >= c.candidate_first_at_ms
                        OR $1 <= c.candidate_first_at_ms + $4)) THEN 'not accepted'
            WHEN h.tpm = 'absent' OR h.last_verdict IS NULL OR h.last_at_ms < $2
                OR EXISTS (SELECT 1 FROM alarms a WHERE a.host_id = h.id
                    AND a.code = 'verdict-expired' AND a.cleared_at_ms IS NULL)
                THEN 'not appraised'
            ELSE h.last_verdict END,
            count(*), count(*) FILTER (WHERE h.maintenance_since_ms IS NOT NULL
            AND ($1 < h.maintenance_until_ms OR h.maintenance_until_ms IS NULL))
         FROM hosts h
         LEFT JOIN candidates c ON c.host_id = h.id AND $1 < c.candidate_expires_at_ms
         LEFT JOIN identities i ON i.host_id = h.id AND c.host_id IS NOT NULL
         GROUP BY 1, 2 ORDER BY 1, 2";

pub(super) async fn census(
    db: &Session,
    times: &CensusTimes,
) -> Result<Vec<CensusRow>, StoreError> {
    let CensusTimes { now_ms, good_since_ms, heard_since_ms, answers_within_ms } = times;
    let values: super::session::Values<'_> =
        &[now_ms, good_since_ms, heard_since_ms, answers_within_ms];
    db.read(CENSUS, values, |row: &Row| {
        let mut columns = Columns::of(row);
        Ok(CensusRow {
            connection: columns.take()?,
            verdict: columns.take()?,
            n_hosts: columns.take::<i64>()?.unsigned_abs(),
            n_in_maintenance: columns.take::<i64>()?.unsigned_abs(),
        })
    })
    .await
}

pub(super) async fn policy(db: &Session) -> Result<Option<PolicyInForce>, StoreError> {
    let row = db.row_or_none("SELECT sha256, at_ms, actor FROM policy_in_force", &[]).await?;
    let Some(row) = row else { return Ok(None) };
    let mut columns = Columns::of(&row);
    let (sha256, at_ms, actor) = (columns.sha256()?, columns.take()?, columns.take()?);
    Ok(Some(PolicyInForce { sha256, at_ms, actor }))
}

pub(super) async fn put_policy(
    tx: &Transaction,
    sha256: &Sha256,
    by: &By,
) -> Result<Option<PolicyInForce>, StoreError> {
    // Servers that start at once: one after the other, also where there is no row to lock yet.
    tx.execute("LOCK TABLE policy_in_force IN SHARE ROW EXCLUSIVE MODE", &[]).await?;
    let before = policy(tx).await?;
    if before.as_ref().is_some_and(|before| before.sha256 == *sha256) {
        return Ok(before);
    }
    tx.execute(
        "INSERT INTO policy_in_force (id, sha256, at_ms, actor) VALUES (1, $1, $2, $3)
         ON CONFLICT (id) DO UPDATE SET sha256 = $1, at_ms = $2, actor = $3",
        &[&sha256.as_slice(), &by.at_ms, &by.actor],
    )
    .await?;
    tx.audit(by, "policy.begin", "policy".to_owned(), &policy_detail(sha256, before.as_ref()));
    Ok(before)
}

pub(super) async fn note(tx: &Transaction, note: &AuditNote, by: &By) -> Result<(), StoreError> {
    tx.audit(by, note.action, note.subject.clone(), &note.detail);
    Ok(())
}
