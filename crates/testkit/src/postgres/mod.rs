//! PostgreSQL for tests: [`Database::new`] gives an empty database in a cluster that all tests of this
//! moment share; [`Cluster`] is one of one's own, which can be restarted, frozen, and spoken to by TLS.
//!
//! Nothing here is of the distribution's own cluster: initdb makes one in a temporary folder, as a user
//! without rights, since PostgreSQL does not run as root.

mod cluster;
mod programs;
mod shared;

use std::fmt;

pub use cluster::Cluster;
pub use shared::Database;

/// What went wrong, in a text that says what to do. Shown the same with `{:?}`, so that a test that
/// unwraps it tells.
pub struct PostgresError(String);

impl fmt::Display for PostgresError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for PostgresError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for PostgresError {}

fn failed<E: fmt::Display>(what: impl fmt::Display) -> impl FnOnce(E) -> PostgresError {
    move |error| PostgresError(format!("{what}: {error}"))
}
