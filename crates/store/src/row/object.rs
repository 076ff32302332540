//! Parts of evidence that lie outside of the database.

use std::sync::Arc;

use evidence_objects::Objects;

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
