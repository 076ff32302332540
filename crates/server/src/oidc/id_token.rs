//! What an ID token must be to vouch for somebody. [OpenID Connect Core 1.0 §3.1.3.7, RFC 8725]

use aws_lc_rs::digest::{self, SHA256, SHA384, SHA512};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::Algorithm;
use serde::Deserialize;
use serde_json::Value;

use super::{Claims, keys::Keys, wire::Object};

/// Seconds by which the provider's clock and the store's may differ.
pub(super) const CLOCKS_DIFFER_S_MAX: i64 = 60;

/// Why an ID token vouches for nobody. In the order in which it is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum TokenFault {
    /// There is none.
    #[error("there is no ID token in its answer")]
    Missing,
    /// It cannot be read.
    #[error("it is no signed token")]
    Malformed,
    /// It says that it is something else.
    #[error("it is no ID token, by its type")]
    Type,
    /// None of the provider's keys has the name that it gives.
    #[error("it is signed by a key that the provider does not publish")]
    KeyUnknown,
    /// It names no key, and the provider has several.
    #[error("it does not say by which of the provider's keys it is signed")]
    KeyUnnamed,
    /// The key is not for this algorithm.
    #[error("its algorithm is not that of its key")]
    Algorithm,
    /// The signature does not fit.
    #[error("its signature is wrong")]
    Signature,
    /// Another provider's.
    #[error("it is of another issuer")]
    Issuer,
    /// For somebody else.
    #[error("it is meant for another client")]
    Audience,
    /// Its time is over, or it does not say when that is.
    #[error("its time is over")]
    Expired,
    /// It is of a time that is not that of this login.
    #[error("it was made before this login began, or is of the future: compare the clocks")]
    Time,
    /// Of another login.
    #[error("it is of another login (nonce)")]
    Nonce,
    /// Of another answer.
    #[error("it does not belong to the access token that came with it (at_hash)")]
    AccessToken,
    /// It is another kind of token.
    #[error("it does not say that somebody is logged out (events)")]
    NoLogout,
    /// It says nobody's name.
    #[error("it names nobody (sub)")]
    Subject,
}

/// What a token must say.
pub(super) struct Expected<'a> {
    pub(super) issuer: &'a str,
    pub(super) client_id: &'a str,
    pub(super) nonce: &'a str,
    /// What came beside it.
    pub(super) access_token: Option<&'a str>,
    /// When the person was sent to the provider, in seconds since 1970.
    pub(super) asked_at_s: i64,
    pub(super) now_s: i64,
}

#[derive(Deserialize)]
struct Header {
    alg: String,
    kid: Option<String>,
    typ: Option<String>,
    crit: Option<Value>,
}

/// A token in its parts, of which nothing is believed yet.
pub(super) struct Unverified<'a> {
    header: Header,
    signed: &'a str,
    untrusted_claims: &'a str,
    signature: &'a str,
}

fn decoded(part: &str) -> Result<Vec<u8>, TokenFault> {
    URL_SAFE_NO_PAD.decode(part).map_err(|_| TokenFault::Malformed)
}

impl<'a> Unverified<'a> {
    /// The parts of an ID token. [RFC 7515 §3.1]
    pub(super) fn read(token: &'a str) -> Result<Self, TokenFault> {
        Self::of_types(token, &["JWT", "application/jwt"])
    }

    /// The parts of a logout token; some providers give it the type of all tokens.
    /// [OpenID Connect Back-Channel Logout 1.0 §2.4]
    pub(super) fn read_logout(token: &'a str) -> Result<Self, TokenFault> {
        Self::of_types(token, &["logout+jwt", "application/logout+jwt", "JWT"])
    }

    fn of_types(token: &'a str, types: &[&str]) -> Result<Self, TokenFault> {
        let (signed, signature) = token.rsplit_once('.').ok_or(TokenFault::Malformed)?;
        let (head, untrusted_claims) = signed.split_once('.').ok_or(TokenFault::Malformed)?;
        let header: Header =
            serde_json::from_slice(&decoded(head)?).map_err(|_| TokenFault::Malformed)?;
        // What must be understood, and is not. [RFC 7515 §4.1.11]
        if header.crit.is_some() || untrusted_claims.contains('.') {
            return Err(TokenFault::Malformed);
        }
        // Tokens of other kinds, signed by the same keys, say what they are. [RFC 8725 §3.11]
        let kind = header.typ.as_deref().unwrap_or("JWT");
        if !types.iter().any(|known| kind.eq_ignore_ascii_case(known)) {
            return Err(TokenFault::Type);
        }
        Ok(Self { header, signed, untrusted_claims, signature })
    }

