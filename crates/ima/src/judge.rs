//! The covered entries against an allow list and against who may sign.

use verify::{FileSigners, StrongHash};

use crate::allow::AllowList;
use crate::list::Entry;
use crate::replay::Replayed;
use crate::signature::{FileSignature, SignatureFault};

/// Something that the list says and nothing allows.
#[derive(Clone, Copy, Debug)]
pub struct Objection<'l, 'a> {
    /// The entry.
    pub entry: &'l Entry<'a>,
    /// What is wrong with it.
    pub kind: ObjectionKind,
}

/// What is wrong with an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ObjectionKind {
    /// The kernel noted a violation.
    Violation,
    /// The template is unknown, or its data does not fit its fields.
    Unreadable,
    /// The digest is of SHA-1 or of a hash that is none of ours.
    WeakDigest,
    /// The path is in the allow list, with other digests.
    Changed,
    /// Neither is the path in the allow list, nor is there a signature.
    NotListed,
    /// The path is not in the allow list, and its signature does not hold.
    Signature(SignatureFault),
}

/// Holds each covered file against `allowed` and `signers`: its digest, of SHA-256 or better, must
/// be one that the list has for its path, or one of the signers must have signed it. What was
/// measured as a buffer (a kernel command line, a key) is not a file, and not judged here; neither
/// is the boot aggregate. Each path and digest is looked at once, however often it was measured.
pub fn judge<'l, 'a>(
    replayed: &Replayed<'l, 'a>,
    allowed: &AllowList,
    signers: &FileSigners,
) -> Vec<Objection<'l, 'a>> {
    let mut objections = Vec::new();
    for (n, entry) in replayed.entries().enumerate() {
        let kind = match object(entry, n == 0, allowed, signers) {
            Some(kind) => kind,
            None => continue,
        };
        objections.push(Objection { entry, kind });
    }
    objections
}

fn object(
    entry: &Entry<'_>,
    is_first: bool,
    allowed: &AllowList,
    signers: &FileSigners,
) -> Option<ObjectionKind> {
    if entry.is_violation() {
        return Some(ObjectionKind::Violation);
    }
    let Some(measured) = entry.measured() else { return Some(ObjectionKind::Unreadable) };
    let is_aggregate = is_first && measured.name == b"boot_aggregate";
    if is_aggregate || measured.is_buffer() {
        return None;
    }
    let Some(digest) = measured.digest else { return Some(ObjectionKind::Unreadable) };
    if digest.alg.and_then(StrongHash::from_alg).is_none() {
        return Some(ObjectionKind::WeakDigest);
    }
    let listed = allowed.digests(measured.name);
    // The root of a tree is no hash over the file, so that no list of those can hold it.
    let is_listed = !digest.is_verity
        && listed.is_some_and(|digests| digests.iter().any(|known| known == digest.bytes));
    if is_listed {
        return None;
    }
    let signature = measured.signature.map(|bytes| {
        FileSignature::parse(bytes).and_then(|signature| signature.check(&digest, signers))
    });
    match (signature, listed) {
        (Some(Ok(_)), _) => None,
        (_, Some(_)) => Some(ObjectionKind::Changed),
        (Some(Err(fault)), None) if !signers.is_empty() => Some(ObjectionKind::Signature(fault)),
        (_, None) => Some(ObjectionKind::NotListed),
    }
}
