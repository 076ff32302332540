//! Platform keys that were made for tests and got into products (PKfail, CVE-2024-8105): others than
//! the owner have the private key, and so can change what may run.

use efi::Certificate;
use event_log::hash;
use tpm_wire::TpmAlgId;

/// Why a platform key is one of tests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TestKey {
    /// Its content is in the table of known ones.
    Known,
    /// Its subject says so.
    BySubject,
}

/// Serial number and SHA-1 of each certificate, in hex. Source: PostSignedObjects/KEK of
/// microsoft/secureboot_objects, 2026-07-15.
const KNOWN: &[(&str, &str)] = &[
    ("ea01f2fb64c48b8f4390e52d69123b85", "9a3056b5260f628645b4d9ac61aebd8060305c3e"),
    ("e4126c1da6b1d49f4194e0fe365059c9", "a773113bafaf5129aa83fd0912e95da4fa555f91"),
    ("55fbef878123008447170bb3cd873af4", "6592a50636faf8be9ae74f0f7f8bd744fa44b329"),
    ("f73d2e3c9364aeb04c8395fdf7ed32a7", "2b6ccde909230f89447d8a583d03a432d686faee"),
    ("6c679148f8ae798342fc15ac4ed3bef1", "b3840dfcf8ab23704e6c5e51ce6f3e38459ef9ac"),
    ("82186208b7486373", "be4a1ac7ff36c0faf0c643274a80a5e78d0b2551"),
    ("f4146bf4351734b94f6f89fc6b63f85a", "5e5a676bcf908192f18d6d8ad363d34a4a95e6d5"),
    ("80dc244b305eb289452cedf78f329ec8", "4a84ba89ab91c3c3168ffb5756add18bc0d78b6e"),
    ("d434cfa85c260fa54217a7ee9e892844", "1b5a9604d8dc7e9df58672e45f7fa8ba03d981e6"),
    ("ac15cc78505dfe8e4100aae9696ef35c", "d35360be5a518096786fc19df9d18b1aa59fa9da"),
    ("af88bcd96170c7a84f639e6eb3ca276a", "81d940254998a36c8c1d1312d3b41ffdf88165d9"),
];

/// Texts in the common name of keys that are no keys: of Microsoft's map of platform keys, of
/// CERT/CC VU#455367 (2024-08-26), and of NVIDIA's boards.
const SUBJECTS: &[&str] = &[
    "DO NOT TRUST",
    "DO NOT SHIP",
    "Test PK",
    "Test Certificate",
    "Test UEFI Certificate",
    "Snake Oil",
];

/// Whether a name says that the key is one of tests: for who has the name of a certificate only.
pub fn is_test_subject(name: &str) -> bool {
    SUBJECTS.iter().any(|text| name.contains(text))
}

/// Whether the platform key `der` is one of tests. Hashed only where its serial number is known.
pub fn test_key(der: &[u8]) -> Option<TestKey> {
    let certificate = Certificate::parse(der)?;
    let candidate = KNOWN.iter().find(|(serial, _)| {
        // A serial number with a high first bit has a zero in front.
        let bare = certificate.serial.strip_prefix(&[0]).unwrap_or(certificate.serial);
        is_hex(bare, serial)
    });
    let is_known = candidate.is_some_and(|(_, sha1)| {
        hash(TpmAlgId::SHA1, &[der]).is_some_and(|digest| is_hex(digest.as_bytes(), sha1))
    });
    if is_known {
        return Some(TestKey::Known);
    }
    let says_so = SUBJECTS.iter().any(|text| certificate.subject.contains(text));
    says_so.then_some(TestKey::BySubject)
}

/// Whether `text` is `bytes` in hex, of lower case.
pub(crate) fn is_hex(bytes: &[u8], text: &str) -> bool {
    let digit = |byte: u8| char::from_digit(u32::from(byte), 16);
    let written = bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 0xf)]).flatten();
    text.len() == bytes.len().saturating_mul(2) && text.chars().eq(written)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hex_is_compared_whole() {
        assert!(is_hex(&[0xab, 0x01], "ab01"));
        assert!(!is_hex(&[0xab], "ab01") && !is_hex(&[0xab, 1, 2], "ab01") && !is_hex(&[], "00"));
    }

    #[test]
    fn the_table_is_of_digests() {
        for (serial, sha1) in KNOWN {
            assert!(hex::decode(serial).is_ok(), "{serial}");
            assert_eq!(hex::decode(sha1).unwrap().len(), 20);
        }
    }
}
