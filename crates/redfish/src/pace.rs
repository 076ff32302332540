//! How long to wait for a BMC, and how often to ask.

use std::time::Duration;

/// Times and counts of one run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    /// For one request: small BMCs take seconds for a registry of a megabyte.
    pub request: Duration,
    /// For all that is read of one host in a scan.
    pub host: Duration,
    /// Requests at once to one BMC: small ones have one core, and some answer 503 beyond this.
    pub per_bmc: usize,
    /// Tries of a request that only reads.
    pub tries: u32,
    /// The pause before the second try; it doubles with each.
    pub retry: Duration,
    /// The pause between two looks at a host that boots.
    pub poll: Duration,
    /// How long a boot with changes of the firmware may take: memory is trained anew, and some boot
    /// twice by themselves.
    pub boot: Duration,
    /// How long an operating system may take to end.
    pub shutdown: Duration,
    /// How long a BMC may be away: it restarts, or is updated by somebody.
    pub away: Duration,
    /// How long after a reset a host is taken to have booted where nothing tells, and how long what is
    /// in force may show the values of before.
    pub lag: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            request: Duration::from_secs(30),
            host: Duration::from_secs(300),
            per_bmc: 4,
            tries: 3,
            retry: Duration::from_millis(500),
            poll: Duration::from_secs(10),
            boot: Duration::from_secs(45 * 60),
            shutdown: Duration::from_secs(15 * 60),
            away: Duration::from_secs(10 * 60),
            lag: Duration::from_secs(15 * 60),
        }
    }
}
