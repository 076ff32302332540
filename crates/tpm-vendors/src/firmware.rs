//! Versions of TPM firmware.

use core::fmt;
use core::str::FromStr;

/// TPM2_PT_FIRMWARE_VERSION_1 and _2: four numbers of 16 bits, of which vendors use two or all
/// four. A certificate has the first two only. [TPM2-P2-1.59 §6.13]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FirmwareVersion {
    /// Major and minor: TPM2_PT_FIRMWARE_VERSION_1.
    pub first: (u16, u16),
    /// TPM2_PT_FIRMWARE_VERSION_2, where it is known.
    pub second: Option<(u16, u16)>,
}

impl FirmwareVersion {
    /// The version of the two properties, the first in the upper half.
    pub fn from_properties(version: u64) -> Self {
        let [a, b, c, d, e, f, g, h] = version.to_be_bytes();
        let pair = |hi, lo| u16::from_be_bytes([hi, lo]);
        Self { first: (pair(a, b), pair(c, d)), second: Some((pair(e, f), pair(g, h))) }
    }

    /// The version in a certificate's tpmVersion: `id:` and the eight digits of
    /// TPM2_PT_FIRMWARE_VERSION_1, or four of a byte each, as older chips have it.
    /// [TCG-EK-2.6 §3.1.2]
    pub fn from_certificate(text: &str) -> Option<Self> {
        let digits = text.strip_prefix("id:")?;
        let version = u32::from_str_radix(digits, 16).ok()?;
        let [a, b, c, d] = version.to_be_bytes();
        let first = match digits.len() {
            8 => (u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d])),
            4 => (u16::from(c), u16::from(d)),
            _ => return None,
        };
        Some(Self { first, second: None })
    }

    /// Whether this is below `minimum`; `None` where it is not known as exactly as it would have
    /// to be.
    pub fn is_below(&self, minimum: &Self) -> Option<bool> {
        if self.first != minimum.first {
            return Some(self.first < minimum.first);
        }
        match (self.second, minimum.second) {
            (_, None) => Some(false),
            (Some(have), Some(minimum)) => Some(have < minimum),
            (None, Some((0, 0))) => Some(false),
            (None, Some(_)) => None,
        }
    }
}

impl FromStr for FirmwareVersion {
    type Err = ();

    /// Two or four decimal numbers with dots between.
    fn from_str(text: &str) -> Result<Self, ()> {
        let mut numbers = text.split('.').map(str::parse::<u16>);
        let mut next = || numbers.next().transpose().map_err(|_| ());
        let (Some(major), Some(minor)) = (next()?, next()?) else { return Err(()) };
        let second = match (next()?, next()?, next()?) {
            (None, None, None) => None,
            (Some(build), Some(revision), None) => Some((build, revision)),
            _ => return Err(()),
        };
        Ok(Self { first: (major, minor), second })
    }
}

impl fmt::Display for FirmwareVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.first.0, self.first.1)?;
        match self.second {
            Some((build, revision)) => write!(f, ".{build}.{revision}"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_from_each_source() {
        let quoted = FirmwareVersion::from_properties(0x0007_0055_0012_3400);
        assert_eq!(quoted.to_string(), "7.85.18.13312");
        let certified = |text| FirmwareVersion::from_certificate(text).map(|v| v.to_string());
        assert_eq!(certified("id:00490014").as_deref(), Some("73.20"));
        assert_eq!(certified("id:0734").as_deref(), Some("7.52"));
        for none in ["id:13", "7.52", "id:", "id:004900140", "id:x0490014", ""] {
            assert_eq!(certified(none), None, "{none}");
        }
    }

    #[test]
    fn a_version_is_below_another_only_where_that_is_known() {
        let version = |text: &str| text.parse::<FirmwareVersion>().unwrap();
        let below = |a, b| version(a).is_below(&version(b));
        assert_eq!(below("7.61", "7.62"), Some(true));
        assert_eq!(below("7.62.1.2", "7.62"), Some(false));
        assert_eq!(below("7.9", "7.62"), Some(true));
        assert_eq!(below("1.3.2.8", "1.3.2.20"), Some(true));
        assert_eq!(below("1.3.2.20", "1.3.2.20"), Some(false));
        assert_eq!(below("1.3", "1.3.2.20"), None);
        for wrong in ["", "7", "7.", "1.2.3", "1.2.3.4.5", "1.70000", "a.b", "-1.2"] {
            assert!(wrong.parse::<FirmwareVersion>().is_err(), "{wrong}");
        }
    }
}
