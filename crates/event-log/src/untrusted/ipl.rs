//! EV_IPL: what boot loaders measure, each in its own way.

use efi::{Ascii, Ucs2};

use super::text::{Opaque, Text};

/// The data of an EV_IPL. The standard leaves it to the boot loader.
/// Trust: what it is said to be is a guess by PCR and text; only the digest was measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ipl<'a> {
    /// GRUB, PCR 8: a command or a command line, behind a prefix that is not measured.
    Grub {
        /// What the prefix says that it is.
        line: GrubLine,
        /// The prefix, with the blank behind it.
        prefix: &'a [u8],
        /// The text, with its NUL.
        text: Ascii<'a>,
    },
    /// GRUB, PCR 9: the name of a file whose content was measured.
    GrubFile(Ascii<'a>),
    /// shim, PCR 14: the name of a variable whose content was measured.
    ShimVariable {
        /// Which.
        variable: ShimVariable,
        /// The name, with its NUL.
        name: Opaque<'a>,
    },
    /// systemd-stub, PCR 11: the name of a section of a unified kernel image. It comes twice:
    /// for the name, and for the content.
    UkiSection {
        /// Which.
        section: UkiSection,
        /// The name, with its NUL.
        name: Text<'a>,
    },
    /// systemd-boot and systemd-stub, PCR 12 (PCR 8 of old releases): a kernel command line.
    KernelCommandLine(Ucs2<'a>),
    /// systemd-stub, PCR 12 and 13: names of credentials, configuration and system extensions.
    StubExtra(Text<'a>),
    /// Anything else.
    Other(Opaque<'a>),
}

/// What GRUB's prefix says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GrubLine {
    /// A command that was run.
    Command,
    /// The command line of a kernel.
    KernelCommandLine,
    /// The command line of a module.
    ModuleCommandLine,
}

/// As releases of GRUB and of distributions log them.
const GRUB_PREFIXES: [(GrubLine, &[u8]); 6] = [
    (GrubLine::Command, b"grub_cmd: "),
    (GrubLine::KernelCommandLine, b"kernel_cmdline: "),
    (GrubLine::ModuleCommandLine, b"module_cmdline: "),
    (GrubLine::Command, b"grub_cmd "),
    (GrubLine::KernelCommandLine, b"grub_kernel_cmdline "),
    (GrubLine::ModuleCommandLine, b"grub_module_cmdline "),
];

/// One row per name.
macro_rules! names {
    ($(#[$doc:meta])* $kind:ident { $($name:ident $text:literal $about:literal;)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum $kind {
            $(#[doc = $about] $name,)*
        }

        impl $kind {
            /// Each one.
            pub const ALL: &[Self] = &[$(Self::$name),*];

            /// The name in the log.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$name => $text,)*
                }
            }
        }
    };
}

names! {
    /// The variables that shim measures into PCR 14.
    ShimVariable {
        MokList "MokList" "The owner's keys.";
        MokListX "MokListX" "What the owner revoked.";
        MokListTrusted "MokListTrusted" "Whether the kernel may trust the owner's keys.";
        MokSbState "MokSBState" "Whether shim checks signatures.";
        MokDbState "MokDBState" "Whether shim asks db.";
        SbatLevel "SbatLevel" "The SBAT levels.";
        MokPolicy "MokPolicy" "Whether shim asks for its own key.";
        HsiStatus "HSIStatus" "What shim saw of the firmware's memory protection.";
    }
}

names! {
    /// The sections of a unified kernel image, in the order of measurement. [UAPI.5]
    UkiSection {
        Linux ".linux" "The kernel.";
        OsRelease ".osrel" "What system it is.";
        CommandLine ".cmdline" "The kernel's command line.";
        Initrd ".initrd" "The initrd.";
        Microcode ".ucode" "Microcode.";
        Splash ".splash" "A picture.";
        DeviceTree ".dtb" "The device tree.";
        UnameRelease ".uname" "The kernel's release.";
        Sbat ".sbat" "SBAT levels.";
        PcrPublicKey ".pcrpkey" "The key of signed PCR policies.";
        Profile ".profile" "A profile.";
        DeviceTreeAuto ".dtbauto" "Device trees to choose from.";
        HardwareIds ".hwids" "The machines of those.";
        EfiFirmware ".efifw" "Firmware for the machine.";
    }
}

impl<'a> Ipl<'a> {
    /// Never fails.
    pub fn read(pcr_index: u32, data: &'a [u8]) -> Self {
        // Where a confidential guest has four registers instead of PCRs, all of it is in number 3:
        // names and prefixes are looked for everywhere, and the PCR is asked for the rest.
        for (line, prefix) in GRUB_PREFIXES {
            if let Some((prefix, text)) =
                data.strip_prefix(prefix).and_then(|_| data.split_at_checked(prefix.len()))
            {
                return Self::Grub { line, prefix, text: Ascii(text) };
            }
        }
        let text = Opaque::read(data);
        let shown = match text {
            Opaque::Text(text) => text.to_string(),
            Opaque::Bytes(_) => return Self::Other(text),
        };
        if let Some(variable) = ShimVariable::ALL.iter().find(|v| v.name() == shown) {
            return Self::ShimVariable { variable: *variable, name: text };
        }
        let Opaque::Text(text) = text else { return Self::Other(text) };
        if let Some(section) = UkiSection::ALL.iter().find(|s| s.name() == shown) {
            return Self::UkiSection { section: *section, name: text };
        }
        match (pcr_index, text) {
            (8 | 12, Text::Ucs2(text)) => Self::KernelCommandLine(text),
            (12 | 13, text) => Self::StubExtra(text),
            (9, Text::Ascii(text)) => Self::GrubFile(text),
            (_, Text::Ascii(text)) if is_grub_path(text.0) => Self::GrubFile(text),
            _ => Self::Other(Opaque::Text(text)),
        }
    }

    /// All bytes of it.
    pub(super) fn parts(&self) -> [&'a [u8]; 2] {
        match self {
            Self::Grub { prefix, text, .. } => [prefix, text.0],
            Self::GrubFile(Ascii(bytes)) | Self::KernelCommandLine(Ucs2(bytes)) => [bytes, &[]],
            Self::ShimVariable { name: data, .. } | Self::Other(data) => [data.as_bytes(), &[]],
            Self::UkiSection { name: text, .. } | Self::StubExtra(text) => [text.as_bytes(), &[]],
        }
    }
}

/// A path, with or without a device: `(hd0,gpt2)/grub/grub.cfg`, `/vmlinuz`.
fn is_grub_path(text: &[u8]) -> bool {
    matches!(text, [b'/', ..]) || (text.starts_with(b"(") && text.contains(&b'/'))
}
