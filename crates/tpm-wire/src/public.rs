//! Public areas of keys.

use crate::alg::TpmAlgId;
use crate::attest::DIGEST_LEN_MAX;
use crate::attributes::ObjectAttributes;
use crate::error::ParseError;
use crate::reader::Reader;
use crate::signature::{ECC_LEN_MAX, RSA_LEN_MAX};
use crate::writer::{EncodeError, Writer};

/// Largest TPMT_PUBLIC that we take: RSA-4096 needs under 700 bytes.
pub const PUBLIC_LEN_MAX: usize = 1024;

/// TPM_ECC_CURVE. [TPM2-P2-1.59 §6.4] Open: a value that we do not know is only a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TpmEccCurve(pub u16);

impl TpmEccCurve {
    /// NIST P-256.
    pub const P256: Self = Self(0x0003);
    /// NIST P-384.
    pub const P384: Self = Self(0x0004);
    /// NIST P-521.
    pub const P521: Self = Self(0x0005);

    /// Bytes of one coordinate, or `None` where it is not a curve that we know.
    pub const fn coordinate_len(self) -> Option<usize> {
        match self {
            Self::P256 => Some(32),
            Self::P384 => Some(48),
            Self::P521 => Some(66),
            _ => None,
        }
    }
}

/// TPMT_PUBLIC with the bytes that it was read from. [TPM2-P2-1.59 §12.2.4]
/// A key's name is nameAlg and the hash of [`TpmtPublic::raw`]: never of something encoded again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TpmtPublic<'a> {
    /// The bytes that the name covers: all, without the TPM2B size.
    pub raw: &'a [u8],
    /// What they say.
    pub area: PublicArea<'a>,
}

/// The fields of TPMT_PUBLIC, in wire order behind the type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PublicArea<'a> {
    /// Hash of the name.
    pub name_alg: TpmAlgId,
    /// What the TPM promises.
    pub attributes: ObjectAttributes,
    /// Digest of the policy, or empty.
    pub auth_policy: &'a [u8],
    /// Parameters and key.
    pub key: PublicKey<'a>,
}

/// Type, parameters and unique field of TPMT_PUBLIC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PublicKey<'a> {
    /// TPMS_RSA_PARMS and TPM2B_PUBLIC_KEY_RSA. [TPM2-P2-1.59 §12.2.3.5]
    Rsa {
        /// Symmetric cipher of a storage key.
        symmetric: Symmetric,
        /// Scheme, or [`Scheme::NULL`].
        scheme: Scheme,
        /// Bits of the modulus.
        key_bits: u16,
        /// The public exponent as written: 0 means 65537, see [`PublicKey::rsa_exponent`].
        exponent: u32,
        /// The modulus, big-endian; in a template whatever the template says.
        modulus: &'a [u8],
    },
    /// TPMS_ECC_PARMS and TPMS_ECC_POINT. [TPM2-P2-1.59 §12.2.3.6] Coordinates may come without
    /// leading zeros: pad them to [`TpmEccCurve::coordinate_len`].
    Ecc {
        /// Symmetric cipher of a storage key.
        symmetric: Symmetric,
        /// Scheme, or [`Scheme::NULL`].
        scheme: Scheme,
        /// The curve.
        curve: TpmEccCurve,
        /// Key derivation scheme, [`Scheme::NULL`] in practice.
        kdf: Scheme,
        /// x, big-endian.
        x: &'a [u8],
        /// y, big-endian.
        y: &'a [u8],
    },
    /// A type that we do not know.
    Other {
        /// The type.
        kind: TpmAlgId,
        /// What follows authPolicy.
        body: &'a [u8],
    },
}

/// TPMT_SYM_DEF_OBJECT. [TPM2-P2-1.59 §11.1.7]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Symmetric {
    /// The cipher, or TPM_ALG_NULL.
    pub alg: TpmAlgId,
    /// Bits of its key; 0 with TPM_ALG_NULL.
    pub key_bits: u16,
    /// Its mode; TPM_ALG_NULL with TPM_ALG_NULL.
    pub mode: TpmAlgId,
}

