//! Parts of evidence as objects outside of the database: what both databases do alike.
//!
//! An object is written first and referred to then, in the transaction of the judgement: no verdict is told whose
//! evidence is not kept. Where that transaction fails, or its server ends, the object is one that nothing refers to,
//! which somebody sweeps later. An object's name is never used again, so a removal meets no new reference. What is
//! read is checked against the digest in the database: the store of objects is trusted for nothing. A part that is
//! lost is marked, and the next host that brings the same bytes brings it back.

use std::collections::{HashMap, HashSet};

use evidence_objects::{ObjectError, ObjectName, Packed as PackedObject};

use crate::packing::{self, Packing, UNPACKED_BYTES_MAX};
use crate::row::appraisal::sha256;
use crate::{
    ANSWER_PART, Checked, EvidenceLoss, EvidenceObjects, EvidencePart, EvidencePlace, Moved,
    NewAppraisal, Reply, SERVER_PARTS, Sha256, StoreError, StoredPart,
};

/// A part as a row has it.
#[derive(Debug, Clone)]
pub(crate) struct Kept {
    pub(crate) packing: i64,
    /// The bytes, or nothing where they lie in an object; `None`: more than were asked for.
    pub(crate) bytes: Option<Vec<u8>>,
    pub(crate) n_bytes: Option<i64>,
    pub(crate) object: Option<String>,
}

/// A row of `evidence`.
#[derive(Debug, Clone)]
pub(crate) struct EvidenceRow {
    pub(crate) id: i64,
    pub(crate) sha256: Sha256,
    pub(crate) kept: Kept,
}

/// Where a part lies from now on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Placed {
    /// The object; `None`: in the row.
    pub(crate) object: Option<String>,
    /// What the row has: nothing where there is an object.
    pub(crate) bytes: Vec<u8>,
    pub(crate) packing: i64,
    pub(crate) n_bytes: i64,
}

/// Parts that were written as objects for a judgement that is about to be recorded.
pub(crate) type PlacedParts = HashMap<Sha256, Placed>;

/// Which rows are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Which {
    /// Those whose bytes are here and at least as many.
    HereFrom(i64),
    /// Those that are objects.
    Objects,
}

/// What was found of an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Found {
    Whole,
    Lost,
}

impl Found {
    /// The number in the column.
    pub(crate) const fn number(self) -> i64 {
        match self {
            Self::Whole => 0,
            Self::Lost => 1,
        }
    }
}

/// What a database has of evidence, for what is done alike in both.
pub(crate) trait EvidenceRows: Sync {
    /// Where objects are.
    fn objects(&self) -> Option<&EvidenceObjects>;
    /// Which of these parts are kept, and not known to be lost.
    fn whole(&self, digests: Vec<Sha256>) -> Reply<'_, HashSet<Sha256>>;
    /// Rows by number, behind `after`.
    fn rows_after(&self, which: Which, after: i64, n_max: u32) -> Reply<'_, Vec<EvidenceRow>>;
    /// Changes where a part lies, if it still lies where it did; says whether.
    fn put_place(&self, id: i64, from: Option<String>, to: Placed) -> Reply<'_, bool>;
    /// Notes what was found of an object, where a part still lies there.
    fn note_found(&self, object: String, found: Found) -> Reply<'_, ()>;
}

impl Placed {
    /// A part in its row.
    pub(crate) fn here(part: &EvidencePart) -> Self {
        let packed = packing::pack(&part.bytes);
        Self {
            object: None,
            packing: packed.packing.number(),
            n_bytes: packed.n_bytes,
            bytes: packed.bytes.into_owned(),
        }
    }
}

/// What answered a challenge, out of the row of its judgement.
pub(crate) fn answer(bytes: Vec<u8>, bytes_max: u32) -> (String, Sha256, Kept) {
    let (digest, n_bytes) = (sha256(&bytes), bytes.len());
    let is_wanted = u32::try_from(n_bytes).is_ok_and(|n_bytes| n_bytes <= bytes_max);
    let kept = Kept {
        packing: Packing::None.number(),
        bytes: is_wanted.then_some(bytes),
        n_bytes: i64::try_from(n_bytes).ok(),
        object: None,
    };
    (ANSWER_PART.to_owned(), digest, kept)
}

