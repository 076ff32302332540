//! [`Log`] → [`Replay`]: what the PCRs would be if the log were true.

use core::fmt;

use tpm_wire::{Digest, PCR_COUNT, PcrBank, PcrSet, TpmAlgId};

use crate::event_type::EventType;
use crate::hash::{extend, is_supported};
use crate::log::{Event, Log};

/// The text that an EV_NO_ACTION event of a StartupLocality begins with.
const STARTUP_LOCALITY: &[u8; 16] = b"StartupLocality\0";

/// The PCRs that a log adds up to, bank by bank.
#[derive(Clone, Debug)]
pub struct Replay {
    banks: Vec<ReplayedBank>,
    /// From where PCR 0 started.
    pub startup: Startup,
    /// StartupLocality events that were not heeded.
    pub startup_problems: Vec<StartupProblem>,
}

#[derive(Clone, Debug)]
pub(crate) struct ReplayedBank {
    pub(crate) values: PcrBank,
    pub(crate) extended: PcrSet,
    skipped: PcrSet,
}

/// From where PCR 0 started. [PFP-1.06 §10.4.5.3] [PTP-1.05 §4.6.2]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Startup {
    /// The locality of TPM2_Startup: 0, 3, or 4 where an H-CRTM measured first.
    pub locality: u8,
    /// Number of the event that says so; `None` where nothing says so and 0 is assumed.
    pub event: Option<u32>,
}

/// A StartupLocality event that was not heeded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StartupProblem {
    /// Number of the event.
    pub event: u32,
    /// Why.
    pub kind: StartupProblemKind,
}

/// Why a StartupLocality event was not heeded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StartupProblemKind {
    /// It is not of PCR 0.
    NotPcr0 {
        /// Its PCR index.
        pcr_index: u32,
    },
    /// PCR 0 had been extended before it.
    AfterExtend,
    /// Another came before it.
    Repeated,
    /// The locality is not 0, 3 or 4; `None` where the byte is missing.
    Locality {
        /// The locality.
        have: Option<u8>,
    },
}

impl fmt::Display for StartupProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "event {}: StartupLocality ", self.event)?;
        match self.kind {
            StartupProblemKind::NotPcr0 { pcr_index } => write!(f, "of PCR {pcr_index}, not 0"),
            StartupProblemKind::AfterExtend => f.write_str("after PCR 0 was extended"),
            StartupProblemKind::Repeated => f.write_str("a second time"),
            StartupProblemKind::Locality { have: Some(have) } => write!(f, "{have}, not 0, 3 or 4"),
            StartupProblemKind::Locality { have: None } => f.write_str("without a locality"),
        }
    }
}

impl Replay {
    /// The PCRs of bank `alg`, all 24, those without events at their reset value. `None` where the
    /// bank was not asked for, or we have no such hash.
    pub fn bank(&self, alg: TpmAlgId) -> Option<&PcrBank> {
        self.find(alg).map(|bank| &bank.values)
    }

    /// The PCRs of bank `alg` that the log has events for.
    pub fn extended(&self, alg: TpmAlgId) -> PcrSet {
        self.find(alg).map_or(PcrSet::EMPTY, |bank| bank.extended)
    }

    /// The PCRs of bank `alg` with an event that has no digest of that bank. Such an event was
    /// left out of the replay.
    pub fn skipped(&self, alg: TpmAlgId) -> PcrSet {
        self.find(alg).map_or(PcrSet::EMPTY, |bank| bank.skipped)
    }

    /// The banks, in the order that they were asked for.
    pub fn banks(&self) -> impl Iterator<Item = &PcrBank> {
        self.banks.iter().map(|bank| &bank.values)
    }

    pub(crate) fn find(&self, alg: TpmAlgId) -> Option<&ReplayedBank> {
        self.banks.iter().find(|bank| bank.values.alg() == alg)
    }
}

