//! What booted, read out of a replayed event log.
//!
//! Only [`BootClaims::read`] makes claims, and only from a [`Replayed`](event_log::Replayed) log.
//! Each fact carries its [`Belief`]: whether the TPM was extended with it, and whether the data
//! that it was read from is what was measured. What is not there is `None` or `Unknown`, never a
//! value that could pass.
#![cfg_attr(
    not(test),
    deny(
        clippy::as_conversions,
        clippy::indexing_slicing,
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic
    )
)]

mod belief;
mod claims;
mod database;
mod entries;
mod image;
mod lookalike;
mod order;
mod path;
mod secure_boot;
mod separator;
mod shim;
mod view;
mod warning;

pub use belief::{Belief, Doubt};
pub use claims::{BootClaims, Contradicted};
pub use database::{Authority, Database, DatabaseName, Phase, Standing};
pub use image::{Image, ImageKind, ImageSource};
pub use lookalike::{LookAlike, LookAlikeKind};
pub use order::Misplaced;
pub use path::{
    ATTEMPTS_MAX, Attempt, BootEntry, BootPath, DRIVERS_MAX, FileUse, MeasuredBy, Outcome, Part,
    Role, STEPS_MAX, Step, WindowsBoot,
};
pub use secure_boot::{Mode, SecureBoot, State, UnknownReason};
pub use separator::{Separator, SeparatorProblem, SeparatorProblemKind};
pub use shim::{Shim, ShimFact};
pub use warning::{BootAction, BootActionKind, Warning, WarningKind};
