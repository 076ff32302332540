//! What a host is to run: some rules depend on it.

use crate::{Check, Objection, State};

/// What a host runs, or is to run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Profile {
    /// Linux: either interface will do, and so does a second start.
    #[default]
    Linux,
    /// ESXi 6.7: Intel TXT must be off.
    Esxi67,
    /// ESXi 7: Intel TXT may be on or off, and forbids Quick Boot where it is on.
    Esxi7,
    /// ESXi 8: as 7.
    Esxi8,
    /// ESX 9: VMware's guide wants Intel TXT on.
    Esx9,
    /// ESXi of a version that nobody named and no output tells.
    EsxiOfUnknownVersion,
}

impl Profile {
    /// The word on the command line.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Linux => "linux",
            Self::Esxi67 => "esxi-6.7",
            Self::Esxi7 => "esxi-7",
            Self::Esxi8 => "esxi-8",
            Self::Esx9 => "esx-9",
            Self::EsxiOfUnknownVersion => "esxi",
        }
    }

    /// The profile of ESXi's version `8.0.3`; `None` for one that has no rules here.
    pub fn of_esxi_version(version: &str) -> Option<Self> {
        let mut numbers = version.split('.');
        match (numbers.next()?, numbers.next()?) {
            ("6", "7") => Some(Self::Esxi67),
            ("7", _) => Some(Self::Esxi7),
            ("8", _) => Some(Self::Esxi8),
            ("9", _) => Some(Self::Esx9),
            _ => None,
        }
    }

    /// What it makes of a TPM that is used through CRB. ESXi's driver speaks FIFO alone.
    pub(crate) const fn without_fifo(self) -> State {
        match self {
            Self::Linux => State::Warn,
            Self::Esxi67 | Self::Esxi7 | Self::Esxi8 | Self::Esx9 | Self::EsxiOfUnknownVersion => {
                State::Fail
            }
        }
    }

    /// What it makes of a second start (Intel TXT, DRTM) that was measured.
    pub(crate) const fn with_dynamic_launch(self) -> State {
        match self {
            Self::Linux | Self::Esx9 => State::Pass,
            Self::Esxi67 => State::Fail,
            Self::Esxi7 | Self::Esxi8 => State::Warn,
            Self::EsxiOfUnknownVersion => State::Unknown,
        }
    }

    /// The same in words; `None` where there is nothing to say.
    pub(crate) const fn of_dynamic_launch(self) -> Option<Objection> {
        match self {
            Self::Linux | Self::Esx9 => None,
            Self::Esxi67 => Some(Objection::LaunchForbidden),
            Self::Esxi7 | Self::Esxi8 => Some(Objection::LaunchStopsQuickBoot),
            Self::EsxiOfUnknownVersion => Some(Objection::LaunchUnjudged),
        }
    }

    /// What it makes of a host that no second start measured.
    pub(crate) const fn of_no_dynamic_launch(self) -> Option<Objection> {
        match self {
            Self::Esx9 => Some(Objection::LaunchWanted),
            Self::Linux | Self::Esxi67 | Self::Esxi7 | Self::Esxi8 | Self::EsxiOfUnknownVersion => {
                None
            }
        }
    }

    /// The rule of DISA's guide (STIG) that asks for what this check looks at.
    pub const fn stig(self, check: Check) -> Option<&'static str> {
        match (self, check) {
            (Self::Esxi7, Check::SecureBoot) => Some("ESXI-70-000076"),
            (Self::Esxi7, Check::SealedConfiguration) => Some("ESXI-70-000094"),
            (Self::Esxi7, Check::SecureBootEnforced) => Some("ESXI-70-000095"),
            (Self::Esxi8, Check::SecureBoot) => Some("ESXI-80-000094"),
            (Self::Esxi8, Check::SecureBootEnforced) => Some("ESXI-80-000085"),
            (Self::Esxi8, Check::SealedConfiguration) => Some("ESXI-80-000238"),
            (Self::Esxi8, Check::InstalledOnly) => Some("ESXI-80-000244"),
            (Self::Esxi8, Check::KeyPersistence) => Some("ESXI-80-000248"),
            (Self::Esx9, Check::SecureBoot) => Some("VCFE-9X-000091"),
            (Self::Esx9, Check::SecureBootEnforced) => Some("VCFE-9X-000082"),
            (Self::Esx9, Check::SealedConfiguration) => Some("VCFE-9X-000193"),
            (Self::Esx9, Check::InstalledOnly) => Some("VCFE-9X-000229"),
            (Self::Esx9, Check::KeyPersistence) => Some("VCFE-9X-000236"),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_names_its_profile() {
        for (version, profile) in [
            ("6.7.0", Some(Profile::Esxi67)),
            ("7.0.3", Some(Profile::Esxi7)),
            ("8.0.3", Some(Profile::Esxi8)),
            ("9.0.0.0", Some(Profile::Esx9)),
            ("6.5.0", None),
            ("10.0", None),
            ("8", None),
            ("", None),
        ] {
            assert_eq!(Profile::of_esxi_version(version), profile, "{version}");
        }
    }
}
