//! Public keys, the same whether they came in a certificate or from a TPM.

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use x509_parser::prelude::FromDer as _;
use x509_parser::public_key::RSAPublicKey;
use x509_parser::x509::SubjectPublicKeyInfo;

use crate::{der, hash, oid};

/// The least RSA modulus that we believe in. [SP800-57-1 r5, table 2]: 112 bits of strength.
pub const RSA_BITS_MIN: usize = 2048;
/// The largest RSA modulus: the largest that a TPM has; the cost of a check grows with its square.
pub const RSA_BITS_MAX: usize = 4096;

/// A public key.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum PublicKey {
    /// RSA.
    Rsa(RsaKey),
    /// A point on a NIST curve.
    Ec(EcKey),
}

/// An RSA public key: modulus of [`RSA_BITS_MIN`] to [`RSA_BITS_MAX`] bits.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct RsaKey {
    modulus: Vec<u8>,
    exponent: u32,
}

/// A point on a NIST curve, coordinates padded to the size of the field. Whether it lies on the
/// curve is checked by what uses it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct EcKey {
    curve: Curve,
    /// 0x04, x, y.
    point: Vec<u8>,
}

/// The curves that TPMs have and our cryptography knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Curve {
    /// NIST P-256.
    P256,
    /// NIST P-384.
    P384,
    /// NIST P-521.
    P521,
}

/// Why a public key was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// The bytes are not a SubjectPublicKeyInfo or not the key that its algorithm announces.
    #[error("the public key cannot be read")]
    Malformed,
    /// Neither RSA nor a point on P-256, P-384 or P-521.
    #[error("the algorithm or curve of the public key is not supported")]
    Unsupported,
    /// An RSA modulus outside of [`RSA_BITS_MIN`] to [`RSA_BITS_MAX`].
    #[error("the RSA modulus has {bits} bits, not {RSA_BITS_MIN} to {RSA_BITS_MAX}")]
    RsaBits {
        /// Bits of the modulus.
        bits: usize,
    },
    /// An RSA exponent that is even, below 3 or above 32 bits.
    #[error("the RSA exponent is not usable")]
    RsaExponent,
}

impl Curve {
    /// Bytes of one coordinate.
    pub const fn field_len(self) -> usize {
        match self {
            Self::P256 => 32,
            Self::P384 => 48,
            Self::P521 => 66,
        }
    }

    const fn oid(self) -> &'static [u8] {
        match self {
            Self::P256 => oid::P256,
            Self::P384 => oid::P384,
            Self::P521 => oid::P521,
        }
    }

    fn from_oid(oid: &[u8]) -> Option<Self> {
        [Self::P256, Self::P384, Self::P521].into_iter().find(|curve| curve.oid() == oid)
    }
}

impl RsaKey {
    /// A key of a big-endian modulus, with or without leading zeros, and an exponent.
    pub fn new(modulus: &[u8], exponent: u32) -> Result<Self, KeyError> {
        let modulus = der::strip_zeros(modulus);
        let bits = bits(modulus);
        if !(RSA_BITS_MIN..=RSA_BITS_MAX).contains(&bits) {
            return Err(KeyError::RsaBits { bits });
        }
        if exponent < 3 || exponent.is_multiple_of(2) {
            return Err(KeyError::RsaExponent);
        }
        Ok(Self { modulus: modulus.to_vec(), exponent })
    }

    /// The modulus, big-endian, no leading zeros.
    pub fn modulus(&self) -> &[u8] {
        &self.modulus
    }

    /// Bits of the modulus.
    pub fn bits(&self) -> usize {
        bits(&self.modulus)
    }

    /// The exponent.
    pub const fn exponent(&self) -> u32 {
        self.exponent
    }

    /// RSAPublicKey. [RFC8017 A.1.1]
    pub(crate) fn pkcs1_der(&self) -> Vec<u8> {
        let exponent = self.exponent.to_be_bytes();
        der::sequence(&[&der::unsigned(&self.modulus), &der::unsigned(&exponent)])
    }
}

/// Bits of a number without leading zero bytes.
fn bits(big_endian: &[u8]) -> usize {
    let Some(first) = big_endian.first() else { return 0 };
    let n_unused = usize::try_from(first.leading_zeros()).unwrap_or(0);
    big_endian.len().saturating_mul(8).saturating_sub(n_unused)
}

impl EcKey {
    /// A point; coordinates may come without their leading zeros, as some TPMs give them.
    pub fn new(curve: Curve, x: &[u8], y: &[u8]) -> Result<Self, KeyError> {
        let len = curve.field_len();
        let mut point = Vec::with_capacity(1 + 2 * len);
        point.push(4);
        for coordinate in [x, y] {
            let coordinate = der::strip_zeros(coordinate);
            let n_pad = len.checked_sub(coordinate.len()).ok_or(KeyError::Malformed)?;
            point.resize(point.len() + n_pad, 0);
            point.extend_from_slice(coordinate);
        }
        Ok(Self { curve, point })
    }

