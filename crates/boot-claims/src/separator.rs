//! The separators of PCR 0 to 7.

use core::fmt;

use event_log::{EventType, SeparatorValue};

use crate::view::View;

/// The separator of a PCR: the first event with a separator's digest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Separator {
    /// The PCR, 0 to 7.
    pub pcr_index: u32,
    /// Number of the event.
    pub event: u32,
    /// What was hashed.
    pub value: SeparatorValue,
}

/// What is wrong about the separator of a PCR.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SeparatorProblem {
    /// The PCR, 0 to 7.
    pub pcr_index: u32,
    /// What is wrong.
    pub kind: SeparatorProblemKind,
}

/// The ways in which a separator is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SeparatorProblemKind {
    /// There is none: the firmware did not hand over this PCR in the way of the standard.
    Missing,
    /// The firmware met an error and booted nevertheless.
    Error {
        /// Number of the event.
        event: u32,
    },
    /// There is a second one: what comes between may not be the firmware's.
    Repeated {
        /// Number of the second event.
        event: u32,
    },
    /// An event with a separator's digest says another type.
    Retyped {
        /// Number of the event.
        event: u32,
    },
    /// An event that says that it is a separator has the digest of something else.
    Digest {
        /// Number of the event.
        event: u32,
    },
}

impl fmt::Display for SeparatorProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PCR {}: ", self.pcr_index)?;
        match self.kind {
            SeparatorProblemKind::Missing => f.write_str("no separator"),
            SeparatorProblemKind::Error { event } => {
                write!(f, "event {event} is an error separator")
            }
            SeparatorProblemKind::Repeated { event } => {
                write!(f, "event {event} is a second separator")
            }
            SeparatorProblemKind::Retyped { event } => {
                write!(f, "event {event} is a separator under another event type")
            }
            SeparatorProblemKind::Digest { event } => {
                write!(f, "event {event} says that it is a separator and is none")
            }
        }
    }
}

/// Reads the separators. Of each PCR 0 to 7 exactly one normal one is expected, by digest *and*
/// type. [PFP-1.06 §3.3.2.2]
pub(crate) fn read_separators(
    view: &View<'_, '_, '_>,
) -> ([Option<Separator>; 8], Vec<SeparatorProblem>) {
    let mut separators = [None; 8];
    let mut problems = Vec::new();
    for event in view.events() {
        let pcr_index = event.pcr_index;
        let slot = usize::try_from(pcr_index).ok().and_then(|index| separators.get_mut(index));
        let Some(slot) = slot else { continue };
        let mut refuse = |kind| problems.push(SeparatorProblem { pcr_index, kind });
        let number = event.number;
        let has_type = event.untrusted_event_type == EventType::SEPARATOR;
        let Some(value) = view.separator_value(event) else {
            if has_type {
                refuse(SeparatorProblemKind::Digest { event: number });
            }
            continue;
        };
        if !has_type {
            refuse(SeparatorProblemKind::Retyped { event: number });
        }
        if value == SeparatorValue::Error {
            refuse(SeparatorProblemKind::Error { event: number });
        }
        match slot {
            None => *slot = Some(Separator { pcr_index, event: number, value }),
            Some(_) => refuse(SeparatorProblemKind::Repeated { event: number }),
        }
    }
    for (pcr_index, _) in (0..).zip(&separators).filter(|(_, slot)| slot.is_none()) {
        problems.push(SeparatorProblem { pcr_index, kind: SeparatorProblemKind::Missing });
    }
    // Those of one PCR stay in the order of their events.
    problems.sort_by_key(|problem| problem.pcr_index);
    (separators, problems)
}
