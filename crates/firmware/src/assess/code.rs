//! The table: what each finding means, whatever the host.

use crate::plan::By;

/// What a finding does to readiness.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// The host would not be accepted, or not be measured.
    Fail,
    /// The BMC does not say: that is no pass.
    Unknown,
    /// Worth a look.
    Warn,
    /// Worth knowing.
    Info,
}

impl Severity {
    /// The word in JSON and on the command line.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Fail => "fail",
            Self::Unknown => "unknown",
            Self::Warn => "warn",
            Self::Info => "info",
        }
    }
}

/// One row.
#[derive(Clone, Copy, Debug)]
pub struct Entry {
    /// The code.
    pub code: Code,
    /// Its stable name, in kebab-case. A finding of the catalogue that says the same of evidence has
    /// the same name.
    pub name: &'static str,
    /// What it does to readiness, where the profile says nothing else.
    pub severity: Severity,
    /// Who mends it, where the plan says nothing else.
    pub by: By,
    /// A line that names it.
    pub title: &'static str,
    /// Why this matters or happens.
    pub cause: &'static str,
    /// What to do.
    pub next_step: &'static str,
}

macro_rules! codes {
    ($($code:ident $name:literal $severity:ident $by:ident $title:literal
        cause $cause:literal next $next:literal)+) => {
        /// The codes, in the order in which one should mend them.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Code { $(#[doc = $title] $code),+ }

        impl Code {
            /// The row of this code.
            pub const fn entry(self) -> &'static Entry {
                match self { $(Self::$code => {
                    const ENTRY: Entry = Entry {
                        code: Code::$code,
                        name: $name,
                        severity: Severity::$severity,
                        by: By::$by,
                        title: $title,
                        cause: $cause,
                        next_step: $next,
                    };
                    &ENTRY
                })+ }
            }
        }

        /// All rows in their order.
        pub static CODES: &[&Entry] = &[$(Code::$code.entry()),+];
    };
}

impl Code {
    /// The stable name, in kebab-case.
    pub const fn as_str(self) -> &'static str {
        self.entry().name
    }
}

