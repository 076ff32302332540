//! The verdict: what a host's evidence proves, and what an administrator should do about it.
//!
//! Two steps, both pure. [`examine`] takes untrusted [`Evidence`] and what is [`Known`] of the
//! host through every check of the core crates, and keeps what each found: [`Claims`].
//! [`appraise`] turns claims into an [`Appraisal`] under a [`Policy`]. All findings are collected,
//! none hides another, and nothing that is absent, unknown or not checked counts as passed.
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

mod appraisal;
mod boot_facts;
mod boot_path;
mod claims;
mod core;
mod dynamic_launch;
mod ek;
mod evidence;
mod examine;
mod ima;
mod interface;
mod learn;
mod log;
mod policy;
mod policy_rule;
mod quirk;
mod quote;
mod reference;
mod schedule;
mod secure_boot;
mod secure_boot_rules;
mod site_rules;
mod tpm;
mod unchanged;

pub use appraisal::{Appraisal, BesideLog, Verdict, appraise};
pub use claims::{
    Claims, ClockState, EkStatus, IdentityStatus, KeyRole, LogStatus, QuoteStatus, ReadLog,
    SignerStatus,
};
pub use core::{ComparedInBanks, Core, CoreLog, examine_core};
pub use ek::{absent_certificate_finding, ek_certificate_finding, with_key_checked};
pub use evidence::{Challenge, EkEvidence, Evidence, Known, QuoteEvidence, TpmSaid};
pub use examine::examine;
pub use ima::{CoveredIma, IMA_PCR, ImaMode, ImaObjection, ImaRules, ImaStatus, ReadIma};
pub use interface::Interface;
pub use learn::{LearnError, Learning, learn};
pub use policy::{BankMinimum, ExpiredEndorsement, Policy, PolicyFault};
pub use policy_rule::{ApprovedEk, Waiver, is_lowered, unchangeable};
pub use reference::{Context, Matched, boot};
pub use schedule::Schedule;
pub use secure_boot_rules::SecureBootRules;
pub use site_rules::{EvaluateRules, SiteRules};
pub use tpm::{advisory_finding, is_weak_key, weak_key_finding};
pub use unchanged::{HashedLog, LogMemo, SameLog, Unchanged, appraise_unchanged};
