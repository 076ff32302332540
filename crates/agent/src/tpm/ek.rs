//! The endorsement key: which key of this TPM is the one that its vendor vouches for.

use tpm_device::{Tpm, TpmError};
use tpm_wire::command::{
    ActivateCredential, CreatePrimary, PolicyOr, PolicySecret, StartPolicySession,
};
use tpm_wire::template::{EK_L1, EK_L2, EK_TEMPLATES, EkPolicy, EkTemplate};
use tpm_wire::{Handle, ObjectAttributes, PublicKey, TpmEccCurve, TpmtPublic};
use zeroize::Zeroizing;

use super::ak::AttestationKey;
use super::{is_unsupported, nv};

/// Persistent keys that are looked at: TPMs have room for seven or a few more.
const PERSISTENT_MAX: usize = 32;

/// The endorsement key and what vouches for it.
#[derive(Clone, Debug)]
pub struct Endorsement {
    public: Vec<u8>,
    certificate: Option<Vec<u8>>,
    chain: Vec<Vec<u8>>,
    place: Place,
    policy: EkPolicy,
}

/// Where the key is.
#[derive(Clone, Debug)]
enum Place {
    /// In the TPM, for good.
    Persistent(Handle),
    /// Made anew each time, always the same: from this template.
    Template(Vec<u8>),
}

/// A key without certificate and chain.
struct Key {
    public: Vec<u8>,
    place: Place,
    policy: EkPolicy,
}

impl Endorsement {
    /// Finds the endorsement key. Of the keys that have a certificate in NV the first is taken, elliptic
    /// curves before RSA; as a persistent key where the TPM has it, else made by its template.
    /// Without any certificate: a persistent key by a template of the TCG, else P-256, else
    /// RSA-2048. A certificate that names another key is given nevertheless, where no other has
    /// one that fits: the server says so.
    pub fn find_or_create(tpm: &mut Tpm) -> Result<Self, TpmError> {
        let stored = Stored::read(tpm)?;
        let mut misfit = None;
        for template in stored.certified() {
            let Some(ek) = stored.key_of(tpm, &template)? else { continue };
            if ek.fits() {
                return Ok(ek);
            }
            misfit = misfit.or(Some(ek));
        }
        if let Some(misfit) = misfit {
            return Ok(misfit);
        }
        let Stored { chain, persistent, .. } = stored;
        let usable = |(handle, public)| Key::usable(public, Place::Persistent(handle));
        if let Some(key) = persistent.into_iter().find_map(usable) {
            return Ok(key.vouched(None, chain));
        }
        let template = match tpm.curves()?.contains(&TpmEccCurve::P256) {
            true => EK_L2,
            false => EK_L1,
        };
        Ok(create(tpm, &template, template_bytes(&template)?)?.vouched(None, chain))
    }

    /// Each key that has a certificate in NV, with the template of the TCG whose index that is, in the
    /// order in which [`Self::find_or_create`] tries them.
    pub fn certified(tpm: &mut Tpm) -> Result<Vec<(EkTemplate, Self)>, TpmError> {
        let stored = Stored::read(tpm)?;
        let mut keys = Vec::new();
        for template in stored.certified() {
            keys.extend(stored.key_of(tpm, &template)?.map(|ek| (template, ek)));
        }
        Ok(keys)
    }

    /// Whether its certificate names it, as far as can be seen without reading the certificate.
    pub fn fits(&self) -> bool {
        self.certificate.as_ref().is_some_and(|certificate| names(certificate, &self.public))
    }

    /// The key of `template`, made as the TCG says, with its certificate where NV has one.
    pub fn from_template(tpm: &mut Tpm, template: &EkTemplate) -> Result<Self, TpmError> {
        let nv = tpm.handles(Handle::NV_FIRST)?;
        let chain = nv::read_chain(tpm, &nv)?;
        let certificate = match nv.contains(&template.nv_certificate) {
            true => tpm.read_nv(template.nv_certificate)?,
            false => None,
        };
        let key = create(tpm, template, template_bytes(template)?)?;
        Ok(key.vouched(certificate, chain))
    }

    /// TPMT_PUBLIC.
    pub fn public(&self) -> &[u8] {
        &self.public
    }

    /// Its certificate as it lies in NV, with padding where there is some.
    pub fn certificate(&self) -> Option<&[u8]> {
        self.certificate.as_deref()
    }

    /// Certificates between it and the vendor's root, from NV.
    pub fn chain(&self) -> &[Vec<u8>] {
        &self.chain
    }

    /// The persistent handle, or `None` where the key is made anew each time.
    pub const fn persistent(&self) -> Option<Handle> {
        match self.place {
            Place::Persistent(handle) => Some(handle),
            Place::Template(_) => None,
        }
    }

