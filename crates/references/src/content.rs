//! What a baseline says.

use event_log::EventType;
use tpm_wire::{Digest, PcrSet, TpmAlgId};

use crate::Hint;

/// Values of PCRs in one baseline: eight banks of 24 PCRs.
pub const VALUES_MAX: usize = 192;

/// Images in one baseline, and values that one PCR may have: a distribution has below ten kernels
/// that are supported at one time.
pub const IMAGES_MAX: usize = 256;

/// Where a baseline comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Origin {
    /// Of an accepted judgement of a host.
    Learnt,
    /// Of a document of a vendor or of another tool.
    Imported,
    /// Of the files that are to boot.
    Computed,
}

impl Origin {
    /// The word in JSON and on the command line.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Learnt => "learnt",
            Self::Imported => "imported",
            Self::Computed => "computed",
        }
    }

    /// The origin of this word.
    pub fn from_name(name: &str) -> Option<Self> {
        let all = [Self::Learnt, Self::Imported, Self::Computed];
        all.into_iter().find(|origin| origin.as_str() == name)
    }
}

/// What a baseline says. Plain: [`Baseline::new`](crate::Baseline::new) checks it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Content {
    /// Where it comes from.
    pub origin: Origin,
    /// PCRs of which `events` are all that may be measured, in this order. One that has none in
    /// `events` must never be extended.
    pub complete: PcrSet,
    /// The events of the complete PCRs, in the order of measurement.
    pub events: Vec<Expected>,
    /// Values of PCRs, for machines whose log does not replay and for what is extended after the
    /// log ends.
    pub values: Vec<ExpectedValue>,
    /// The images that PCR 4 may hold, where it is not complete; empty: nothing is said of them.
    pub images: Vec<ExpectedImage>,
}

/// One event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expected {
    /// The PCR, 0 to 23.
    pub pcr_index: u32,
    /// Its type. No digest covers it, so an event with the same digests and another type is held
    /// to be another event.
    pub event_type: EventType,
    /// What was extended, per bank.
    pub digests: Vec<(TpmAlgId, Digest)>,
    /// What it is, for people.
    pub hint: Hint,
}

/// The values that one PCR may have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExpectedValue {
    /// The PCR, 0 to 23.
    pub pcr_index: u32,
    /// The bank.
    pub alg: TpmAlgId,
    /// Any of these is right.
    pub any_of: Vec<Digest>,
}

/// An image that may be loaded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExpectedImage {
    /// Its Authenticode digests, per bank.
    pub digests: Vec<(TpmAlgId, Digest)>,
    /// What it is, for people.
    pub hint: Hint,
}
