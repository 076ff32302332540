//! What a TPM promises about a key.

use core::fmt;

/// TPMA_OBJECT. [TPM2-P2-1.59 §8.3] Bits that we do not know are kept.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct ObjectAttributes(pub u32);

impl ObjectAttributes {
    /// The key never leaves its TPM, nor does any of its ancestors.
    pub const FIXED_TPM: Self = Self(1 << 1);
    /// The key may not be loaded again after a TPM reset: it lasts one boot.
    pub const ST_CLEAR: Self = Self(1 << 2);
    /// The key keeps its parent.
    pub const FIXED_PARENT: Self = Self(1 << 4);
    /// The TPM made the secret part, nobody brought it.
    pub const SENSITIVE_DATA_ORIGIN: Self = Self(1 << 5);
    /// USER role by password or HMAC.
    pub const USER_WITH_AUTH: Self = Self(1 << 6);
    /// ADMIN role by policy only.
    pub const ADMIN_WITH_POLICY: Self = Self(1 << 7);
    /// Wrong authorisations do not count towards lockout.
    pub const NO_DA: Self = Self(1 << 10);
    /// Duplication needs an encrypted wrapper.
    pub const ENCRYPTED_DUPLICATION: Self = Self(1 << 11);
    /// The key signs or decrypts only what the TPM made.
    pub const RESTRICTED: Self = Self(1 << 16);
    /// The key decrypts.
    pub const DECRYPT: Self = Self(1 << 17);
    /// The key signs.
    pub const SIGN: Self = Self(1 << 18);
    /// The key signs certificates and nothing with a digest of the caller's.
    pub const X509_SIGN: Self = Self(1 << 19);

    const NAMES: [(Self, &'static str); 12] = [
        (Self::FIXED_TPM, "fixedTPM"),
        (Self::ST_CLEAR, "stClear"),
        (Self::FIXED_PARENT, "fixedParent"),
        (Self::SENSITIVE_DATA_ORIGIN, "sensitiveDataOrigin"),
        (Self::USER_WITH_AUTH, "userWithAuth"),
        (Self::ADMIN_WITH_POLICY, "adminWithPolicy"),
        (Self::NO_DA, "noDA"),
        (Self::ENCRYPTED_DUPLICATION, "encryptedDuplication"),
        (Self::RESTRICTED, "restricted"),
        (Self::DECRYPT, "decrypt"),
        (Self::SIGN, "sign"),
        (Self::X509_SIGN, "x509sign"),
    ];

    /// These and those of `other`.
    #[must_use]
    pub const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether each of `other` is set.
    pub const fn contains_all(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// Those of `wanted` that are not set.
    #[must_use]
    pub const fn missing(self, wanted: Self) -> Self {
        Self(wanted.0 & !self.0)
    }
}

/// The specification's names with `|` between, and what has no name as a number.
impl fmt::Display for ObjectAttributes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 == 0 {
            return f.write_str("none");
        }
        let mut unnamed = self.0;
        let mut bar = "";
        for (attribute, name) in Self::NAMES {
            if self.contains_all(attribute) {
                unnamed &= !attribute.0;
                write!(f, "{bar}{name}")?;
                bar = "|";
            }
        }
        if unnamed != 0 {
            write!(f, "{bar}{unnamed:#x}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for ObjectAttributes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ObjectAttributes({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attributes_are_shown_in_the_words_of_the_specification() {
        let ak = ObjectAttributes(0x0005_0472);
        let wanted = "fixedTPM|fixedParent|sensitiveDataOrigin|userWithAuth|noDA|restricted|sign";
        assert_eq!(ak.to_string(), wanted);
        assert_eq!(ObjectAttributes(0x8000_0002).to_string(), "fixedTPM|0x80000000");
        let wanted = ObjectAttributes::RESTRICTED.union(ObjectAttributes::DECRYPT);
        assert_eq!(ak.missing(wanted), ObjectAttributes::DECRYPT);
    }
}
