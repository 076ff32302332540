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
}
