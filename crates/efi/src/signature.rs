//! EFI_SIGNATURE_LIST: the content of PK, KEK, db and dbx.

use core::fmt;

use tpm_wire::{ParseError, ParseErrorKind};

use crate::guid::Guid;
use crate::reader::{Reader, length};

/// Lists in one variable. Real databases have under 500, most with one certificate each.
pub const SIGNATURE_LISTS_MAX: usize = 4096;

/// Bytes of SignatureType, SignatureListSize, SignatureHeaderSize and SignatureSize.
const LIST_HEADER_LEN: usize = 28;
/// Bytes of SignatureOwner.
const OWNER_LEN: usize = 16;

/// SignatureType of an EFI_SIGNATURE_LIST: an open GUID. [UEFI-2.10 §32.4.1]
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct CertType(pub Guid);

/// One row per type: constant, name, GUID, bytes of SignatureData or `None` where it varies.
macro_rules! cert_types {
    ($($(#[$doc:meta])* $constant:ident $name:literal $guid:expr, $len:expr;)*) => {
        impl CertType {
            $($(#[$doc])* pub const $constant: Self = Self($guid);)*

            /// The name in the specification's words, where the type is known.
            pub fn name(self) -> Option<&'static str> {
                $(if self == Self::$constant { return Some($name); })*
                None
            }

            /// Bytes of one SignatureData without its owner; `None` where they vary or the type
            /// is not known.
            pub fn data_len(self) -> Option<usize> {
                $(if self == Self::$constant { return $len; })*
                None
            }
        }
    };
}

cert_types! {
    /// A SHA-256 digest.
    SHA256 "sha256" Guid::new(0xc1c4_1626, 0x504c, 0x4092, 0xaca9, 0x41f9_3693_4328), Some(32);
    /// An RSA-2048 modulus.
    RSA2048 "rsa2048" Guid::new(0x3c57_66e8, 0x269c, 0x4e34, 0xaa14, 0xed77_6e85_b3b6), Some(256);
    /// A signature by RSA-2048 over SHA-256.
    RSA2048_SHA256 "rsa2048_sha256"
        Guid::new(0xe2b3_6190, 0x879b, 0x4a3d, 0xad8d, 0xf2e7_bba3_2784), Some(256);
    /// A SHA-1 digest.
    SHA1 "sha1" Guid::new(0x826c_a512, 0xcf10, 0x4ac9, 0xb187, 0xbe01_4966_31bd), Some(20);
    /// A signature by RSA-2048 over SHA-1.
    RSA2048_SHA1 "rsa2048_sha1"
        Guid::new(0x67f8_444f, 0x8743, 0x48f1, 0xa328, 0x1eaa_b873_6080), Some(256);
    /// A DER certificate.
    X509 "x509" Guid::new(0xa5c0_59a1, 0x94e4, 0x4aa7, 0x87b5, 0xab15_5c2b_f072), None;
    /// A SHA-224 digest.
    SHA224 "sha224" Guid::new(0x0b6e_5233, 0xa65c, 0x44c9, 0x9407, 0xd9ab_83bf_c8bd), Some(28);
    /// A SHA-384 digest.
    SHA384 "sha384" Guid::new(0xff3e_5307, 0x9fd0, 0x48c9, 0x85f1, 0x8ad5_6c70_1e01), Some(48);
    /// A SHA-512 digest.
    SHA512 "sha512" Guid::new(0x093e_0fae, 0xa6c4, 0x4f50, 0x9f1b, 0xd41e_2b89_c19a), Some(64);
    /// The SHA-256 of a certificate's to-be-signed part, and a time of revocation.
    X509_SHA256 "x509_sha256"
        Guid::new(0x3bd2_a492, 0x96c0, 0x4079, 0xb420, 0xfcf9_8ef1_03ed), Some(48);
    /// The SHA-384 of a certificate's to-be-signed part, and a time of revocation.
    X509_SHA384 "x509_sha384"
        Guid::new(0x7076_876e, 0x80c2, 0x4ee6, 0xaad2, 0x28b3_49a6_865b), Some(64);
    /// The SHA-512 of a certificate's to-be-signed part, and a time of revocation.
    X509_SHA512 "x509_sha512"
        Guid::new(0x446d_bf63, 0x2502, 0x4cda, 0xbcfa, 0x2465_d2b0_fe9d), Some(80);
    /// A DER PKCS #7 SignedData.
    PKCS7 "pkcs7" Guid::new(0x4aaf_d29d, 0x68df, 0x49ee, 0x8aa9, 0x347d_3756_65a7), None;
    /// One byte: the database is managed elsewhere.
    EXTERNAL_MANAGEMENT "external_management"
        Guid::new(0x452e_8ced, 0xdfff, 0x4b8c, 0xae01, 0x5118_862e_682c), Some(1);
    /// An SM3 digest. [UEFI-2.11]
    SM3 "sm3" Guid::new(0x5734_7f87, 0x7a9b, 0x403a, 0xb93c, 0xdc4a_fb7a_0ebc), Some(32);
    /// The SM3 of a certificate's to-be-signed part, and a time of revocation. [UEFI-2.11]
    X509_SM3 "x509_sm3"
        Guid::new(0x60d8_07e5, 0x10b4, 0x49a9, 0x9331, 0xe404_3788_8d37), Some(48);
}

impl fmt::Display for CertType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => f.write_str(name),
            None => write!(f, "{}", self.0),
        }
    }
}