    /// Opens a credential that was made for this key and the name of `key`: its secret.
    /// `id_object` and `encrypted_secret` are the contents of TPM2B_ID_OBJECT and
    /// TPM2B_ENCRYPTED_SECRET. One for another TPM or another key is refused by the TPM.
    pub fn activate(
        &self,
        tpm: &mut Tpm,
        key: &AttestationKey,
        id_object: &[u8],
        encrypted_secret: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, TpmError> {
        let auth_hash = match TpmtPublic::parse(&self.public) {
            Ok(public) => public.area.name_alg,
            Err(source) => {
                return Err(TpmError::Malformed { command: "reading the EK", source });
            }
        };
        tpm.scope(|tpm| {
            let endorsement = match &self.place {
                Place::Persistent(handle) => *handle,
                Place::Template(template) => {
                    tpm.run(&CreatePrimary { hierarchy: Handle::ENDORSEMENT, template })?.handle
                }
            };
            let session = tpm.run(&StartPolicySession { auth_hash })?;
            tpm.run(&PolicySecret { auth: Handle::ENDORSEMENT, session })?;
            if let EkPolicy::SecretOr(branches) = self.policy {
                tpm.run(&PolicyOr { session, branches: &branches })?;
            }
            let key = key.handle();
            let secret = tpm.run(&ActivateCredential {
                key,
                endorsement,
                session,
                id_object,
                encrypted_secret,
            })?;
            // The TPM ends the session of a command that worked.
            tpm.forget(session);
            Ok(Zeroizing::new(secret))
        })
    }
}

/// What of endorsement keys lies in the TPM.
struct Stored {
    nv: Vec<Handle>,
    chain: Vec<Vec<u8>>,
    persistent: Vec<(Handle, Vec<u8>)>,
}

impl Stored {
    fn read(tpm: &mut Tpm) -> Result<Self, TpmError> {
        let nv = tpm.handles(Handle::NV_FIRST)?;
        let chain = nv::read_chain(tpm, &nv)?;
        Ok(Self { nv, chain, persistent: persistent_keys(tpm)? })
    }

    /// The templates for whose certificates there is an index.
    fn certified(&self) -> impl Iterator<Item = EkTemplate> {
        EK_TEMPLATES.into_iter().filter(|ek| self.nv.contains(&ek.nv_certificate))
    }

    /// The key of `template` with its certificate: persistent where the TPM has it, else made. `None`
    /// where the index was never written, or the TPM has not this kind of key.
    fn key_of(
        &self,
        tpm: &mut Tpm,
        template: &EkTemplate,
    ) -> Result<Option<Endorsement>, TpmError> {
        let Some(certificate) = tpm.read_nv(template.nv_certificate)? else { return Ok(None) };
        let found = self.persistent.iter().find_map(|(handle, public)| {
            let place = Place::Persistent(*handle);
            Key::usable(public.clone(), place).filter(|key| names(&certificate, &key.public))
        });
        let key = match found {
            Some(key) => Some(key),
            None => make(tpm, &self.nv, template)?,
        };
        Ok(key.map(|key| key.vouched(Some(certificate), self.chain.clone())))
    }
}

impl Key {
    /// The key, where it is one by which the TCG's policies decrypt.
    fn usable(public: Vec<u8>, place: Place) -> Option<Self> {
        const WANTED: ObjectAttributes = ObjectAttributes::RESTRICTED
            .union(ObjectAttributes::DECRYPT)
            .union(ObjectAttributes::FIXED_TPM);
        let policy = {
            let area = TpmtPublic::parse(&public).ok()?.area;
            let known = EK_TEMPLATES.iter().find(|template| {
                let template = template.area;
                template.name_alg == area.name_alg && template.auth_policy == area.auth_policy
            })?;
            area.attributes.contains_all(WANTED).then_some(known.policy)?
        };
        Some(Self { public, place, policy })
    }

