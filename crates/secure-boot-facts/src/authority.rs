//! The certificates that nearly all firmware ships with.

use core::fmt;

use efi::Certificate;
use event_log::hash;
use tpm_wire::{Digest, TpmAlgId};

use crate::date::Date;
use crate::test_key::is_hex;

/// Where a certificate belongs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// The platform key.
    Pk,
    /// Keys that may change db and dbx.
    Kek,
    /// What may run.
    Db,
}

/// Which generation of Microsoft's authorities it is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Era {
    /// 2011: they end in June and October 2026.
    Of2011,
    /// 2023: they sign what comes after.
    Of2023,
}

/// A certificate that is known by its content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KnownAuthority {
    /// Its common name.
    pub name: &'static str,
    /// Where it belongs.
    pub place: Place,
    /// Its generation.
    pub era: Era,
    serial: &'static str,
    /// SHA-256 of the certificate, in hex.
    pub sha256: &'static str,
    /// The last day of its validity. Firmware does not look at it.
    pub not_after: Date,
}

impl fmt::Display for KnownAuthority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

/// Source: the certificates of microsoft/secureboot_objects (PreSignedObjects), 2026-07-15.
pub const KNOWN_AUTHORITIES: &[KnownAuthority] = &[
    KnownAuthority {
        name: "Microsoft Corporation KEK CA 2011",
        place: Place::Kek,
        era: Era::Of2011,
        serial: "610ad188000000000003",
        sha256: "a1117f516a32cefcba3f2d1ace10a87972fd6bbe8fe0d0b996e09e65d802a503",
        not_after: Date::new(2026, 6, 24),
    },
    KnownAuthority {
        name: "Microsoft Corporation UEFI CA 2011",
        place: Place::Db,
        era: Era::Of2011,
        serial: "6108d3c4000000000004",
        sha256: "48e99b991f57fc52f76149599bff0a58c47154229b9f8d603ac40d3500248507",
        not_after: Date::new(2026, 6, 27),
    },
    KnownAuthority {
        name: "Microsoft Windows Production PCA 2011",
        place: Place::Db,
        era: Era::Of2011,
        serial: "61077656000000000008",
        sha256: "e8e95f0733a55e8bad7be0a1413ee23c51fcea64b3c8fa6a786935fddcc71961",
        not_after: Date::new(2026, 10, 19),
    },
    KnownAuthority {
        name: "Windows OEM Devices PK",
        place: Place::Pk,
        era: Era::Of2023,
        serial: "3300000014e8c838dede044ea7000000000014",
        sha256: "2f569e8edaf9657dc4951c29598725255c7f821472db71374211fe44d082546f",
        not_after: Date::new(2038, 9, 18),
    },
    KnownAuthority {
        name: "Microsoft Corporation KEK 2K CA 2023",
        place: Place::Kek,
        era: Era::Of2023,
        serial: "33000000131416b8616d82824b000000000013",
        sha256: "3cd3f0309edae228767a976dd40d9f4affc4fbd5218f2e8cc3c9dd97e8ac6f9d",
        not_after: Date::new(2038, 3, 2),
    },
    KnownAuthority {
        name: "Microsoft Option ROM UEFI CA 2023",
        place: Place::Db,
        era: Era::Of2023,
        serial: "3300000017b3ec4d8f01e27005000000000017",
        sha256: "e5be3e64c6e66a281457ecdece0d6d0787577aad2a3a0144262c10c14ba8d8f1",
        not_after: Date::new(2038, 10, 26),
    },
    KnownAuthority {
        name: "Microsoft UEFI CA 2023",
        place: Place::Db,
        era: Era::Of2023,
        serial: "330000001636bf36899f1575cc000000000016",
        sha256: "f6124e34125bee3fe6d79a574eaa7b91c0e7bd9d929c1a321178efd611dad901",
        not_after: Date::new(2038, 6, 13),
    },
    KnownAuthority {
        name: "Windows UEFI CA 2023",
        place: Place::Db,
        era: Era::Of2023,
        serial: "330000001a888b9800562284c100000000001a",
        sha256: "076f1fea90ac29155ebf77c17682f75f1fdd1be196da302dc8461e350a9ae330",
        not_after: Date::new(2035, 6, 13),
    },
];

/// The authority whose certificate `der` is. Only a certificate with a serial number of the table
/// is hashed, so that asking costs next to nothing.
pub fn known_authority(der: &[u8]) -> Option<&'static KnownAuthority> {
    authority_among(der, |_| true)
}

/// Whether `der` is the certificate of an authority of this generation. One of the other is not
/// hashed.
pub fn is_authority_of(der: &[u8], era: Era) -> bool {
    authority_among(der, |known| known.era == era).is_some()
}

fn authority_among(
    der: &[u8],
    is_asked: impl Fn(&KnownAuthority) -> bool,
) -> Option<&'static KnownAuthority> {
    let serial = Certificate::parse(der)?.serial;
    let candidate = KNOWN_AUTHORITIES.iter().find(|known| is_hex(serial, known.serial))?;
    let is_it = is_asked(candidate) && is_hex(fingerprint(der)?.as_bytes(), candidate.sha256);
    is_it.then_some(candidate)
}

/// SHA-256 of a certificate: what people know it by.
pub fn fingerprint(der: &[u8]) -> Option<Digest> {
    hash(TpmAlgId::SHA256, &[der])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fingerprints_and_names_are_unique() {
        for (n, known) in KNOWN_AUTHORITIES.iter().enumerate() {
            assert_eq!(hex::decode(known.sha256).unwrap().len(), 32, "{known}");
            assert!(hex::decode(known.serial).is_ok(), "{known}");
            let before = &KNOWN_AUTHORITIES[..n];
            assert!(before.iter().all(|other| other.sha256 != known.sha256), "{known}");
            assert!(before.iter().all(|other| other.name != known.name), "{known}");
        }
    }

    #[test]
    fn what_is_no_certificate_is_not_known() {
        assert_eq!(known_authority(b""), None);
        assert_eq!(known_authority(&[0x30; 64]), None);
    }
}
