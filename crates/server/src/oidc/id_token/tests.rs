use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};
use jsonwebtoken::{EncodingKey, jwk::Jwk};
use serde_json::json;

use super::*;

const NOW_S: i64 = 1_800_000_000;
const ACCESS: &str = "an access token";

struct Signer {
    key: EncodingKey,
    keys: Keys,
}

impl Signer {
    fn new() -> Self {
        let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
        let key = EncodingKey::from_ec_der(pair.to_pkcs8v1().unwrap().as_ref());
        let mut jwk = Jwk::from_encoding_key(&key, Algorithm::ES256).unwrap();
        jwk.common.key_id = Some("k".to_owned());
        let set = json!({ "keys": [jwk] });
        Self { key, keys: Keys::read(set.as_object().unwrap()) }
    }

    fn sign(&self, header: &Value, claims: &Value) -> String {
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let signed = format!("{}.{}", part(header), part(claims));
        let signature =
            jsonwebtoken::crypto::sign(signed.as_bytes(), &self.key, Algorithm::ES256).unwrap();
        format!("{signed}.{signature}")
    }

    fn check(&self, token: &str) -> Result<Claims, TokenFault> {
        let expected = Expected {
            issuer: "https://id.example",
            client_id: "bootproof",
            nonce: "n",
            access_token: Some(ACCESS),
            asked_at_s: NOW_S - 30,
            now_s: NOW_S,
        };
        Unverified::read(token)?.check(&self.keys, &expected)
    }
}

fn header() -> Value {
    json!({ "alg": "ES256", "kid": "k", "typ": "JWT" })
}

fn claims() -> Value {
    json!({
        "iss": "https://id.example", "aud": "bootproof", "sub": "4711", "nonce": "n",
        "exp": NOW_S + 300, "iat": NOW_S, "at_hash": half(Algorithm::ES256, ACCESS),
    })
}

#[test]
fn a_token_of_this_login_vouches() {
    let signer = Signer::new();
    let checked = signer.check(&signer.sign(&header(), &claims())).unwrap();
    assert_eq!(checked.subject, "4711");
    // What is not there, or just within the limits, is no fault.
    for (name, value) in [
        ("aud", json!(["bootproof"])),
        ("azp", json!("bootproof")),
        ("at_hash", Value::Null),
        ("exp", json!(NOW_S - CLOCKS_DIFFER_S_MAX + 1)),
        ("exp", json!(NOW_S as f64 + 0.5)),
        ("iat", json!(NOW_S + CLOCKS_DIFFER_S_MAX)),
        ("iat", json!(NOW_S - 30 - CLOCKS_DIFFER_S_MAX)),
        ("nbf", json!(NOW_S + CLOCKS_DIFFER_S_MAX)),
    ] {
        let mut all = claims();
        all[name] = value.clone();
        if value.is_null() {
            all.as_object_mut().unwrap().remove(name);
        }
        assert!(signer.check(&signer.sign(&header(), &all)).is_ok(), "{name}: {value}");
    }
    let mut all = claims();
    all["aud"] = json!(["other", "bootproof"]);
    all["azp"] = json!("bootproof");
    assert!(signer.check(&signer.sign(&header(), &all)).is_ok());
    let mut bare = header();
    bare.as_object_mut().unwrap().retain(|name, _| name == "alg");
    assert!(signer.check(&signer.sign(&bare, &claims())).is_ok(), "of the only key");
}

