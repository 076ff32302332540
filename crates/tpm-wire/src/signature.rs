//! Signatures by TPM keys.

use crate::alg::TpmAlgId;
use crate::error::ParseError;
use crate::reader::Reader;
use crate::writer::Writer;

/// Largest RSA number that we read: 4096 bits, the largest key of the TCG registry.
pub const RSA_LEN_MAX: usize = 512;
/// Largest TPM2B_ECC_PARAMETER: P-521 has 66 bytes, BN-638 has 80.
pub const ECC_LEN_MAX: usize = 80;

/// TPMT_SIGNATURE. [TPM2-P2-1.59 §11.3.4] A scheme that we do not know is kept as bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TpmtSignature<'a> {
    /// RSASSA-PKCS1-v1_5.
    RsaSsa {
        /// Hash of the scheme.
        hash: TpmAlgId,
        /// The signature, as long as the modulus.
        signature: &'a [u8],
    },
    /// RSASSA-PSS. The salt's length is not said: old chips take the largest that fits.
    RsaPss {
        /// Hash of the scheme.
        hash: TpmAlgId,
        /// The signature, as long as the modulus.
        signature: &'a [u8],
    },
    /// ECDSA. The numbers may come without leading zeros: pad them to the curve's size.
    Ecdsa {
        /// Hash of the scheme.
        hash: TpmAlgId,
        /// r, big-endian.
        r: &'a [u8],
        /// s, big-endian.
        s: &'a [u8],
    },
    /// A scheme that we do not know, TPM_ALG_NULL among them.
    Other {
        /// The scheme.
        scheme: TpmAlgId,
        /// What follows it.
        body: &'a [u8],
    },
}

impl<'a> TpmtSignature<'a> {
    /// Reads one from all of `bytes`; bytes behind it are refused.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, ParseError> {
        let mut from = Reader::new(bytes);
        let scheme = TpmAlgId(from.u16("TPMT_SIGNATURE.sigAlg")?);
        let signature = match scheme {
            TpmAlgId::RSASSA => Self::RsaSsa {
                hash: TpmAlgId(from.u16("TPMS_SIGNATURE_RSA.hash")?),
                signature: from.sized("TPMS_SIGNATURE_RSA.sig", RSA_LEN_MAX)?,
            },
            TpmAlgId::RSAPSS => Self::RsaPss {
                hash: TpmAlgId(from.u16("TPMS_SIGNATURE_RSA.hash")?),
                signature: from.sized("TPMS_SIGNATURE_RSA.sig", RSA_LEN_MAX)?,
            },
            TpmAlgId::ECDSA => Self::Ecdsa {
                hash: TpmAlgId(from.u16("TPMS_SIGNATURE_ECC.hash")?),
                r: from.sized("TPMS_SIGNATURE_ECC.signatureR", ECC_LEN_MAX)?,
                s: from.sized("TPMS_SIGNATURE_ECC.signatureS", ECC_LEN_MAX)?,
            },
            scheme => Self::Other { scheme, body: from.rest() },
        };
        from.finish("TPMT_SIGNATURE")?;
        Ok(signature)
    }

    /// The scheme.
    pub const fn scheme(&self) -> TpmAlgId {
        match self {
            Self::RsaSsa { .. } => TpmAlgId::RSASSA,
            Self::RsaPss { .. } => TpmAlgId::RSAPSS,
            Self::Ecdsa { .. } => TpmAlgId::ECDSA,
            Self::Other { scheme, .. } => *scheme,
        }
    }

    /// The hash of the scheme, where we know the scheme.
    pub const fn hash(&self) -> Option<TpmAlgId> {
        match self {
            Self::RsaSsa { hash, .. } | Self::RsaPss { hash, .. } | Self::Ecdsa { hash, .. } => {
                Some(*hash)
            }
            Self::Other { .. } => None,
        }
    }

    /// Writes it.
    pub fn write(&self, to: &mut Writer) {
        to.u16(self.scheme().0);
        match self {
            Self::RsaSsa { hash, signature } | Self::RsaPss { hash, signature } => {
                to.u16(hash.0);
                to.sized("TPMS_SIGNATURE_RSA.sig", signature);
            }
            Self::Ecdsa { hash, r, s } => {
                to.u16(hash.0);
                to.sized("TPMS_SIGNATURE_ECC.signatureR", r);
                to.sized("TPMS_SIGNATURE_ECC.signatureS", s);
            }
            Self::Other { body, .. } => to.bytes(body),
        }
    }
}
