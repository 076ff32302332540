//! What of a whole fleet wants a look.

use rusqlite::Connection as Db;

use super::columns::Columns;
use crate::row::attention::piece;
use crate::{FindingCount, MINORITIES_MAX, Minority, StoreError};

/// PCRs of code and keys, in which equal machines are equal, and values that most of a cohort have.
const MINORITIES: &str = "SELECT c.cohort, c.bank, c.pcr_index, t.n, t.n - max(c.n)
     FROM quoted_counts c
     JOIN quoted_totals t ON t.cohort = c.cohort AND t.bank = c.bank AND t.pcr_index = c.pcr_index
     WHERE c.pcr_index IN (0, 2, 4, 7)
     GROUP BY c.cohort, c.bank, c.pcr_index, t.n
     HAVING max(c.n) < t.n AND max(c.n) * 2 > t.n
     ORDER BY 5 DESC, 1, 2, 3 LIMIT ?1";

pub(super) fn finding_counts(db: &Db, codes: &[String]) -> Result<Vec<FindingCount>, StoreError> {
    let mut statement =
        db.prepare_cached("SELECT count(*) FROM hosts WHERE instr(last_findings_json, ?1) > 0")?;
    let mut counts = Vec::with_capacity(codes.len());
    for code in codes {
        let n_hosts: i64 = statement.query_row([piece(code)], |row| row.get(0))?;
        counts.push(FindingCount { code: code.clone(), n_hosts: n_hosts.unsigned_abs() });
    }
    Ok(counts)
}

pub(super) fn minorities(db: &Db) -> Result<Vec<Minority>, StoreError> {
    let mut statement = db.prepare_cached(MINORITIES)?;
    let rows = statement.query_map([MINORITIES_MAX], |row| {
        let mut columns = Columns::of(row);
        Ok(Minority {
            cohort: columns.take()?,
            bank: columns.take()?,
            pcr_index: columns.take()?,
            n_hosts: columns.take::<i64>()?.unsigned_abs(),
            n_minority: columns.take::<i64>()?.unsigned_abs(),
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}
