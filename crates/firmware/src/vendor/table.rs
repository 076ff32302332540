//! The table: names of attributes and their values.

use super::{Access, Intent};

/// How the name of an attribute is matched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Name {
    /// It is this.
    Is(&'static str),
    /// It is this, or this with `_` and hexadecimal digits, which change with each BIOS release of
    /// Supermicro.
    Begins(&'static str),
}

impl Name {
    fn is_of(self, name: &str) -> bool {
        match self {
            Self::Is(own) => own == name,
            Self::Begins(own) => name.strip_prefix(own).is_some_and(|rest| {
                rest.is_empty()
                    || rest.strip_prefix('_').is_some_and(|digits| {
                        (1..=8).contains(&digits.len())
                            && digits.bytes().all(|byte| byte.is_ascii_hexdigit())
                    })
            }),
        }
    }
}

/// One name of one intent.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    /// What the attribute is for.
    pub intent: Intent,
    name: Name,
    /// Values under which the intent holds, best first.
    pub on: &'static [&'static str],
    /// Values under which it does not.
    pub off: &'static [&'static str],
    /// What it may be used for.
    pub access: Access,
    /// Whose firmware has it, for people only.
    pub seen_in: &'static str,
}

impl Row {
    /// Whether an attribute of this name is of this row.
    pub fn is_of(&self, name: &str) -> bool {
        self.name.is_of(name)
    }
}

const ENABLED: &[&str] = &["Enabled", "Enable"];
const DISABLED: &[&str] = &["Disabled", "Disable"];

macro_rules! rows {
    ($($intent:ident $kind:ident $name:literal $access:ident $on:expr, $off:expr, $seen:literal;)+) => {
        /// The rows. Sources: attribute registries of the named firmware; those marked * from vendors'
        /// listings.
        pub static ROWS: &[Row] = &[$(Row {
            intent: Intent::$intent,
            name: Name::$kind($name),
            on: $on,
            off: $off,
            access: Access::$access,
            seen_in: $seen,
        }),+];

        /// A row without a name, for attributes that are recognised by what people read.
        pub(super) const fn generic(intent: Intent, on: &'static [&'static str],
            off: &'static [&'static str]) -> Row {
            Row { intent, name: Name::Is(""), on, off, access: Access::Write, seen_in: "any" }
        }
    };
}

rows! {
    UefiBoot Is "BootMode" Write &["Uefi", "UefiMode"], &["Bios", "LegacyBios", "Legacy", "LegacyMode"], "Dell, HPE";
    UefiBoot Is "BootModes_SystemBootMode" Write &["UEFIMode"], &["LegacyMode"], "Lenovo";
    UefiBoot Begins "CSMSupport" Write DISABLED, ENABLED, "Supermicro, AMI";
    UefiBoot Begins "BootModeSelect" Write &["UEFI"], &["Legacy", "Dual"], "Supermicro*";

    NoLegacyVideo Is "ForceInt10" Write DISABLED, ENABLED, "Dell";

    // Without PBM the TPM is on and nothing is measured.
    TpmVisible Is "TpmSecurity" Write &["On", "OnPbm"], &["Off", "OnNoPbm"], "Dell";
    TpmVisible Is "TpmVisibility" Write &["Visible"], &["Hidden"], "HPE";
    TpmVisible Is "Tpm2Visibility" Write &["Visible"], &["Hidden"], "HPE iLO 4*";
    TpmVisible Begins "SecurityDeviceSupport" Write ENABLED, DISABLED, "Supermicro, AMI";
    TpmVisible Is "TpmSupport" Write ENABLED, DISABLED, "AMI, DGX";
    TpmVisible Is "TPM" Write ENABLED, DISABLED, "OpenBMC, NVIDIA";
    TpmVisible Is "TPMControl" Write ENABLED, DISABLED, "Cisco*";

    Tpm20 Is "TpmType" Read &["Tpm20"], &["Tpm12"], "HPE Gen10";
    Tpm20 Is "TpmModeSwitchOperation" Operation &["Tpm20"], &["Tpm12"], "HPE Gen10";

    Sha256Bank Is "Tpm2Algorithm" Write &["SHA256"], &["SHA1", "SHA384"], "Dell: one bank at a time";
    // Keeps SHA-1 where it was on: what others sealed to it still opens.
    Sha256Bank Is "TpmActivePcrs" Write &["Sha1Sha256", "Sha256Sha384", "Sha256"], &["Sha1", "Sha384"], "HPE";
    Sha256Bank Begins "SHA256PCRBank" Write ENABLED, DISABLED, "Supermicro, Cisco*";
    Sha256Bank Is "Sha256" Write ENABLED, DISABLED, "AMI, DGX";

    EndorsementHierarchy Is "Tpm2Hierarchy" Write &["Enabled"], &["Disabled"], "Dell: both hierarchies";
    // In spite of its name: enabled is enabled.
    EndorsementHierarchy Is "TPM2EndorsementDisable" Write &["Enabled"], &["Disabled"], "HPE";
    EndorsementHierarchy Begins "EndorsementHierarchy" Write ENABLED, DISABLED, "Supermicro, AMI";
    StorageHierarchy Is "TPM2StorageDisable" Write &["Enabled"], &["Disabled"], "HPE";
    StorageHierarchy Begins "StorageHierarchy" Write ENABLED, DISABLED, "Supermicro, AMI";

    Fifo Is "Tpm20SoftwareInterfaceStatus" Read &["Fifo"], &["Crb"], "HPE";
    Fifo Is "Tpm20SoftwareInterfaceOperation" Operation &["Fifo"], &["Crb"], "HPE Gen10";

    Txt Is "IntelTxt" Write &["On", "Enabled"], &["Off", "Disabled"], "Dell, HPE";
    Txt Is "Processors_TrustedExecutionTechnology" Write ENABLED, DISABLED, "Lenovo";
    Txt Begins "TXTSupport" Write ENABLED, DISABLED, "Supermicro, Cisco*";
    Txt Is "ProcessorSmxEnable" Write ENABLED, DISABLED, "AMI, DGX";

    SecureBoot Is "SecureBoot" Write &["Enabled"], &["Disabled"], "Dell";
    SecureBoot Is "SecureBootStatus" Read &["Enabled"], &["Disabled"], "HPE";
    SecureBoot Is "SecureBootConfiguration_SecureBootSetting" Read ENABLED, DISABLED, "Lenovo";
    SecureBoot Begins "SecureBootEnable" Read ENABLED, DISABLED, "Supermicro";
    SecureBoot Is "SecureBootSupport" Read ENABLED, DISABLED, "AMI, DGX";
}

