//! What a logout token must be to end sessions: the provider says by it that a person is logged out there.
//! [OpenID Connect Back-Channel Logout 1.0 §2.4, §2.6]

use serde_json::Value;

use super::{
    TokenFault,
    id_token::{CLOCKS_DIFFER_S_MAX, Unverified, is_meant_for, text_of, time_of},
    keys::Keys,
    wire::Object,
};

/// The event that makes a token one of these. [§2.4]
const EVENT: &str = "http://schemas.openid.net/event/backchannel-logout";

/// Seconds after which one is too old, whatever it says itself: providers send them at once, and some try again.
const AGE_S_MAX: i64 = 600;

/// Bytes of an identifier of a person or a session.
const ID_BYTES_MAX: usize = 255;

/// Who is logged out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LoggedOut {
    /// The person; absent: the one of the session.
    pub(crate) subject: Option<String>,
    /// The session at the provider; absent: all of the person.
    pub(crate) sid: Option<String>,
}

/// Checks the signature by one of `keys`, then issuer, audience, times, the event, that there is no nonce, that it has
/// an identifier, and whom it names.
pub(super) fn check(
    token: &Unverified<'_>,
    keys: &Keys,
    (issuer, client_id): (&str, &str),
    now_s: i64,
) -> Result<LoggedOut, TokenFault> {
    let (claims, _) = token.verified(keys)?;
    if text_of(&claims, "iss") != Some(issuer) {
        return Err(TokenFault::Issuer);
    }
    if !is_meant_for(&claims, client_id) {
        return Err(TokenFault::Audience);
    }
    let earliest_s = now_s.saturating_sub(CLOCKS_DIFFER_S_MAX);
    if time_of(&claims, "exp").is_none_or(|exp| exp <= earliest_s) {
        return Err(TokenFault::Expired);
    }
    let latest_s = now_s.saturating_add(CLOCKS_DIFFER_S_MAX);
    let is_of_now = |iat| (earliest_s.saturating_sub(AGE_S_MAX)..=latest_s).contains(&iat);
    if !time_of(&claims, "iat").is_some_and(is_of_now) {
        return Err(TokenFault::Time);
    }
    let event = claims.get("events").and_then(|events| events.get(EVENT));
    if !event.is_some_and(Value::is_object) {
        return Err(TokenFault::NoLogout);
    }
    // So that no ID token is one. [§2.4]
    if claims.contains_key("nonce") {
        return Err(TokenFault::Nonce);
    }
    if text_of(&claims, "jti").is_none_or(str::is_empty) {
        return Err(TokenFault::Malformed);
    }
    let logged_out = LoggedOut { subject: id(&claims, "sub")?, sid: id(&claims, "sid")? };
    match logged_out {
        LoggedOut { subject: None, sid: None } => Err(TokenFault::Subject),
        named => Ok(named),
    }
}

