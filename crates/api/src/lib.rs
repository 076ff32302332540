//! Request and response types of the Bootproof API, version 1.
//!
//! Serialisation lives here and nowhere below: what a crate of the core knows becomes JSON in
//! this crate only. A request refuses fields that it does not know, so that a typing error is an
//! error; a response may gain fields, and readers ignore those.

pub mod admin;
pub mod agent;
pub mod alarm;
pub mod appraisal;
pub mod approval;
pub mod attention;
pub mod audit;
pub mod boot_diff;
mod bytes;
pub mod channel;
pub mod client_certificate;
pub mod diagnosis;
pub mod doctor;
pub mod ek_list;
pub mod event;
pub mod finding;
pub mod firmware;
pub mod fleet;
pub mod fleet_report;
pub mod host_view;
pub mod inventory;
pub mod machine;
pub mod oidc;
pub mod operation;
pub mod pcrs;
pub mod people;
pub mod policy;
pub mod problem;
pub mod quirk;
pub mod reference;
pub mod response_code;
pub mod result;
pub mod settings;
pub mod standing;
pub mod support;
pub mod tpm;
pub mod trust;

pub use bytes::Bytes;

/// The largest request body that the server reads: an event log of 4 MiB in base64 (5.4 MiB), PCR
/// values and facts. A log of a real server has 20 to 120 KiB.
pub const BODY_BYTES_MAX: usize = 6 * 1024 * 1024;

/// The largest response that a client reads: the evidence of one host, with its log.
pub const RESPONSE_BYTES_MAX: usize = 8 * 1024 * 1024;

/// The longest that the server holds a long poll, in seconds: below the minute after which
/// middleboxes drop silent connections.
pub const POLL_S_MAX: u64 = 45;
