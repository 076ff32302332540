//! What only somebody on the host can see, so that no evidence carries it and no finding names it.

use crate::{Check, State};

/// Something wrong with the host that is in no evidence. Each has a stable code, as findings have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Objection {
    /// The kernel was not started by UEFI firmware.
    LegacyBoot,
    /// The TPM is one of version 1.2.
    TpmOfVersion1,
    /// A bank of SHA-256 or better is on, and the firmware extended nothing into it.
    NotExtended,
    /// The TPM refuses what is guarded, after too many wrong authorisations.
    LockedOut {
        /// Seconds after which one of them is forgotten.
        interval_s: u32,
    },
    /// At least half of the wrong authorisations that lock the TPM were seen.
    NearLockout {
        /// Those that count now.
        failures: u32,
        /// Those that lock it.
        failures_max: u32,
    },
    /// A hierarchy of the TPM that attestation needs is switched off.
    HierarchyOff {
        /// Which: `owner` or `endorsement`.
        hierarchy: &'static str,
    },
    /// A hierarchy of the TPM has a password, so that a key may have to be made without it.
    HierarchyPassword {
        /// Which: `owner` or `endorsement`.
        hierarchy: &'static str,
    },
    /// A kind of the TPM's few places has none left.
    Exhausted {
        /// What of: `objects` or `sessions`.
        places: &'static str,
    },
    /// The host was started a second time by Intel TXT, which this ESXi does not bear.
    LaunchForbidden,
    /// The same on an ESXi that bears it, and loses Quick Boot by it.
    LaunchStopsQuickBoot,
    /// The same on an ESXi whose version nobody knows.
    LaunchUnjudged,
    /// The host was not, and its system's guide wants it.
    LaunchWanted,
    /// Something that is installed is not signed by somebody whom Secure Boot knows.
    UnsignedVibs {
        /// Which, a few of them.
        vibs: String,
    },
    /// The host takes VIBs that nobody signed.
    CommunitySupported,
    /// ESXi would start without Secure Boot.
    NotEnforced,
    /// The host's configuration is not sealed to its TPM.
    NotSealed,
    /// Programs run that no VIB installed.
    AnyProgramRuns,
    /// The host keeps keys of virtual machines in its TPM.
    KeysPersist,
    /// The sealed configuration has no recovery key that is shown.
    NoRecoveryKey,
    /// Two outputs say different things.
    Contradiction {
        /// Of which check.
        check: Check,
    },
    /// The clock says a day on which this program was not made yet.
    ClockBehind {
        /// A day that is over for sure.
        passed: String,
    },
}

