//! What must not leave a machine.
//!
//! [`text`] takes out of logs and pasted output what is known to be a secret by its looks or by its
//! name. [`settings`] goes the other way round: of a configuration file only what is on a list stays,
//! so that a key which nobody thought of is not shown. Both say what they took: [`Removed`].
//!
//! Neither can know a secret that looks like a word and has no name. What rests on the first alone is
//! to be read by a person before it is given away.
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

mod named;
mod private_key;
mod recovery_key;
mod removed;
mod settings;
mod shaped;
mod text;
mod url;

pub use named::is_secret_name;
pub use removed::{Redacted, Removed, Secret};
pub use settings::settings;
pub use text::text;
