//! Whose authority a certificate is of.

use crate::table::AUTHORITIES;
use crate::vendor::Vendor;

/// Where a certificate stands in its vendor's hierarchy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Signed by itself: what there is to trust.
    Root,
    /// Signed by a root or by another one of these.
    Intermediate,
}

impl Kind {
    /// The word for people.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Root => "root",
            Self::Intermediate => "intermediate",
        }
    }
}

/// A certificate authority that issues for TPM chips.
#[derive(Clone, Copy, Debug)]
pub struct Authority {
    /// Whose chips it issues for.
    pub vendor: Vendor,
    /// Where it stands.
    pub kind: Kind,
    /// Its subject, for people.
    pub name: &'static str,
    /// SHA-256 of its certificate.
    pub sha256: [u8; 32],
}

/// The authority whose certificate has this SHA-256.
pub fn authority(sha256: &[u8; 32]) -> Option<&'static Authority> {
    AUTHORITIES.iter().find(|known| known.sha256 == *sha256)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_authority_is_there_once() {
        for (n, known) in AUTHORITIES.iter().enumerate() {
            assert_ne!(known.sha256, [0; 32], "{}", known.name);
            assert!(known.vendor.name().is_some(), "{}", known.name);
            let twin = AUTHORITIES[..n].iter().find(|other| other.sha256 == known.sha256);
            assert!(twin.is_none(), "{}", known.name);
        }
        assert!(authority(&[0; 32]).is_none());
        assert!(AUTHORITIES.iter().filter(|known| known.kind == Kind::Root).count() > 20);
    }

    #[test]
    fn fingerprints_are_those_of_the_vendors_certificates() {
        let Some(corpus) = std::env::var_os("BOOTPROOF_CORPUS") else {
            println!("skipped: BOOTPROOF_CORPUS is not set");
            return;
        };
        let folder = std::path::Path::new(&corpus).join("machines/loicsikidi+tpm-ca-certificates");
        let mut known = 0;
        for file in ["tpm-ca-certificates.pem", "tpm-intermediate-ca-certificates.pem"] {
            let pem = std::fs::read_to_string(folder.join(format!("MIRROR.{file}"))).unwrap();
            for root in verify::RootStore::from_pem(&pem).unwrap().iter() {
                let found = authority(&root.fingerprint().0);
                assert!(found.is_some(), "{} {}", root.fingerprint(), root.subject());
                known += 1;
            }
        }
        assert_eq!(known, AUTHORITIES.len());
    }
}
