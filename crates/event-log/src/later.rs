//! What the running system measured after the boot: events behind the firmware's log, kept by
//! somebody else.

use core::fmt;

use tpm_wire::{Digest, TpmAlgId};

use crate::hash::hash;

/// The text of the separator with which a system closes the PCRs that it extends no more.
const OS_SEPARATOR: &[u8] = b"os-separator";

/// One measurement of the running system.
///
/// Trust: none, until [`leads_on`] says that the quoted value stands for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LaterEvent {
    /// The PCR, 0 to 23.
    pub pcr_index: u32,
    /// A digest for each bank that the system extended.
    pub digests: Vec<(TpmAlgId, Digest)>,
    /// The text that was measured, where the log has it.
    pub untrusted_text: Option<Vec<u8>>,
}

/// A log of such measurements, up to its first problem.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LaterLog {
    /// The measurements, in order.
    pub events: Vec<LaterEvent>,
    /// Measurements that went somewhere else than into a PCR.
    pub n_other: usize,
    /// Why reading stopped before the end.
    pub problem: Option<LaterProblem>,
}

/// What is wrong with such a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LaterProblem {
    /// It is larger than we read.
    Size {
        /// What there is.
        have: usize,
        /// The limit.
        max: usize,
    },
    /// What stands here is no record.
    Record {
        /// The byte.
        offset: usize,
    },
}

impl fmt::Display for LaterProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Size { have, max } => write!(f, "{have} is over the limit of {max}"),
            Self::Record { offset } => write!(f, "byte {offset}: no record of a measurement"),
        }
    }
}

/// Which later events may continue a PCR.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Continuation {
    /// Any: the running system goes on extending it.
    Any,
    /// One separator of the system, known by its digest. The firmware, shim and boot loader are done
    /// with the PCR, and what they measured must stand in the firmware's log: a log of somebody
    /// else must not hide a boot application behind a digest that means nothing.
    OsSeparator,
}

/// How many events of `pcr_index`, from the first, lead the value of the bank `alg` from `from` to
/// `to`; `None` where none do. A log grows while it is read, so that a quote stands for a first
/// part of it. Hashes are what makes it sound: no other events lead from one value to the other.
pub fn leads_on(
    alg: TpmAlgId,
    pcr_index: u32,
    from: &Digest,
    to: &Digest,
    events: &[LaterEvent],
    may: Continuation,
) -> Option<usize> {
    let mut value = *from;
    let of_pcr = events.iter().filter(|event| event.pcr_index == pcr_index);
    for (n, event) in of_pcr.enumerate() {
        let (_, digest) = event.digests.iter().find(|(bank, _)| *bank == alg)?;
        let is_separator = || hash(alg, &[OS_SEPARATOR]).as_ref() == Some(digest);
        if may == Continuation::OsSeparator && (n > 0 || !is_separator()) {
            return None;
        }
        value = hash(alg, &[value.as_bytes(), digest.as_bytes()])?;
        if value == *to {
            return Some(n.saturating_add(1));
        }
    }
    None
}
