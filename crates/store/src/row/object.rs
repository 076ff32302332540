//! Parts of evidence that lie outside of the database.

use std::sync::Arc;

use evidence_objects::Objects;

use crate::Reply;
use crate::Sha256;

/// Where parts of evidence lie that are not in the database, and which do.
#[derive(Debug, Clone)]
pub struct EvidenceObjects {
    /// The objects.
    pub objects: Arc<Objects>,
    /// Shorter parts stay in the database: an object for some hundred bytes costs more than they do, and what
    /// answers a challenge is as short, and new each time.
    pub bytes_min: usize,
}

/// Where parts are moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EvidencePlace {
    /// Into the database.
    Database,
    /// To objects, those that are long enough.
    Objects,
}

/// How far parts were moved.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Moved {
    /// Parts that were moved.
    pub n: u64,
    /// Their bytes, as they are kept.
    pub n_bytes: u64,
    /// Parts that could not be, since they are lost.
    pub n_lost: u64,
    /// Where to go on; `None`: that was all.
    pub next: Option<i64>,
}

/// What was found of some objects.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Checked {
    /// Objects that were read.
    pub n: u64,
    /// Parts whose object is missing or is not what was written.
    pub lost: Vec<Sha256>,
    /// Where to go on; `None`: that was all.
    pub next: Option<i64>,
}

/// How many parts lie where.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct EvidenceCensus {
    /// Parts in the database.
    pub n_here: u64,
    /// Parts as objects.
    pub n_objects: u64,
    /// Of those, parts that are known to be lost.
    pub n_lost: u64,
    /// Objects that nothing refers to any more, and that are still to be removed.
    pub n_to_remove: u64,
}

/// What a store does with evidence that lies outside of the database: a part of
/// [`crate::Store`].
pub trait EvidencePlaces {
    /// Moves parts of evidence, by number, from behind `after` on; `n_max` at most. Each is where it was, or
    /// where it goes, at any moment, and may be asked for meanwhile.
    fn move_evidence(&self, to: EvidencePlace, after: i64, n_max: u32) -> Reply<'_, Moved>;
    /// Reads objects by the numbers of their parts, from behind `after` on, and notes those that are missing or
    /// not what was written. A judgement that brings the bytes of such a part brings it back.
    fn check_objects(&self, after: i64, n_max: u32) -> Reply<'_, Checked>;
    /// How many parts lie where. Looks at all of them: for a timer, and for people.
    fn evidence_census(&self) -> Reply<'_, EvidenceCensus>;
    /// Whether any part lies outside of the database.
    fn has_objects(&self) -> Reply<'_, bool>;
    /// Where long parts are written, and those that lie outside are read.
    fn evidence_objects(&self) -> Option<&EvidenceObjects>;
    /// Objects that nothing refers to since before `before_ms`, the longest first; at most `n_max`.
    fn objects_to_remove(&self, before_ms: i64, n_max: u32) -> Reply<'_, Vec<String>>;
    /// These objects were removed.
    fn note_objects_removed(&self, objects: Vec<String>) -> Reply<'_, ()>;
    /// Those of `objects` that a part lies in, or that are to be removed in their time.
    fn known_objects(&self, objects: Vec<String>) -> Reply<'_, Vec<String>>;
}
