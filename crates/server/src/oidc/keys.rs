//! The keys by which a provider signs ID tokens. [RFC 7517, RFC 7518 §3.1]

use jsonwebtoken::{
    Algorithm, DecodingKey,
    jwk::{AlgorithmParameters, EllipticCurve, Jwk, KeyAlgorithm, PublicKeyUse},
};

use super::{TokenFault, wire::Object};

/// Bytes of a set of keys: ten keys with their certificates have below 40 KiB.
pub(super) const BYTES_MAX: usize = 128 * 1024;

/// Keys that are looked at: providers have a handful, old and new ones.
const KEYS_MAX: usize = 64;

/// A key, and the algorithms that it may be used with: what a token says of its algorithm only chooses among
/// these, so that no key is taken for one of another kind.
pub(super) struct Key {
    name: Option<String>,
    algorithms: &'static [Algorithm],
    pub(super) key: DecodingKey,
}

/// All that can be used.
pub(super) struct Keys(Vec<Key>);

impl Keys {
    /// Those of a set that sign with an algorithm that is taken here. What else is in it, such as keys for
    /// encryption or of kinds that nobody here knows, is passed over.
    pub(super) fn read(set: &Object) -> Self {
        let listed = set.get("keys").and_then(|keys| keys.as_array());
        let jwks = listed.into_iter().flatten().take(KEYS_MAX);
        let jwks = jwks.filter_map(|jwk| serde_json::from_value::<Jwk>(jwk.clone()).ok());
        let key = |jwk: Jwk| {
            let is_for_signatures = !matches!(jwk.common.public_key_use, Some(ref what) if *what != PublicKeyUse::Signature);
            let algorithms = algorithms(&jwk).filter(|_| is_for_signatures)?;
            let key = DecodingKey::from_jwk(&jwk).ok()?;
            Some(Key { name: jwk.common.key_id, algorithms, key })
        };
        Self(jwks.filter_map(key).collect())
    }

    /// Whether there is none.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The key that a token names, and the algorithm that it may say. A token that names none can be of the
    /// only key alone.
    pub(super) fn find(
        &self,
        name: Option<&str>,
        algorithm: &str,
    ) -> Result<(&Key, Algorithm), TokenFault> {
        let of_name = |key: &&Key| name.is_none_or(|name| key.name.as_deref() == Some(name));
        // Some use one name for keys of several kinds.
        let all: Vec<_> = self.0.iter().filter(of_name).collect();
        if all.is_empty() {
            return Err(TokenFault::KeyUnknown);
        }
        if name.is_none() && all.len() > 1 {
            return Err(TokenFault::KeyUnnamed);
        }
        let found = all.iter().find_map(|key| {
            let fits = key.algorithms.iter().find(|known| word(**known) == algorithm);
            fits.map(|algorithm| (*key, *algorithm))
        });
        found.ok_or(TokenFault::Algorithm)
    }
}

/// The algorithms of a key: those of its kind, and where it names one, that. Never one with a shared secret.
fn algorithms(jwk: &Jwk) -> Option<&'static [Algorithm]> {
    let named = jwk.common.key_algorithm;
    let of_kind: &[(KeyAlgorithm, &'static [Algorithm])] = match &jwk.algorithm {
        AlgorithmParameters::RSA(_) if named.is_none() => {
            return Some(&[Algorithm::RS256, Algorithm::PS256]);
        }
        AlgorithmParameters::RSA(_) => &[
            (KeyAlgorithm::RS256, &[Algorithm::RS256]),
            (KeyAlgorithm::PS256, &[Algorithm::PS256]),
        ],
        AlgorithmParameters::EllipticCurve(key) => match key.curve {
            EllipticCurve::P256 => &[(KeyAlgorithm::ES256, &[Algorithm::ES256])],
            EllipticCurve::P384 => &[(KeyAlgorithm::ES384, &[Algorithm::ES384])],
            _ => return None,
        },
        AlgorithmParameters::OctetKeyPair(key) if key.curve == EllipticCurve::Ed25519 => {
            &[(KeyAlgorithm::EdDSA, &[Algorithm::EdDSA])]
        }
        _ => return None,
    };
    let mut fits = of_kind.iter().filter(|(known, _)| named.is_none_or(|named| named == *known));
    fits.next().map(|(_, algorithms)| *algorithms)
}

/// An algorithm as tokens name it.
fn word(algorithm: Algorithm) -> &'static str {
    match algorithm {
        Algorithm::RS256 => "RS256",
        Algorithm::PS256 => "PS256",
        Algorithm::ES256 => "ES256",
        Algorithm::ES384 => "ES384",
        Algorithm::EdDSA => "EdDSA",
        // No key has them.
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    const X: &str = "gI0GAILBdu7T53akrFmMyGcsF3n5dO7MmwNBHKW5SV0";
    const Y: &str = "SLW_xSffzlPWrHEVI30DHM_4egVwt3NQqeUD7nMFpps";

    fn ec(changes: &Value) -> Value {
        let mut key = json!({ "kty": "EC", "crv": "P-256", "x": X, "y": Y, "kid": "a" });
        for (name, value) in changes.as_object().unwrap() {
            key[name] = value.clone();
        }
        key
    }

    fn keys(keys: &[Value]) -> Keys {
        Keys::read(json!({ "keys": keys }).as_object().unwrap())
    }

    #[test]
    fn the_algorithm_is_the_keys() {
        let one = keys(&[ec(&json!({}))]);
        assert!(one.find(Some("a"), "ES256").is_ok() && one.find(None, "ES256").is_ok());
        for other in ["none", "HS256", "RS256", "PS256", "ES384", "EdDSA", "es256", ""] {
            assert_eq!(one.find(Some("a"), other).err(), Some(TokenFault::Algorithm), "{other}");
        }
        assert_eq!(one.find(Some("b"), "ES256").err(), Some(TokenFault::KeyUnknown));
        let two = keys(&[ec(&json!({})), ec(&json!({ "kid": "b" }))]);
        assert_eq!(two.find(None, "ES256").err(), Some(TokenFault::KeyUnnamed));
        assert!(two.find(Some("b"), "ES256").is_ok());
    }

    #[test]
    fn what_signs_no_tokens_is_passed_over() {
        for other in [
            ec(&json!({ "use": "enc" })),
            ec(&json!({ "alg": "ECDH-ES" })),
            ec(&json!({ "alg": "HS256" })),
            ec(&json!({ "crv": "P-521" })),
            json!({ "kty": "oct", "k": "c2VjcmV0", "kid": "a", "alg": "HS256" }),
            json!({ "kty": "new kind", "kid": "a" }),
            json!("no object"),
        ] {
            assert!(keys(std::slice::from_ref(&other)).is_empty(), "{other}");
            assert!(keys(&[other, ec(&json!({ "use": "sig" }))]).find(Some("a"), "ES256").is_ok());
        }
        assert!(Keys::read(&Object::new()).is_empty());
        let many: Vec<_> = (0..1_000).map(|n| ec(&json!({ "kid": n.to_string() }))).collect();
        assert_eq!(keys(&many).0.len(), KEYS_MAX);
    }
}
