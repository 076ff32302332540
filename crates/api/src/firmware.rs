//! What BMCs say of hosts: what `bootproof firmware scan --json` prints.

use serde::{Deserialize, Serialize};

/// All hosts that were looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Scan {
    /// What the hosts were held to: `linux`, `esxi-6.7`, `esxi-7`, `esxi-8`, `esx-9`.
    pub profile: String,
    /// The hosts, in the order of their sources.
    pub hosts: Vec<Host>,
    /// Sources of which nothing could be said.
    pub failed: Vec<FailedSource>,
}

/// A BMC or a saved tree of which nothing could be said.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FailedSource {
    /// Which.
    pub source: String,
    /// Why.
    pub error: String,
}

/// One host. All of it is what its BMC says, and proves nothing about a boot.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Host {
    /// The BMC or the saved tree.
    pub source: String,
    /// Its resource.
    pub system: String,
    /// The maker, as the BMC says.
    pub manufacturer: Option<String>,
    /// The model.
    pub model: Option<String>,
    /// The serial number.
    pub serial: Option<String>,
    /// The name that the system gave itself.
    pub host_name: Option<String>,
    /// The version of the BIOS.
    pub bios_version: Option<String>,
    /// `ready`, `warned`, `unsure` where nothing failed and something is not said, or `not ready`.
    pub outcome: String,
    /// Who must do something about what fails: `firmware plan`, `a restart`, `a person`, `TPM module`,
    /// `reinstall`, `vendor firmware`, `in the system`, `look there`.
    pub menders: Vec<String>,
    /// How many restarts the plan takes.
    pub reboots: u64,
    /// What was found: what fails first, then in the order in which to mend.
    pub findings: Vec<Finding>,
    /// What the BMC says, whether or not anything is wrong with it.
    pub seen: Vec<Seen>,
}

/// One finding.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// Its stable kebab-case code.
    pub code: String,
    /// `fail`, `unknown`, `warn` or `info`.
    pub severity: String,
    /// A line that names it.
    pub title: String,
    /// What was found in this host.
    pub detail: String,
    /// Why it matters or happens.
    pub cause: String,
    /// Who mends it.
    pub by: String,
    /// What to do.
    pub next_step: String,
    /// The resource and the property that say so.
    pub source: Option<Source>,
}

/// One thing that is said.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seen {
    /// What it is about.
    pub what: String,
    /// What is said.
    pub value: String,
    /// Where.
    pub source: Source,
}

/// Where something was read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Source {
    /// The resource's path.
    pub resource: String,
    /// The property in it, with slashes between names.
    pub property: String,
}