    /// What it says, and the algorithm, where one of `keys` signed it.
    pub(super) fn verified(&self, keys: &Keys) -> Result<(Object, Algorithm), TokenFault> {
        let (key, algorithm) = keys.find(self.header.kid.as_deref(), &self.header.alg)?;
        let fits = jsonwebtoken::crypto::verify(
            self.signature,
            self.signed.as_bytes(),
            &key.key,
            algorithm,
        );
        if !fits.unwrap_or(false) {
            return Err(TokenFault::Signature);
        }
        let claims: Object = serde_json::from_slice(&decoded(self.untrusted_claims)?)
            .map_err(|_| TokenFault::Malformed)?;
        Ok((claims, algorithm))
    }

    /// Checks the signature by one of `keys`, then issuer, audience, times, nonce, access token, subject.
    pub(super) fn check(&self, keys: &Keys, expected: &Expected<'_>) -> Result<Claims, TokenFault> {
        let (claims, algorithm) = self.verified(keys)?;
        check_claims(&claims, algorithm, expected)?;
        let subject = claims.get("sub").and_then(Value::as_str);
        let subject = subject.filter(|sub| !sub.is_empty() && sub.len() <= SUBJECT_BYTES_MAX);
        let subject = subject.ok_or(TokenFault::Subject)?.to_owned();
        Ok(Claims { subject, all: claims })
    }
}

/// Bytes of `sub`. [OpenID Connect Core 1.0 §2]
const SUBJECT_BYTES_MAX: usize = 255;

fn check_claims(
    claims: &Object,
    algorithm: Algorithm,
    expected: &Expected<'_>,
) -> Result<(), TokenFault> {
    let text = |name: &str| text_of(claims, name);
    if text("iss") != Some(expected.issuer) {
        return Err(TokenFault::Issuer);
    }
    if !is_meant_for(claims, expected.client_id) {
        return Err(TokenFault::Audience);
    }
    let time = |name: &str| time_of(claims, name);
    let now_s = expected.now_s;
    if time("exp").is_none_or(|exp| exp.saturating_add(CLOCKS_DIFFER_S_MAX) <= now_s) {
        return Err(TokenFault::Expired);
    }
    let latest_s = now_s.saturating_add(CLOCKS_DIFFER_S_MAX);
    let earliest_s = expected.asked_at_s.saturating_sub(CLOCKS_DIFFER_S_MAX);
    let is_of_this_login = time("iat").is_some_and(|iat| (earliest_s..=latest_s).contains(&iat));
    let is_begun = match claims.contains_key("nbf") {
        true => time("nbf").is_some_and(|nbf| nbf <= latest_s),
        false => true,
    };
    if !is_of_this_login || !is_begun {
        return Err(TokenFault::Time);
    }
    if text("nonce") != Some(expected.nonce) {
        return Err(TokenFault::Nonce);
    }
    if let Some(at_hash) = claims.get("at_hash") {
        let fits = expected.access_token.is_some_and(|token| *at_hash == half(algorithm, token));
        if !fits {
            return Err(TokenFault::AccessToken);
        }
    }
    Ok(())
}

/// A claim that is a text.
pub(super) fn text_of<'a>(claims: &'a Object, name: &str) -> Option<&'a str> {
    claims.get(name).and_then(Value::as_str)
}

/// A claim that is a time: seconds, which may have a fraction. [RFC 7519 §2]
pub(super) fn time_of(claims: &Object, name: &str) -> Option<i64> {
    let value = claims.get(name)?;
    value.as_i64().or_else(|| value.as_f64().map(|seconds| seconds as i64))
}

/// Whether a token is for this client. [OpenID Connect Core 1.0 §3.1.3.7]
pub(super) fn is_meant_for(claims: &Object, client_id: &str) -> bool {
    let is_for_us = match claims.get("aud") {
        Some(Value::String(aud)) => aud == client_id,
        // Of several, it must say that it was made for this client.
        Some(Value::Array(all)) => {
            let named = all.iter().any(|aud| aud == client_id);
            named && (all.len() == 1 || claims.contains_key("azp"))
        }
        _ => false,
    };
    is_for_us && claims.get("azp").is_none_or(|azp| azp == client_id)
}

/// The left half of a token's digest. [OpenID Connect Core 1.0 §3.1.3.6]
fn half(algorithm: Algorithm, token: &str) -> String {
    let hash = match algorithm {
        Algorithm::ES384 => &SHA384,
        Algorithm::EdDSA => &SHA512,
        _ => &SHA256,
    };
    let digest = digest::digest(hash, token.as_bytes());
    let (left, _) = digest.as_ref().split_at(digest.as_ref().len() / 2);
    URL_SAFE_NO_PAD.encode(left)
}

#[cfg(test)]
mod tests;
