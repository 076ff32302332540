//! Quirks that a log shows, whoever made the machine.

use event_log::{
    ComparedLog, Convention, DataCheck, Event, EventType, Format, NO_PCR, UnloggedExit,
    repeated_tail,
};

use crate::Quirk;

/// The text that an event of a startup locality begins with, and its usual length.
const STARTUP_LOCALITY: &[u8] = b"StartupLocality\0";

/// Bytes of EFI_PLATFORM_FIRMWARE_BLOB: address and length. [PFP-1.06 §10.2.5]
const FIRMWARE_BLOB_LEN: usize = 16;

/// A quirk in a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seen {
    /// Which.
    pub quirk: Quirk,
    /// How many events have it.
    pub n_events: u32,
    /// Number of the first of them.
    pub first_event: u32,
    /// The PCR of that one; `None` where it has none.
    pub pcr_index: Option<u32>,
    /// Of one that a policy can permit: that it does.
    pub is_permitted: bool,
}

/// The quirks of a log, each once, in the order of their first events. Of what was measured only
/// events count that the quote stands for; where a quirk explains a PCR that does not replay, there
/// must be such a PCR.
pub fn in_log(log: &ComparedLog<'_>) -> Vec<Seen> {
    let replayed = log.replayed();
    let events = replayed.log().events();
    let is_old = matches!(replayed.log().format(), Format::Sha1);
    let mut seen = Vec::new();
    let mut firmware = BeforeFirmware::default();
    let mut n_crtm_versions = 0usize;
    for (event, check) in events.iter().zip(log.data_checks()) {
        if event.number == 0 && is_old && event.is_extended() {
            note(&mut seen, Quirk::OldLogWithoutHeader, event);
        }
        match event.untrusted_event_type {
            EventType::NO_ACTION if event.pcr_index == NO_PCR => {
                note(&mut seen, Quirk::EventsOfNoPcr, event);
            }
            EventType::NO_ACTION => {
                for quirk in firmware.startup_locality(event, is_old) {
                    note(&mut seen, quirk, event);
                }
            }
            EventType::POST_CODE if event.untrusted_data.len() == FIRMWARE_BLOB_LEN => {
                note(&mut seen, Quirk::PostCodeStructure, event);
            }
            EventType::POST_CODE if event.untrusted_data.is_ascii() => {
                note(&mut seen, Quirk::PostCodeText, event);
            }
            EventType::S_CRTM_VERSION if event.pcr_index == 0 => {
                n_crtm_versions = n_crtm_versions.saturating_add(1);
            }
            _ => {}
        }
        if event.is_extended() && event.pcr_index == 0 {
            if firmware.is_h_crtm_unannounced(event) {
                note(&mut seen, Quirk::HCrtmWithoutLocality, event);
            }
            firmware.pcr0_is_extended = true;
        }
        let measured = match (event.untrusted_event_type, check) {
            (EventType::SEPARATOR, DataCheck::Matches(Convention::SeparatorStart)) => {
                Quirk::SeparatorFixedSlot
            }
            (
                EventType::EFI_VARIABLE_AUTHORITY,
                DataCheck::Matches(Convention::DataButLastByte),
            ) => Quirk::ShimAuthorityByte,
            (EventType::IPL, DataCheck::Matches(Convention::DataAndNul)) => {
                Quirk::SystemdBootLineNul
            }
            _ => continue,
        };
        if replayed.covers(event) {
            note(&mut seen, measured, event);
        }
    }
    let differs = |pcr_index| log.mismatches.iter().any(|found| found.pcr_index == pcr_index);
    if let Some(exit) = log.unlogged_exits.first() {
        seen.push(Seen {
            quirk: Quirk::ExitNotLogged,
            n_events: exit.n_events,
            first_event: exit.last_event,
            pcr_index: Some(UnloggedExit::PCR_INDEX),
            is_permitted: !differs(UnloggedExit::PCR_INDEX),
        });
    }
    if n_crtm_versions > 1 && differs(0) {
        let is_version = |event: &&Event<'_>| {
            event.pcr_index == 0 && event.untrusted_event_type == EventType::S_CRTM_VERSION
        };
        events.iter().filter(is_version).for_each(|event| {
            note(&mut seen, Quirk::TwoCrtmVersions, event);
        });
    }
    // To look for a repetition costs memory, so only where something is to be explained.
    if !log.mismatches.is_empty()
        && let Some(tail) = repeated_tail(replayed.log())
    {
        let repeated = events.iter().filter(|event| event.number >= tail.first_event);
        if repeated.clone().any(|event| differs(event.pcr_index)) {
            repeated.for_each(|event| note(&mut seen, Quirk::FinalEventsTwice, event));
        }
    }
    seen
}

/// What was seen of the start of PCR 0.
#[derive(Clone, Copy, Debug, Default)]
struct BeforeFirmware {
    pcr0_is_extended: bool,
    has_locality: bool,
}

impl BeforeFirmware {
    /// The quirks of the event that says at which locality the TPM was started, as the replay heeds
    /// it: the first, of PCR 0, before it is extended. [PFP-1.06 §10.4.5.3]
    fn startup_locality(
        &mut self,
        event: &Event<'_>,
        is_old: bool,
    ) -> impl Iterator<Item = Quirk> + use<> {
        let locality = event.untrusted_data.strip_prefix(STARTUP_LOCALITY);
        let heeded = locality
            .filter(|_| event.pcr_index == 0 && !self.pcr0_is_extended && !self.has_locality)
            .filter(|behind| matches!(behind.first(), Some(0 | 3 | 4)));
        self.has_locality |= heeded.is_some();
        let padded = heeded.filter(|behind| behind.len() > 1);
        let padded = padded.map(|_| Quirk::StartupLocalityPadded);
        let old = heeded.filter(|_| is_old).map(|_| Quirk::StartupLocalityInOldLog);
        padded.into_iter().chain(old)
    }

    /// Whether `event`, of PCR 0, is an H-CRTM's that no event of a locality came before.
    fn is_h_crtm_unannounced(&self, event: &Event<'_>) -> bool {
        !self.pcr0_is_extended
            && !self.has_locality
            && event.untrusted_event_type == EventType::EFI_HCRTM_EVENT
    }
}

fn note(seen: &mut Vec<Seen>, quirk: Quirk, event: &Event<'_>) {
    match seen.iter_mut().find(|seen| seen.quirk == quirk) {
        Some(seen) => seen.n_events = seen.n_events.saturating_add(1),
        None => seen.push(Seen {
            quirk,
            n_events: 1,
            first_event: event.number,
            pcr_index: Some(event.pcr_index).filter(|index| *index != NO_PCR),
            is_permitted: false,
        }),
    }
}
