//! The PCRs of a host, bank by bank: what was signed, and what the log leads to.

use api::admin::HostDetail;

/// PCRs by bank, with what the log leads to; empty where no known TPM signed any.
pub fn pcr_banks(detail: &HostDetail) -> Vec<PcrBank> {
    let Some(appraisal) = &detail.appraisal else { return Vec::new() };
    let facts = &appraisal.facts;
    let replayed = |bank: &str, pcr: u32| {
        let log = facts.event_log.as_ref()?;
        let of_bank = |range: &&String| range.split_once(':').is_some_and(|(name, _)| name == bank);
        let ranges = log.replayed.iter().find(of_bank)?.split_once(':')?.1;
        Some(is_in(ranges, pcr))
    };
    let common = |bank: &str, pcr: u32| {
        let peers = detail.peers.as_ref().filter(|peers| peers.bank == bank)?;
        peers.pcrs.iter().find(|peer| peer.pcr == pcr).map(api::fleet::PeerPcr::sentence)
    };
    let bank = |(name, values): (&String, &std::collections::BTreeMap<u32, String>)| PcrBank {
        name: name.clone(),
        rows: values
            .iter()
            .map(|(pcr, value)| PcrRow {
                pcr: *pcr,
                use_of: use_of(*pcr),
                value: value.clone(),
                replayed: match replayed(name, *pcr) {
                    Some(true) => "leads here",
                    _ if is_untouched(value) => "never extended",
                    Some(false) => "does not lead here",
                    None => "no log",
                },
                peers: common(name, *pcr).unwrap_or_default(),
            })
            .collect(),
    };
    facts.pcrs.0.iter().map(bank).collect()
}

/// The values of one bank.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PcrBank {
    /// The bank: `sha256`.
    pub name: String,
    /// In the order of their numbers.
    pub rows: Vec<PcrRow>,
}

/// One value of a PCR.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PcrRow {
    /// Its number.
    pub pcr: u32,
    /// What is measured there.
    pub use_of: &'static str,
    /// What the TPM signed, in hex.
    pub value: String,
    /// What the log says of it.
    pub replayed: &'static str,
    /// How many hosts of its model have the same; empty where nobody compared.
    pub peers: String,
}

/// Whether a value is the one that a PCR begins with. [PC-Client-PTP §4.6]
fn is_untouched(value: &str) -> bool {
    value.bytes().all(|digit| digit == b'0') || value.bytes().all(|digit| digit == b'f')
}

/// Whether `pcr` is among `0-7,9`.
fn is_in(ranges: &str, pcr: u32) -> bool {
    ranges.split(',').any(|range| {
        let (from, to) = range.split_once('-').unwrap_or((range, range));
        let within = |from: u32, to: u32| (from..=to).contains(&pcr);
        from.trim()
            .parse()
            .ok()
            .zip(to.trim().parse().ok())
            .is_some_and(|(from, to)| within(from, to))
    })
}

/// What is measured there. [PC-Client-PFP §3.3.4; systemd and GRUB for 8 to 15]
const fn use_of(pcr: u32) -> &'static str {
    match pcr {
        0 => "firmware",
        1 => "firmware's settings",
        2 => "option ROMs",
        3 => "their settings",
        4 => "boot loaders",
        5 => "their settings, partitions",
        6 => "maker's own",
        7 => "Secure Boot",
        8 => "commands of the loader",
        9 => "files of the loader",
        10 => "IMA",
        11 => "unified kernel image",
        12 => "kernel's overrides",
        13 => "system extensions",
        14 => "MOK of shim",
        15 => "machine's identity",
        16 => "debugging",
        17..=22 => "dynamic launch",
        _ => "applications",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_of_pcrs_are_read() {
        assert!(is_in("0-7,9", 0) && is_in("0-7,9", 7) && is_in("0-7,9", 9));
        assert!(!is_in("0-7,9", 8) && !is_in("", 0) && !is_in("x-y", 0) && !is_in("0-7,9", 10));
    }
}
