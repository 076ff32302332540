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
            Self::ClockBehind { .. } => Check::Clock,
        }
    }

    /// What it makes of its check.
    pub const fn state(&self) -> State {
        match self {
            Self::NearLockout { .. } | Self::HierarchyPassword { .. } | Self::Exhausted { .. } => {
                State::Warn
            }
            Self::LegacyBoot
            | Self::TpmOfVersion1
            | Self::HierarchyOff { .. }
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
            Objection::ClockBehind { passed: "2026-04-09".into() },
        ] {
            assert_eq!(Code::from_name(objection.code()), None);
            assert!(objection.cause().len() > 12 && !objection.cause().ends_with('.'));
            assert!(objection.next_step().ends_with('.'));
        }
    }
}
