//! The attestation key: it signs what the TPM says about itself, and nothing else.

use tpm_device::{Tpm, TpmError};
use tpm_wire::command::{Create, Load};
use tpm_wire::template::{AK_P256, AK_RSA2048};
use tpm_wire::{Handle, PublicArea, ResponseCode, TpmEccCurve};

use super::is_unsupported;
use super::parent::Parent;

/// A loaded attestation key, and what it takes to load it again.
#[derive(Debug)]
pub struct AttestationKey {
    handle: Handle,
    public: Vec<u8>,
    private: Vec<u8>,
    name: Vec<u8>,
    parent: Option<Vec<u8>>,
}

impl AttestationKey {
    /// Makes a new key under the storage root key and loads it: ECDSA on P-256, or RSASSA with
    /// RSA-2048 where the TPM has no such curve.
    pub fn create(tpm: &mut Tpm) -> Result<Self, TpmError> {
        if tpm.curves()?.contains(&TpmEccCurve::P256) {
            match Self::from_template(tpm, &AK_P256) {
                Err(error) if is_unsupported(&error) => {}
                done => return done,
            }
        }
        Self::from_template(tpm, &AK_RSA2048)
    }

    /// Makes a new key by `template` under the storage root key and loads it.
    pub fn from_template(tpm: &mut Tpm, template: &PublicArea<'_>) -> Result<Self, TpmError> {
        let template = &template
            .to_bytes()
            .map_err(|source| TpmError::Encode { command: "AK template", source })?;
        let mut last = None;
        for parent in Parent::all(tpm)? {
            let made = tpm.scope(|tpm| {
                let parent = parent.load(tpm)?;
                let made = tpm.run(&Create { parent, template })?;
                load_under(tpm, parent, made.public, made.private)
            });
            match made {
                Err(error) if has_password(&error) => last = Some(error),
                done => return done,
            }
        }
        Err(last.unwrap_or(TpmError::Endless { command: "looking for a storage root key" }))
    }

    /// Loads a key that [`AttestationKey::create`] made earlier. `None` where this TPM cannot: the
    /// key is another TPM's, or the TPM was cleared since, or the bytes are damaged. Then a new key
    /// is needed, and a new enrolment.
    pub fn load(tpm: &mut Tpm, public: &[u8], private: &[u8]) -> Result<Option<Self>, TpmError> {
        let mut last = None;
        // A root key may have been made persistent since: the key is a child of one of them.
        for parent in Parent::all(tpm)? {
            let loaded = tpm.scope(|tpm| {
                let parent = parent.load(tpm)?;
                load_under(tpm, parent, public.to_vec(), private.to_vec())
            });
            match loaded {
                Ok(key) => return Ok(Some(key)),
                Err(error) if is_not_its_child(&error) => {}
                Err(error) if has_password(&error) => last = Some(error),
                Err(error) => return Err(error),
            }
        }
        last.map_or(Ok(None), Err)
    }

    /// TPMT_PUBLIC.
    pub fn public(&self) -> &[u8] {
        &self.public
    }

    /// The contents of TPM2B_PRIVATE: wrapped, of use to this TPM only. To be kept with the
    /// public part.
    pub fn private(&self) -> &[u8] {
        &self.private
    }

    /// Its name, as the TPM says: hash identifier and digest.
    pub fn name(&self) -> &[u8] {
        &self.name
    }

    /// The qualified name of the key under which it lies, where the TPM says it.
    pub fn parent(&self) -> Option<&[u8]> {
        self.parent.as_deref()
    }

    pub(super) const fn handle(&self) -> Handle {
        self.handle
    }
}

/// Loads it and takes it out of the scope: it stays loaded while the TPM is open, so that an
/// attestation costs one signature and no loading.
fn load_under(
    tpm: &mut Tpm,
    parent: Handle,
    public: Vec<u8>,
    private: Vec<u8>,
) -> Result<AttestationKey, TpmError> {
    let (handle, name) = tpm.run(&Load { parent, private: &private, public: &public })?;
    tpm.keep(handle);
    let parent = tpm.read_public(parent)?.map(|parent| parent.qualified_name);
    Ok(AttestationKey { handle, public, private, name, parent })
}

/// What a TPM answers to bytes that this parent did not wrap, or that are damaged.
pub(super) fn is_not_its_child(error: &TpmError) -> bool {
    const TAG: ResponseCode = ResponseCode(0x097);
    const SENSITIVE: ResponseCode = ResponseCode(0x155);
    const BINDING: ResponseCode = ResponseCode(0x0A5);
    const INSUFFICIENT: ResponseCode = ResponseCode(0x09A);
    const HASH: ResponseCode = ResponseCode(0x083);
    error.refused().is_some_and(|code| {
        [ResponseCode::INTEGRITY, TAG, SENSITIVE, BINDING, INSUFFICIENT, HASH].contains(&code)
    }) || is_unsupported(error)
        || matches!(error, TpmError::Encode { .. })
}

/// The root key has a password, which we do not know.
fn has_password(error: &TpmError) -> bool {
    const AUTH_FAIL: ResponseCode = ResponseCode(0x08E);
    const BAD_AUTH: ResponseCode = ResponseCode(0x0A2);
    error.refused().is_some_and(|code| [AUTH_FAIL, BAD_AUTH].contains(&code))
}