/// Replays `log` for `banks`, all in one pass. An algorithm that we have no hash for, or that
/// occurs twice, is left out.
///
/// PCR 0-16 and 23 start at zero, 17-22 at all ones. PCR 0 starts at the startup locality where an
/// EV_NO_ACTION event says so: only 0, 3 or 4, only PCR 0, once, before PCR 0 is extended; and at 4
/// where its first extend is an H-CRTM event. EV_NO_ACTION is never extended.
/// [PFP-1.06 §3.3.2] [PTP-1.05 §4.6.2]
pub fn replay(log: &Log<'_>, banks: impl IntoIterator<Item = TpmAlgId>) -> Replay {
    let mut replay =
        Replay { banks: Vec::new(), startup: Startup::default(), startup_problems: Vec::new() };
    for alg in banks {
        if is_supported(alg) && replay.find(alg).is_none() {
            let values = reset_values(alg);
            let (extended, skipped) = (PcrSet::EMPTY, PcrSet::EMPTY);
            replay.banks.push(ReplayedBank { values, extended, skipped });
        }
    }
    let mut pcr0_is_extended = false;
    for event in log.events() {
        if !event.is_extended() {
            replay.heed_startup_locality(event, pcr0_is_extended);
            continue;
        }
        if event.pcr_index == 0 && !pcr0_is_extended {
            pcr0_is_extended = true;
            if event.untrusted_event_type == EventType::EFI_HCRTM_EVENT {
                replay.start_pcr0(4, event.number);
            }
        }
        for bank in &mut replay.banks {
            bank.extend(event);
        }
    }
    replay
}

impl Replay {
    fn heed_startup_locality(&mut self, event: &Event<'_>, pcr0_is_extended: bool) {
        // Some firmware pads the event to a fixed size: what is behind the locality is ignored.
        let Some(behind) = event.untrusted_data.strip_prefix(STARTUP_LOCALITY) else { return };
        let locality = behind.first().copied();
        let kind = match locality {
            _ if event.pcr_index != 0 => StartupProblemKind::NotPcr0 { pcr_index: event.pcr_index },
            _ if pcr0_is_extended => StartupProblemKind::AfterExtend,
            _ if self.startup.event.is_some() => StartupProblemKind::Repeated,
            Some(locality @ (0 | 3 | 4)) => return self.start_pcr0(locality, event.number),
            have => StartupProblemKind::Locality { have },
        };
        self.startup_problems.push(StartupProblem { event: event.number, kind });
    }

    /// The reset value of PCR 0 is the locality, in the last byte.
    fn start_pcr0(&mut self, locality: u8, number: u32) {
        self.startup = Startup { locality, event: Some(number) };
        for bank in &mut self.banks {
            let Some(mut value) = bank.values.get(0).copied() else { continue };
            if let Some(last) = value.as_mut_bytes().last_mut() {
                *last = locality;
            }
            // Of the bank's own length: cannot be refused.
            let _ = bank.values.set(0, value);
        }
    }
}

impl ReplayedBank {
    /// new = H(old ‖ digest). [TPM2-P1-1.59 §17.2]
    fn extend(&mut self, event: &Event<'_>) {
        let alg = self.values.alg();
        let Some(digest) = event.digests.of(alg) else {
            self.skipped = self.skipped.with(event.pcr_index);
            return;
        };
        let Some(value) = self.values.value_mut(event.pcr_index) else { return };
        if extend(alg, value, digest) {
            self.extended = self.extended.with(event.pcr_index);
        }
    }
}

fn reset_values(alg: TpmAlgId) -> PcrBank {
    let mut bank = PcrBank::new(alg);
    for index in 0..u32::try_from(PCR_COUNT).unwrap_or(0) {
        let fill = if is_dynamic(index) { 0xff } else { 0 };
        if let Some(value) = alg.digest_len().and_then(|len| Digest::filled(fill, len)) {
            // Of the bank's own length: cannot be refused.
            let _ = bank.set(index, value);
        }
    }
    bank
}

/// The PCRs of a dynamic launch: they start at all ones, and at zero after one.
pub(crate) const fn is_dynamic(pcr_index: u32) -> bool {
    matches!(pcr_index, 17..=22)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hash::tests::N_EXTENDS;
    use crate::{LogWriter, parse};

    #[test]
    fn a_replay_costs_one_hash_for_each_event_and_bank() {
        let banks = [TpmAlgId::SHA1, TpmAlgId::SHA256, TpmAlgId::SHA384, TpmAlgId::SM3_256];
        for n_events in [1usize, 100, 1000] {
            let mut writer = LogWriter::new(banks);
            for i in 0..n_events {
                let pcr_index = u32::try_from(i % 24).unwrap();
                writer.measure(pcr_index, EventType::IPL, &i.to_le_bytes(), b"text");
            }
            let bytes = writer.finish();
            let log = parse(&bytes).log;
            for n_banks in 0..=banks.len() {
                N_EXTENDS.set(0);
                let replayed = replay(&log, banks[..n_banks].iter().copied());
                assert_eq!(N_EXTENDS.get(), n_events * n_banks);
                for bank in replayed.banks() {
                    let alone = replay(&log, [bank.alg()]);
                    assert_eq!(alone.bank(bank.alg()), Some(bank));
                }
            }
        }
    }
}
