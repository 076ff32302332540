//! HTTPS client of the Bootproof API, for the agent and the command line.
//!
//! It speaks to one server, whose certificate authority it knows by certificate or by pin. There
//! is no way to turn verification off.

mod context;
mod error;
mod events;
mod evidence;
mod http;
mod operations;
mod pages;
mod patience;
mod trust;

pub use context::{CONTEXT_ENV, Context, ContextError};
pub use error::ClientError;
pub use events::EventStream;
pub use http::Client;
pub use operations::{LabelsQuery, Operation, PageQuery, operations};
pub use pages::{Page, Pages};
pub use trust::{CaPin, PinError, Trust};
