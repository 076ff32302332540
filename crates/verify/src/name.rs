//! Names of TPM objects.

use core::fmt;

use aws_lc_rs::digest;
use tpm_wire::TpmAlgId;

use crate::hash::StrongHash;

/// The Name of a TPM object: nameAlg, then the digest of its public area. [TPM2-P1-1.59 §16]
/// It pins attributes, scheme and key at once.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Name {
    hash: StrongHash,
    /// Two bytes of algorithm, then the digest; the rest is zero.
    bytes: [u8; Self::LEN_MAX],
}

impl Name {
    /// Bytes of a name with the largest hash that we accept.
    pub const LEN_MAX: usize = 2 + 64;

    /// The name of the object with this public area (a TPMT_PUBLIC, no size in front).
    pub(crate) fn of_public(hash: StrongHash, tpmt_public: &[u8]) -> Self {
        Self::of_digest(hash, &digest::digest(hash.digest(), tpmt_public))
    }

    /// The qualified name of the object of this name under a parent of that qualified name: the
    /// hash over both, with the object's own nameAlg. [TPM2-P1-1.59 §16]
    #[must_use]
    pub fn under(&self, parent_qualified_name: &[u8]) -> Self {
        let mut context = digest::Context::new(self.hash.digest());
        context.update(parent_qualified_name);
        context.update(self.as_bytes());
        Self::of_digest(self.hash, &context.finish())
    }

    fn of_digest(hash: StrongHash, digest: &digest::Digest) -> Self {
        let mut bytes = [0; Self::LEN_MAX];
        let content = hash.alg().0.to_be_bytes();
        bytes
            .iter_mut()
            .zip(content.iter().chain(digest.as_ref()))
            .for_each(|(to, from)| *to = *from);
        Self { hash, bytes }
    }

    /// A name as the store or an inventory keeps it, or `None` where it is not one of an object
    /// whose nameAlg we accept.
    pub fn from_bytes(name: &[u8]) -> Option<Self> {
        let alg = TpmAlgId(u16::from_be_bytes(*name.first_chunk::<2>()?));
        let hash = StrongHash::from_alg(alg)?;
        if name.len() != 2 + hash.digest_len() {
            return None;
        }
        let mut bytes = [0; Self::LEN_MAX];
        bytes.get_mut(..name.len())?.copy_from_slice(name);
        Some(Self { hash, bytes })
    }

    /// The bytes: nameAlg and digest.
    pub fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..2 + self.hash.digest_len()).unwrap_or(&[])
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", tpm_wire::Hex(self.as_bytes()))
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Name({self})")
    }
}
