//! How this server proves to the provider that it is the client, where it has a key for that: by a token that it signs
//! for one request (`private_key_jwt`). [RFC 7523 §2.2, OpenID Connect Core 1.0 §9]

use anyhow::Context as _;
use aws_lc_rs::{
    rand::SystemRandom,
    rsa::KeySize,
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, RSA_PKCS1_SHA256, RsaKeyPair},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use rustls::pki_types::{PrivatePkcs8KeyDer, pem::PemObject as _};
use serde_json::json;

/// What such a token is called in a form. [RFC 7523 §2.2]
pub(super) const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// Seconds for which one is good: it is used at once.
const GOOD_FOR_S: i64 = 60;

/// A key of this server, of which the provider knows the public half.
pub(super) struct ClientKey {
    /// What the provider calls it; it has one alone where this is none.
    id: Option<String>,
    key: Kind,
}

enum Kind {
    Es256(EcdsaKeyPair),
    Rs256(RsaKeyPair),
}

/// The key could not sign.
#[derive(Debug, thiserror::Error)]
#[error("the key of this server does not sign")]
pub(super) struct Unsigned;

impl ClientKey {
    /// The key in a file: PKCS #8, on P-256 or of RSA with 2,048 bits and more.
    pub(super) fn read(pem: &str, id: Option<String>) -> anyhow::Result<Self> {
        let der = PrivatePkcs8KeyDer::from_pem_slice(pem.as_bytes()).ok().context(
            "client_key_file: there is no key as PKCS #8 in it, which begins with BEGIN PRIVATE KEY: \
             `openssl pkcs8 -topk8 -nocrypt` makes one of others",
        )?;
        let der = der.secret_pkcs8_der();
        let on_p256 = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, der);
        let key = match (on_p256, RsaKeyPair::from_pkcs8(der)) {
            (Ok(key), _) => Kind::Es256(key),
            (_, Ok(key)) if key.public_modulus_len() >= KeySize::Rsa2048.len() => Kind::Rs256(key),
            _ => anyhow::bail!(
                "client_key_file: the key is neither on P-256 nor of RSA with 2,048 bits or more"
            ),
        };
        Ok(Self { id, key })
    }

    /// A token by which `client_id` shows at `audience` who it is, for one request.
    pub(super) fn assertion(
        &self,
        client_id: &str,
        audience: &str,
        now_s: i64,
    ) -> Result<String, Unsigned> {
        let mut id = [0; 16];
        aws_lc_rs::rand::fill(&mut id).map_err(|_| Unsigned)?;
        let mut header = json!({ "typ": "JWT", "alg": self.algorithm() });
        if let Some(id) = &self.id {
            header["kid"] = json!(id);
        }
        let claims = json!({
            "iss": client_id,
            "sub": client_id,
            "aud": audience,
            "jti": hex::encode(id),
            "iat": now_s,
            "exp": now_s.saturating_add(GOOD_FOR_S),
        });
        let part = |value: &serde_json::Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let signed = format!("{}.{}", part(&header), part(&claims));
        let signature = self.sign(signed.as_bytes())?;
        Ok(format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature)))
    }

    const fn algorithm(&self) -> &'static str {
        match self.key {
            Kind::Es256(_) => "ES256",
            Kind::Rs256(_) => "RS256",
        }
    }

    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, Unsigned> {
        let random = SystemRandom::new();
        match &self.key {
            Kind::Es256(key) => {
                let signature = key.sign(&random, message).map_err(|_| Unsigned)?;
                Ok(signature.as_ref().to_vec())
            }
            Kind::Rs256(key) => {
                let mut signature = vec![0; key.public_modulus_len()];
                key.sign(&RSA_PKCS1_SHA256, &random, message, &mut signature)
                    .map_err(|_| Unsigned)?;
                Ok(signature)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::{
        encoding::{AsDer as _, Pkcs8V1Der},
        signature::{
            ECDSA_P256_SHA256_FIXED, KeyPair as _, RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey,
        },
    };
    use base64::engine::general_purpose::STANDARD;

    use super::*;

    fn pem(label: &str, der: &[u8]) -> String {
        format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", STANDARD.encode(der))
    }

    #[test]
    fn a_token_is_signed_by_the_key_for_this_audience() {
        let ec = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
        let rsa = RsaKeyPair::generate(KeySize::Rsa2048).unwrap();
        let rsa: Pkcs8V1Der<'_> = rsa.as_der().unwrap();
        let keys = [ec.to_pkcs8v1().unwrap().as_ref().to_vec(), rsa.as_ref().to_vec()];
        for (der, id) in keys.iter().zip([Some("one".to_owned()), None]) {
            let key = ClientKey::read(&pem("PRIVATE KEY", der), id.clone()).unwrap();
            let token = key.assertion("bootproof", "https://id/token", 1_000).unwrap();
            let (signed, signature) = token.rsplit_once('.').unwrap();
            let signature = URL_SAFE_NO_PAD.decode(signature).unwrap();
            let verified = match &key.key {
                Kind::Es256(key) => {
                    UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, key.public_key().as_ref())
                        .verify(signed.as_bytes(), &signature)
                }
                Kind::Rs256(key) => {
                    UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, key.public_key().as_ref())
                        .verify(signed.as_bytes(), &signature)
                }
            };
            assert!(verified.is_ok(), "{}", key.algorithm());
            let (header, claims) = signed.split_once('.').unwrap();
            let read = |part: &str| -> serde_json::Value {
                serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
            };
            assert_eq!(read(header).get("kid").map(|kid| kid.as_str().unwrap().to_owned()), id);
            let claims = read(claims);
            assert_eq!(
                (&claims["iss"], &claims["sub"]),
                (&json!("bootproof"), &json!("bootproof"))
            );
            assert_eq!(
                (&claims["aud"], &claims["exp"]),
                (&json!("https://id/token"), &json!(1_060))
            );
            let again = key.assertion("bootproof", "https://id/token", 1_000).unwrap();
            assert_ne!(token, again, "each is for one request");
        }
        for wrong in ["", "x", &pem("EC PRIVATE KEY", &keys[0]), &pem("PRIVATE KEY", &[0x30, 0])] {
            assert!(ClientKey::read(wrong, None).is_err(), "{wrong}");
        }
    }
}
