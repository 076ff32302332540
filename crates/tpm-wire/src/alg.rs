//! Algorithm identifiers and digests.

use core::fmt;

/// TPM_ALG_ID. [TPM2-P2-1.59 §6.3] Open: a value that we do not know is only a number.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TpmAlgId(pub u16);

impl TpmAlgId {
    /// TPM_ALG_RSA.
    pub const RSA: Self = Self(0x0001);
    /// TPM_ALG_SHA1.
    pub const SHA1: Self = Self(0x0004);
    /// TPM_ALG_HMAC.
    pub const HMAC: Self = Self(0x0005);
    /// TPM_ALG_AES.
    pub const AES: Self = Self(0x0006);
    /// TPM_ALG_KEYEDHASH.
    pub const KEYEDHASH: Self = Self(0x0008);
    /// TPM_ALG_SHA256.
    pub const SHA256: Self = Self(0x000B);
    /// TPM_ALG_SHA384.
    pub const SHA384: Self = Self(0x000C);
    /// TPM_ALG_SHA512.
    pub const SHA512: Self = Self(0x000D);
    /// TPM_ALG_NULL.
    pub const NULL: Self = Self(0x0010);
    /// TPM_ALG_SM3_256.
    pub const SM3_256: Self = Self(0x0012);
    /// TPM_ALG_RSASSA.
    pub const RSASSA: Self = Self(0x0014);
    /// TPM_ALG_RSAES.
    pub const RSAES: Self = Self(0x0015);
    /// TPM_ALG_RSAPSS.
    pub const RSAPSS: Self = Self(0x0016);
    /// TPM_ALG_OAEP.
    pub const OAEP: Self = Self(0x0017);
    /// TPM_ALG_ECDSA.
    pub const ECDSA: Self = Self(0x0018);
    /// TPM_ALG_ECC.
    pub const ECC: Self = Self(0x0023);
    /// TPM_ALG_SYMCIPHER.
    pub const SYMCIPHER: Self = Self(0x0025);
    /// TPM_ALG_SHA3_256.
    pub const SHA3_256: Self = Self(0x0027);
    /// TPM_ALG_SHA3_384.
    pub const SHA3_384: Self = Self(0x0028);
    /// TPM_ALG_SHA3_512.
    pub const SHA3_512: Self = Self(0x0029);
    /// TPM_ALG_CFB.
    pub const CFB: Self = Self(0x0043);

    /// Bytes of a digest of this hash algorithm, or `None` where it is not a hash that we know.
    pub const fn digest_len(self) -> Option<usize> {
        match self {
            Self::SHA1 => Some(20),
            Self::SHA256 | Self::SM3_256 | Self::SHA3_256 => Some(32),
            Self::SHA384 | Self::SHA3_384 => Some(48),
            Self::SHA512 | Self::SHA3_512 => Some(64),
            _ => None,
        }
    }

    /// The name that tools and files use for this hash (`sha256`), or `None` where it is not one.
    pub const fn hash_name(self) -> Option<&'static str> {
        match self {
            Self::SHA1 => Some("sha1"),
            Self::SHA256 => Some("sha256"),
            Self::SHA384 => Some("sha384"),
            Self::SHA512 => Some("sha512"),
            Self::SM3_256 => Some("sm3_256"),
            Self::SHA3_256 => Some("sha3_256"),
            Self::SHA3_384 => Some("sha3_384"),
            Self::SHA3_512 => Some("sha3_512"),
            _ => None,
        }
    }

    /// The hash of this name, as [`Self::hash_name`] gives it.
    pub fn from_hash_name(name: &str) -> Option<Self> {
        Self::HASHES.into_iter().find(|alg| alg.hash_name() == Some(name))
    }

    /// The hash algorithms that we know, in the order of their identifiers.
    pub const HASHES: [Self; 8] = [
        Self::SHA1,
        Self::SHA256,
        Self::SHA384,
        Self::SHA512,
        Self::SM3_256,
        Self::SHA3_256,
        Self::SHA3_384,
        Self::SHA3_512,
    ];

    /// Whether a PCR bank of this hash is strong enough to be judged by: SHA-256 and better.
    pub const fn is_strong_hash(self) -> bool {
        matches!(self.digest_len(), Some(n) if n >= 32)
    }
}

impl fmt::Display for TpmAlgId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.hash_name() {
            Some(name) => f.write_str(name),
            None => write!(f, "alg-{:#06x}", self.0),
        }
    }
}

impl fmt::Debug for TpmAlgId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TpmAlgId({self})")
    }
}

/// A digest held in place: no allocation, at most [`Digest::LEN_MAX`] bytes.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Digest {
    len: u8,
    bytes: [u8; Self::LEN_MAX],
}

impl Digest {
    /// The largest digest of any hash in the TCG registry (SHA-512, SHA3-512).
    pub const LEN_MAX: usize = 64;

    /// `bytes` as a digest, or `None` where they are more than [`Self::LEN_MAX`].
    pub fn new(bytes: &[u8]) -> Option<Self> {
        let mut held = [0; Self::LEN_MAX];
        held.get_mut(..bytes.len())?.copy_from_slice(bytes);
        Some(Self { len: u8::try_from(bytes.len()).ok()?, bytes: held })
    }

    /// `len` times the byte `fill`; more than [`Self::LEN_MAX`] gives `None`.
    pub fn filled(fill: u8, len: usize) -> Option<Self> {
        Self::new([fill; Self::LEN_MAX].get(..len)?)
    }

    /// The bytes.
    pub fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..usize::from(self.len)).unwrap_or(&[])
    }

    /// Bytes to write into, of the digest's own length.
    pub fn as_mut_bytes(&mut self) -> &mut [u8] {
        self.bytes.get_mut(..usize::from(self.len)).unwrap_or(&mut [])
    }

    /// Whether each byte is zero; an empty digest is not.
    pub fn is_zero(&self) -> bool {
        self.len > 0 && self.as_bytes().iter().all(|byte| *byte == 0)
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", crate::Hex(self.as_bytes()))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Digest({self})")
    }
}
