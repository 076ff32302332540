//! Keys: making, loading, keeping, signing, activating.

use super::{Auth, Auths, Command, FRAME_LEN_MAX};
use crate::attest::{ATTEST_LEN_MAX, DIGEST_LEN_MAX, NAME_LEN_MAX};
use crate::error::ParseError;
use crate::handle::Handle;
use crate::public::PUBLIC_LEN_MAX;
use crate::reader::Reader;
use crate::selection::PcrSelection;
use crate::writer::Writer;

/// Making an RSA key takes some chips minutes; the kernel grants as much.
const KEY_TIME_S_MAX: u64 = 300;

/// TPM2B_SENSITIVE_CREATE without a password and without data, TPM2B_PUBLIC, outsideInfo and
/// creationPCR: the parameters of both ways to make a key.
fn write_template(to: &mut Writer, public: &[u8]) {
    to.sized_with("TPM2B_SENSITIVE_CREATE", |to| {
        to.sized("TPMS_SENSITIVE_CREATE.userAuth", &[]);
        to.sized("TPMS_SENSITIVE_CREATE.data", &[]);
    });
    to.sized("TPM2B_PUBLIC", public);
    to.sized("outsideInfo", &[]);
    PcrSelection::EMPTY.write(to);
}

/// creationData, creationHash and creationTicket, which we have no use for.
fn skip_creation(from: &mut Reader<'_>) -> Result<(), ParseError> {
    from.sized("TPM2B_CREATION_DATA", FRAME_LEN_MAX)?;
    from.sized("creationHash", DIGEST_LEN_MAX)?;
    from.u16("TPMT_TK_CREATION.tag")?;
    from.u32("TPMT_TK_CREATION.hierarchy")?;
    from.sized("TPMT_TK_CREATION.digest", DIGEST_LEN_MAX)?;
    Ok(())
}

/// TPM2_CreatePrimary, of a hierarchy with an empty password. [TPM2-P3-1.59 §24.1]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CreatePrimary<'a> {
    /// The hierarchy.
    pub hierarchy: Handle,
    /// The template, a TPMT_PUBLIC.
    pub template: &'a [u8],
}

/// The answer to [`CreatePrimary`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CreatedPrimary {
    /// The loaded key; it must be flushed.
    pub handle: Handle,
    /// TPMT_PUBLIC.
    pub public: Vec<u8>,
    /// Its name, as the TPM says.
    pub name: Vec<u8>,
}

impl Command for CreatePrimary<'_> {
    const CODE: u32 = 0x131;
    const NAME: &'static str = "TPM2_CreatePrimary";
    const N_RESPONSE_HANDLES: usize = 1;
    const TIME_S_MAX: u64 = KEY_TIME_S_MAX;
    type Response = CreatedPrimary;

    fn write_handles(&self, to: &mut Writer) {
        to.u32(self.hierarchy.0);
    }

    fn auths(&self) -> Auths {
        Auths::EMPTY
    }

    fn write_parameters(&self, to: &mut Writer) {
        write_template(to, self.template);
    }

    fn read_response(handle: Handle, from: &mut Reader<'_>) -> Result<CreatedPrimary, ParseError> {
        let public = from.sized("TPM2B_PUBLIC", PUBLIC_LEN_MAX)?.to_vec();
        skip_creation(from)?;
        let name = from.sized("name", NAME_LEN_MAX)?.to_vec();
        Ok(CreatedPrimary { handle, public, name })
    }
}

/// TPM2_Create, under a parent with an empty password. [TPM2-P3-1.59 §12.1]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Create<'a> {
    /// The parent, a storage key.
    pub parent: Handle,
    /// The template, a TPMT_PUBLIC.
    pub template: &'a [u8],
}

/// The answer to [`Create`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Created {
    /// The contents of TPM2B_PRIVATE: wrapped by the parent, of use to this TPM only.
    pub private: Vec<u8>,
    /// TPMT_PUBLIC.
    pub public: Vec<u8>,
}