    /// The curve.
    pub const fn curve(&self) -> Curve {
        self.curve
    }

    /// 0x04, x, y, each coordinate [`Curve::field_len`] bytes. [SEC1 §2.3.3]
    pub fn point(&self) -> &[u8] {
        &self.point
    }

    /// The x coordinate, padded.
    pub(crate) fn x(&self) -> &[u8] {
        self.point.get(1..1 + self.curve.field_len()).unwrap_or(&[])
    }
}

impl PublicKey {
    /// Reads a SubjectPublicKeyInfo. RSAES-OAEP counts as RSA, whatever its parameters say: it
    /// names how the key is used, not another key.
    pub fn from_spki_der(der: &[u8]) -> Result<Self, KeyError> {
        let (rest, spki) = SubjectPublicKeyInfo::from_der(der).map_err(|_| KeyError::Malformed)?;
        if !rest.is_empty() {
            return Err(KeyError::Malformed);
        }
        Self::from_spki(&spki)
    }

    pub(crate) fn from_spki(spki: &SubjectPublicKeyInfo<'_>) -> Result<Self, KeyError> {
        let bytes: &[u8] = spki.subject_public_key.data.as_ref();
        match spki.algorithm.algorithm.as_bytes() {
            oid::RSA_ENCRYPTION | oid::RSAES_OAEP => {
                let (rest, key) = RSAPublicKey::from_der(bytes).map_err(|_| KeyError::Malformed)?;
                if !rest.is_empty() {
                    return Err(KeyError::Malformed);
                }
                let exponent = der::strip_zeros(key.exponent);
                if exponent.len() > 4 {
                    return Err(KeyError::RsaExponent);
                }
                let exponent =
                    exponent.iter().fold(0_u32, |value, byte| value << 8 | u32::from(*byte));
                RsaKey::new(key.modulus, exponent).map(Self::Rsa)
            }
            oid::EC_PUBLIC_KEY => {
                let curve = spki
                    .algorithm
                    .parameters
                    .as_ref()
                    .and_then(|any| Curve::from_oid(any.data))
                    .ok_or(KeyError::Unsupported)?;
                let (format, coordinates) = bytes.split_first().ok_or(KeyError::Malformed)?;
                if *format != 4 || coordinates.len() != 2 * curve.field_len() {
                    return Err(KeyError::Malformed);
                }
                let (x, y) =
                    coordinates.split_at_checked(curve.field_len()).ok_or(KeyError::Malformed)?;
                EcKey::new(curve, x, y).map(Self::Ec)
            }
            _ => Err(KeyError::Unsupported),
        }
    }

    /// As SubjectPublicKeyInfo, always rsaEncryption or id-ecPublicKey with a named curve, so that
    /// one key has one encoding wherever it came from. [RFC5280 §4.1.2.7]
    pub fn spki_der(&self) -> Vec<u8> {
        let (algorithm, key) = match self {
            Self::Rsa(rsa) => (
                der::sequence(&[&der::oid(oid::RSA_ENCRYPTION), der::null()]),
                der::bit_string(&rsa.pkcs1_der()),
            ),
            Self::Ec(ec) => (
                der::sequence(&[&der::oid(oid::EC_PUBLIC_KEY), &der::oid(ec.curve.oid())]),
                der::bit_string(&ec.point),
            ),
        };
        der::sequence(&[&algorithm, &key])
    }

    /// The key without its algorithm: RSAPublicKey or the point.
    pub(crate) fn bare(&self) -> Cow<'_, [u8]> {
        match self {
            Self::Rsa(rsa) => Cow::Owned(rsa.pkcs1_der()),
            Self::Ec(ec) => Cow::Borrowed(ec.point()),
        }
    }

    /// SHA-256 of [`Self::spki_der`]: what identifies this key in the store.
    pub fn spki_sha256(&self) -> [u8; 32] {
        hash::sha256(&self.spki_der())
    }

    /// [`Self::spki_der`] as PEM, lines of 64.
    pub fn spki_pem(&self) -> String {
        let text = STANDARD.encode(self.spki_der());
        let mut pem = String::from("-----BEGIN PUBLIC KEY-----\n");
        let mut rest = text.as_str();
        while !rest.is_empty() {
            let (line, tail) = rest.split_at_checked(64).unwrap_or((rest, ""));
            pem.push_str(line);
            pem.push('\n');
            rest = tail;
        }
        pem.push_str("-----END PUBLIC KEY-----\n");
        pem
    }
}
