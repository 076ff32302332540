//! What an attestation costs the server, measured beside a limit: a program that does only what no server
//! can leave out. Both serve the same virtual hosts with the same load, in turns, in one run.
//!
//! The load is no HTTP client: it writes requests that are nearly ready, so that on a machine with few
//! cores the most of them is left to what is measured.

pub mod crew;
pub mod fill;
pub mod frame;
pub mod guest;
pub mod line;
pub mod process;
pub mod replay;
pub mod serve;