impl Command for Create<'_> {
    const CODE: u32 = 0x153;
    const NAME: &'static str = "TPM2_Create";
    const TIME_S_MAX: u64 = KEY_TIME_S_MAX;
    type Response = Created;

    fn write_handles(&self, to: &mut Writer) {
        to.u32(self.parent.0);
    }

    fn auths(&self) -> Auths {
        Auths::EMPTY
    }

    fn write_parameters(&self, to: &mut Writer) {
        write_template(to, self.template);
    }

    fn read_response(_: Handle, from: &mut Reader<'_>) -> Result<Created, ParseError> {
        let private = from.sized("TPM2B_PRIVATE", FRAME_LEN_MAX)?.to_vec();
        let public = from.sized("TPM2B_PUBLIC", PUBLIC_LEN_MAX)?.to_vec();
        skip_creation(from)?;
        Ok(Created { private, public })
    }
}

/// TPM2_Load, under a parent with an empty password. [TPM2-P3-1.59 §12.2]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Load<'a> {
    /// The parent.
    pub parent: Handle,
    /// The contents of TPM2B_PRIVATE.
    pub private: &'a [u8],
    /// TPMT_PUBLIC.
    pub public: &'a [u8],
}

impl Command for Load<'_> {
    const CODE: u32 = 0x157;
    const NAME: &'static str = "TPM2_Load";
    const N_RESPONSE_HANDLES: usize = 1;
    /// The loaded key, which must be flushed, and its name.
    type Response = (Handle, Vec<u8>);

    fn write_handles(&self, to: &mut Writer) {
        to.u32(self.parent.0);
    }

    fn auths(&self) -> Auths {
        Auths::EMPTY
    }

    fn write_parameters(&self, to: &mut Writer) {
        to.sized("TPM2B_PRIVATE", self.private);
        to.sized("TPM2B_PUBLIC", self.public);
    }

    fn read_response(handle: Handle, from: &mut Reader<'_>) -> Result<Self::Response, ParseError> {
        Ok((handle, from.sized("name", NAME_LEN_MAX)?.to_vec()))
    }
}

/// TPM2_ReadPublic. [TPM2-P3-1.59 §12.4]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReadPublic {
    /// The key.
    pub handle: Handle,
}

/// The answer to [`ReadPublic`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicAndName {
    /// TPMT_PUBLIC.
    pub public: Vec<u8>,
    /// Its name.
    pub name: Vec<u8>,
    /// Its name and those of its ancestors, hashed.
    pub qualified_name: Vec<u8>,
}

impl Command for ReadPublic {
    const CODE: u32 = 0x173;
    const NAME: &'static str = "TPM2_ReadPublic";
    type Response = PublicAndName;

    fn write_handles(&self, to: &mut Writer) {
        to.u32(self.handle.0);
    }

    fn read_response(_: Handle, from: &mut Reader<'_>) -> Result<PublicAndName, ParseError> {
        Ok(PublicAndName {
            public: from.sized("TPM2B_PUBLIC", PUBLIC_LEN_MAX)?.to_vec(),
            name: from.sized("name", NAME_LEN_MAX)?.to_vec(),
            qualified_name: from.sized("qualifiedName", NAME_LEN_MAX)?.to_vec(),
        })
    }
}

/// TPM2_FlushContext. [TPM2-P3-1.59 §28.4] The handle is a parameter, not in the handle area.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FlushContext {
    /// A transient object or a session.
    pub handle: Handle,
}

impl Command for FlushContext {
    const CODE: u32 = 0x165;
    const NAME: &'static str = "TPM2_FlushContext";
    type Response = ();

    fn write_parameters(&self, to: &mut Writer) {
        to.u32(self.handle.0);
    }

    fn read_response(_: Handle, _: &mut Reader<'_>) -> Result<(), ParseError> {
        Ok(())
    }
}

