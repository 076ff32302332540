//! One host: what it booted, what is wrong, what to do.

use api::{
    admin::HostDetail,
    appraisal::{Appraisal, BootStep, Facts, KeyFacts},
    finding::Finding,
};
use askama::Template;

use crate::{
    frame::Frame,
    words::{self, Badge},
};

/// One judgement of the past.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Past {
    /// The judgement's number.
    pub id: i64,
    /// When, in milliseconds since 1970.
    pub at_ms: i64,
    /// The verdict's word.
    pub verdict: String,
    /// What decided it, or nothing.
    pub cause: String,
}

/// The page.
#[derive(Debug, Template)]
#[template(path = "host.html")]
pub struct HostPage {
    /// What stands around it.
    pub frame: Frame,
    /// All about the host.
    pub detail: HostDetail,
    /// Its judgements, newest first.
    pub history: Vec<Past>,
}

impl HostPage {
    fn verdict(&self) -> Badge {
        words::verdict(&self.detail.host.verdict)
    }

    /// What decides the verdict, where something stands against the host.
    fn deciding(&self) -> Option<&Finding> {
        let decides = |finding: &&Finding| matches!(finding.severity.as_str(), "fail" | "hold");
        self.detail.host.findings.iter().find(decides)
    }

    /// All that was found beside it.
    fn others(&self) -> Vec<&Finding> {
        let deciding = self.deciding();
        let is_other = |finding: &&Finding| deciding.is_none_or(|one| !std::ptr::eq(one, *finding));
        self.detail.host.findings.iter().filter(is_other).collect()
    }

    fn facts(&self) -> Option<&Facts> {
        self.detail.appraisal.as_ref().map(|appraisal: &Appraisal| &appraisal.facts)
    }

    /// PCRs by bank, with what the log leads to.
    fn banks(&self) -> Vec<BankTable> {
        let Some(facts) = self.facts() else { return Vec::new() };
        let replayed = |bank: &str, pcr: u32| {
            let log = facts.event_log.as_ref()?;
            let of_bank =
                |range: &&String| range.split_once(':').is_some_and(|(name, _)| name == bank);
            let ranges = log.replayed.iter().find(of_bank)?.split_once(':')?.1;
            Some(is_in(ranges, pcr))
        };
        let common = |bank: &str, pcr: u32| {
            let peers = self.detail.peers.as_ref().filter(|peers| peers.bank == bank)?;
            peers.pcrs.iter().find(|peer| peer.pcr == pcr).map(api::fleet::PeerPcr::sentence)
        };
        let bank =
            |(name, values): (&String, &std::collections::BTreeMap<u32, String>)| BankTable {
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

    fn waits_for_evidence(&self) -> bool {
        self.detail.next_due_s.is_some_and(|due_s| due_s <= 0)
            && self.detail.host.connection == "connected"
    }
}

/// The values of one bank.
struct BankTable {
    name: String,
    rows: Vec<PcrRow>,
}

/// One value of a PCR.
struct PcrRow {
    pcr: u32,
    use_of: &'static str,
    value: String,
    replayed: &'static str,
    peers: String,
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

pub(crate) fn severity(finding: &Finding) -> Badge {
    words::severity(&finding.severity)
}

pub(crate) fn known(value: impl std::borrow::Borrow<Option<bool>>) -> &'static str {
    words::known(*value.borrow())
}

/// What a step of the boot is, by the log's own words.
pub(crate) fn step_kind(step: &BootStep) -> &str {
    match (step.untrusted_role.as_deref(), step.kind.as_str()) {
        (Some(role), _) => role,
        (None, "driver") => "option ROM or driver",
        (None, "runtime-driver") => "runtime driver",
        (None, "application") => "application",
        (None, "command-line") => "command line",
        (None, "entry-called") => "the firmware starts a boot entry",
        (None, "entry-returned") => "the boot entry came back",
        (None, "attempts-omitted") => "the firmware does not say which entries it tries",
        (None, "uki-section") => "section of a unified kernel image",
        (None, "stub-file") => "file beside a unified kernel image",
        (None, kind) => kind,
    }
}

/// How long one of Microsoft's certificates counts for new images: those of 2011 end in 2026.
pub(crate) fn generation(key: &KeyFacts) -> &'static str {
    match key.known.as_deref() {
        Some(known) if known.contains("2011") => "2011",
        Some(known) if known.contains("2023") => "2023",
        _ => "",
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
