//! What of a whole fleet wants a look: findings that many have, and hosts unlike those of their cohort.

/// Cohorts that are told: nobody reads more.
pub const MINORITIES_MAX: u32 = 20;

/// How many hosts have a finding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FindingCount {
    /// The finding's code.
    pub code: String,
    /// Hosts whose last judgement has it.
    pub n_hosts: u64,
}

/// A PCR in which some hosts of a cohort are unlike most of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Minority {
    /// The cohort, as hosts name it.
    pub cohort: String,
    /// The bank's hash name.
    pub bank: String,
    /// The PCR.
    pub pcr_index: u8,
    /// Hosts of the cohort that quoted it.
    pub n_hosts: u64,
    /// Those with another value than most.
    pub n_minority: u64,
}

/// The piece of the findings of a host (JSON) that has this code.
pub(crate) fn piece(code: &str) -> String {
    format!("\"code\":{}", serde_json::Value::from(code))
}
