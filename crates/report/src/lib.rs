//! Judgements as documents: what `bootproof verify --json` prints and what the server stores.
//! Only here a judgement becomes an API type, so that command line and server say the same.

mod appraisal;
mod boot_path;
mod boot_section;
pub mod ear;
mod quirk;
pub mod reference;
mod secure_boot;

pub use appraisal::{appraisal, endorsement, machine_said, tpm_said, unchanged};
pub use boot_section::BootSection;
pub use quirk::quirks;
