//! A BMC for tests and trials: serves a saved Redfish tree over TLS and behaves as real ones do.
//!
//! Settings are pending until a reset, Dell answers with a job, HPE with messages, Lenovo demands
//! an ETag, Supermicro takes the texts of its menus; the attribute registry's rules are kept. What
//! real BMCs do wrong is a [`Fault`] that a test switches on. Time is the emulator's own ([`Clock`]):
//! a reset takes as many requests as it takes, and no test sleeps.
//!
//! Never a dependency of a program that is shipped. It keeps to no promise of security: one account,
//! no limits on who connects.

mod answer;
mod bmc;
mod boot;
mod clock;
mod dialect;
mod error;
mod fault;
mod jobs;
mod machine;
mod patch;
mod places;
mod post;
mod registry;
mod serve;
mod session;
mod tls;
mod tree;

#[cfg(test)]
mod tests;

pub use bmc::{Bmc, Options, Rack};
pub use clock::Clock;
pub use dialect::Dialect;
pub use error::EmulatorError;
pub use fault::{Fault, Injection};
pub use machine::{Machine, Seen};
pub use tls::{Certificate, Protocol};
pub use tree::Tree;

/// The account that each emulated BMC has.
pub const USER: &str = "root";

/// The password of [`USER`]: public, so that nobody takes it for a secret.
pub const PASSWORD: &str = "emulated-password";
