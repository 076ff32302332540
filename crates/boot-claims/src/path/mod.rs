//! The path of a boot: what was loaded, in order, and what became of it.

mod attempt;
mod part;
mod reader;
mod role;
mod section;
mod windows;

use event_log::ComparedLog;
use tpm_wire::{Digest, TpmAlgId};

pub use attempt::{Attempt, Outcome};
pub use part::{BootEntry, FileUse, MeasuredBy, Part};
pub use role::Role;
pub use windows::WindowsBoot;

use crate::belief::Belief;
use crate::database::Phase;
use crate::view::View;

/// Drivers that are told one by one: a server with many cards has below a hundred.
pub const DRIVERS_MAX: usize = 128;

/// Other steps that are told one by one: a boot through GRUB with a theme reads some dozens of files.
pub const STEPS_MAX: usize = 256;

/// Attempts that are told one by one: firmware goes through its boot entries once, and has below
/// twenty.
pub const ATTEMPTS_MAX: usize = 64;

/// Drivers, boot applications, files, command lines and sections, in the order of the log.
///
/// Trust: digests cover the order of steps of one PCR, and nothing covers the order of those of two.
/// What a thing is called is the host's word but where [`Step::belief`] says otherwise. So the path
/// is for people: it decides nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BootPath<'a> {
    /// The steps.
    pub steps: Vec<Step<'a>>,
    /// Drivers beyond [`DRIVERS_MAX`] and other steps beyond [`STEPS_MAX`], which are not told.
    pub n_more: usize,
    /// The attempts to boot, in order.
    pub attempts: Vec<Attempt>,
    /// What Windows says of its boot.
    pub windows: Option<WindowsBoot>,
}

/// One thing of the path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step<'a> {
    /// Number of the event.
    pub event: u32,
    /// Its PCR.
    pub pcr_index: u32,
    /// What it is.
    pub part: Part<'a>,
    /// What was measured, in the strongest bank that its PCR replays in; `None` where the TPM is not
    /// known to have been extended with it.
    pub digest: Option<(TpmAlgId, Digest)>,
    /// Whether the text, or the name of the section, is what was measured. Of images and files only
    /// the digest is.
    pub belief: Belief,
    /// Before or after the separator of its own PCR, whose order the digests cover; `None` where it
    /// has none.
    pub phase: Option<Phase>,
    /// The attempt that it belongs to, from 1, in the order of the log; `None` before the first.
    pub attempt: Option<u32>,
    /// The event that measured the same into the same PCR before.
    pub again: Option<u32>,
}

impl<'a> BootPath<'a> {
    /// Reads it. Events of PCRs that do not replay are told too, without a digest.
    pub fn read(compared: &ComparedLog<'a>) -> Self {
        let replayed = compared.replayed();
        reader::read(&View::new(&replayed, compared.data_checks().into()))
    }

    /// The application that this number of an event is of.
    pub fn application(&self, event: u32) -> Option<&Step<'a>> {
        self.steps.iter().find(|step| step.event == event && step.part.is_application())
    }
}
