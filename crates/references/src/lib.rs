//! What is expected to boot, and how a boot differs from it, event by event and in words.
//!
//! A [`Baseline`] is content: the events of each PCR, or values, or images, and where it comes
//! from. [`Applied`] is a baseline that somebody accepted for a host, with its [`State`]. The boot
//! that is compared is a [`Boot`]: a log with the PCRs that it replays to and the values that the
//! quote gives. [`Baseline::agrees`] is the pass over an unchanged log; [`Baseline::compare`] tells
//! what changed.
//!
//! Trust: a baseline is as good as who accepted it. Digests decide; words only explain, and what
//! no digest covers is called untrusted in them.
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

mod agree;
mod applied;
mod baseline;
mod boot;
mod compare;
mod content;
mod describe;
mod differ;
mod group;
mod hint;
mod rules;
mod words;

pub use agree::Agreement;
pub use applied::{Applied, Scope, State};
pub use baseline::{Baseline, ContentFault, Place};
pub use boot::Boot;
pub use compare::{CHANGES_MAX, Change, ChangeKind, Comparison};
pub use content::{
    Content, Expected, ExpectedImage, ExpectedValue, IMAGES_MAX, MANIFEST_FILES_MAX, Manifest,
    Model, Origin, VALUES_MAX,
};
pub use hint::{Hint, NAME_CHARS_MAX, NAMES_MAX, TEXT_CHARS_MAX, Told, What};
pub use rules::{IgnoreRule, Mode, Rules};