#[test]
fn each_claim_is_looked_at() {
    let signer = Signer::new();
    for (name, value, fault) in [
        ("iss", json!("https://id.example/"), TokenFault::Issuer),
        ("iss", Value::Null, TokenFault::Issuer),
        ("aud", json!("other"), TokenFault::Audience),
        ("aud", json!([]), TokenFault::Audience),
        ("aud", json!(["other"]), TokenFault::Audience),
        // Of several it must say for which it was made.
        ("aud", json!(["bootproof", "other"]), TokenFault::Audience),
        ("aud", Value::Null, TokenFault::Audience),
        ("azp", json!("other"), TokenFault::Audience),
        ("azp", json!(7), TokenFault::Audience),
        ("exp", json!(NOW_S - CLOCKS_DIFFER_S_MAX), TokenFault::Expired),
        ("exp", json!("soon"), TokenFault::Expired),
        ("exp", Value::Null, TokenFault::Expired),
        ("iat", json!(NOW_S + CLOCKS_DIFFER_S_MAX + 1), TokenFault::Time),
        ("iat", json!(NOW_S - 31 - CLOCKS_DIFFER_S_MAX), TokenFault::Time),
        ("iat", Value::Null, TokenFault::Time),
        ("nbf", json!(NOW_S + CLOCKS_DIFFER_S_MAX + 1), TokenFault::Time),
        ("nbf", json!("x"), TokenFault::Time),
        ("nonce", json!("m"), TokenFault::Nonce),
        ("nonce", Value::Null, TokenFault::Nonce),
        ("at_hash", json!(half(Algorithm::ES256, "another")), TokenFault::AccessToken),
        ("at_hash", json!(7), TokenFault::AccessToken),
        ("sub", json!(""), TokenFault::Subject),
        ("sub", json!("x".repeat(256)), TokenFault::Subject),
        ("sub", Value::Null, TokenFault::Subject),
    ] {
        let mut all = claims();
        all[name] = value.clone();
        let token = signer.sign(&header(), &all);
        assert_eq!(signer.check(&token), Err(fault), "{name}: {value}");
        // Left out is not the same as null where a claim may be left out.
        if value.is_null() {
            all.as_object_mut().unwrap().remove(name);
            assert_eq!(signer.check(&signer.sign(&header(), &all)), Err(fault), "without {name}");
        }
    }
}

#[test]
fn only_the_providers_signature_counts() {
    let (signer, other) = (Signer::new(), Signer::new());
    let token = signer.sign(&header(), &claims());
    assert_eq!(other.check(&token), Err(TokenFault::Signature));
    let mut changed = claims();
    changed["sub"] = json!("root");
    let foreign = signer.sign(&header(), &changed);
    let parts: Vec<_> = token.split('.').collect();
    let of_another = foreign.split('.').nth(1).unwrap();
    let mixed = format!("{}.{of_another}.{}", parts[0], parts[2]);
    assert_eq!(signer.check(&mixed), Err(TokenFault::Signature));

    for (alg, fault) in [
        ("none", TokenFault::Algorithm),
        ("HS256", TokenFault::Algorithm),
        ("RS256", TokenFault::Algorithm),
        ("ES384", TokenFault::Algorithm),
    ] {
        let mut head = header();
        head["alg"] = json!(alg);
        assert_eq!(signer.check(&signer.sign(&head, &claims())), Err(fault), "{alg}");
        let unsigned = signer.sign(&head, &claims());
        let (unsigned, _) = unsigned.rsplit_once('.').unwrap();
        assert_eq!(signer.check(&format!("{unsigned}.")), Err(fault), "{alg} without signature");
    }
    for (name, value, fault) in [
        ("kid", json!("other"), TokenFault::KeyUnknown),
        ("typ", json!("at+jwt"), TokenFault::Type),
        ("typ", json!("logout+jwt"), TokenFault::Type),
        ("crit", json!(["b64"]), TokenFault::Malformed),
    ] {
        let mut head = header();
        head[name] = value;
        assert_eq!(signer.check(&signer.sign(&head, &claims())), Err(fault), "{name}");
    }
}

#[test]
fn what_is_no_token_is_told_and_never_panics() {
    let signer = Signer::new();
    let token = signer.sign(&header(), &claims());
    for end in 0..token.len() {
        assert!(signer.check(&token[..end]).is_err(), "{end}");
    }
    for text in ["", ".", "..", "...", "a.b.c", "e30.e30.e30", "\u{fc}.\u{fc}.\u{fc}"] {
        assert!(signer.check(text).is_err(), "{text}");
    }
    assert!(signer.check(&format!("{token}.x")).is_err());
}
