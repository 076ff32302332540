//! What servers on one store tell each other.

use crate::HostId;

/// What another server told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Told {
    /// Something about these hosts changed.
    Hosts(Vec<HostId>),
    /// There are new events.
    Events,
    /// Something may have been missed: any host may have changed.
    Anything,
}
