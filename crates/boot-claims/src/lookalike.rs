//! Events that are something else than they say.

use core::fmt;

use efi::VariableData;
use event_log::{Convention, DataCheck, Event, EventType};

use crate::view::View;

/// An event that is something else than its type says. Types are not covered by a digest, so this
/// is either odd firmware or a log edited to hide or to feign something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LookAlike {
    /// Number of the event.
    pub event: u32,
    /// Its PCR.
    pub pcr_index: u32,
    /// What it looks like.
    pub kind: LookAlikeKind,
}

/// What an event looks like, against its type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LookAlikeKind {
    /// Its digest is a separator's, its type is not.
    Separator,
    /// It carries and measures a variable in PCR 7, and its type is not one of variables.
    Variable,
    /// It is a Secure Boot variable that the firmware would have measured before the separator of
    /// PCR 7, and comes after it.
    ConfigAfterSeparator,
}

impl fmt::Display for LookAlike {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "event {} of PCR {} ", self.event, self.pcr_index)?;
        f.write_str(match self.kind {
            LookAlikeKind::Separator => "has the digest of a separator and another type",
            LookAlikeKind::Variable => "measures a variable and says another type",
            LookAlikeKind::ConfigAfterSeparator => "is a Secure Boot variable after the separator",
        })
    }
}

/// Finds look-alikes in PCR 0 to 7.
pub(crate) fn read_lookalikes(view: &View<'_, '_, '_>) -> Vec<LookAlike> {
    let of_firmware = view.events().filter(|event| event.pcr_index <= 7);
    of_firmware
        .filter_map(|event| {
            let kind = kind_of(view, event)?;
            Some(LookAlike { event: event.number, pcr_index: event.pcr_index, kind })
        })
        .collect()
}

fn kind_of(view: &View<'_, '_, '_>, event: &Event<'_>) -> Option<LookAlikeKind> {
    match event.untrusted_event_type {
        EventType::SEPARATOR => None,
        _ if view.separator_value(event).is_some() => Some(LookAlikeKind::Separator),
        EventType::EFI_VARIABLE_DRIVER_CONFIG => {
            let is_late =
                event.pcr_index == 7 && view.fence7.is_some_and(|fence| fence < event.number);
            is_late.then_some(LookAlikeKind::ConfigAfterSeparator)
        }
        EventType::EFI_VARIABLE_AUTHORITY => None,
        _ => {
            let is_variable = event.pcr_index == 7
                && view.check(event) == DataCheck::Matches(Convention::Data)
                && VariableData::parse(event.untrusted_data).is_ok();
            is_variable.then_some(LookAlikeKind::Variable)
        }
    }
}
