//! The way to a TPM: kernel devices and the sockets of swtpm, chosen by one string.
//!
//! [`Tpm`] carries the typed commands of `tpm-wire` there and back, sends again what the TPM asks
//! for again, and leaves nothing loaded behind. It blocks: programs with an async runtime call it
//! on a thread of its own.
//!
//! A swtpm serves one client at a time: a second one connects and then waits for an answer until
//! the first is gone or its time is over.

mod address;
mod ask;
mod discover;
mod error;
pub mod pt;
mod tpm;
mod transport;

pub use address::{Address, AddressError};
pub use discover::discover;
pub use error::{DeviceError, TpmError};
pub use tpm::Tpm;
pub use transport::{Transport, open};
