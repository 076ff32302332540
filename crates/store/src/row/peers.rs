//! How many hosts of a cohort have the same PCR values.

use super::appraisal::sha256;
use crate::Sha256;

/// PCR values of a verified quote, of one bank.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QuotedValues {
    /// The bank's hash name.
    pub bank: String,
    /// Values by PCR index, each index once.
    pub values: Vec<(u8, Vec<u8>)>,
}

impl QuotedValues {
    /// What is stored of a host's values, in short: equal digests, equal rows.
    pub(crate) fn digest(&self, cohort: &str) -> Sha256 {
        let mut all = Vec::new();
        let mut put = |bytes: &[u8]| {
            all.extend_from_slice(&u64::try_from(bytes.len()).unwrap_or(u64::MAX).to_be_bytes());
            all.extend_from_slice(bytes);
        };
        put(cohort.as_bytes());
        put(self.bank.as_bytes());
        for (pcr_index, value) in &self.values {
            put(&[*pcr_index]);
            put(value);
        }
        sha256(&all)
    }
}

/// How a host's last verified quote compares with those of its cohort.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Peers {
    /// The cohort, as the host named it.
    pub cohort: String,
    /// The bank's hash name.
    pub bank: String,
    /// By PCR index.
    pub pcrs: Vec<PeerPcr>,
}

/// One PCR of [`Peers`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PeerPcr {
    /// The PCR.
    pub pcr_index: u8,
    /// The host's value.
    pub value: Vec<u8>,
    /// Hosts that have this value, this one among them.
    pub n_same: u64,
    /// Hosts of the cohort that quoted this PCR in this bank.
    pub n_hosts: u64,
    /// A value that no other has more hosts of.
    pub most_common: Vec<u8>,
    /// Hosts that have that one.
    pub n_most_common: u64,
}
