//! What those who run servers look at.

use rusqlite::{Connection as Db, OptionalExtension, params};

use super::migrate;
use super::{SqliteStore, attention, audit, standing};
use crate::row::operation::policy_detail;
use crate::{
    Activity, AuditNote, By, CensusRow, CensusTimes, FindingCount, Minority, Operation,
    PolicyInForce, Probed, Reply, Sha256, StandingHour, StoreError,
};

impl Operation for SqliteStore {
    fn probe(&self) -> Reply<'_, Probed> {
        self.write(probe)
    }

    fn n_bytes(&self) -> Reply<'_, u64> {
        self.read(n_bytes)
    }

    fn census(&self, times: CensusTimes) -> Reply<'_, Vec<CensusRow>> {
        self.read(move |db| census(db, &times))
    }

    fn activity(&self) -> Activity {
        let n_busy = self.readers.n_busy();
        let n_readers = u64::try_from(super::N_READERS).unwrap_or(u64::MAX);
        self.writer.counters().now(Some(self.writer.n_waiting()), n_busy, n_readers)
    }

    fn finding_counts(&self, codes: Vec<String>) -> Reply<'_, Vec<FindingCount>> {
        self.read(move |db| attention::finding_counts(db, &codes))
    }

    fn minorities(&self) -> Reply<'_, Vec<Minority>> {
        self.read(attention::minorities)
    }

    fn put_standing(&self, hour: StandingHour) -> Reply<'_, ()> {
        self.write(move |db| standing::put(db, &hour))
    }

    fn standing_hours(&self, since_ms: i64) -> Reply<'_, Vec<StandingHour>> {
        self.read(move |db| standing::since(db, since_ms))
    }
}

/// Writes what is there already: it goes to disk as a change does.
pub(super) fn probe(db: &Db) -> Result<Probed, StoreError> {
    // A statement that changes no row writes nothing; this one always writes the first page.
    let kept: i64 = db.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    db.pragma_update(None, "user_version", kept)?;
    Ok(Probed { schema_found: migrate::found(db)?, schema_known: migrate::known()? })
}

pub(super) fn n_bytes(db: &Db) -> Result<u64, StoreError> {
    let sql = "SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()";
    let n_bytes: i64 = db.prepare_cached(sql)?.query_row([], |row| row.get(0))?;
    Ok(n_bytes.unsigned_abs())
}

/// How hosts stand, as the server's `standing` says of each by itself.
const CENSUS: &str = "SELECT CASE
            WHEN h.connection = 'disconnected' THEN 'disconnected'
            WHEN h.last_seen_at_ms >= ?3 THEN 'connected'
            ELSE 'not responding' END,
            CASE
            WHEN h.approval IN ('waiting', 'refused') THEN 'not appraised'
            WHEN c.host_id IS NOT NULL AND i.host_id IS NOT NULL
                AND NOT (coalesce(h.last_at_ms, 0) >= ?2
                    AND (h.last_at_ms >= c.candidate_first_at_ms
                        OR ?1 <= c.candidate_first_at_ms + ?4)) THEN 'not accepted'
            WHEN h.tpm = 'absent' OR h.last_verdict IS NULL OR h.last_at_ms < ?2
                OR EXISTS (SELECT 1 FROM alarms a WHERE a.host_id = h.id
                    AND a.code = 'verdict-expired' AND a.cleared_at_ms IS NULL)
                THEN 'not appraised'
            ELSE h.last_verdict END,
            count(*), coalesce(sum(h.maintenance_since_ms IS NOT NULL
            AND (?1 < h.maintenance_until_ms OR h.maintenance_until_ms IS NULL)), 0)
         FROM hosts h
         LEFT JOIN candidates c ON c.host_id = h.id AND ?1 < c.candidate_expires_at_ms
         LEFT JOIN identities i ON i.host_id = h.id AND c.host_id IS NOT NULL
         GROUP BY 1, 2 ORDER BY 1, 2";

pub(super) fn census(db: &Db, times: &CensusTimes) -> Result<Vec<CensusRow>, StoreError> {
    let CensusTimes { now_ms, good_since_ms, heard_since_ms, answers_within_ms } = times;
    let mut statement = db.prepare_cached(CENSUS)?;
    let rows = statement.query_map(
        params![now_ms, good_since_ms, heard_since_ms, answers_within_ms],
        |row| {
            let (n_hosts, n_in_maintenance): (i64, i64) = (row.get(2)?, row.get(3)?);
            Ok(CensusRow {
                connection: row.get(0)?,
                verdict: row.get(1)?,
                n_hosts: n_hosts.unsigned_abs(),
                n_in_maintenance: n_in_maintenance.unsigned_abs(),
            })
        },
    )?;
    Ok(rows.collect::<Result<_, _>>()?)
}

pub(super) fn policy(db: &Db) -> Result<Option<PolicyInForce>, StoreError> {
    let mut statement = db.prepare_cached("SELECT sha256, at_ms, actor FROM policy_in_force")?;
    let row = statement.query_row([], |row| {
        Ok(PolicyInForce { sha256: row.get(0)?, at_ms: row.get(1)?, actor: row.get(2)? })
    });
    Ok(row.optional()?)
}

pub(super) fn put_policy(
    db: &Db,
    sha256: &Sha256,
    by: &By,
) -> Result<Option<PolicyInForce>, StoreError> {
    let before = policy(db)?;
    if before.as_ref().is_some_and(|before| before.sha256 == *sha256) {
        return Ok(before);
    }
    db.prepare_cached(
        "INSERT INTO policy_in_force (id, sha256, at_ms, actor) VALUES (1, ?1, ?2, ?3)
         ON CONFLICT (id) DO UPDATE SET sha256 = ?1, at_ms = ?2, actor = ?3",
    )?
    .execute(params![sha256, by.at_ms, by.actor])?;
    let detail = policy_detail(sha256, before.as_ref());
    audit::append(db, by, "policy.begin", "policy".to_owned(), &detail)?;
    Ok(before)
}

pub(super) fn note(db: &Db, note: &AuditNote, by: &By) -> Result<(), StoreError> {
    audit::append(db, by, note.action, note.subject.clone(), &note.detail)
}