/// Writes the parts of a judgement that are long and new as objects, before it is recorded.
pub(crate) async fn place(
    rows: &impl EvidenceRows,
    new: &NewAppraisal,
) -> Result<PlacedParts, StoreError> {
    let Some(elsewhere) = rows.objects() else { return Ok(PlacedParts::new()) };
    let is_long = |part: &&EvidencePart| {
        part.bytes.len() >= elsewhere.bytes_min && !SERVER_PARTS.contains(&part.name.as_str())
    };
    let long = || new.evidence.iter().filter(is_long);
    let digests: Vec<Sha256> = long().map(|part| part.sha256).collect();
    if digests.is_empty() {
        return Ok(PlacedParts::new());
    }
    // One that goes in between is kept in the database: the transaction sees that it is not there.
    let known = rows.whole(digests).await?;
    let mut placed = PlacedParts::new();
    for part in long().filter(|part| !known.contains(&part.sha256)) {
        if placed.contains_key(&part.sha256) {
            continue;
        }
        let bytes = part.bytes.clone();
        // Megabytes take milliseconds to pack.
        let packing = tokio::task::spawn_blocking(move || {
            let packed = packing::pack(&bytes);
            (packed.packing, packed.n_bytes, packed.bytes.into_owned())
        });
        let (packing, n_bytes, bytes) =
            packing.await.map_err(|error| StoreError::Broken { source: Box::new(error) })?;
        let object = write(elsewhere, &part.sha256, packing, bytes).await?;
        let (bytes, packing) = (Vec::new(), packing.number());
        placed.insert(part.sha256, Placed { object: Some(object), bytes, packing, n_bytes });
    }
    Ok(placed)
}

async fn write(
    elsewhere: &EvidenceObjects,
    sha256: &Sha256,
    packing: Packing,
    bytes: Vec<u8>,
) -> Result<String, StoreError> {
    let packed = match packing {
        Packing::None => PackedObject::No,
        Packing::Zstd => PackedObject::Zstd,
    };
    let name = ObjectName::fresh(sha256, packed).ok_or_else(|| StoreError::Unavailable {
        source: "the system gives no random bytes".into(),
    })?;
    let put = elsewhere.objects.put(&name, bytes).await;
    put.map_err(|error| StoreError::Unavailable { source: Box::new(error) })?;
    Ok(name.to_string())
}

/// The bytes of a part, wherever they lie. A part that is lost is noted to be.
pub(crate) async fn open(
    rows: &impl EvidenceRows,
    sha256: &Sha256,
    kept: Kept,
) -> Result<Option<Vec<u8>>, StoreError> {
    let Some(bytes) = kept.bytes else { return Ok(None) };
    let Some(object) = kept.object else {
        return packing::unpack(kept.packing, bytes, kept.n_bytes).map(Some);
    };
    match fetch(rows.objects(), sha256, &object, kept.packing, kept.n_bytes).await {
        Err(lost @ StoreError::EvidenceLost { .. }) => {
            tracing::error!(sha256 = hex::encode(sha256), object, error = %lost, "evidence is lost");
            rows.note_found(object, Found::Lost).await?;
            Err(lost)
        }
        fetched => fetched.map(Some),
    }
}

/// A part that lies outside of the database, as somebody who only looks at the database found it.
#[derive(Debug, Clone)]
pub struct PartElsewhere {
    /// What the part is.
    pub name: String,
    /// SHA-256 of its bytes.
    pub sha256: Sha256,
    pub(crate) object: String,
    pub(crate) packing: i64,
    pub(crate) n_bytes: Option<i64>,
}

impl PartElsewhere {
    /// Reads it from `objects`, and checks that it is what was written. Nothing is noted where it is lost: who looks
    /// changes nothing.
    ///
    /// # Errors
    /// [`StoreError::EvidenceLost`], or the place cannot be asked now ([`StoreError::Unavailable`]) or is not named
    /// ([`StoreError::Unfit`]).
    pub async fn fetch(
        &self,
        objects: Option<&EvidenceObjects>,
    ) -> Result<EvidencePart, StoreError> {
        let Self { name, sha256, object, packing, n_bytes } = self;
        let bytes = fetch(objects, sha256, object, *packing, *n_bytes).await?;
        Ok(EvidencePart { name: name.clone(), sha256: *sha256, bytes })
    }
}

/// Parts with their bytes.
pub(crate) async fn parts(
    rows: &impl EvidenceRows,
    named: Vec<(String, Sha256, Kept)>,
) -> Result<Vec<EvidencePart>, StoreError> {
    let mut parts = Vec::with_capacity(named.len());
    for (name, sha256, kept) in named {
        let bytes = open(rows, &sha256, kept).await?.unwrap_or_default();
        parts.push(EvidencePart { name, sha256, bytes });
    }
    Ok(parts)
}

/// Parts of several judgements, those that were asked for with their bytes.
pub(crate) async fn parts_of_many(
    rows: &impl EvidenceRows,
    all: Vec<Vec<(String, Sha256, Kept)>>,
) -> Result<Vec<Vec<StoredPart>>, StoreError> {
    let mut of_each = Vec::with_capacity(all.len());
    for named in all {
        let mut parts = Vec::with_capacity(named.len());
        for (name, sha256, kept) in named {
            let bytes = match open(rows, &sha256, kept).await {
                // Who asks for it by itself is told; the others' is not held back by it.
                Err(StoreError::EvidenceLost { .. }) => None,
                opened => opened?,
            };
            parts.push(StoredPart { name, sha256, bytes });
        }
        of_each.push(parts);
    }
    Ok(of_each)
}

