//! For tests and the demo: logs of plausible boots with quirks, guards of swtpm, recorded evidence.
//!
//! Helpers panic with a text that helps: in a test that is how a step that cannot be done ends.

pub mod boot;
pub mod bundle;
pub mod cabinet;
pub mod corpus;
pub mod ima;
pub mod log;
pub mod machine;
pub mod pe;
pub mod postgres;
pub mod rim;
pub mod s3;
pub mod swtpm;
pub mod wait;
