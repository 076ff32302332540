//! The signature that a file came with, as `security.ima` has it: type 3, version 2, the hash,
//! four bytes that name the key, a size, the signature. [LINUX-IMA ima-sig]

use event_log::hash;
use tpm_wire::TpmAlgId;
use verify::{FileSigner, FileSigners, StrongHash};

use crate::template::FileDigest;

/// EVM_IMA_XATTR_DIGSIG: a signature over the digest of the file.
const DIGSIG: u8 = 3;
/// IMA_VERITY_DIGSIG: a signature over type, hash and root digest of fs-verity.
const VERITY_DIGSIG: u8 = 6;

/// The signature of a file, read and not checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FileSignature<'a> {
    is_verity: bool,
    alg: Option<TpmAlgId>,
    /// Which key is said to have made it.
    pub untrusted_key_id: [u8; 4],
    signature: &'a [u8],
}

/// Why the signature of a file does not hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignatureFault {
    /// It is not of a form that we know.
    Malformed,
    /// It is over a hash that is too weak, or over another kind of digest than was measured.
    Digest,
    /// None of the signers has the key that it names.
    UnknownKey,
    /// The signer with that key did not make it.
    Wrong,
}

impl<'a> FileSignature<'a> {
    /// Reads `security.ima`.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, SignatureFault> {
        let malformed = SignatureFault::Malformed;
        let (head, rest) = bytes.split_first_chunk::<9>().ok_or(malformed)?;
        let [kind, version, alg, id @ .., size_high, size_low] = head;
        let [a, b, c, d] = id;
        let is_verity = match (*kind, *version) {
            (DIGSIG, 2) => false,
            (VERITY_DIGSIG, 3) => true,
            _ => return Err(malformed),
        };
        if usize::from(u16::from_be_bytes([*size_high, *size_low])) != rest.len() {
            return Err(malformed);
        }
        let alg = hash_of_kernel(*alg);
        Ok(Self { is_verity, alg, untrusted_key_id: [*a, *b, *c, *d], signature: rest })
    }

    /// Which of `signers` made it over `measured`. Trust: `measured` must be of a covered entry.
    pub fn check<'s>(
        &self,
        measured: &FileDigest<'_>,
        signers: &'s FileSigners,
    ) -> Result<&'s FileSigner, SignatureFault> {
        let alg = self.alg.filter(|alg| measured.alg == Some(*alg));
        let strong = alg.and_then(StrongHash::from_alg).ok_or(SignatureFault::Digest)?;
        if self.is_verity != measured.is_verity {
            return Err(SignatureFault::Digest);
        }
        let of_tree;
        let digest = match self.is_verity {
            false => measured.bytes,
            // struct ima_file_id: type, hash, digest; what is signed is the hash over it.
            true => {
                let id = [VERITY_DIGSIG, kernel_number(strong)];
                of_tree =
                    hash(strong.alg(), &[&id, measured.bytes]).ok_or(SignatureFault::Digest)?;
                of_tree.as_bytes()
            }
        };
        let mut fault = SignatureFault::UnknownKey;
        for signer in signers.with_id(self.untrusted_key_id) {
            if signer.signed(strong, digest, self.signature) {
                return Ok(signer);
            }
            fault = SignatureFault::Wrong;
        }
        Err(fault)
    }
}

/// enum hash_algo of Linux, as far as we let files be signed with it.
const fn hash_of_kernel(number: u8) -> Option<TpmAlgId> {
    match number {
        4 => Some(TpmAlgId::SHA256),
        5 => Some(TpmAlgId::SHA384),
        6 => Some(TpmAlgId::SHA512),
        _ => None,
    }
}

const fn kernel_number(hash: StrongHash) -> u8 {
    match hash {
        StrongHash::Sha256 => 4,
        StrongHash::Sha384 => 5,
        StrongHash::Sha512 => 6,
    }
}