/// Reads an object, and checks that it is what was written.
async fn fetch(
    elsewhere: Option<&EvidenceObjects>,
    digest: &Sha256,
    object: &str,
    packing: i64,
    n_bytes: Option<i64>,
) -> Result<Vec<u8>, StoreError> {
    let lost = |how| StoreError::EvidenceLost { sha256: *digest, how };
    let Some(elsewhere) = elsewhere else {
        return Err(StoreError::Unfit {
            what: "evidence lies outside of it, and the configuration does not say where".into(),
        });
    };
    let name: ObjectName =
        object.parse().map_err(|error| StoreError::Broken { source: Box::new(error) })?;
    // One that is packed is shorter than unpacked.
    let fetched = match elsewhere.objects.fetch(&name, UNPACKED_BYTES_MAX).await {
        Ok(fetched) => fetched,
        Err(ObjectError::TooLong { .. }) => return Err(lost(EvidenceLoss::Damaged)),
        Err(ObjectError::Missing) => {
            // A bucket that is not there, or another one, has no object of ours, and says nothing of them.
            return match elsewhere.objects.owner().await {
                Ok(Some(_)) => Err(lost(EvidenceLoss::Missing)),
                Ok(None) => Err(StoreError::Unavailable {
                    source: "the place of evidence is empty: is it the right one?".into(),
                }),
                Err(error) => Err(StoreError::Unavailable { source: Box::new(error) }),
            };
        }
        Err(error) => return Err(StoreError::Unavailable { source: Box::new(error) }),
    };
    match packing::unpack(packing, fetched, n_bytes) {
        Ok(bytes) if sha256(&bytes) == *digest => Ok(bytes),
        _ => {
            elsewhere.objects.note_damaged();
            Err(lost(EvidenceLoss::Damaged))
        }
    }
}

/// Moves some parts, from the one behind `after` on.
pub(crate) async fn move_some(
    rows: &impl EvidenceRows,
    to: EvidencePlace,
    after: i64,
    n_max: u32,
) -> Result<Moved, StoreError> {
    let which = match (to, rows.objects()) {
        (EvidencePlace::Database, _) => Which::Objects,
        (EvidencePlace::Objects, Some(elsewhere)) => {
            Which::HereFrom(i64::try_from(elsewhere.bytes_min).unwrap_or(i64::MAX))
        }
        (EvidencePlace::Objects, None) => {
            return Err(StoreError::Unfit {
                what: "the configuration names no place for objects".into(),
            });
        }
    };
    let found = rows.rows_after(which, after, n_max).await?;
    let mut moved = Moved { next: found.last().map(|row| row.id), ..Moved::default() };
    for row in found {
        let EvidenceRow { id, sha256: digest, kept } = row;
        let (from, packing) = (kept.object.clone(), kept.packing);
        let packed = kept.bytes.clone().unwrap_or_default();
        // What is damaged is not carried on.
        let bytes = match open(rows, &digest, kept).await {
            Ok(Some(bytes)) if sha256(&bytes) == digest => bytes,
            Ok(_) | Err(StoreError::EvidenceLost { .. } | StoreError::Broken { .. }) => {
                moved.n_lost = moved.n_lost.saturating_add(1);
                continue;
            }
            Err(error) => return Err(error),
        };
        let n_bytes = i64::try_from(bytes.len()).unwrap_or(i64::MAX);
        let placed = match (to, rows.objects()) {
            (EvidencePlace::Objects, Some(elsewhere)) => {
                let packing = Packing::of(packing)
                    .ok_or_else(|| StoreError::broken("evidence that is packed in no known way"))?;
                moved.count(packed.len());
                let object = Some(write(elsewhere, &digest, packing, packed).await?);
                Placed { object, bytes: Vec::new(), packing: packing.number(), n_bytes }
            }
            _ => {
                let placed =
                    Placed::here(&EvidencePart { name: String::new(), sha256: digest, bytes });
                moved.count(placed.bytes.len());
                placed
            }
        };
        // One that went meanwhile leaves an object that nothing refers to, which is swept.
        rows.put_place(id, from, placed).await?;
    }
    Ok(moved)
}

impl Moved {
    fn count(&mut self, n_bytes: usize) {
        self.n = self.n.saturating_add(1);
        let n_bytes = u64::try_from(n_bytes).unwrap_or(u64::MAX);
        self.n_bytes = self.n_bytes.saturating_add(n_bytes);
    }
}

/// Reads some objects, from the one behind `after` on, and notes which are lost, and which are no more.
pub(crate) async fn check_some(
    rows: &impl EvidenceRows,
    after: i64,
    n_max: u32,
) -> Result<Checked, StoreError> {
    let found = rows.rows_after(Which::Objects, after, n_max).await?;
    let mut checked = Checked { next: found.last().map(|row| row.id), ..Checked::default() };
    for row in found {
        let Some(object) = row.kept.object.clone() else { continue };
        checked.n = checked.n.saturating_add(1);
        match open(rows, &row.sha256, row.kept).await {
            Ok(_) => rows.note_found(object, Found::Whole).await?,
            Err(StoreError::EvidenceLost { sha256, .. }) => checked.lost.push(sha256),
            Err(error) => return Err(error),
        }
    }
    Ok(checked)
}
