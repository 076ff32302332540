//! What the host says of itself: name and kernel. Never judged by.

use api::agent::HostSays;
use rustix::system::uname;

/// The host's own words, under `name` where one is given.
pub fn says(name: Option<String>) -> HostSays {
    let uname = uname();
    HostSays {
        name: name.unwrap_or_else(|| uname.nodename().to_string_lossy().into_owned()),
        agent_version: env!("CARGO_PKG_VERSION").to_owned(),
        kernel: uname.release().to_string_lossy().into_owned(),
    }
}
