//! How many hosts of a cohort have the same PCR values.

/// PCR values of a verified quote, of one bank.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QuotedValues {
    /// The bank's hash name.
    pub bank: String,
    /// Values by PCR index, each index once.
    pub values: Vec<(u8, Vec<u8>)>,
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
