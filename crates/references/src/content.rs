//! What a baseline says.

use event_log::EventType;
use tpm_wire::{Digest, PcrSet, TpmAlgId};

use crate::Hint;

/// Values of PCRs in one baseline: eight banks of 24 PCRs.
pub const VALUES_MAX: usize = 192;

/// Images in one baseline, and values that one PCR may have: a distribution has below ten kernels
/// that are supported at one time.
pub const IMAGES_MAX: usize = 256;

/// Files of one manifest of a vendor: the signed one and a log.
pub const MANIFEST_FILES_MAX: usize = 16;

/// Where a baseline comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Origin {
    /// Of an accepted judgement of a host.
    Learnt,
    /// Of a document of a vendor or of another tool.
    Imported,
    /// Of the files that are to boot.
    Computed,
    /// Of a manifest that a vendor signed.
    Vendor,
}

impl Origin {
    /// The word in JSON and on the command line.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Learnt => "learnt",
            Self::Imported => "imported",
            Self::Computed => "computed",
            Self::Vendor => "vendor",
        }
    }

    /// The origin of this word.
    pub fn from_name(name: &str) -> Option<Self> {
        let all = [Self::Learnt, Self::Imported, Self::Computed, Self::Vendor];
        all.into_iter().find(|origin| origin.as_str() == name)
    }
}

/// What a baseline says. Plain: [`Baseline::new`](crate::Baseline::new) checks it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Content {
    /// Where it comes from.
    pub origin: Origin,
    /// Which manifest it is of: there where the origin is [`Origin::Vendor`], and nowhere else.
    pub manifest: Option<Box<Manifest>>,
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

/// The manifest of a vendor that a baseline is of, as it was when its signature was checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Manifest {
    /// Whose machines it is about.
    pub model: Model,
    /// What the vendor calls it.
    pub id: String,
    /// Subject of the certificate of who signed it.
    pub signer: String,
    /// SHA-256 of that certificate.
    pub signer_sha256: [u8; 32],
    /// SHA-256 of the certificate that the operator trusts and that vouches for the signer.
    pub anchor_sha256: [u8; 32],
    /// The files that it was read from, the signed one first, with their SHA-256.
    pub files: Vec<(String, [u8; 32])>,
}

/// Machines that a vendor means, in the words of its manifest. The firmware of a machine says the
/// same words, which nothing proves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Model {
    /// Who made the machines.
    pub system_vendor: String,
    /// The model.
    pub product_name: String,
    /// The version of the firmware.
    pub firmware_version: String,
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
