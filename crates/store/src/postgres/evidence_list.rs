//! Lists of the parts that judgements rest on: those of a host have one in common while they rest on the same.

use std::collections::HashMap;

use tokio_postgres::Statement;

use super::transaction::Transaction;
use super::{evidence, lock};
use crate::elsewhere::PlacedParts;
use crate::row::appraisal::LastList;
use crate::{Conflict, NewAppraisal, Sha256, StoreError};

/// The list of what a judgement rests on.
pub(super) enum List {
    /// That of the host's last judgement.
    Last(i64),
    /// One that is to be made.
    New {
        /// Its number.
        id: i64,
        /// Those parts that are there, and their rows.
        known: HashMap<Sha256, i64>,
    },
}

const NUMBER: &str = "SELECT nextval(pg_get_serial_sequence('evidence_lists', 'id'))";

const INSERT: &str = "\
    INSERT INTO evidence_lists (id, host_id, sha256) OVERRIDING SYSTEM VALUE VALUES ($1, $2, $3)";

impl List {
    /// That of `new`; nothing is changed yet.
    pub(super) async fn of(
        tx: &Transaction,
        last: Option<&LastList>,
        new: &NewAppraisal,
    ) -> Result<Self, StoreError> {
        if let Some(last) = last
            && last.is_of(new)
        {
            return Ok(Self::Last(last.id));
        }
        let ways = [tx.prepare(evidence::KNOWN).await?, tx.prepare(NUMBER).await?];
        let (known, number) = tokio::try_join!(
            biased;
            evidence::known(tx, &ways[0], new),
            tx.ask(&ways[1], &[]),
        )?;
        if new.kept.iter().any(|part| !known.contains_key(&part.sha256)) {
            return Err(Conflict::EvidenceGone.into());
        }
        let number = number.first().ok_or_else(|| StoreError::broken("no number of a list"))?;
        Ok(Self::New { id: number.try_get(0)?, known })
    }

    /// Its number.
    pub(super) const fn id(&self) -> i64 {
        match self {
            Self::Last(id) | Self::New { id, .. } => *id,
        }
    }

    /// What [`Self::keep`] sends.
    pub(super) async fn prepare(
        &self,
        tx: &Transaction,
    ) -> Result<Option<[Statement; 2]>, StoreError> {
        match self {
            Self::Last(_) => Ok(None),
            Self::New { .. } => {
                Ok(Some([tx.prepare(INSERT).await?, tx.prepare(evidence::KEEP).await?]))
            }
        }
    }

    /// Writes it, where it is a new one.
    pub(super) async fn keep(
        &self,
        tx: &Transaction,
        ways: Option<&[Statement; 2]>,
        new: &NewAppraisal,
        placed: &PlacedParts,
    ) -> Result<(), StoreError> {
        let (Self::New { id, known }, Some([insert, keep])) = (self, ways) else { return Ok(()) };
        let sha256 = new.list_sha256();
        let host = new.host.as_str();
        let values: super::session::Values<'_> = &[id, &host, &sha256.as_slice()];
        tokio::try_join!(
            biased;
            tx.send(insert, values),
            evidence::keep(tx, keep, *id, new, known, placed),
        )
        .map(drop)
    }
}

/// Removes judgements, and evidence that nothing refers to any more.
pub(super) async fn remove_appraisals(tx: &Transaction, ids: &[i64]) -> Result<(), StoreError> {
    lock::removals(tx).await?;
    let gone = tx
        .rows("DELETE FROM appraisals WHERE id = ANY($1) RETURNING host_id, list_id", &[&ids])
        .await?;
    let (mut hosts, mut lists): (Vec<String>, Vec<i64>) = (Vec::new(), Vec::new());
    for row in &gone {
        if let Some(list) = row.try_get(1)?
            && !lists.contains(&list)
        {
            hosts.push(row.try_get(0)?);
            lists.push(list);
        }
    }
    // The last judgement of a host stays, and a new one rests on its list or makes one of its own: what is not
    // used here is not begun to be used by somebody else.
    let parts = tx
        .rows(
            "WITH unused AS (
                SELECT list FROM unnest($1::text[], $2::bigint[]) AS gone (host, list)
                WHERE NOT EXISTS (
                    SELECT 1 FROM appraisals WHERE host_id = gone.host AND list_id = gone.list)),
             parts AS (
                SELECT DISTINCT evidence_id FROM listed_evidence JOIN unused ON list = list_id),
             removed AS (
                DELETE FROM evidence_lists USING unused WHERE id = list)
             SELECT evidence_id FROM parts",
            &[&hosts, &lists],
        )
        .await?;
    let parts: Vec<i64> = parts.iter().map(|row| row.try_get(0)).collect::<Result<_, _>>()?;
    evidence::remove_orphans(tx, &parts).await
}
