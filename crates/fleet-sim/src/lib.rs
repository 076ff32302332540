//! Virtual hosts that enrol and attest over the real API, with real TLS.
//!
//! Their TPMs are keys in memory that make the structures a chip makes, byte for byte in its form, so that
//! the server does all of its work. What no server could tell apart is not made: there are no registers, no
//! kernel and no agent. For those there are software TPMs and machines that boot.

mod chip;
mod fleet;
mod host;
mod maker;
mod patrol;
mod summary;

pub use fleet::{Faults, Fleet, Order};
pub use host::{Booted, Host};
pub use maker::Maker;
pub use patrol::{Patrol, Record};
pub use summary::{Round, Summary};
