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

    /// The components that the level `text` lets through in a generation that this one refuses: each
    /// with the generation that `text` asks for, where it names the component, and the one that this
    /// level asks for.
    pub fn behind<'t>(
        &self,
        text: &'t [u8],
    ) -> impl Iterator<Item = (&'static str, Option<u32>, u32)> + use<'t> {
        let minimum: &'static [(&'static str, u32)] = self.minimum;
        minimum.iter().filter_map(move |(component, want)| {
            let have = generation(text, component);
            (have < Some(*want)).then_some((*component, have, *want))
        })
    }

    /// The generation that this level asks of `component`, where that is more than `generation`: shim
    /// refuses an image that has such a row.
    pub fn revokes(&self, component: &str, generation: u32) -> Option<u32> {
        let (_, want) = self.minimum.iter().find(|(name, _)| *name == component)?;
        (generation < *want).then_some(*want)
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

/// The generation that the level `text` asks of `component`: `grub,5` is 5. Fields behind that are
/// comments; what is no number is none.
fn generation(text: &[u8], component: &str) -> Option<u32> {
    let lines = text.split(|byte| matches!(byte, b'\n' | b'\r' | 0));
    let mut of_component = lines.filter_map(|line| {
        let mut fields = line.split(|byte| *byte == b',');
        let is_it = fields.next() == Some(component.as_bytes());
        core::str::from_utf8(fields.next()?).ok().filter(|_| is_it)
    });
    of_component.next()?.parse().ok()
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
    fn components_of_a_lower_generation_are_named() {
        let newest = SbatLevel::newest().unwrap();
        let behind = |text: &[u8]| newest.behind(text).collect::<Vec<_>>();
        assert_eq!(behind(b"sbat,1,2025051000\nshim,4\ngrub,5\ngrub.proxmox,2\n"), []);
        assert_eq!(behind(b"sbat,1,2026010100\nshim,5\ngrub,10\ngrub.proxmox,2,x\n"), []);
        let old = b"sbat,1,2024010900\nshim,4\ngrub,3\ngrub.debian,4\n";
        assert_eq!(behind(old), [("grub", Some(3), 5), ("grub.proxmox", None, 2)]);
        // A name that only begins alike, and what is no number.
        let odd = b"sbat,1,2025051000\nshim,4\ngrubs,5\ngrub,five\ngrub.proxmox,2";
        assert_eq!(behind(odd), [("grub", None, 5)]);
        assert_eq!(behind(b"").len(), newest.minimum.len());
        for level in SBAT_LEVELS {
            let text: Vec<String> =
                level.minimum.iter().map(|(component, n)| format!("{component},{n}")).collect();
            assert_eq!(level.behind(text.join("\n").as_bytes()).next(), None);
        }
    }

    #[test]
    fn an_image_of_a_lower_generation_is_refused() {
        let newest = SbatLevel::newest().unwrap();
        assert_eq!(newest.revokes("grub", 4), Some(5));
        assert_eq!(newest.revokes("grub", 5), None);
        assert_eq!(newest.revokes("grub.debian", 1), None, "not in this level");
        assert_eq!(newest.revokes("systemd-boot", 0), None);
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
