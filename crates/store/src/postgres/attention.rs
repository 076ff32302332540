//! What of a whole fleet wants a look.

use super::columns::Columns;
use super::session::Session;
use crate::row::attention::piece;
use crate::{FindingCount, MINORITIES_MAX, Minority, StoreError};

/// PCRs of code and keys, in which equal machines are equal, and values that most of a cohort have.
const MINORITIES: &str = "SELECT c.cohort, c.bank, c.pcr_index, t.n, t.n - max(c.n)
     FROM quoted_counts c
     JOIN quoted_totals t ON t.cohort = c.cohort AND t.bank = c.bank AND t.pcr_index = c.pcr_index
     WHERE c.pcr_index IN (0, 2, 4, 7)
     GROUP BY c.cohort, c.bank, c.pcr_index, t.n
     HAVING max(c.n) < t.n AND max(c.n) * 2 > t.n
     ORDER BY 5 DESC, 1, 2, 3 LIMIT $1";

pub(super) async fn finding_counts(
    db: &Session,
    codes: &[String],
) -> Result<Vec<FindingCount>, StoreError> {
    let sql = "SELECT count(*) FROM hosts WHERE position($1 IN last_findings_json) > 0";
    let mut counts = Vec::with_capacity(codes.len());
    for code in codes {
        let n_hosts: i64 = db.row(sql, &[&piece(code)]).await?.try_get(0)?;
        counts.push(FindingCount { code: code.clone(), n_hosts: n_hosts.unsigned_abs() });
    }
    Ok(counts)
}

pub(super) async fn minorities(db: &Session) -> Result<Vec<Minority>, StoreError> {
    db.read(MINORITIES, &[&i64::from(MINORITIES_MAX)], |row| {
        let mut columns = Columns::of(row);
        Ok(Minority {
            cohort: columns.take()?,
            bank: columns.take()?,
            pcr_index: columns.small_or_none()?.ok_or_else(|| StoreError::broken("no PCR"))?,
            n_hosts: columns.count()?,
            n_minority: columns.count()?,
        })
    })
    .await
}