/// An identifier, where there is one; what is there and is none is a fault.
fn id(claims: &Object, name: &str) -> Result<Option<String>, TokenFault> {
    match claims.get(name) {
        None => Ok(None),
        Some(Value::String(id)) if !id.is_empty() && id.len() <= ID_BYTES_MAX => {
            Ok(Some(id.clone()))
        }
        Some(_) => Err(TokenFault::Subject),
    }
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};
    use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
    use jsonwebtoken::{Algorithm, EncodingKey, jwk::Jwk};
    use serde_json::json;

    use super::*;

    const NOW_S: i64 = 1_800_000_000;
    const ISSUER: &str = "https://id.example";

    fn claims() -> Value {
        json!({
            "iss": ISSUER, "aud": "bootproof", "sub": "4711", "sid": "s", "jti": "j", "iat": NOW_S,
            "exp": NOW_S + 120, "events": { EVENT: {} },
        })
    }

    /// Checks each of `all`, signed by a key that counts, with a header of this type.
    fn checked(typ: Option<&str>, claims: &Value) -> Result<LoggedOut, TokenFault> {
        let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
        let key = EncodingKey::from_ec_der(pair.to_pkcs8v1().unwrap().as_ref());
        let jwk = Jwk::from_encoding_key(&key, Algorithm::ES256).unwrap();
        let keys = Keys::read(json!({ "keys": [jwk] }).as_object().unwrap());
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let mut header = json!({ "alg": "ES256" });
        if let Some(typ) = typ {
            header["typ"] = json!(typ);
        }
        let signed = format!("{}.{}", part(&header), part(claims));
        let signature =
            jsonwebtoken::crypto::sign(signed.as_bytes(), &key, Algorithm::ES256).unwrap();
        let token = format!("{signed}.{signature}");
        check(&Unverified::read_logout(&token)?, &keys, (ISSUER, "bootproof"), NOW_S)
    }

    #[test]
    fn a_token_names_a_person_a_session_or_both() {
        let both = LoggedOut { subject: Some("4711".to_owned()), sid: Some("s".to_owned()) };
        for typ in [Some("logout+jwt"), Some("application/logout+jwt"), Some("JWT"), None] {
            assert_eq!(checked(typ, &claims()), Ok(both.clone()), "{typ:?}");
        }
        let without = |name: &str| {
            let mut claims = claims();
            claims.as_object_mut().unwrap().remove(name);
            checked(Some("logout+jwt"), &claims)
        };
        assert_eq!(without("sub"), Ok(LoggedOut { subject: None, ..both.clone() }));
        assert_eq!(without("sid"), Ok(LoggedOut { sid: None, ..both }));
        for (name, fault) in [
            ("iss", TokenFault::Issuer),
            ("aud", TokenFault::Audience),
            ("exp", TokenFault::Expired),
            ("iat", TokenFault::Time),
            ("events", TokenFault::NoLogout),
            ("jti", TokenFault::Malformed),
        ] {
            assert_eq!(without(name), Err(fault), "without {name}");
        }
    }

    #[test]
    fn what_is_no_logout_of_now_and_for_us_ends_nothing() {
        assert_eq!(checked(Some("at+jwt"), &claims()), Err(TokenFault::Type));
        for (name, value, fault) in [
            ("iss", json!("https://evil.example"), TokenFault::Issuer),
            ("aud", json!("another"), TokenFault::Audience),
            ("aud", json!(["bootproof", "another"]), TokenFault::Audience),
            ("exp", json!(NOW_S - 60), TokenFault::Expired),
            ("iat", json!(NOW_S + 61), TokenFault::Time),
            ("iat", json!(NOW_S - 661), TokenFault::Time),
            ("events", json!({}), TokenFault::NoLogout),
            ("events", json!([EVENT]), TokenFault::NoLogout),
            ("events", json!({ EVENT: true }), TokenFault::NoLogout),
            ("nonce", json!("n"), TokenFault::Nonce),
            ("jti", json!(""), TokenFault::Malformed),
            ("sub", json!(""), TokenFault::Subject),
            ("sid", json!(7), TokenFault::Subject),
            ("sid", json!("x".repeat(256)), TokenFault::Subject),
        ] {
            let mut changed = claims();
            changed[name] = value.clone();
            assert_eq!(checked(Some("logout+jwt"), &changed), Err(fault), "{name}: {value}");
        }
        // Those that just do.
        for (name, value) in [
            ("exp", json!(NOW_S - 59)),
            ("iat", json!(NOW_S + 60)),
            ("iat", json!(NOW_S - 660)),
            ("aud", json!(["bootproof"])),
        ] {
            let mut changed = claims();
            changed[name] = value.clone();
            assert!(checked(Some("logout+jwt"), &changed).is_ok(), "{name}: {value}");
        }
        let neither = json!({
            "iss": ISSUER, "aud": "bootproof", "jti": "j", "iat": NOW_S, "exp": NOW_S + 120,
            "events": { EVENT: {} },
        });
        assert_eq!(checked(Some("logout+jwt"), &neither), Err(TokenFault::Subject));
    }
}
