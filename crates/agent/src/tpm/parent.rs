//! The storage root key: what wraps the attestation key.

use tpm_device::{Tpm, TpmError};
use tpm_wire::command::CreatePrimary;
use tpm_wire::template::{SRK_P256, SRK_RSA2048};
use tpm_wire::{Handle, ObjectAttributes, PublicArea, TpmEccCurve, TpmtPublic};

/// A storage root key that this TPM has or can make.
#[derive(Clone, Copy, Debug)]
pub(super) enum Parent {
    /// The one that the system's administrator or installer made.
    Persistent(Handle),
    /// Made anew each time, always the same.
    Template(&'static PublicArea<'static>),
}

impl Parent {
    /// Those of this TPM, the first to be tried first.
    pub(super) fn all(tpm: &mut Tpm) -> Result<Vec<Self>, TpmError> {
        let mut parents = Vec::new();
        if let Some(srk) = tpm.read_public(Handle::PERSISTENT_SRK)?
            && is_ours_to_use(&srk.public)
        {
            parents.push(Self::Persistent(Handle::PERSISTENT_SRK));
        }
        if tpm.curves()?.contains(&TpmEccCurve::P256) {
            parents.push(Self::Template(&SRK_P256));
        } else {
            parents.push(Self::Template(&SRK_RSA2048));
        }
        Ok(parents)
    }

    /// Its handle: loaded, where it is made anew, and flushed with the scope.
    pub(super) fn load(self, tpm: &mut Tpm) -> Result<Handle, TpmError> {
        match self {
            Self::Persistent(handle) => Ok(handle),
            Self::Template(area) => {
                let template = &area
                    .to_bytes()
                    .map_err(|source| TpmError::Encode { command: "SRK template", source })?;
                Ok(tpm.run(&CreatePrimary { hierarchy: Handle::OWNER, template })?.handle)
            }
        }
    }
}

/// Whether it is a storage key that we may try with an empty password: without noDA a wrong try
/// would count towards the TPM's lockout.
fn is_ours_to_use(public: &[u8]) -> bool {
    const WANTED: ObjectAttributes = ObjectAttributes::RESTRICTED
        .union(ObjectAttributes::DECRYPT)
        .union(ObjectAttributes::FIXED_TPM)
        .union(ObjectAttributes::USER_WITH_AUTH)
        .union(ObjectAttributes::NO_DA);
    TpmtPublic::parse(public).is_ok_and(|public| public.area.attributes.contains_all(WANTED))
}
