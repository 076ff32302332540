//! Root certificates that endorsement certificates may lead to.

use crate::Sha256;
use crate::{By, Reply};

/// A root certificate to add. The store computes the fingerprint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewTrustRoot {
    /// The certificate, DER. Parsed and judged by the caller.
    pub der: Vec<u8>,
    /// Whose it is, for people.
    pub name: String,
    /// Where it came from: a file name, a list, a person's words.
    pub source: String,
}

/// A root certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrustRoot {
    /// SHA-256 over `der`.
    pub sha256: Sha256,
    /// The certificate, DER.
    pub der: Vec<u8>,
    /// Whose it is, for people.
    pub name: String,
    /// Where it came from.
    pub source: String,
    /// When it was added.
    pub added_at_ms: i64,
}

/// All root certificates at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrustRoots {
    /// Moves with every change; never goes back.
    pub generation: i64,
    /// The roots, oldest first.
    pub roots: Vec<TrustRoot>,
}

/// Whether an addition changed something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Added {
    /// It is new.
    New,
    /// It was there; nothing changed.
    AlreadyThere,
}

/// What a store does with root certificates: a part of
/// [`crate::Store`].
pub trait TrustAnchors {
    /// Adds a root certificate; [`Added::AlreadyThere`](crate::Added::AlreadyThere) changes nothing.
    fn add_trust_root(&self, root: NewTrustRoot, by: By) -> Reply<'_, Added>;
    /// All roots, and the generation they belong to, from one snapshot.
    fn trust_roots(&self) -> Reply<'_, TrustRoots>;
    /// A number that moves whenever a root is added or removed: the cheap question "did it change?".
    fn trust_generation(&self) -> Reply<'_, i64>;
    /// Removes the root with this SHA-256 over its DER bytes.
    fn remove_trust_root(&self, sha256: Sha256, by: By) -> Reply<'_, ()>;
}
