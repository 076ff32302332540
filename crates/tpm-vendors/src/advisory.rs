//! TPM firmware with known faults.

use crate::firmware::FirmwareVersion;
use crate::vendor::Vendor;

/// First and last version with a fault, both included.
type Range = (FirmwareVersion, FirmwareVersion);

/// A known fault of TPM firmware that vendor and version tell.
#[derive(Clone, Copy, Debug)]
pub struct Advisory {
    /// Its identifier: a CVE.
    pub id: &'static str,
    /// The name that people know it by.
    pub name: &'static str,
    /// Whose chips.
    pub vendor: Vendor,
    /// Versions that have the fault.
    affected: &'static [Range],
    /// Versions without it.
    pub fixed: &'static str,
    /// What it lets somebody do.
    pub impact: &'static str,
    /// Where this is from.
    pub source: &'static str,
    /// When it was published, a year and a month.
    pub date: &'static str,
}

/// A known fault that vendor and version of the TPM cannot tell: what it would take.
#[derive(Clone, Copy, Debug)]
pub struct Undecidable {
    /// Its identifier.
    pub id: &'static str,
    /// Whose TPMs.
    pub who: &'static str,
    /// Why no finding can come of it.
    pub why: &'static str,
}

const fn two(major: u16, minor: u16) -> FirmwareVersion {
    FirmwareVersion { first: (major, minor), second: None }
}

const fn one(major: u16, minor: u16) -> Range {
    (two(major, minor), two(major, minor))
}

const fn four(a: u16, b: u16, c: u16, d: u16) -> Range {
    let version = FirmwareVersion { first: (a, b), second: Some((c, d)) };
    (version, version)
}

/// The table. As of May 2026.
pub static ADVISORIES: &[Advisory] = &[
    Advisory {
        id: "CVE-2017-15361",
        name: "ROCA",
        vendor: Vendor::INFINEON,
        affected: &[
            (two(0, 0), two(4, 33)),
            (two(4, 40), two(4, 42)),
            (two(5, 0), two(5, 61)),
            (two(6, 0), two(6, 42)),
            (two(7, 0), two(7, 61)),
            (two(133, 0), two(133, 32)),
        ],
        fixed: "4.34, 4.43, 5.62, 6.43, 7.62, 133.33",
        impact: "RSA keys that the TPM makes can be factored",
        source: "Infineon's and Microsoft's tables of versions",
        date: "2017-10",
    },
    Advisory {
        id: "CVE-2019-16863",
        name: "TPM-FAIL",
        vendor: Vendor::ST,
        affected: &[
            one(71, 0),
            one(71, 4),
            one(71, 12),
            one(73, 0),
            one(73, 4),
            one(73, 5),
            one(73, 8),
            one(73, 9),
            one(74, 0),
            one(74, 4),
            one(74, 5),
            one(74, 8),
            one(74, 9),
            one(74, 16),
        ],
        fixed: "71.16, 73.20, 73.21, 73.64, 73.65, 74.20, 74.21, 74.64, 74.65",
        impact: "the time that ECDSA takes gives away private keys",
        source: "STMicroelectronics, TPM firmware update",
        date: "2019-11",
    },
    Advisory {
        id: "CVE-2023-1017",
        name: "NTC-SA-003",
        vendor: Vendor::NUVOTON,
        affected: &[four(1, 3, 0, 1), four(1, 3, 1, 0), four(1, 3, 2, 8)],
        fixed: "1.3.2.20",
        impact: "a command can stop the TPM until power is cut",
        source: "Nuvoton SA-003",
        date: "2023-02",
    },
    Advisory {
        id: "CVE-2025-2884",
        name: "TCG VRT0009",
        vendor: Vendor::INFINEON,
        affected: &[one(15, 21)],
        fixed: "15.23",
        impact: "a command can read memory of the TPM that is not its own",
        source: "TCG VRT0009 and notices of system makers",
        date: "2025-06",
    },
];

/// Known faults of which neither vendor nor version of the TPM tells whether it has them.
pub static UNDECIDABLE: &[Undecidable] = &[
    Undecidable {
        id: "CVE-2019-11090 (TPM-FAIL)",
        who: "Intel PTT",
        why: "the version of the management engine decides, which no TPM says",
    },
    Undecidable {
        id: "CVE-2023-1017, CVE-2023-1018",
        who: "TPMs made from the reference code",
        why: "the errata that a vendor took over are in no property",
    },
    Undecidable {
        id: "CVE-2025-2884 (TCG VRT0009)",
        who: "Intel PTT and others",
        why: "the version of the management engine decides, which no TPM says",
    },
    Undecidable {
        id: "CVE-2018-6622",
        who: "TPMs that forget their PCRs in sleep",
        why: "only machines that sleep to memory have it, and no TPM says whether this one does",
    },
    Undecidable {
        id: "faulTPM",
        who: "AMD's firmware TPM on Zen 2 and Zen 3",
        why: "it takes hours with the machine opened, and no TPM names its processor",
    },
];

/// The advisories for firmware of this vendor and version, which may be known by its first two
/// numbers only: then those that need all four are left out, since the two say nothing.
pub fn advisories(
    vendor: Vendor,
    version: &FirmwareVersion,
) -> impl Iterator<Item = &'static Advisory> {
    ADVISORIES.iter().filter(move |known| {
        known.vendor == vendor
            && known.affected.iter().any(|(first, last)| {
                version.is_below(first) == Some(false) && is_at_most(version, last)
            })
    })
}

/// Whether `version` is not above `last`; a last version of two numbers holds all that begin so.
fn is_at_most(version: &FirmwareVersion, last: &FirmwareVersion) -> bool {
    if version.first != last.first {
        return version.first < last.first;
    }
    match (version.second, last.second) {
        (_, None) => true,
        (Some(have), Some(last)) => have <= last,
        (None, Some(_)) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn firmware_with_a_known_fault_is_told_from_the_mended() {
        let ids = |vendor, version: &str| {
            let version = version.parse().unwrap();
            advisories(vendor, &version).map(|known| known.id).collect::<Vec<_>>()
        };
        for bad in ["4.33", "4.40", "4.42", "5.61.2785.0", "6.42", "7.0", "7.61", "133.32"] {
            assert_eq!(ids(Vendor::INFINEON, bad), ["CVE-2017-15361"], "{bad}");
        }
        for good in ["4.34", "4.43", "5.62", "6.43", "7.62", "7.85.4555.0", "133.33", "15.23"] {
            assert_eq!(ids(Vendor::INFINEON, good), Vec::<&str>::new(), "{good}");
        }
        assert_eq!(ids(Vendor::INFINEON, "15.21.1.0"), ["CVE-2025-2884"]);
        assert_eq!(ids(Vendor::ST, "73.4"), ["CVE-2019-16863"]);
        assert_eq!(ids(Vendor::ST, "73.20"), Vec::<&str>::new());
        assert_eq!(ids(Vendor::NUVOTON, "1.3.2.8"), ["CVE-2023-1017"]);
        assert_eq!(ids(Vendor::NUVOTON, "1.3.2.20"), Vec::<&str>::new());
        assert_eq!(ids(Vendor::NUVOTON, "1.3"), Vec::<&str>::new(), "not exact enough");
        assert_eq!(ids(Vendor::INTEL, "4.33"), Vec::<&str>::new(), "another's number");
    }
}