    fn vouched(self, certificate: Option<Vec<u8>>, chain: Vec<Vec<u8>>) -> Endorsement {
        let Self { public, place, policy } = self;
        Endorsement { public, certificate, chain, place, policy }
    }
}

/// The public areas of the persistent keys in the range of endorsement keys.
fn persistent_keys(tpm: &mut Tpm) -> Result<Vec<(Handle, Vec<u8>)>, TpmError> {
    const END: Handle = Handle(0x8102_0000);
    let handles = tpm.handles(Handle::PERSISTENT_EK_FIRST)?;
    let mut keys = Vec::new();
    for handle in handles.into_iter().filter(|handle| *handle < END).take(PERSISTENT_MAX) {
        if let Some(read) = tpm.read_public(handle)? {
            keys.push((handle, read.public));
        }
    }
    Ok(keys)
}

/// The key of `template` with what NV says about it; `None` where the TPM has not this kind of key.
fn make(tpm: &mut Tpm, nv: &[Handle], template: &EkTemplate) -> Result<Option<Key>, TpmError> {
    let mut bytes = template_bytes(template)?;
    if nv.contains(&template.nv_template) {
        // The vendor's own template takes the place of the TCG's.
        if let Some(vendors) = tpm.read_nv(template.nv_template)? {
            bytes = vendors;
        }
    } else if let Some(index) = template.nv_nonce.filter(|index| nv.contains(index))
        && let Some(nonce) = tpm.read_nv(index)?
    {
        with_nonce(&mut bytes, &nonce);
    }
    match create(tpm, template, bytes) {
        Ok(key) => Ok(Some(key)),
        Err(error) if is_unsupported(&error) => Ok(None),
        Err(error) => Err(error),
    }
}

fn template_bytes(template: &EkTemplate) -> Result<Vec<u8>, TpmError> {
    template.area.to_bytes().map_err(|source| TpmError::Encode { command: "EK template", source })
}

/// Puts `nonce` over the front of a low-range template's unique field. [TCG-EK-2.6 §B.3.1] It is all
/// zeros and ends the template: 256 bytes of RSA, or x and y of 32 each, of which x takes it.
fn with_nonce(template: &mut [u8], nonce: &[u8]) {
    let n_tail = match TpmtPublic::parse(template).map(|public| public.area.key) {
        Ok(PublicKey::Rsa { modulus, .. }) => modulus.len(),
        Ok(PublicKey::Ecc { x, y, .. }) => x.len() + 2 + y.len(),
        _ => return,
    };
    let from = template.len().saturating_sub(n_tail);
    for (to, byte) in template.iter_mut().skip(from).zip(nonce) {
        *to = *byte;
    }
}

fn create(tpm: &mut Tpm, template: &EkTemplate, bytes: Vec<u8>) -> Result<Key, TpmError> {
    let made = tpm.scope(|tpm| {
        tpm.run(&CreatePrimary { hierarchy: Handle::ENDORSEMENT, template: &bytes })
    })?;
    Ok(Key { public: made.public, place: Place::Template(bytes), policy: template.policy })
}

/// Whether `certificate` names the key: its DER carries modulus or point as they are. The server
/// does this properly; here it only tells apart the keys of one TPM.
fn names(certificate: &[u8], public: &[u8]) -> bool {
    let key = match TpmtPublic::parse(public).map(|public| public.area.key) {
        Ok(PublicKey::Rsa { modulus, .. }) => modulus.to_vec(),
        Ok(PublicKey::Ecc { curve, x, y, .. }) => {
            let Some(len) = curve.coordinate_len() else { return false };
            [x, y].map(|part| [&vec![0; len.saturating_sub(part.len())], part].concat()).concat()
        }
        _ => return false,
    };
    !key.is_empty() && certificate.windows(key.len()).any(|window| window == key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_nonce_replaces_the_front_of_the_unique_field() {
        let mut rsa = EK_L1.area.to_bytes().unwrap();
        let len = rsa.len();
        with_nonce(&mut rsa, &[7; 20]);
        let Ok(PublicKey::Rsa { modulus, .. }) = TpmtPublic::parse(&rsa).map(|p| p.area.key) else {
            panic!("an RSA template");
        };
        assert_eq!((&modulus[..20], &modulus[20..]), (&[7; 20][..], &[0; 236][..]));
        assert_eq!(rsa.len(), len);

        let mut ecc = EK_L2.area.to_bytes().unwrap();
        with_nonce(&mut ecc, &[7; 32]);
        let Ok(PublicKey::Ecc { x, y, .. }) = TpmtPublic::parse(&ecc).map(|p| p.area.key) else {
            panic!("an ECC template");
        };
        assert_eq!((x, y), (&[7; 32][..], &[0; 32][..]));
    }

    #[test]
    fn a_certificate_names_a_point_with_its_leading_zeros() {
        let PublicKey::Ecc { symmetric, scheme, curve, kdf, .. } = EK_L2.area.key else {
            panic!("an ECC template");
        };
        let key = PublicKey::Ecc { symmetric, scheme, curve, kdf, x: &[5; 31], y: &[6; 32] };
        let area = tpm_wire::PublicArea { key, ..EK_L2.area };
        let public = area.to_bytes().unwrap();
        let padded = [&[4, 0][..], &[5; 31], &[6; 32], &[1]].concat();
        assert!(names(&padded, &public));
        assert!(!names(&padded[2..], &public));
        assert!(!names(&[], &public));
    }
}