impl fmt::Debug for CertType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CertType({self})")
    }
}

/// EFI_SIGNATURE_DATA: who put it there, and a certificate or digest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Signature<'a> {
    /// SignatureOwner.
    pub owner: Guid,
    /// SignatureData.
    pub data: &'a [u8],
}

/// Reads the one EFI_SIGNATURE_DATA that the value of an EV_EFI_VARIABLE_AUTHORITY event is.
pub fn read_signature(bytes: &[u8]) -> Result<Signature<'_>, ParseError> {
    let mut reader = Reader::new(bytes);
    let owner = Guid::read(&mut reader, "EFI_SIGNATURE_DATA.SignatureOwner")?;
    if reader.is_empty() {
        let kind = ParseErrorKind::Short { want: 1, have: 0 };
        return Err(reader.error("EFI_SIGNATURE_DATA.SignatureData", kind));
    }
    Ok(Signature { owner, data: reader.rest() })
}

/// One EFI_SIGNATURE_LIST: signatures of one type and one size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SignatureList<'a> {
    /// SignatureType.
    pub cert_type: CertType,
    /// SignatureHeader: empty for each type of the specification.
    pub header: &'a [u8],
    /// SignatureSize: bytes of one signature with its owner; 17 or more.
    signature_size: usize,
    /// The signatures, a multiple of `signature_size` bytes.
    signatures: &'a [u8],
}

impl<'a> SignatureList<'a> {
    /// How many signatures.
    pub fn len(&self) -> usize {
        self.signatures.len().checked_div(self.signature_size).unwrap_or(0)
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.signatures.is_empty()
    }

    /// The signatures, in order.
    pub fn iter(&self) -> impl Iterator<Item = Signature<'a>> + use<'a> {
        // Not zero: a list with a smaller size was refused.
        self.signatures.chunks_exact(self.signature_size.max(1)).filter_map(|bytes| {
            let (owner, data) = bytes.split_first_chunk::<OWNER_LEN>()?;
            Some(Signature { owner: Guid(*owner), data })
        })
    }
}

/// The lists of one variable. Stops at the first error, which it gives once.
#[derive(Clone, Debug)]
pub struct SignatureLists<'a> {
    reader: Reader<'a>,
    n_left: usize,
}

impl<'a> SignatureLists<'a> {
    /// Over the value of PK, KEK, db, dbx, dbt or dbr.
    pub const fn new(value: &'a [u8]) -> Self {
        Self { reader: Reader::new(value), n_left: SIGNATURE_LISTS_MAX }
    }

