//! What of a whole fleet wants a look, and fails no host.

use serde::{Deserialize, Serialize};

/// `GET /v1/attention`: as it was counted last.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Attention {
    /// When, in milliseconds since 1970; absent: not yet, the server has just started.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub counted_at_ms: Option<i64>,
    /// What will fail hosts one day: certificates of 2011 alone, old lists of what is revoked.
    pub findings: Vec<FindingCount>,
    /// PCRs in which some hosts are unlike most of the same model and firmware.
    pub minorities: Vec<Minority>,
}

/// How many hosts have a finding.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct FindingCount {
    /// Its code.
    pub code: String,
    /// Its title.
    pub title: String,
    /// What to do.
    pub next_step: String,
    /// Hosts that have it.
    pub n_hosts: u64,
}

/// A PCR in which some hosts of a cohort are unlike most of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Minority {
    /// The cohort, as its hosts say.
    pub cohort: String,
    /// The bank's hash name.
    pub bank: String,
    /// The PCR.
    pub pcr: u32,
    /// Hosts of the cohort.
    pub n_hosts: u64,
    /// Those with another value than most.
    pub n_minority: u64,
}
