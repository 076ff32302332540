//! A rack, and clients of its BMCs.

use std::time::Duration;

use bmc_emulator::{Bmc as Emulated, Options, PASSWORD, Rack, Tree, USER};
use redfish::{Bmc, Credential, Pace, Trust};

/// As fast as a virtual clock lets one be.
pub(crate) fn pace() -> Pace {
    Pace {
        request: Duration::from_secs(20),
        host: Duration::from_secs(60),
        retry: Duration::from_millis(1),
        poll: Duration::from_millis(1),
        boot: Duration::from_secs(20),
        shutdown: Duration::from_secs(10),
        ..Pace::default()
    }
}

pub(crate) fn rack() -> Rack {
    Rack::new().unwrap()
}

/// A BMC over one of the small trees.
pub(crate) fn plug(rack: &Rack, tree: &str, options: Options) -> Emulated {
    rack.plug(Tree::small(tree).unwrap().into(), options).unwrap()
}

pub(crate) fn credential(password: &str) -> Credential {
    Credential::new(USER, password.to_owned().into())
}

/// A client that knows the rack's authority.
pub(crate) fn client(rack: &Rack, bmc: &Emulated) -> Bmc {
    client_with(&Trust::Authorities(rack.ca_pem()), bmc, pace())
}

pub(crate) fn client_with(trust: &Trust, bmc: &Emulated, pace: Pace) -> Bmc {
    Bmc::new(bmc.url().parse().unwrap(), &trust.tls().unwrap(), credential(PASSWORD), pace)
}

pub(crate) fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}
