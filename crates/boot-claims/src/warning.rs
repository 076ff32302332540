//! What firmware itself says against a boot: texts that it measures where protections are off.

use event_log::untrusted::{ActionText, KnownAction};

use crate::belief::Belief;
use crate::view::View;

/// What is off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WarningKind {
    /// A debugger may be attached to the firmware. [PFP-1.06 §10.4.4]
    DebugMode,
    /// Devices may read and write memory before the system protects itself.
    DmaProtectionDisabled,
    /// Firmware of HP lowered a level of its own.
    SecurityLevelDowngraded,
}

/// A text of the firmware that something is off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Warning {
    /// Number of the event.
    pub event: u32,
    /// Its PCR.
    pub pcr_index: u32,
    /// What is off.
    pub kind: WarningKind,
    /// Whether the text is what was measured.
    pub belief: Belief,
}

/// A boot entry that the firmware started, or that came back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BootAction {
    /// Number of the event.
    pub event: u32,
    /// What happened.
    pub kind: BootActionKind,
    /// Whether the text is what was measured.
    pub belief: Belief,
}

/// What happened to a boot entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BootActionKind {
    /// It was started.
    Called,
    /// It came back: what it had loaded runs no more.
    Returned,
    /// The firmware does not measure which entries it tries.
    Omitted,
}

/// Reads the warnings. The type of the event is not looked at: a text that was measured was measured,
/// whatever a log calls it.
pub(crate) fn read_warnings(view: &View<'_, '_, '_>) -> Vec<Warning> {
    let of_firmware = view.events().filter(|event| event.pcr_index <= 7);
    of_firmware
        .filter_map(|event| {
            let kind = match known_action(event.untrusted_data)? {
                KnownAction::DebugMode => WarningKind::DebugMode,
                KnownAction::DmaProtectionDisabled => WarningKind::DmaProtectionDisabled,
                KnownAction::SecurityLevelDowngraded => WarningKind::SecurityLevelDowngraded,
                _ => return None,
            };
            let (event, pcr_index, belief) = (event.number, event.pcr_index, view.belief(event));
            Some(Warning { event, pcr_index, kind, belief })
        })
        .collect()
}

/// Reads what became of boot entries, in order. Some firmware measures none of it.
pub(crate) fn read_boot_actions(view: &View<'_, '_, '_>) -> Vec<BootAction> {
    let of_boot = view.events().filter(|event| event.pcr_index == 4);
    of_boot
        .filter_map(|event| {
            let kind = boot_action(event.untrusted_data)?;
            Some(BootAction { event: event.number, kind, belief: view.belief(event) })
        })
        .collect()
}

/// What `data` says that became of a boot entry.
pub(crate) fn boot_action(data: &[u8]) -> Option<BootActionKind> {
    match known_action(data)? {
        KnownAction::CallingApplication => Some(BootActionKind::Called),
        KnownAction::ReturningFromApplication => Some(BootActionKind::Returned),
        KnownAction::BootAttemptsOmitted => Some(BootActionKind::Omitted),
        _ => None,
    }
}

fn known_action(data: &[u8]) -> Option<KnownAction> {
    // Each of them begins with a letter and is short; most data is ruled out by this.
    if data.len() > 64 || !data.first().is_some_and(u8::is_ascii_uppercase) {
        return None;
    }
    match ActionText::read(data)? {
        ActionText::Known { action, .. } => Some(action),
        ActionText::Other(_) => None,
    }
}