/// TPM2_EvictControl by the owner with an empty password. [TPM2-P3-1.59 §28.5] A transient
/// object gets a persistent copy; a persistent one goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EvictControl {
    /// The object.
    pub object: Handle,
    /// The persistent handle.
    pub persistent: Handle,
}

impl Command for EvictControl {
    const CODE: u32 = 0x120;
    const NAME: &'static str = "TPM2_EvictControl";
    type Response = ();

    fn write_handles(&self, to: &mut Writer) {
        to.u32(Handle::OWNER.0);
        to.u32(self.object.0);
    }

    fn auths(&self) -> Auths {
        Auths::EMPTY
    }

    fn write_parameters(&self, to: &mut Writer) {
        to.u32(self.persistent.0);
    }

    fn read_response(_: Handle, _: &mut Reader<'_>) -> Result<(), ParseError> {
        Ok(())
    }
}

/// TPM2_Quote with the key's own scheme. [TPM2-P3-1.59 §18.4]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quote<'a> {
    /// The attestation key, with an empty password.
    pub key: Handle,
    /// The nonce.
    pub qualifying_data: &'a [u8],
    /// Which PCRs.
    pub selection: PcrSelection,
}

/// The answer to [`Quote`], as it came: the verifier reads it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QuoteResponse {
    /// TPMS_ATTEST.
    pub attest: Vec<u8>,
    /// TPMT_SIGNATURE.
    pub signature: Vec<u8>,
}

impl Command for Quote<'_> {
    const CODE: u32 = 0x158;
    const NAME: &'static str = "TPM2_Quote";
    type Response = QuoteResponse;

    fn write_handles(&self, to: &mut Writer) {
        to.u32(self.key.0);
    }

    fn auths(&self) -> Auths {
        Auths::EMPTY
    }

    fn write_parameters(&self, to: &mut Writer) {
        to.sized("qualifyingData", self.qualifying_data);
        to.u16(crate::alg::TpmAlgId::NULL.0);
        self.selection.write(to);
    }

    fn read_response(_: Handle, from: &mut Reader<'_>) -> Result<QuoteResponse, ParseError> {
        let attest = from.sized("TPM2B_ATTEST", ATTEST_LEN_MAX)?.to_vec();
        Ok(QuoteResponse { attest, signature: from.rest().to_vec() })
    }
}

/// TPM2_ActivateCredential. [TPM2-P3-1.59 §12.5] The attestation key has an empty password; the
/// endorsement key wants a policy session, which ends with the command where it works.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ActivateCredential<'a> {
    /// The attestation key: the credential names it.
    pub key: Handle,
    /// The endorsement key: the credential is encrypted for it.
    pub endorsement: Handle,
    /// A policy session that satisfies the endorsement key.
    pub session: Handle,
    /// The contents of TPM2B_ID_OBJECT.
    pub id_object: &'a [u8],
    /// The contents of TPM2B_ENCRYPTED_SECRET.
    pub encrypted_secret: &'a [u8],
}

impl Command for ActivateCredential<'_> {
    const CODE: u32 = 0x147;
    const NAME: &'static str = "TPM2_ActivateCredential";
    /// The credential's secret.
    type Response = Vec<u8>;

    fn write_handles(&self, to: &mut Writer) {
        to.u32(self.key.0);
        to.u32(self.endorsement.0);
    }

    fn auths(&self) -> Auths {
        Auths::two(Auth::Empty, Auth::Policy(self.session))
    }

    fn write_parameters(&self, to: &mut Writer) {
        to.sized("TPM2B_ID_OBJECT", self.id_object);
        to.sized("TPM2B_ENCRYPTED_SECRET", self.encrypted_secret);
    }

    fn read_response(_: Handle, from: &mut Reader<'_>) -> Result<Vec<u8>, ParseError> {
        from.sized("certInfo", DIGEST_LEN_MAX).map(<[u8]>::to_vec)
    }
}
