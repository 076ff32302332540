//! Known deviations of firmware, boot loaders and certificates: one table ([`QUIRKS`]), and how each
//! is recognised.
//!
//! A quirk is never a second try. What decides is always the same one comparison with what the TPM
//! signed; a row only says that an oddity on the way is known, what is permitted because of it, and
//! in which finding it is told. No row makes anything pass that no digest covers, whatever a host
//! says of itself.
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

mod certificate;
mod log;
mod machine;
mod row;
mod table;

pub use certificate::in_certificate;
pub use log::{Seen, in_log};
pub use machine::{MachinePattern, UntrustedMachine, explaining_replay, of_crtm_version};
pub use row::{Effect, RestsOn, Row, Sure};
pub use table::{QUIRKS, Quirk};