codes! {
    LegacyBoot "legacy-boot" Fail Reinstall
        "The firmware boots in legacy mode, or can"
        cause "Without UEFI alone there is no Secure Boot, and what legacy code starts is not verified."
        next "Install the system anew in UEFI mode, or make sure that it was installed so; then change the boot mode."

    LegacyVideo "legacy-video-rom" Fail Plan
        "The legacy option ROM of the video card is loaded"
        cause "It cannot be verified, so that firmware does not let Secure Boot be turned on beside it."
        next "Turn it off: `bootproof firmware plan` has the setting."

    NoTpm "no-tpm" Fail Module
        "There is no TPM"
        cause "The BMC says that no module is there."
        next "Have a TPM 2.0 module put in, of a kind that the maker of the server names for it."

    TpmUnseen "tpm-not-listed" Unknown Look
        "The BMC does not say whether there is a TPM"
        cause "It lists no trusted modules, and no setting tells of one. Some BMCs list none though there is one."
        next "Look in the running system: `bootproof doctor` there, or the firmware's setup."

    TpmHidden "tpm-hidden" Fail Plan
        "The TPM is switched off in the firmware"
        cause "The firmware measures nothing into it, and the system does not see it."
        next "Turn it on: `bootproof firmware plan` has the setting."

    TpmDisabled "tpm-disabled" Fail Look
        "The BMC says that the TPM does not work"
        cause "Its state is neither enabled nor starting, while no setting that is known keeps it off."
        next "Look into the firmware's setup; cut the power for half a minute; have the module replaced if it stays so."

    TpmHealth "tpm-health" Warn Vendor
        "The BMC says that the TPM is not healthy"
        cause "Its health is not OK."
        next "Read the BMC's log; cut the power for half a minute; have the module replaced if it stays so."

    Tpm12 "tpm-1-2" Fail Module
        "The TPM is a TPM 1.2"
        cause "Only a TPM 2.0 can be attested."
        next "Where the maker offers it switch the module to 2.0; else have it replaced. What it kept is lost."

    TpmKindUnknown "tpm-kind-unknown" Unknown Look
        "The BMC does not say which version the TPM has"
        cause "Only a TPM 2.0 can be attested."
        next "Look in the running system: `bootproof doctor` there, or the firmware's setup."

    Sha256Inactive "sha256-bank-inactive" Fail Plan
        "No PCR bank of SHA-256 is on"
        cause "The firmware measures into SHA-1 only, or into a bank that this system does not read. This was the first cause of the founding story."
        next "Turn the bank on: `bootproof firmware plan` has the setting."

    Sha256Unknown "sha256-bank-unknown" Unknown Look
        "The BMC does not say whether the bank of SHA-256 is on"
        cause "No setting that tells it is known of this firmware."
        next "Look in the running system: `bootproof doctor` there."

    HierarchyDisabled "tpm-hierarchy-disabled" Fail Plan
        "A hierarchy of the TPM is switched off"
        cause "Without the endorsement hierarchy there is no endorsement key, without the storage hierarchy no key beneath it: enrolment fails with 0x185."
        next "Turn it on: `bootproof firmware plan` has the setting."

    NotFifo "interface-not-fifo" Fail Plan
        "The TPM speaks CRB, not FIFO"
        cause "ESXi drives TPMs through FIFO (TIS) only: `VMB_TPM: 99: Unsupported 'startMethod': 7`."
        next "Switch the interface where the firmware offers it; else have a TPM put in that ESXi drives."

    InterfaceUnknown "interface-unknown" Info Look
        "The BMC does not say whether the TPM speaks FIFO"
        cause "Few BMCs do; the ACPI table TPM2 of the host says it: start method 6 is FIFO, 7 is CRB."
        next "Look in the running system: `bootproof doctor` there."

    TpmFirmwareAdvisory "tpm-firmware-advisory" Warn Vendor
        "An advisory is known of the TPM's firmware"
        cause "Maker and version are those of an advisory."
        next "Update the TPM's firmware with the tool of the server's maker."

    TpmFirmwarePossible "tpm-firmware-advisory-possible" Warn Look
        "An advisory may be about the TPM's firmware"
        cause "The version is that of an advisory, and the BMC does not say who made the TPM."
        next "Look at the maker in the running system: `bootproof doctor` there."

    TpmClearPending "tpm-clear-pending" Warn Look
        "The TPM will be cleared at the next start"
        cause "An operation is set that clears it: all keys in it are lost, disks sealed to it do not open, and the host must be enrolled anew."
        next "Take it back in the firmware's setup, unless somebody means it."

    TxtEnabled "txt-enabled" Fail Plan
        "Intel TXT is on"
        cause "ESXi 6.7 is not attested while it is on; on ESXi 7 and 8 it costs Quick Boot."
        next "Turn it off where that is wanted: `bootproof firmware plan` has the setting."

    TxtDisabled "txt-disabled" Warn Plan
        "Intel TXT is off"
        cause "The guide to ESX 9 asks for it."
        next "Turn it on: `bootproof firmware plan` has the setting."

    SetupMode "setup-mode" Fail Person
        "Secure Boot has no platform key"
        cause "Without one the firmware is in setup mode: Secure Boot cannot be in force, whatever a switch says, and anybody may write its keys."
        next "Enrol keys. Look first what the factory's keys are: those of old firmware lack the authorities of 2023."

    AuditMode "audit-mode" Fail Person
        "Secure Boot is in audit mode"
        cause "Images are checked and started in any case."
        next "Leave audit mode in the firmware's setup, by a platform key."

    SecureBootOff "secure-boot-off" Fail Plan
        "Secure Boot is off"
        cause "Nothing is verified before it starts."
        next "Turn it on: `bootproof firmware plan` has the setting. What was sealed to PCR 7 must be sealed anew."

    SecureBootPending "secure-boot-pending" Fail Restart
        "Secure Boot is set, and not in force yet"
        cause "It takes a restart; until then the system runs as it was started."
        next "Restart the host."

    SecureBootUnknown "secure-boot-unknown" Unknown Look
        "The BMC does not say whether Secure Boot is on"
        cause "It has no such resource, or does not fill it."
        next "Look in the running system: `bootproof doctor` there."

    TestPlatformKey "test-platform-key" Fail Vendor
        "The platform key is one of tests (PKfail)"
        cause "Others than the owner have the private key, and so can change what may run. CVE-2024-8105."
        next "Update the BIOS where its maker mended it, or enrol a platform key of your own."

    TestFactoryKey "test-factory-key" Warn Vendor
        "The factory's platform key is one of tests (PKfail)"
        cause "A reset to factory keys would enrol it. CVE-2024-8105."
        next "Do not reset to factory keys. Update the BIOS where its maker mended it, or enrol keys of your own."

    Ca2011Only "ca-2011-only" Warn Vendor
        "Authorities of 2023 are missing"
        cause "All authorities of 2011 have expired. What is installed goes on to start; lists of revocations, boot loaders and option ROMs that are signed from now on need those of 2023."
        next "Update the BIOS where its maker adds them (Dell: 14G to 16G, not 12G and 13G), or the keys in the running system. PCR 7 changes by it."

    KeysUnseen "secure-boot-keys-unknown" Unknown Look
        "The BMC does not show all keys and lists of Secure Boot"
        cause "Whether authorities of 2023 are there, whether the platform key is one of tests and how old dbx is cannot be said."
        next "Look in the running system: `bootproof doctor` there."

    FactoryKeysOld "factory-keys-2011" Warn Vendor
        "The factory's keys lack the authorities of 2023"
        cause "A reset of Secure Boot keys or to BIOS defaults would take away what an update brought."
        next "Do not reset keys or BIOS defaults. Update the BIOS where its maker adds them."

    CertificateExpired "certificate-expired" Info Nobody
        "Certificates in db or KEK have expired"
        cause "Firmware does not look at dates, so that they go on to count."
        next "Nothing, as long as what they signed is trusted."

    VmwareCertificate "vmware-certificate" Info Nobody
        "db holds VMware's own certificate"
        cause "With it ESXi starts without Microsoft's authority for others."
        next "Nothing."

    DbxOutdated "dbx-outdated" Warn System
        "The list of revoked images is old"
        cause "Images with known faults start, and with them what they let through."
        next "Update dbx in the running system (fwupd, Windows Update) or with the BIOS. PCR 7 changes by it."

    DbxBehindFactory "dbx-behind-default" Warn System
        "dbx is older than the factory's"
        cause "The maker shipped a newer list with the BIOS, and this host never took it."
        next "Update dbx in the running system; that needs no reset of keys. PCR 7 changes by it."

    BootDeviceUnmeasured "boot-device-event-omitted" Info Nobody
        "Attempts to boot from a device are not measured"
        cause "The firmware leaves those events out of PCR 4."
        next "Nothing; references are made with it."

    SettingsPending "settings-pending" Warn Restart
        "Changes of settings wait for a restart"
        cause "What is in force is not what will be."
        next "Restart the host, or take the changes back, before a plan is made."

    JobPending "settings-job-pending" Warn Look
        "A job that changes settings is not over"
        cause "Many BMCs take one at a time, and show settings as read-only meanwhile."
        next "Wait for it, or delete it in the BMC's job queue."

    JobStuck "settings-job-stuck" Warn Look
        "A job that changes settings will not end"
        cause "iDRAC says PR30: it could not be started, and stays scheduled for ever."
        next "Delete it in the job queue."

    SettingsLocked "settings-locked" Warn Look
        "Most settings are read-only"
        cause "A job, a lockdown of the BMC or a configuration lock keeps them."
        next "End the job, or the lockdown, before a plan is applied."

    SettingsRefused "settings-refused" Warn Look
        "The firmware did not take a change"
        cause "At the last start it said so of a change that was set before."
        next "Read the message; the setting may hang on another."

    RegistryMissing "registry-missing" Unknown Look
        "The registry of settings was not found"
        cause "Without it neither values nor locks are known, so that no plan can be made."
        next "Read the BMC itself, or look why it does not give its registry."

    NotRead "not-read" Unknown Look
        "Parts of the BMC could not be read"
        cause "What they say is not known."
        next "Look at the reason: rights of the account, a BMC that restarts, a part of a saved tree."
}
