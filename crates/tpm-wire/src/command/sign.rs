//! Keys beside the attestation key: certifying them, and signing with them.

use super::{Auth, Auths, Command, QuoteResponse};
use crate::alg::TpmAlgId;
use crate::attest::ATTEST_LEN_MAX;
use crate::error::ParseError;
use crate::handle::Handle;
use crate::public::Scheme;
use crate::reader::Reader;
use crate::writer::Writer;

/// TPM_ST_HASHCHECK, the tag of a ticket. [TPM2-P2-1.59 §6.9]
const TAG_HASHCHECK: u16 = 0x8024;

/// TPM2_Certify with the signing key's own scheme: the TPM says that a loaded object is in it, and what its
/// name is. [TPM2-P3-1.59 §18.2] Both keys have an empty password; the object's is that of its ADMIN role,
/// so it must not have adminWithPolicy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Certify<'a> {
    /// What is certified.
    pub object: Handle,
    /// The attestation key.
    pub key: Handle,
    /// The nonce.
    pub qualifying_data: &'a [u8],
}

impl Command for Certify<'_> {
    const CODE: u32 = 0x148;
    const NAME: &'static str = "TPM2_Certify";
    type Response = QuoteResponse;

    fn write_handles(&self, to: &mut Writer) {
        to.u32(self.object.0);
        to.u32(self.key.0);
    }

    fn auths(&self) -> Auths {
        Auths::two(Auth::Empty, Auth::Empty)
    }

    fn write_parameters(&self, to: &mut Writer) {
        to.sized("qualifyingData", self.qualifying_data);
        to.u16(TpmAlgId::NULL.0);
    }

    fn read_response(_: Handle, from: &mut Reader<'_>) -> Result<QuoteResponse, ParseError> {
        let attest = from.sized("TPM2B_ATTEST", ATTEST_LEN_MAX)?.to_vec();
        Ok(QuoteResponse { attest, signature: from.rest().to_vec() })
    }
}

/// TPM2_Sign of a digest, by a key that is not restricted and so needs no ticket. [TPM2-P3-1.59 §20.2]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sign<'a> {
    /// The key, with an empty password.
    pub key: Handle,
    /// What is signed: as long as the scheme's hash.
    pub digest: &'a [u8],
    /// How: the key's own scheme, or one that a key without a scheme can have.
    pub scheme: Scheme,
}

impl Command for Sign<'_> {
    const CODE: u32 = 0x15D;
    const NAME: &'static str = "TPM2_Sign";
    /// TPMT_SIGNATURE.
    type Response = Vec<u8>;

    fn write_handles(&self, to: &mut Writer) {
        to.u32(self.key.0);
    }

    fn auths(&self) -> Auths {
        Auths::EMPTY
    }

    fn write_parameters(&self, to: &mut Writer) {
        to.sized("digest", self.digest);
        to.u16(self.scheme.alg.0);
        if self.scheme.alg != TpmAlgId::NULL {
            to.u16(self.scheme.hash.0);
        }
        // The NULL ticket.
        to.u16(TAG_HASHCHECK);
        to.u32(Handle::NULL.0);
        to.sized("TPMT_TK_HASHCHECK.digest", &[]);
    }

    fn read_response(_: Handle, from: &mut Reader<'_>) -> Result<Vec<u8>, ParseError> {
        Ok(from.rest().to_vec())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::encode;

    #[test]
    fn a_certification_names_object_then_key_and_authorises_both() {
        let command = Certify {
            object: Handle(0x8000_0001),
            key: Handle(0x8000_0000),
            qualifying_data: &[7, 7],
        };
        let bytes = encode(&command).unwrap();
        let auth = [0x40, 0, 0, 9, 0, 0, 1, 0, 0];
        let expected = [
            &[0x80, 2, 0, 0, 0, 46, 0, 0, 1, 0x48, 0x80, 0, 0, 1, 0x80, 0, 0, 0, 0, 0, 0, 18][..],
            &auth,
            &auth,
            &[0, 2, 7, 7, 0, 0x10],
        ]
        .concat();
        assert_eq!(bytes, expected);
    }

    #[test]
    fn a_signature_is_asked_for_by_digest_scheme_and_the_null_ticket() {
        let scheme = Scheme::new(TpmAlgId::ECDSA, TpmAlgId::SHA256);
        let bytes = encode(&Sign { key: Handle(0x8000_0000), digest: &[9; 32], scheme }).unwrap();
        let tail =
            [&[0, 32][..], &[9; 32], &[0, 0x18, 0, 0x0b, 0x80, 0x24, 0x40, 0, 0, 7, 0, 0]].concat();
        assert!(bytes.ends_with(&tail), "{bytes:02x?}");
    }
}
