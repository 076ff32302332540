//! Texts: GRUB's commands and kernel command lines, the firmware's version.

use event_log::{EventType, grub_text};

use crate::belief::Belief;
use crate::view::View;

/// A text that GRUB measured into PCR 8.
///
/// Trust: [`Belief::Verified`] says that this text was measured. Whether as a command or as a
/// kernel's command line only the prefix says, and no digest covers that.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GrubLine<'a> {
    /// Number of the event.
    pub event: u32,
    /// `grub_cmd`, `kernel_cmdline` or `module_cmdline`. No digest covers it.
    pub untrusted_prefix: &'static str,
    /// The text, without NUL.
    pub text: &'a [u8],
    /// Whether this text is what was measured.
    pub belief: Belief,
}

/// The version of the firmware's root of trust: EV_S_CRTM_VERSION. [PFP-1.06 §3.3.4.1]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CrtmVersion<'a> {
    /// Number of the event.
    pub event: u32,
    /// A UCS-2 text or a GUID, as the firmware likes.
    pub data: &'a [u8],
    /// Whether that is what was measured.
    pub belief: Belief,
}

pub(crate) fn read_grub_lines<'a>(view: &View<'_, '_, 'a>) -> Vec<GrubLine<'a>> {
    let lines = view.events().filter_map(|event| Some((event, grub_text(event)?)));
    lines
        .map(|(event, text)| GrubLine {
            event: event.number,
            untrusted_prefix: text.untrusted_prefix,
            text: text.text,
            belief: view.belief(event),
        })
        .collect()
}

pub(crate) fn read_crtm_version<'a>(view: &View<'_, '_, 'a>) -> Option<CrtmVersion<'a>> {
    let mut versions = view.events().filter(|event| {
        event.pcr_index == 0 && event.untrusted_event_type == EventType::S_CRTM_VERSION
    });
    versions.next().map(|event| CrtmVersion {
        event: event.number,
        data: event.untrusted_data,
        belief: view.belief(event),
    })
}

/// The event by which the firmware says that the kernel took over, where that is verified.
pub(crate) fn read_exit_boot_services(view: &View<'_, '_, '_>) -> Option<u32> {
    let mut events = view.events().filter(|event| {
        event.pcr_index == 5
            && event.untrusted_event_type == EventType::EFI_ACTION
            && event.untrusted_data.starts_with(b"Exit Boot Services Returned with Success")
            && view.belief(event) == Belief::Verified
    });
    events.next().map(|event| event.number)
}
