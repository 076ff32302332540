//! `bootproof-agent`: a courier. It collects quote, event log and facts of this host and posts
//! them; it measures nothing and judges nothing.

mod backoff;
pub mod certificate;
pub mod courier;
pub mod enrol;
pub mod evidence;
pub mod join;
mod outlook;
mod presence;
pub mod session;
pub mod source;
mod spent;
pub mod state;
pub mod tpm;
mod tss2_key;

pub use evidence::{Fixed, Sources};
