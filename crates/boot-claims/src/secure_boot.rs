//! Whether Secure Boot was on.

use core::fmt;

use efi::{Guid, VariableData};
use event_log::{Event, EventType};

use crate::belief::Belief;
use crate::view::View;

/// Whether Secure Boot was on, and by which event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SecureBoot {
    /// The state.
    pub state: State,
    /// Number of the event that says so, or of the one that makes it unknown.
    pub event: Option<u32>,
}

/// Whether Secure Boot was on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// The firmware measured SecureBoot = 1 before it let go of PCR 7.
    On,
    /// The firmware measured SecureBoot = 0 or an empty variable there.
    Off,
    /// Nothing proves either.
    Unknown(UnknownReason),
}

/// Why it is not known whether Secure Boot was on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum UnknownReason {
    /// PCR 7 was not quoted in a bank that counts, does not replay there, or has no events.
    NotReplayed,
    /// The log has SHA-1 digests only, and policy does not let facts rest on them.
    Sha1LogOnly,
    /// PCR 7 has no separator: nothing tells the firmware's events from later ones.
    NoSeparator,
    /// The firmware measured no SecureBoot variable.
    NotMeasured,
    /// The only SecureBoot event comes after the separator: anybody could have made it.
    AfterSeparator,
    /// SecureBoot was measured twice before the separator.
    Repeated,
    /// The event says another type than that of a Secure Boot variable.
    Retyped,
    /// The event has no digest in each bank that PCR 7 replays in.
    NotCovered,
    /// The data of the event is not what was measured.
    Contradicted,
    /// The value is neither empty nor one byte 0 or 1.
    Value,
}

impl fmt::Display for UnknownReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotReplayed => "the log does not replay to the quoted PCR 7",
            Self::Sha1LogOnly => "the log has SHA-1 digests only",
            Self::NoSeparator => "PCR 7 has no separator",
            Self::NotMeasured => "the firmware did not measure the SecureBoot variable",
            Self::AfterSeparator => "SecureBoot was measured only after the separator of PCR 7",
            Self::Repeated => "SecureBoot was measured more than once",
            Self::Retyped => "the SecureBoot event has another event type",
            Self::NotCovered => "the SecureBoot event has no digest in a replayed bank",
            Self::Contradicted => "the data of the SecureBoot event is not what was measured",
            Self::Value => "SecureBoot has a value other than 0 and 1",
        })
    }
}

/// A mode variable of the firmware that holds one byte 0 or 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mode {
    /// Number of the event.
    pub event: u32,
    /// The value; `None` where it is not one byte 0 or 1.
    pub is_set: Option<bool>,
    /// Whether that is what was measured, before the separator of PCR 7.
    pub belief: Belief,
}

/// Reads SecureBoot. All of this must hold: PCR 7 replays in a bank that counts; it has a separator,
/// found by its digest; before it exactly one event carries EFI_GLOBAL_VARIABLE / SecureBoot;
/// that is covered, of type EV_EFI_VARIABLE_DRIVER_CONFIG, and its data hashes to its digests.
/// One byte 1 is on; 0 and empty are off. [PFP-1.06 §3.3.4.8] [UEFI-2.10 §32.3]
pub(crate) fn read_secure_boot(view: &View<'_, '_, '_>) -> SecureBoot {
    let unknown = |reason, event| SecureBoot { state: State::Unknown(reason), event };
    if !view.replayed.pcrs().contains(7) {
        let reason = match view.is_sha1_log() {
            true => UnknownReason::Sha1LogOnly,
            false => UnknownReason::NotReplayed,
        };
        return unknown(reason, None);
    }
    if view.fence7.is_none() {
        return unknown(UnknownReason::NoSeparator, None);
    }
    let (before, after) = split_by_fence(view, "SecureBoot");
    let (event, variable) = match before[..] {
        [one] => one,
        [_, (second, _), ..] => return unknown(UnknownReason::Repeated, Some(second.number)),
        [] => {
            return match after.first() {
                Some((event, _)) => unknown(UnknownReason::AfterSeparator, Some(event.number)),
                None => unknown(UnknownReason::NotMeasured, None),
            };
        }
    };
    let number = Some(event.number);
    if event.untrusted_event_type != EventType::EFI_VARIABLE_DRIVER_CONFIG {
        return unknown(UnknownReason::Retyped, number);
    }
    let state = match view.belief(event) {
        Belief::Verified => match variable.value {
            [1] => State::On,
            [0] | [] => State::Off,
            _ => State::Unknown(UnknownReason::Value),
        },
        Belief::Unverifiable(_) => State::Unknown(UnknownReason::NotCovered),
        Belief::Contradicted => State::Unknown(UnknownReason::Contradicted),
    };
    SecureBoot { state, event: number }
}

/// Reads the mode variable `name`: only the first event for it, and only before the separator.
pub(crate) fn read_mode(view: &View<'_, '_, '_>, name: &str) -> Option<Mode> {
    let (before, _) = split_by_fence(view, name);
    let (event, variable) = before.first()?;
    let is_set = match variable.value {
        [0] => Some(false),
        [1] => Some(true),
        _ => None,
    };
    Some(Mode { event: event.number, is_set, belief: view.belief(event) })
}

type VariableEvents<'l, 'a> = Vec<(&'l Event<'a>, VariableData<'a>)>;

/// The events of PCR 7 for the global variable `name`, before and after the separator.
fn split_by_fence<'l, 'a>(
    view: &View<'_, 'l, 'a>,
    name: &str,
) -> (VariableEvents<'l, 'a>, VariableEvents<'l, 'a>) {
    let of_pcr7 = view.events().filter(|event| event.pcr_index == 7);
    of_pcr7
        .filter_map(|event| Some((event, VariableData::parse(event.untrusted_data).ok()?)))
        .filter(|(_, variable)| variable.is(Guid::GLOBAL_VARIABLE, name))
        .partition(|(event, _)| view.is_before_fence7(event))
}