/// A setting that no plan touches, and why.
#[derive(Clone, Copy, Debug)]
pub struct LeftAlone {
    name: Name,
    /// Why.
    pub because: &'static str,
}

impl LeftAlone {
    /// Whether an attribute of this name is meant.
    pub fn is_of(&self, name: &str) -> bool {
        self.name.is_of(name)
    }
}

const CLEARS: &str =
    "it can clear the TPM: all keys in it are lost, disks sealed to it do not open";
const KEYS: &str =
    "it can replace or delete Secure Boot keys, and factory keys may lack the authorities of 2023";

/// Settings that look as if they were meant, and are left alone.
pub static LEFT_ALONE: &[LeftAlone] = &[
    LeftAlone { name: Name::Is("Tpm2Operation"), because: CLEARS },
    LeftAlone { name: Name::Is("TpmOperation"), because: CLEARS },
    LeftAlone { name: Name::Is("TpmCommand"), because: CLEARS },
    LeftAlone { name: Name::Is("TpmClear"), because: CLEARS },
    LeftAlone { name: Name::Is("TpmActivation"), because: CLEARS },
    LeftAlone { name: Name::Begins("PendingOperation"), because: CLEARS },
    LeftAlone { name: Name::Is("TrustedComputingGroup_DeviceOperation"), because: CLEARS },
    LeftAlone {
        name: Name::Begins("SupermicroBIOS_BasedTPMProvisionSupport"),
        because: "it locks NV indices of the TPM for good",
    },
    LeftAlone {
        name: Name::Begins("TPMSecurityPolicy"),
        because: "it is about passwords of disks, and no switch of the TPM",
    },
    LeftAlone {
        name: Name::Begins("PlatformHierarchy"),
        because: "the firmware uses that hierarchy itself, and attestation needs it not",
    },
    LeftAlone {
        name: Name::Begins("SHA_1PCRBank"),
        because: "a bank of SHA-1 beside that of SHA-256 harms no verdict, and others may have sealed to it",
    },
    LeftAlone {
        name: Name::Is("TrustedComputingGroup_SHA_1PCRBank"),
        because: "a bank of SHA-1 beside that of SHA-256 harms no verdict, and others may have sealed to it",
    },
    LeftAlone { name: Name::Is("SecureBootPolicy"), because: KEYS },
    LeftAlone { name: Name::Is("SecureBootMode"), because: KEYS },
    LeftAlone { name: Name::Is("SecureBootConfiguration_SecureBootPolicy"), because: KEYS },
    LeftAlone { name: Name::Is("SecureBootConfiguration_SecureBootMode"), because: KEYS },
    LeftAlone {
        name: Name::Is("TpmPpiBypassClear"),
        because: "it would let the system clear the TPM without a person",
    },
    LeftAlone {
        name: Name::Is("PlatformCertificate"),
        because: "HPE's platform certificate is proof of the machine; while it is on it locks TPM visibility",
    },
    LeftAlone {
        name: Name::Is("MicrosoftSecuredCoreSupport"),
        because: "it forces many settings at once",
    },
    LeftAlone { name: Name::Begins("EnableSMX"), because: "TXT is set by its own switch" },
];
