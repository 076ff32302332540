//! References in the inventory, and how hosts of a cohort compare.

use serde::{Deserialize, Serialize};

use crate::machine::Cohort;

/// `GET /v1/hosts/{id}/peers`: how a host's last verified quote compares with its cohort's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Peers {
    /// The cohort, as the host named it with that quote.
    pub cohort: Cohort,
    /// The bank's hash name.
    pub bank: String,
    /// By PCR.
    pub pcrs: Vec<PeerPcr>,
}

/// One PCR of a host, among those of its cohort.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PeerPcr {
    /// The PCR.
    pub pcr: u32,
    /// The host's value, in hex.
    pub value: String,
    /// Hosts that have this value, this one among them.
    pub n_same: u64,
    /// Hosts of the cohort that quoted this PCR in this bank.
    pub n_hosts: u64,
    /// A value that no other has more hosts of, in hex.
    pub most_common: String,
    /// Hosts that have that one.
    pub n_most_common: u64,
}

impl PeerPcr {
    /// In words: `211 of 212 hosts of this model share this PCR 0`.
    pub fn sentence(&self) -> String {
        let Self { pcr, n_same, n_hosts, n_most_common, .. } = self;
        let others = n_hosts.saturating_sub(*n_same);
        match (n_same, n_hosts) {
            (_, 1) => format!("no other host of this model has quoted PCR {pcr}"),
            (1, _) if *n_most_common > 1 => format!(
                "this host alone has this PCR {pcr}; {n_most_common} of {n_hosts} hosts of this \
                 model share another"
            ),
            (1, _) => format!("each of the {n_hosts} hosts of this model has its own PCR {pcr}"),
            _ if n_same < n_most_common => format!(
                "{n_same} of {n_hosts} hosts of this model share this PCR {pcr}; {n_most_common} \
                 share another"
            ),
            _ if others == 0 => format!("all {n_hosts} hosts of this model share this PCR {pcr}"),
            _ => format!("{n_same} of {n_hosts} hosts of this model share this PCR {pcr}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pcr(n_same: u64, n_hosts: u64, n_most_common: u64) -> String {
        let value = String::new;
        PeerPcr { pcr: 0, value: value(), n_same, n_hosts, most_common: value(), n_most_common }
            .sentence()
    }

    #[test]
    fn a_majority_is_told_in_words() {
        assert_eq!(pcr(211, 212, 211), "211 of 212 hosts of this model share this PCR 0");
        assert_eq!(pcr(212, 212, 212), "all 212 hosts of this model share this PCR 0");
        assert_eq!(
            pcr(1, 212, 211),
            "this host alone has this PCR 0; 211 of 212 hosts of this model share another"
        );
        assert_eq!(
            pcr(2, 212, 210),
            "2 of 212 hosts of this model share this PCR 0; 210 share another"
        );
        assert_eq!(pcr(1, 3, 1), "each of the 3 hosts of this model has its own PCR 0");
        assert_eq!(pcr(1, 1, 1), "no other host of this model has quoted PCR 0");
    }
}
