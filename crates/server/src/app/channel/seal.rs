//! Secrets of channels at rest: sealed by a key that every server has and no database.

use aws_lc_rs::{
    aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey},
    hkdf,
};
use zeroize::Zeroizing;

use crate::app::{AppError, secret::random};

/// What the key is for: another use of the same key would have another word.
const PURPOSE: &[u8] = b"bootproof channel secrets v1";

/// Seals and opens. The key comes from that of the authority, which lies in the data folder of each server,
/// and in no database or its backup.
pub(crate) struct Seal(LessSafeKey);

impl Seal {
    /// With the key for channels that follows from `authority_key`.
    pub(crate) fn new(authority_key: &[u8]) -> Result<Self, AppError> {
        Self::for_purpose(authority_key, PURPOSE)
    }

    /// With another one: what is sealed for one purpose is opened for no other.
    pub(crate) fn for_purpose(authority_key: &[u8], purpose: &[u8]) -> Result<Self, AppError> {
        let bug = |_| AppError::Bug("no key to seal secrets with".into());
        let extracted = hkdf::Salt::new(hkdf::HKDF_SHA256, &[]).extract(authority_key);
        let purpose = [purpose];
        let expanded = extracted.expand(&purpose, &AES_256_GCM).map_err(bug)?;
        Ok(Self(LessSafeKey::new(UnboundKey::from(expanded))))
    }

    /// What is stored of the secret of `name`, a channel most often; of none nothing.
    pub(in crate::app) fn close(
        &self,
        name: &str,
        secret: Option<&Zeroizing<String>>,
    ) -> Result<Vec<u8>, AppError> {
        let Some(secret) = secret else { return Ok(Vec::new()) };
        let nonce = random::<NONCE_LEN>()?;
        let mut sealed = secret.as_bytes().to_vec();
        self.0
            .seal_in_place_append_tag(
                Nonce::assume_unique_for_key(nonce),
                Aad::from(name.as_bytes()),
                &mut sealed,
            )
            .map_err(|_| AppError::Bug("a secret could not be sealed".into()))?;
        Ok([&nonce[..], &sealed].concat())
    }

    /// The secret; an error where another key sealed it, or for another channel.
    pub(in crate::app) fn open(
        &self,
        name: &str,
        sealed: &[u8],
    ) -> Result<Option<Zeroizing<String>>, AppError> {
        if sealed.is_empty() {
            return Ok(None);
        }
        let bug = || AppError::Bug("a sealed secret cannot be opened".into());
        let (nonce, sealed) = sealed.split_at_checked(NONCE_LEN).ok_or_else(bug)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| bug())?;
        let mut opened = Zeroizing::new(sealed.to_vec());
        let plain = self
            .0
            .open_in_place(nonce, Aad::from(name.as_bytes()), &mut opened)
            .map_err(|_| bug())?;
        let text = String::from_utf8(plain.to_vec()).map_err(|_| bug())?;
        Ok(Some(Zeroizing::new(text)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_opened_by_its_key_and_for_its_channel() {
        let seal = Seal::new(b"the key").unwrap();
        let secret = Zeroizing::new("hunter2".to_owned());
        let sealed = seal.close("ops", Some(&secret)).unwrap();
        assert!(!sealed.windows(7).any(|window| window == b"hunter2"));
        assert_eq!(seal.open("ops", &sealed).unwrap(), Some(secret.clone()));
        assert!(seal.open("other", &sealed).is_err());
        assert!(Seal::new(b"another").unwrap().open("ops", &sealed).is_err());
        let mut wrong = sealed.clone();
        *wrong.last_mut().unwrap() ^= 1;
        assert!(seal.open("ops", &wrong).is_err());
        assert!(seal.open("ops", &sealed[..5]).is_err());
        assert_ne!(seal.close("ops", Some(&secret)).unwrap(), sealed, "each by a nonce of its own");
        assert_eq!(seal.open("ops", &seal.close("ops", None).unwrap()).unwrap(), None);
    }
}
