//! EV_ACTION and EV_EFI_ACTION: texts that the specifications give.

use super::bytes::Bytes;
use super::text::Text;

/// One row per text.
macro_rules! actions {
    ($($(#[$doc:meta])* $name:ident $text:literal;)*) => {
        /// An action that a specification names. [PFP-1.06 §10.4.3, §10.4.4]
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum KnownAction {
            $($(#[$doc])* $name,)*
        }

        impl KnownAction {
            /// Each action.
            pub const ALL: &[Self] = &[$(Self::$name),*];

            /// The text of the specification.
            pub const fn text(self) -> &'static str {
                match self {
                    $(Self::$name => $text,)*
                }
            }
        }
    };
}

actions! {
    /// The firmware starts a boot entry.
    CallingApplication "Calling EFI Application from Boot Option";
    /// What a boot entry started came back.
    ReturningFromApplication "Returning from EFI Application from Boot Option";
    /// The loader ends the firmware's boot services.
    ExitBootServicesInvocation "Exit Boot Services Invocation";
    /// It could not.
    ExitBootServicesFailed "Exit Boot Services Returned with Failure";
    /// It could.
    ExitBootServicesSucceeded "Exit Boot Services Returned with Success";
    /// A debugger may be attached to the firmware.
    DebugMode "UEFI Debug Mode";
    /// Devices may read and write memory before the system protects itself.
    DmaProtectionDisabled "DMA Protection Disabled";
    /// Firmware of HP lowered a level of its own.
    SecurityLevelDowngraded "Security Level is Downgraded to 0";
    /// The entry of the boot order does not say what is booted.
    BootAttemptsOmitted "BOOT ATTEMPTS OMITTED";
    /// Boot by the PC BIOS.
    CallingInt19 "Calling INT 19h";
    /// It came back.
    ReturnedInt19 "Returned INT 19h";
    /// It came back, for the next device.
    ReturnViaInt18 "Return via INT 18h";
    /// Setup was entered.
    EnteringRomSetup "Entering ROM Based Setup";
    /// The case was opened.
    ChassisIntrusion "Chassis Intrusion";
    /// A person was there.
    UserPasswordEntered "User Password Entered";
    /// An administrator was there.
    AdministratorPasswordEntered "Administrator Password Entered";
    /// A password was changed.
    PasswordChange "Password Change";
    /// Somebody failed to enter a password.
    PasswordFailure "Password Failure";
    /// The keyboard was in use.
    KeyboardPressed "Key Press";
    /// Waking up.
    WakeEvent1 "Wake Event 1";
    /// Waking up.
    WakeEvent2 "Wake Event 2";
    /// Waking up.
    WakeEvent3 "Wake Event 3";
    /// Waking up.
    WakeEvent4 "Wake Event 4";
    /// Waking up.
    WakeEvent5 "Wake Event 5";
    /// Waking up.
    WakeEvent6 "Wake Event 6";
}

/// The text of an action.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ActionText<'a> {
    /// One that a specification names.
    Known {
        /// Which.
        action: KnownAction,
        /// NULs, which the specification does not have and some firmware does.
        padding: &'a [u8],
    },
    /// Another one.
    Other(Text<'a>),
}

impl<'a> ActionText<'a> {
    /// `None` where it is no text.
    pub fn read(data: &'a [u8]) -> Option<Self> {
        let of = |action: &KnownAction| {
            let padding = data.strip_prefix(action.text().as_bytes())?;
            let action = *action;
            padding.iter().all(|byte| *byte == 0).then_some(Self::Known { action, padding })
        };
        KnownAction::ALL.iter().find_map(of).or_else(|| Text::sniff(data).map(Self::Other))
    }

    pub(super) fn write(&self, out: &mut Bytes) {
        match self {
            Self::Known { action, padding } => out.raw(action.text().as_bytes()).raw(padding),
            Self::Other(text) => out.raw(text.as_bytes()),
        };
    }
}