impl Symmetric {
    /// No cipher.
    pub const NULL: Self = Self { alg: TpmAlgId::NULL, key_bits: 0, mode: TpmAlgId::NULL };
    /// AES-128 CFB.
    pub const AES_128_CFB: Self = Self { alg: TpmAlgId::AES, key_bits: 128, mode: TpmAlgId::CFB };
    /// AES-256 CFB.
    pub const AES_256_CFB: Self = Self { alg: TpmAlgId::AES, key_bits: 256, mode: TpmAlgId::CFB };

    fn read(from: &mut Reader<'_>) -> Result<Self, ParseError> {
        let alg = TpmAlgId(from.u16("TPMT_SYM_DEF_OBJECT.algorithm")?);
        if alg == TpmAlgId::NULL {
            return Ok(Self::NULL);
        }
        let key_bits = from.u16("TPMT_SYM_DEF_OBJECT.keyBits")?;
        let mode = TpmAlgId(from.u16("TPMT_SYM_DEF_OBJECT.mode")?);
        Ok(Self { alg, key_bits, mode })
    }

    fn write(self, to: &mut Writer) {
        to.u16(self.alg.0);
        if self.alg != TpmAlgId::NULL {
            to.u16(self.key_bits);
            to.u16(self.mode.0);
        }
    }
}

/// TPMT_RSA_SCHEME, TPMT_ECC_SCHEME and TPMT_KDF_SCHEME. [TPM2-P2-1.59 §11.2]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scheme {
    /// The scheme, or TPM_ALG_NULL.
    pub alg: TpmAlgId,
    /// Its hash; TPM_ALG_NULL where the scheme has none.
    pub hash: TpmAlgId,
    /// Its counter: ECDAA only, else 0.
    pub count: u16,
}

/// TPM_ALG_ECDAA, the one scheme with a counter.
const ECDAA: TpmAlgId = TpmAlgId(0x001A);

impl Scheme {
    /// No scheme.
    pub const NULL: Self = Self { alg: TpmAlgId::NULL, hash: TpmAlgId::NULL, count: 0 };

    /// `alg` with `hash`.
    pub const fn new(alg: TpmAlgId, hash: TpmAlgId) -> Self {
        Self { alg, hash, count: 0 }
    }

    pub(crate) fn read(from: &mut Reader<'_>) -> Result<Self, ParseError> {
        let alg = TpmAlgId(from.u16("TPMT_ASYM_SCHEME.scheme")?);
        if alg == TpmAlgId::NULL || alg == TpmAlgId::RSAES {
            return Ok(Self { alg, ..Self::NULL });
        }
        let hash = TpmAlgId(from.u16("TPMT_ASYM_SCHEME.hashAlg")?);
        let count = if alg == ECDAA { from.u16("TPMS_SCHEME_ECDAA.count")? } else { 0 };
        Ok(Self { alg, hash, count })
    }

    pub(crate) fn write(self, to: &mut Writer) {
        to.u16(self.alg.0);
        if self.alg != TpmAlgId::NULL && self.alg != TpmAlgId::RSAES {
            to.u16(self.hash.0);
            if self.alg == ECDAA {
                to.u16(self.count);
            }
        }
    }
}

impl<'a> PublicKey<'a> {
    /// TPMI_ALG_PUBLIC.
    pub const fn kind(&self) -> TpmAlgId {
        match self {
            Self::Rsa { .. } => TpmAlgId::RSA,
            Self::Ecc { .. } => TpmAlgId::ECC,
            Self::Other { kind, .. } => *kind,
        }
    }

    /// The RSA exponent that counts; `None` for other keys.
    pub const fn rsa_exponent(&self) -> Option<u32> {
        match self {
            Self::Rsa { exponent: 0, .. } => Some(65537),
            Self::Rsa { exponent, .. } => Some(*exponent),
            _ => None,
        }
    }

    /// The signing scheme; [`Scheme::NULL`] for a type that we do not know.
    pub const fn scheme(&self) -> Scheme {
        match self {
            Self::Rsa { scheme, .. } | Self::Ecc { scheme, .. } => *scheme,
            Self::Other { .. } => Scheme::NULL,
        }
    }