    /// Checks in order: whole header there, type and sizes fit, header and signatures fill the
    /// list without remainder. [UEFI-2.10 §32.4.1]
    fn read(&mut self) -> Result<SignatureList<'a>, ParseError> {
        let reader = &mut self.reader;
        if self.n_left == 0 {
            let have = SIGNATURE_LISTS_MAX.saturating_add(1);
            let kind = ParseErrorKind::Limit { max: SIGNATURE_LISTS_MAX, have };
            return Err(reader.error("EFI_SIGNATURE_LIST", kind));
        }
        self.n_left = self.n_left.saturating_sub(1);
        let cert_type = CertType(Guid::read(reader, "EFI_SIGNATURE_LIST.SignatureType")?);
        let sizes = *reader;
        let list_size = reader.u32("EFI_SIGNATURE_LIST.SignatureListSize")?;
        let header_size = reader.u32("EFI_SIGNATURE_LIST.SignatureHeaderSize")?;
        let signature_size = reader.u32("EFI_SIGNATURE_LIST.SignatureSize")?;
        let refuse = |what, have: u32| {
            Err(sizes.error(what, ParseErrorKind::Value { have: u64::from(have) }))
        };
        let Some(body_len) = length(list_size.into()).checked_sub(LIST_HEADER_LEN) else {
            return refuse("EFI_SIGNATURE_LIST.SignatureListSize", list_size);
        };
        let one_len = length(signature_size.into());
        let fits = match cert_type.data_len() {
            Some(data_len) => one_len == data_len.saturating_add(OWNER_LEN),
            None => one_len > OWNER_LEN,
        };
        if !fits {
            return refuse("EFI_SIGNATURE_LIST.SignatureSize", signature_size);
        }
        if cert_type.name().is_some() && header_size != 0 {
            return refuse("EFI_SIGNATURE_LIST.SignatureHeaderSize", header_size);
        }
        let mut body =
            Reader::at_offset(reader.take("EFI_SIGNATURE_LIST", body_len)?, sizes.offset());
        let header = body.take("EFI_SIGNATURE_LIST.SignatureHeader", length(header_size.into()))?;
        if !body.rest().len().is_multiple_of(one_len) {
            return refuse("EFI_SIGNATURE_LIST.SignatureListSize", list_size);
        }
        Ok(SignatureList { cert_type, header, signature_size: one_len, signatures: body.rest() })
    }
}

impl<'a> Iterator for SignatureLists<'a> {
    type Item = Result<SignatureList<'a>, ParseError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.reader.is_empty() {
            return None;
        }
        let list = self.read();
        if list.is_err() {
            self.reader = Reader::new(&[]);
        }
        Some(list)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(cert_type: CertType, list_size: u32, signature_size: u32, body: &[u8]) -> Vec<u8> {
        let sizes = [list_size, 0, signature_size].map(u32::to_le_bytes).concat();
        [&cert_type.0.0[..], &sizes, body].concat()
    }

    #[test]
    fn lists_are_read_in_order() {
        let x509 = list(CertType::X509, 28 + 20, 20, &[&[7; 16][..], b"cert"].concat());
        let sha256 = list(CertType::SHA256, 28 + 96, 48, &[9; 96]);
        let bytes = [x509, sha256].concat();
        let lists: Vec<_> = SignatureLists::new(&bytes).collect::<Result<_, _>>().unwrap();
        assert_eq!((lists[0].cert_type, lists[0].len()), (CertType::X509, 1));
        assert_eq!(lists[0].iter().next().unwrap().data, b"cert");
        assert_eq!((lists[1].cert_type, lists[1].len()), (CertType::SHA256, 2));
        assert_eq!(lists[1].iter().count(), 2);
        assert_eq!(SignatureLists::new(&[]).count(), 0);
    }

    #[test]
    fn sizes_that_do_not_fit_are_refused_once() {
        for (name, bytes) in [
            ("a list smaller than its header", list(CertType::X509, 27, 20, &[0; 20])),
            ("a signature of no bytes", list(CertType::X509, 48, 0, &[0; 20])),
            ("a signature that is only an owner", list(CertType::X509, 44, 16, &[0; 16])),
            ("a remainder", list(CertType::SHA256, 28 + 49, 48, &[0; 49])),
            ("a SHA-256 of 31 bytes", list(CertType::SHA256, 28 + 47, 47, &[0; 47])),
            ("a list longer than the variable", list(CertType::SHA256, 28 + 96, 48, &[0; 95])),
            ("the largest sizes", list(CertType::X509, u32::MAX, u32::MAX, &[0; 64])),
        ] {
            let read: Vec<_> = SignatureLists::new(&bytes).collect();
            assert!(matches!(read[..], [Err(_)]), "{name}: {read:?}");
        }
    }

    #[test]
    fn an_unknown_type_is_kept_by_its_guid() {
        let other = CertType(Guid([3; 16]));
        let bytes = list(other, 28 + 40, 20, &[1; 40]);
        let lists: Vec<_> = SignatureLists::new(&bytes).collect::<Result<_, _>>().unwrap();
        assert_eq!((lists[0].cert_type, lists[0].len()), (other, 2));
    }
}
