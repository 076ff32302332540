//! The server's own signature: under what leaves it for others to check.

use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::{
    Algorithm, EncodingKey, Header,
    jwk::{Jwk, JwkSet, PublicKeyUse, ThumbprintHash},
};
use serde::Serialize;
use zeroize::Zeroizing;

use super::AppError;

/// A key for ES256, and its name.
pub(super) struct Signer {
    key: EncodingKey,
    public: Jwk,
}

fn bug(err: impl std::error::Error + Send + Sync + 'static) -> AppError {
    AppError::Bug(err.into())
}

impl Signer {
    /// A new key, PKCS #8.
    pub(super) fn new_key() -> Result<Zeroizing<Vec<u8>>, AppError> {
        let key = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).map_err(bug)?;
        let pkcs8 = key.to_pkcs8v1().map_err(bug)?;
        Ok(Zeroizing::new(pkcs8.as_ref().to_vec()))
    }

    /// The signer of this key.
    pub(super) fn from_pkcs8(pkcs8: &[u8]) -> Result<Self, AppError> {
        let key = EncodingKey::from_ec_der(pkcs8);
        let mut public = Jwk::from_encoding_key(&key, Algorithm::ES256).map_err(bug)?;
        // Its own digest is its name: the same on all servers, and another for another key. [RFC 7638]
        let name = public.thumbprint(ThumbprintHash::SHA256).map_err(bug)?;
        public.common.key_id = Some(name);
        public.common.public_key_use = Some(PublicKeyUse::Signature);
        Ok(Self { key, public })
    }

    /// A JWS over `claims`, whose header says that it is a `kind`.
    pub(super) fn sign<T: Serialize>(&self, kind: &str, claims: &T) -> Result<String, AppError> {
        let mut header = Header::new(Algorithm::ES256);
        header.typ = Some(kind.to_owned());
        header.kid.clone_from(&self.public.common.key_id);
        jsonwebtoken::encode(&header, claims, &self.key).map_err(bug)
    }

    /// A detached JWS over these bytes, whose header says that it is a `kind`: header and signature, with
    /// nothing between them. [RFC 7515 §F]
    pub(super) fn sign_detached(&self, kind: &str, payload: &[u8]) -> Result<String, AppError> {
        let mut header = Header::new(Algorithm::ES256);
        header.typ = Some(kind.to_owned());
        header.kid.clone_from(&self.public.common.key_id);
        let header = URL_SAFE_NO_PAD.encode(serde_json::to_vec(&header).map_err(bug)?);
        let message = format!("{header}.{}", URL_SAFE_NO_PAD.encode(payload));
        let signature = jsonwebtoken::crypto::sign(message.as_bytes(), &self.key, Algorithm::ES256);
        Ok(format!("{header}..{}", signature.map_err(bug)?))
    }

    /// The public keys.
    pub(super) fn keys(&self) -> JwkSet {
        JwkSet { keys: vec![self.public.clone()] }
    }
}