    /// The symmetric cipher of a storage key.
    pub const fn symmetric(&self) -> Symmetric {
        match self {
            Self::Rsa { symmetric, .. } | Self::Ecc { symmetric, .. } => *symmetric,
            Self::Other { .. } => Symmetric::NULL,
        }
    }
}

impl<'a> PublicArea<'a> {
    fn read(from: &mut Reader<'a>) -> Result<Self, ParseError> {
        let kind = TpmAlgId(from.u16("TPMT_PUBLIC.type")?);
        let name_alg = TpmAlgId(from.u16("TPMT_PUBLIC.nameAlg")?);
        let attributes = ObjectAttributes(from.u32("TPMT_PUBLIC.objectAttributes")?);
        let auth_policy = from.sized("TPMT_PUBLIC.authPolicy", DIGEST_LEN_MAX)?;
        let key = match kind {
            TpmAlgId::RSA => PublicKey::Rsa {
                symmetric: Symmetric::read(from)?,
                scheme: Scheme::read(from)?,
                key_bits: from.u16("TPMS_RSA_PARMS.keyBits")?,
                exponent: from.u32("TPMS_RSA_PARMS.exponent")?,
                modulus: from.sized("TPM2B_PUBLIC_KEY_RSA", RSA_LEN_MAX)?,
            },
            TpmAlgId::ECC => PublicKey::Ecc {
                symmetric: Symmetric::read(from)?,
                scheme: Scheme::read(from)?,
                curve: TpmEccCurve(from.u16("TPMS_ECC_PARMS.curveID")?),
                kdf: Scheme::read(from)?,
                x: from.sized("TPMS_ECC_POINT.x", ECC_LEN_MAX)?,
                y: from.sized("TPMS_ECC_POINT.y", ECC_LEN_MAX)?,
            },
            kind => PublicKey::Other { kind, body: from.rest() },
        };
        Ok(Self { name_alg, attributes, auth_policy, key })
    }

    /// Writes TPMT_PUBLIC.
    pub fn write(&self, to: &mut Writer) {
        to.u16(self.key.kind().0);
        to.u16(self.name_alg.0);
        to.u32(self.attributes.0);
        to.sized("TPMT_PUBLIC.authPolicy", self.auth_policy);
        match self.key {
            PublicKey::Rsa { symmetric, scheme, key_bits, exponent, modulus } => {
                symmetric.write(to);
                scheme.write(to);
                to.u16(key_bits);
                to.u32(exponent);
                to.sized("TPM2B_PUBLIC_KEY_RSA", modulus);
            }
            PublicKey::Ecc { symmetric, scheme, curve, kdf, x, y } => {
                symmetric.write(to);
                scheme.write(to);
                to.u16(curve.0);
                kdf.write(to);
                to.sized("TPMS_ECC_POINT.x", x);
                to.sized("TPMS_ECC_POINT.y", y);
            }
            PublicKey::Other { body, .. } => to.bytes(body),
        }
    }

    /// TPMT_PUBLIC as bytes: for templates and for tests. What came from a TPM has its own.
    pub fn to_bytes(&self) -> Result<Vec<u8>, EncodeError> {
        let mut to = Writer::new();
        self.write(&mut to);
        to.finish()
    }
}

impl<'a> TpmtPublic<'a> {
    /// Reads TPMT_PUBLIC from all of `raw`; bytes behind it are refused.
    pub fn parse(raw: &'a [u8]) -> Result<Self, ParseError> {
        let mut from = Reader::new(raw);
        let area = PublicArea::read(&mut from)?;
        from.finish("TPMT_PUBLIC")?;
        Ok(Self { raw, area })
    }

    /// Reads TPM2B_PUBLIC, a size and TPMT_PUBLIC, from all of `bytes`.
    pub fn parse_2b(bytes: &'a [u8]) -> Result<Self, ParseError> {
        let mut from = Reader::new(bytes);
        let mut inner = from.sized_reader("TPM2B_PUBLIC", PUBLIC_LEN_MAX)?;
        let raw = inner.left();
        let area = PublicArea::read(&mut inner)?;
        inner.finish("TPMT_PUBLIC")?;
        from.finish("TPM2B_PUBLIC")?;
        Ok(Self { raw, area })
    }
}
