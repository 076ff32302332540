//! What the host says of itself: name, kernel, and how long it has run. Never judged by.

use api::agent::HostSays;
use rustix::system::{sysinfo, uname};

/// The host's own words, under `name` where one is given.
pub fn says(name: Option<String>) -> HostSays {
    let uname = uname();
    HostSays {
        name: name.unwrap_or_else(|| uname.nodename().to_string_lossy().into_owned()),
        agent_version: env!("CARGO_PKG_VERSION").to_owned(),
        kernel: uname.release().to_string_lossy().into_owned(),
    }
}

/// Seconds since it booted, those in which it slept among them; wall clocks have no part in it.
pub(crate) fn up_s() -> Option<u64> {
    u64::try_from(sysinfo().uptime).ok()
}
