//! Policy sessions: what an endorsement key wants before it decrypts.

use super::{Auths, Command};
use crate::alg::TpmAlgId;
use crate::attest::DIGEST_LEN_MAX;
use crate::error::ParseError;
use crate::handle::Handle;
use crate::reader::Reader;
use crate::writer::Writer;

/// TPM2_StartAuthSession for a policy session without salt, binding or encryption.
/// [TPM2-P3-1.59 §11.1] It proves nothing to us, so our nonce is only there because it must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StartPolicySession {
    /// Hash of the policy.
    pub auth_hash: TpmAlgId,
}

/// TPM_SE_POLICY. [TPM2-P2-1.59 §6.11]
const SESSION_POLICY: u8 = 1;

impl Command for StartPolicySession {
    const CODE: u32 = 0x176;
    const NAME: &'static str = "TPM2_StartAuthSession";
    const N_RESPONSE_HANDLES: usize = 1;
    /// The session; it must be flushed where no command ends it.
    type Response = Handle;

    fn write_handles(&self, to: &mut Writer) {
        to.u32(Handle::NULL.0);
        to.u32(Handle::NULL.0);
    }

    fn write_parameters(&self, to: &mut Writer) {
        to.sized("nonceCaller", &[0; 16]);
        to.sized("encryptedSalt", &[]);
        to.u8(SESSION_POLICY);
        to.u16(TpmAlgId::NULL.0);
        to.u16(self.auth_hash.0);
    }

    fn read_response(handle: Handle, from: &mut Reader<'_>) -> Result<Handle, ParseError> {
        from.sized("nonceTPM", DIGEST_LEN_MAX)?;
        Ok(handle)
    }
}

/// TPM2_PolicySecret with an empty password, no nonce, no expiration. [TPM2-P3-1.59 §23.4]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PolicySecret {
    /// Whose password is shown.
    pub auth: Handle,
    /// The session.
    pub session: Handle,
}

impl Command for PolicySecret {
    const CODE: u32 = 0x151;
    const NAME: &'static str = "TPM2_PolicySecret";
    type Response = ();

    fn write_handles(&self, to: &mut Writer) {
        to.u32(self.auth.0);
        to.u32(self.session.0);
    }

    fn auths(&self) -> Auths {
        Auths::EMPTY
    }

    fn write_parameters(&self, to: &mut Writer) {
        to.sized("nonceTPM", &[]);
        to.sized("cpHashA", &[]);
        to.sized("policyRef", &[]);
        to.u32(0);
    }

    fn read_response(_: Handle, from: &mut Reader<'_>) -> Result<(), ParseError> {
        from.sized("timeout", DIGEST_LEN_MAX)?;
        from.u16("TPMT_TK_AUTH.tag")?;
        from.u32("TPMT_TK_AUTH.hierarchy")?;
        from.sized("TPMT_TK_AUTH.digest", DIGEST_LEN_MAX)?;
        Ok(())
    }
}

/// TPM2_PolicyOR. [TPM2-P3-1.59 §23.6] Two to eight branches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PolicyOr<'a> {
    /// The session; its digest must be one of the branches.
    pub session: Handle,
    /// The branches.
    pub branches: &'a [&'a [u8]],
}

impl Command for PolicyOr<'_> {
    const CODE: u32 = 0x171;
    const NAME: &'static str = "TPM2_PolicyOR";
    type Response = ();

    fn write_handles(&self, to: &mut Writer) {
        to.u32(self.session.0);
    }

    fn write_parameters(&self, to: &mut Writer) {
        to.u32(u32::try_from(self.branches.len()).unwrap_or(u32::MAX));
        for branch in self.branches {
            to.sized("pHashList", branch);
        }
    }

    fn read_response(_: Handle, _: &mut Reader<'_>) -> Result<(), ParseError> {
        Ok(())
    }
}

/// TPM2_PolicyGetDigest. [TPM2-P3-1.59 §23.19]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PolicyGetDigest {
    /// The session.
    pub session: Handle,
}

impl Command for PolicyGetDigest {
    const CODE: u32 = 0x189;
    const NAME: &'static str = "TPM2_PolicyGetDigest";
    type Response = Vec<u8>;

    fn write_handles(&self, to: &mut Writer) {
        to.u32(self.session.0);
    }

    fn read_response(_: Handle, from: &mut Reader<'_>) -> Result<Vec<u8>, ParseError> {
        from.sized("policyDigest", DIGEST_LEN_MAX).map(<[u8]>::to_vec)
    }
}
