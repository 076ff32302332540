//! SBAT: revocation of boot loaders by generation, and its published levels.

use crate::date::Date;

/// One published level: shim refuses components of a lower generation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SbatLevel {
    /// Its date stamp, `YYYYMMDDNN`.
    pub stamp: &'static str,
    /// Components and the generation that they must have at least.
    pub minimum: &'static [(&'static str, u32)],
}

/// Published levels, oldest first. Source: SbatLevel_Variable.txt of rhboot/shim, 2026-07-27.
pub const SBAT_LEVELS: &[SbatLevel] = &[
    SbatLevel { stamp: "2021030218", minimum: &[] },
    SbatLevel { stamp: "2022052400", minimum: &[("shim", 2), ("grub", 2)] },
    SbatLevel { stamp: "2022111500", minimum: &[("shim", 2), ("grub", 3)] },
    SbatLevel { stamp: "2023012900", minimum: &[("shim", 2), ("grub", 3), ("grub.debian", 4)] },
    SbatLevel { stamp: "2023012950", minimum: &[("shim", 3), ("grub", 3), ("grub.debian", 4)] },
    SbatLevel { stamp: "2023091900", minimum: &[("shim", 2), ("grub", 4)] },
    SbatLevel { stamp: "2024010900", minimum: &[("shim", 4), ("grub", 3), ("grub.debian", 4)] },
    SbatLevel { stamp: "2024040900", minimum: &[("shim", 4), ("grub", 4), ("grub.peimage", 2)] },
    SbatLevel { stamp: "2025021800", minimum: &[("shim", 4), ("grub", 5)] },
    SbatLevel { stamp: "2025051000", minimum: &[("shim", 4), ("grub", 5), ("grub.proxmox", 2)] },
];

impl SbatLevel {
    /// Its day.
    pub fn date(&self) -> Option<Date> {
        let (year, rest) = self.stamp.split_at_checked(4)?;
        let (month, rest) = rest.split_at_checked(2)?;
        Date::parse(&format!("{year}-{month}-{}", rest.get(..2)?))
    }

    /// The newest published level.
    pub fn newest() -> Option<&'static Self> {
        SBAT_LEVELS.last()
    }
}

/// The date stamp of the level that `text` sets: what is behind `sbat,1,` in its first line.
/// `None` where it is no SBAT level.
pub fn sbat_date(text: &[u8]) -> Option<&str> {
    let line = text.split(|byte| matches!(byte, b'\n' | b'\r' | 0)).next()?;
    let stamp = core::str::from_utf8(line.strip_prefix(b"sbat,1,")?).ok()?;
    (stamp.len() == 10 && stamp.bytes().all(|byte| byte.is_ascii_digit())).then_some(stamp)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_stand_in_order_and_have_dates() {
        for pair in SBAT_LEVELS.windows(2) {
            assert!(pair[0].stamp < pair[1].stamp);
        }
        for level in SBAT_LEVELS {
            assert!(level.date().is_some(), "{}", level.stamp);
        }
    }

    #[test]
    fn a_level_is_its_first_line() {
        assert_eq!(sbat_date(b"sbat,1,2025051000\nshim,4\n"), Some("2025051000"));
        assert_eq!(sbat_date(b"sbat,1,2021030218\0"), Some("2021030218"));
        for text in [&b""[..], b"shim,4", b"sbat,1,", b"sbat,1,20210302", b"sbat,1,202103021x"] {
            assert_eq!(sbat_date(text), None, "{text:?}");
        }
    }
}
