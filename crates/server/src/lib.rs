//! `bootproof-server`: inventory, enrolment, attestation, verdicts.
//!
//! `app` holds one file per thing that the server does and knows no HTTP; `http` turns requests
//! into calls of `app` and holds no rules; `web` does so for pages that people look at. What a host sends is untrusted until the crates
//! `verify`, `event-log` and `appraise` have judged it.

pub mod app;
pub mod authority;
pub mod client_authority;
pub mod config;
pub mod context;
pub mod database;
mod deliver;
mod files;
pub mod http;
pub mod log;
pub mod metrics;
pub mod notify;
mod oidc;
pub mod reload;
pub mod restoring;
pub mod traces;
mod web;
