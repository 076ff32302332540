//! What a step of the path is.

use efi::{Ascii, DevicePath, Ucs2};
use event_log::untrusted::{Text, UkiSection};

use super::role::Role;
use crate::belief::Belief;
use crate::image::{ImageKind, ImageSource};
use crate::warning::BootActionKind;

/// What a step of the path is. No digest covers which variant it is: it follows types and names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part<'a> {
    /// An image that was loaded.
    Image {
        /// What it was loaded as.
        untrusted_kind: ImageKind,
        /// Where it was loaded from.
        untrusted_path: Option<DevicePath<'a>>,
        /// What kind of place that is.
        untrusted_source: ImageSource,
        /// What it seems to be, by its name and by what was measured while it ran.
        untrusted_role: Option<Role>,
        /// The application that seems to have loaded it: the one before it in the same attempt.
        untrusted_loader: Option<u32>,
        /// The boot entry whose path it has.
        untrusted_entry: Option<BootEntry<'a>>,
    },
    /// Something that the firmware did with a boot entry.
    Action(BootActionKind),
    /// A file that a boot loader read, by its name. The content was measured.
    File {
        /// What the log calls it.
        untrusted_name: Ascii<'a>,
        /// What it seems to be for, by the commands that were measured.
        untrusted_use: FileUse,
    },
    /// A command line.
    CommandLine {
        /// Who measured it.
        untrusted_by: MeasuredBy,
        /// The text.
        text: Text<'a>,
    },
    /// A section of a unified kernel image. The content was measured.
    Section {
        /// Which.
        section: UkiSection,
        /// The event that measured its name, where one came just before.
        name_event: Option<u32>,
    },
    /// A credential, configuration or extension that systemd-stub passed on, by its name.
    Extra {
        /// The name.
        untrusted_name: Text<'a>,
    },
    /// What a tag of the kernel's stub or of a boot loader names: its load options, an initrd.
    Tagged {
        /// What the tag stands for.
        untrusted_name: &'static str,
    },
}

impl Part<'_> {
    /// Whether it is an image that was loaded as an application.
    pub const fn is_application(&self) -> bool {
        matches!(self, Self::Image { untrusted_kind: ImageKind::Application, .. })
    }
}

/// What a file that GRUB read is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileUse {
    /// A command `linux` names it.
    Kernel,
    /// A command `initrd` names it.
    Initrd,
    /// Configuration, a module, a font; or no command that was measured names it.
    Other,
}

/// Who measured a command line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MeasuredBy {
    /// GRUB, for a kernel.
    Grub,
    /// GRUB, for a module.
    GrubModule,
    /// systemd-boot or systemd-stub.
    Systemd,
    /// The boot loader of ESXi.
    Esxi,
}

/// A load option of the firmware: `Boot0001`, `SysPrep0000`, `Driver0000`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BootEntry<'a> {
    /// Number of the event that measured it.
    pub event: u32,
    /// The variable's name.
    pub name: Ucs2<'a>,
    /// What it is called in the menu.
    pub description: Ucs2<'a>,
    /// Whether that is what was measured.
    pub belief: Belief,
}