impl Objection {
    /// The stable code, in kebab-case; no finding has the same.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::LegacyBoot => "legacy-boot",
            Self::TpmOfVersion1 => "tpm-1-2",
            Self::NotExtended => "sha256-bank-not-extended",
            Self::LockedOut { .. } => "tpm-locked-out",
            Self::NearLockout { .. } => "tpm-near-lockout",
            Self::HierarchyOff { .. } => "tpm-hierarchy-off",
            Self::HierarchyPassword { .. } => "tpm-hierarchy-password",
            Self::Exhausted { .. } => "tpm-exhausted",
            Self::LaunchForbidden => "txt-forbidden",
            Self::LaunchStopsQuickBoot => "txt-stops-quick-boot",
            Self::LaunchUnjudged => "txt-unjudged",
            Self::LaunchWanted => "txt-wanted",
            Self::UnsignedVibs { .. } => "vibs-unsigned",
            Self::CommunitySupported => "acceptance-community",
            Self::NotEnforced => "secure-boot-not-enforced",
            Self::NotSealed => "configuration-not-sealed",
            Self::AnyProgramRuns => "any-program-runs",
            Self::KeysPersist => "keys-persist",
            Self::NoRecoveryKey => "no-recovery-key",
            Self::Contradiction { .. } => "outputs-contradict",
            Self::ClockBehind { .. } => "clock-behind",
        }
    }

    /// The check under which it stands.
    pub const fn check(&self) -> Check {
        match self {
            Self::LegacyBoot => Check::Uefi,
            Self::TpmOfVersion1
            | Self::HierarchyOff { .. }
            | Self::HierarchyPassword { .. }
            | Self::Exhausted { .. } => Check::Tpm,
            Self::NotExtended => Check::Sha256Extended,
            Self::LockedOut { .. } | Self::NearLockout { .. } => Check::TpmLockout,
            Self::LaunchForbidden
            | Self::LaunchStopsQuickBoot
            | Self::LaunchUnjudged
            | Self::LaunchWanted => Check::DynamicLaunch,
            Self::UnsignedVibs { .. } | Self::CommunitySupported => Check::SignedVibs,
            Self::NotEnforced => Check::SecureBootEnforced,
            Self::NotSealed => Check::SealedConfiguration,
            Self::AnyProgramRuns => Check::InstalledOnly,
            Self::KeysPersist => Check::KeyPersistence,
            Self::NoRecoveryKey => Check::RecoveryKey,
            Self::Contradiction { check } => *check,
            Self::ClockBehind { .. } => Check::Clock,
        }
    }

    /// What it makes of its check.
    pub const fn state(&self) -> State {
        match self {
            Self::NearLockout { .. }
            | Self::HierarchyPassword { .. }
            | Self::Exhausted { .. }
            | Self::LaunchStopsQuickBoot
            | Self::LaunchWanted
            | Self::CommunitySupported
            | Self::NotEnforced
            | Self::NotSealed
            | Self::AnyProgramRuns
            | Self::KeysPersist
            | Self::NoRecoveryKey => State::Warn,
            Self::Contradiction { .. } | Self::LaunchUnjudged => State::Unknown,
            Self::LegacyBoot
            | Self::TpmOfVersion1
            | Self::HierarchyOff { .. }
            | Self::LaunchForbidden
            | Self::UnsignedVibs { .. }
            | Self::NotExtended
            | Self::LockedOut { .. }
            | Self::ClockBehind { .. } => State::Fail,
        }
    }

    /// What was found, in a sentence without a full stop.
    pub fn cause(&self) -> String {
        match self {
            Self::LegacyBoot => {
                "The machine was started in legacy BIOS mode, in which there is no Secure Boot"
                    .into()
            }
            Self::TpmOfVersion1 => "The TPM is a TPM 1.2; only a TPM 2.0 can be attested".into(),
            Self::NotExtended => {
                "The bank was switched on, but the firmware measured nothing into it: \
                 PCR 0 to 7 are as at the start"
                    .into()
            }
            Self::LockedOut { interval_s } => format!(
                "The TPM is locked out after wrong authorisations; one is forgotten in {interval_s} s"
            ),
            Self::NearLockout { failures, failures_max } => format!(
                "{failures} wrong authorisations count, and at {failures_max} the TPM locks itself"
            ),
            Self::HierarchyOff { hierarchy } => {
                format!(
                    "The {hierarchy} hierarchy of the TPM is switched off: it makes no keys there"
                )
            }
            Self::HierarchyPassword { hierarchy } => format!(
                "The {hierarchy} hierarchy of the TPM has a password, and keys are made there without one"
            ),
            Self::Exhausted { places } => {
                format!("The TPM has no place left for {places}: the next command may fail")
            }
            Self::LaunchForbidden => {
                "Intel TXT started the host a second time, which ESXi 6.7 does not bear with a TPM 2.0".into()
            }
            Self::LaunchStopsQuickBoot => {
                "Intel TXT started the host a second time: attestation bears it, Quick Boot does not \
                 (Broadcom KB 425234)".into()
            }
            Self::LaunchUnjudged => {
                "Intel TXT started the host a second time; whether it may depends on ESXi's version".into()
            }
            Self::LaunchWanted => {
                "Intel TXT did not start the host a second time, and VMware's guide for ESX 9 wants it on".into()
            }
            Self::UnsignedVibs { vibs } => {
                format!("What is installed is not all signed: the host takes {vibs} as CommunitySupported")
            }
            Self::CommunitySupported => {
                "The host takes VIBs that nobody signed (acceptance level CommunitySupported)".into()
            }
            Self::NotEnforced => "The host would start without Secure Boot, too".into(),
            Self::NotSealed => {
                "The host's configuration is not sealed to its TPM (encryption mode NONE)".into()
            }
            Self::AnyProgramRuns => "Programs run on the host that no VIB installed".into(),
            Self::KeysPersist => {
                "The host keeps the keys of encrypted virtual machines in its TPM: who steals the host has them".into()
            }
            Self::NoRecoveryKey => {
                "The configuration is sealed, and the list of recovery keys is empty".into()
            }
            Self::Contradiction { .. } => {
                "Two outputs say different things: are they of one host and one moment?".into()
            }
            Self::ClockBehind { passed } => {
                format!(
                    "The clock is wrong: it is before {passed}, so that no certificate is valid yet"
                )
            }
        }
    }

    /// What to do.
    pub const fn next_step(&self) -> &'static str {
        match self {
            Self::LegacyBoot => {
                "Set the boot mode to UEFI in the firmware setup. A system that was installed in legacy \
                 mode does not start then: install it anew, or convert its disk first."
            }
            Self::TpmOfVersion1 => {
                "Where the maker offers it switch the TPM to 2.0 in the firmware setup or with its \
                 update tool; else have the module replaced. What the TPM kept is lost by it."
            }
            Self::NotExtended => {
                "Choose SHA-256 in the firmware setup (TPM2 Algorithm Selection) instead of switching \
                 the bank on from the running system, and restart; update the firmware if it stays so."
            }
            Self::LockedOut { .. } => {
                "Find out what sends wrong passwords to the TPM and stop it. The lockout ends by itself \
                 with time, or with `tpm2_dictionarylockout --clear-lockout` by who has its password."
            }
            Self::NearLockout { .. } => {
                "Find out what sends wrong passwords to the TPM (a disk's PIN, an old agent) and stop it."
            }
            Self::HierarchyOff { .. } => {
                "Switch it on in the firmware setup (TPM hierarchy: enabled; endorsement and storage \
                 hierarchy), and restart. It is on again from then on."
            }
            Self::HierarchyPassword { .. } => {
                "Where joining fails by it: remove the password (`tpm2_changeauth`) by who set it, or \
                 clear the TPM in the firmware setup. What the TPM kept is lost by clearing."
            }
            Self::Exhausted { .. } => {
                "Find the program that leaves them there and stop it, and use /dev/tpmrm0, which many \
                 programs can share. A restart frees them."
            }
            Self::LaunchForbidden => {
                "Turn Intel TXT off in the firmware setup, change nothing else in the same step, and \
                 restart."
            }
            Self::LaunchStopsQuickBoot => {
                "Turn Intel TXT off in the firmware setup where you want Quick Boot; else leave it. An \
                 ungraceful reset with TXT on may stop the next start (UEFI0046, Broadcom KB 319550)."
            }
            Self::LaunchUnjudged => {
                "Name the version with `--profile`, or give the output of `vmware -v`."
            }
            Self::LaunchWanted => {
                "Turn Intel TXT on in the firmware setup, where the machine has it. It wants a TPM with \
                 SHA-256 and virtualisation switched on, and forbids Quick Boot."
            }
            Self::UnsignedVibs { .. } => {
                "Remove them (`esxcli software vib remove -n NAME`) or install versions that a partner \
                 signed, then ask `secureBoot.py -c` again before you turn Secure Boot on."
            }
            Self::CommunitySupported => {
                "Set the level (`esxcli software acceptance set --level=PartnerSupported`); where it is \
                 refused, VIBs of that level are installed."
            }
            Self::NotEnforced => {
                "Where Secure Boot is on: `esxcli system settings encryption set \
                 --require-secure-boot=true`. Without Secure Boot the host does not start from then on."
            }
            Self::NotSealed => {
                "`esxcli system settings encryption set --mode=TPM`, once the TPM is used and attested. It \
                 cannot be undone: keep the recovery key off the host."
            }
            Self::AnyProgramRuns => {
                "`esxcli system settings encryption set --require-exec-installed-only=true`, where nothing \
                 that you need is installed without a VIB."
            }
            Self::KeysPersist => {
                "`esxcli system security keypersistence disable --remove-all-stored-keys`, where thieves \
                 are worse than an outage of the key server."
            }
            Self::NoRecoveryKey => {
                "See `esxcli system settings encryption recovery list` on the host; a sealed host without \
                 its key has to be installed anew when board or TPM are replaced."
            }
            Self::Contradiction { .. } => {
                "Give the outputs of one host alone, all of the same hour."
            }
            Self::ClockBehind { .. } => {
                "Set the clock, in the firmware too (`hwclock --systohc`), and have it kept by NTP. A \
                 clock that falls back after each restart wants a new battery."
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use findings::Code;

    use super::*;

    #[test]
    fn codes_are_no_findings_and_each_says_why_and_what_next() {
        for objection in [
            Objection::LegacyBoot,
            Objection::TpmOfVersion1,
            Objection::NotExtended,
            Objection::LockedOut { interval_s: 7200 },
            Objection::NearLockout { failures: 16, failures_max: 31 },
            Objection::HierarchyOff { hierarchy: "endorsement" },
            Objection::HierarchyPassword { hierarchy: "owner" },
            Objection::Exhausted { places: "objects" },
            Objection::LaunchForbidden,
            Objection::LaunchStopsQuickBoot,
            Objection::LaunchUnjudged,
            Objection::LaunchWanted,
            Objection::UnsignedVibs { vibs: "net-community".into() },
            Objection::CommunitySupported,
            Objection::NotEnforced,
            Objection::NotSealed,
            Objection::AnyProgramRuns,
            Objection::KeysPersist,
            Objection::NoRecoveryKey,
            Objection::Contradiction { check: Check::Interface },
            Objection::ClockBehind { passed: "2026-04-09".into() },
        ] {
            assert_eq!(Code::from_name(objection.code()), None);
            assert!(objection.cause().len() > 12 && !objection.cause().ends_with('.'));
            assert!(objection.next_step().ends_with('.'));
        }
    }
}
