//! A look at a database that another program may be using: nothing is changed, nothing is migrated.

use std::path::Path;

use rusqlite::Connection as Db;

use super::{appraisal, evidence, host, migrate, open};
use crate::elsewhere::{Kept, PartElsewhere};
use crate::packing;
use crate::{AppraisalId, AppraisalRow, EvidencePart, HOSTS_PAGE_MAX, Host, StoreError};

/// A database, opened to look.
#[derive(Debug)]
pub struct SqliteLook {
    db: Db,
}

impl SqliteLook {
    /// Opens `path`, which must be there.
    ///
    /// # Errors
    /// [`StoreError::NotOurs`], or the file cannot be read.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        let db = open::reader(path)?;
        match migrate::is_ours(&db) {
            Ok(true) => Ok(Self { db }),
            Ok(false) => Err(StoreError::NotOurs { database: path.display().to_string() }),
            Err(error) => Err(open::not_a_database(error, path)),
        }
    }

    /// The version of its schema, and the one that this program knows. Only where they are the same can
    /// hosts be read.
    ///
    /// # Errors
    /// The file is damaged or busy.
    pub fn schema_versions(&self) -> Result<(i64, i64), StoreError> {
        Ok((migrate::found(&self.db)?, migrate::known()?))
    }

    /// How many rows each table has, in the order of their names.
    ///
    /// # Errors
    /// The file is damaged or busy.
    pub fn counts(&self) -> Result<Vec<(String, u64)>, StoreError> {
        let mut tables = self.db.prepare(
            "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite%' ORDER BY name",
        )?;
        let names = tables.query_map([], |row| row.get::<_, String>(0))?;
        let names = names.collect::<Result<Vec<_>, _>>()?;
        names
            .into_iter()
            .map(|name| {
                let quoted = name.replace('"', "\"\"");
                let sql = format!("SELECT count(*) FROM \"{quoted}\"");
                let n: i64 = self.db.query_row(&sql, [], |row| row.get(0))?;
                Ok((name, n.unsigned_abs()))
            })
            .collect()
    }

    /// Hosts, those first that are not accepted; [`HOSTS_PAGE_MAX`] at most.
    ///
    /// # Errors
    /// The schema is another one, or the file is damaged or busy.
    pub fn hosts(&self) -> Result<Vec<Host>, StoreError> {
        let clause = "ORDER BY coalesce(last_verdict, '') = 'accepted', id LIMIT ?1";
        host::many(&self.db, clause, &[&HOSTS_PAGE_MAX])
    }

    /// The hosts of this name, or the one of this identifier.
    ///
    /// # Errors
    /// As [`Self::hosts`].
    pub fn hosts_called(&self, name_or_id: &str) -> Result<Vec<Host>, StoreError> {
        match host::by_id(&self.db, &name_or_id.into())? {
            Some(host) => Ok(vec![host]),
            None => host::by_name(&self.db, name_or_id),
        }
    }

    /// A judgement.
    ///
    /// # Errors
    /// As [`Self::hosts`].
    pub fn appraisal(&self, id: AppraisalId) -> Result<Option<AppraisalRow>, StoreError> {
        appraisal::by_id(&self.db, id)
    }

    /// What it judged, but for parts that lie outside of the database.
    ///
    /// # Errors
    /// As [`Self::hosts`].
    pub fn evidence(&self, id: AppraisalId) -> Result<Vec<EvidencePart>, StoreError> {
        let here = evidence::of_appraisal(&self.db, id)?.into_iter();
        let here = here.filter(|(.., kept)| kept.object.is_none()).map(|(name, sha256, kept)| {
            let Kept { packing, bytes, n_bytes, .. } = kept;
            let bytes = packing::unpack(packing, bytes.unwrap_or_default(), n_bytes)?;
            Ok(EvidencePart { name, sha256, bytes })
        });
        here.collect()
    }

    /// Parts of what it judged that lie outside of the database.
    ///
    /// # Errors
    /// As [`Self::hosts`].
    pub fn evidence_elsewhere(&self, id: AppraisalId) -> Result<Vec<PartElsewhere>, StoreError> {
        let all = evidence::of_appraisal(&self.db, id)?.into_iter();
        let elsewhere = all.filter_map(|(name, sha256, kept)| {
            let Kept { packing, n_bytes, object, .. } = kept;
            Some(PartElsewhere { name, sha256, object: object?, packing, n_bytes })
        });
        Ok(elsewhere.collect())
    }
}
