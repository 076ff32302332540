//! The checklist of a host that is to be attested.
//!
//! Not a second judgement: what is wrong comes as findings of `appraise`, and with [`Objection`] what
//! no evidence carries. This crate says under which [`Check`] each of them stands, in which order the
//! checks are to be mended, and which of them nobody looked at. A check passes only where somebody
//! says what was [seen](Observed::seen); else it is [`State::Unknown`].
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

mod check;
mod checklist;
pub mod esxi;
mod objection;
mod profile;

pub use check::{CHECKS, Check, MEND_ABOVE, Row, System, Unknown};
pub use checklist::{Checklist, First, Item, Observed, Outcome, Reason, State};
pub use objection::Objection;
pub use profile::Profile;
