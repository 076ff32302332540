//! What an event is, for people.

/// Characters of one text: a kernel's command line has 2,048 at most.
pub const TEXT_CHARS_MAX: usize = 2048;
/// Characters of a subject and of the name of a certificate: paths are shorter.
pub const NAME_CHARS_MAX: usize = 256;
/// Names of one event: a key database of a real machine has below twenty certificates.
pub const NAMES_MAX: usize = 64;

/// Whether a digest covers the text of a hint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Told {
    /// The text is what was measured.
    Measured,
    /// Something else was measured, and this is what the host says of it.
    Untrusted,
}

/// What an event is, for people. Nothing is decided by it, but for rules that set a change aside:
/// those take only a [`Told::Measured`] one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hint {
    /// What kind of thing. It follows the event's type, which no digest covers.
    pub what: What,
    /// What it is about: a variable's name, an image's path, a command.
    pub subject: String,
    /// What it says: a version, a command line, how many entries; empty where nothing.
    pub text: String,
    /// Names of certificates in it.
    pub names: Vec<String>,
    /// Whether a digest covers subject and text.
    pub told: Told,
}

/// One row per kind: variant, word in JSON, words for people.
macro_rules! kinds {
    ($($name:ident $word:literal $words:literal;)*) => {
        /// What kind of thing an event is.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum What {
            $(#[doc = $words] $name,)*
        }

        impl What {
            /// Each.
            pub const ALL: &[Self] = &[$(Self::$name),*];

            /// The word in JSON.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $word,)* }
            }

            /// The words for people.
            pub const fn words(self) -> &'static str {
                match self { $(Self::$name => $words,)* }
            }
        }
    };
}

kinds! {
    FirmwareVersion "firmware-version" "firmware version";
    FirmwareCode "firmware-code" "firmware code";
    FirmwareTables "firmware-tables" "firmware tables";
    Separator "separator" "separator";
    Action "action" "action of the firmware";
    SecureBootVariable "secure-boot-variable" "Secure Boot variable";
    Authority "authority" "signer of an image";
    Variable "variable" "variable";
    Application "application" "boot application";
    Driver "driver" "driver";
    PartitionTable "partition-table" "partition table";
    KernelCommandLine "kernel-command-line" "kernel command line";
    ModuleCommandLine "module-command-line" "module command line";
    LoaderCommand "loader-command" "boot loader command";
    LoadedFile "loaded-file" "file that the boot loader read";
    ShimVariable "shim-variable" "variable of shim";
    UkiSection "uki-section" "section of the unified kernel image";
    Tagged "tagged" "event of the operating system";
    Other "other" "event";
}

impl What {
    /// The kind of this word.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|what| what.as_str() == name)
    }
}

/// `text` without control characters and of `chars_max` characters at most.
pub(crate) fn plain(text: &str, chars_max: usize) -> String {
    let shown = |c: char| if c.is_control() { '\u{fffd}' } else { c };
    text.chars().take(chars_max).map(shown).collect()
}
