//! A key in the TPM with which programs of this host make handshakes.

use aws_lc_rs::digest::{SHA256, digest};
use tpm_device::{Tpm, TpmError};
use tpm_wire::command::{Certify, Create, CreatePrimary, Load, QuoteResponse, Sign};
use tpm_wire::template::{OWNER_PARENT_P256, SIGNING_P256};
use tpm_wire::{Handle, PublicArea, Scheme, TpmAlgId};

use super::ak::{AttestationKey, is_not_its_child};

/// What a TPM says of such a key, and the key itself.
#[derive(Clone, Debug)]
pub struct CertifiedKey {
    /// TPMT_PUBLIC.
    pub public: Vec<u8>,
    /// The contents of TPM2B_PRIVATE.
    pub private: Vec<u8>,
    /// TPMS_ATTEST of TPM2_Certify.
    pub attest: Vec<u8>,
    /// TPMT_SIGNATURE over it, by the attestation key.
    pub signature: Vec<u8>,
    /// TPMT_SIGNATURE of the key itself over what [`certify`] was told to sign.
    pub possession: Vec<u8>,
}

/// Where the key lies: under what readers of its file make of the owner hierarchy.
pub const PARENT: Handle = Handle::OWNER;

/// Loads the `kept` key (TPMT_PUBLIC and the contents of TPM2B_PRIVATE), or makes one by `template` where there
/// is none or the TPM does not know it any more; has `ak` certify it for `nonce`, and the key sign the message
/// that `possession` makes of its public area. Nothing stays loaded.
pub fn certify(
    tpm: &mut Tpm,
    ak: &AttestationKey,
    kept: Option<(&[u8], &[u8])>,
    template: &PublicArea<'_>,
    nonce: &[u8],
    possession: impl Fn(&[u8]) -> Vec<u8>,
) -> Result<CertifiedKey, TpmError> {
    tpm.scope(|tpm| {
        let (key, public, private) = load_or_create(tpm, kept, template)?;
        let QuoteResponse { attest, signature } =
            tpm.run(&Certify { object: key, key: ak.handle(), qualifying_data: nonce })?;
        let digest = digest(&SHA256, &possession(&public));
        let scheme = Scheme::new(TpmAlgId::ECDSA, TpmAlgId::SHA256);
        let possession = tpm.run(&Sign { key, digest: digest.as_ref(), scheme })?;
        Ok(CertifiedKey { public, private, attest, signature, possession })
    })
}

/// The template of such a key.
pub const TEMPLATE: &PublicArea<'static> = &SIGNING_P256;

fn load_or_create(
    tpm: &mut Tpm,
    kept: Option<(&[u8], &[u8])>,
    template: &PublicArea<'_>,
) -> Result<(Handle, Vec<u8>, Vec<u8>), TpmError> {
    let encode = |area: &PublicArea<'_>| {
        area.to_bytes().map_err(|source| TpmError::Encode { command: "key template", source })
    };
    let parent = encode(&OWNER_PARENT_P256)?;
    let parent = tpm.run(&CreatePrimary { hierarchy: PARENT, template: &parent })?.handle;
    let loaded = kept.map(|(public, private)| {
        let (key, _) = tpm.run(&Load { parent, private, public })?;
        Ok((key, public.to_vec(), private.to_vec()))
    });
    let (key, public, private) = match loaded {
        Some(Ok(loaded)) => loaded,
        Some(Err(error)) if !is_not_its_child(&error) => return Err(error),
        Some(Err(_)) | None => {
            let made = tpm.run(&Create { parent, template: &encode(template)? })?;
            let (key, _) =
                tpm.run(&Load { parent, private: &made.private, public: &made.public })?;
            (key, made.public, made.private)
        }
    };
    // Few TPMs hold more than three objects: the parent has done its work.
    tpm.flush(parent);
    Ok((key, public, private))
}
