//! Judgements as documents: what `bootproof verify --json` prints and what the server stores.
//! Only here a judgement becomes an API type, so that command line and server say the same.

mod appraisal;
mod boot_path;
pub mod ear;
mod quirk;
pub mod reference;
mod secure_boot;

pub use appraisal::{LogSection, appraisal, endorsement, machine_said, tpm_said, unchanged};
pub use quirk::quirks;
