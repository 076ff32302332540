//! What a server signed: read with its limit, checked under its keys.

use std::path::Path;

use anyhow::Context as _;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use client::Client;
use jsonwebtoken::{
    Algorithm, DecodingKey, Header, Validation, crypto::verify, decode, decode_header,
    errors::ErrorKind, jwk::JwkSet,
};
use serde::de::DeserializeOwned;

use super::input;
use crate::error::CliError;

/// A result names some findings; a set of keys has one.
const BYTES_MAX: u64 = 256 * 1024;

/// Seconds by which the clock of this machine may be behind the server's.
const LEEWAY_S: u64 = 5;

/// Whether a token ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ends {
    /// By its claim `exp`.
    ByTime,
    /// It is of a moment, for ever.
    Never,
}

/// The text of a file; `-` is standard input.
pub(super) fn text(file: &Path) -> Result<String, CliError> {
    let too_long = format!("is over {BYTES_MAX} bytes: this is something else");
    Ok(input::text(file, BYTES_MAX, &too_long)?.trim().to_owned())
}

/// The keys of `file`, else those that the server shows now.
pub(super) async fn keys(
    file: Option<&Path>,
    client: impl FnOnce() -> Result<Client, CliError>,
) -> Result<JwkSet, CliError> {
    match file {
        Some(file) => Ok(serde_json::from_str(&text(file)?)
            .with_context(|| format!("{} is no set of keys (JWKS)", file.display()))?),
        None => Ok(server_keys(&client()?).await?),
    }
}

/// The name of that of `keys` which signed `payload` by a detached JWS of this `kind`. The inner error says
/// why there is none. [RFC 7515 §F]
pub(super) fn detached(
    jws: &str,
    payload: &[u8],
    kind: &str,
    keys: &JwkSet,
) -> Result<String, String> {
    let (head, signature) = jws.split_once("..").ok_or("it is no detached signature")?;
    let header: Header = URL_SAFE_NO_PAD
        .decode(head)
        .ok()
        .and_then(|header| serde_json::from_slice(&header).ok())
        .ok_or("it is no detached signature")?;
    if header.typ.as_deref() != Some(kind) {
        let found = header.typ.unwrap_or_else(|| "nothing".to_owned());
        return Err(format!("it says that it is {found:?}, not {kind:?}"));
    }
    if header.alg != Algorithm::ES256 {
        return Err(format!("it is signed by {:?}, not by ES256", header.alg));
    }
    let name = header.kid.ok_or("it does not say which key signed it")?;
    let key = keys.find(&name).ok_or(format!("key {name:?} is none of these keys"))?;
    let key = DecodingKey::from_jwk(key).map_err(|_| format!("key {name:?} is damaged"))?;
    let message = format!("{head}.{}", URL_SAFE_NO_PAD.encode(payload));
    match verify(signature, message.as_bytes(), &key, Algorithm::ES256) {
        Ok(true) => Ok(name),
        Ok(false) => Err(format!("key {name:?} did not sign these bytes")),
        Err(_) => Err("the signature is damaged".to_owned()),
    }
}

/// The keys that the server shows now.
pub(super) async fn server_keys(client: &Client) -> Result<JwkSet, CliError> {
    let keys = client.get_keys().await?;
    Ok(serde_json::from_value(keys).context("the server shows no set of keys (JWKS)")?)
}

/// The claims of a token of this `kind` that one of `keys` signed. The inner error says why it is none.
pub(super) fn claims<T: DeserializeOwned>(
    token: &str,
    kind: &str,
    keys: &JwkSet,
    ends: Ends,
) -> Result<T, String> {
    let header = decode_header(token).map_err(|_| "it is no signed token".to_owned())?;
    if header.typ.as_deref() != Some(kind) {
        let found = header.typ.unwrap_or_else(|| "nothing".to_owned());
        return Err(format!("it says that it is {found:?}, not {kind:?}"));
    }
    let name = header.kid.ok_or("it does not say which key signed it")?;
    let key = keys.find(&name).ok_or(format!("key {name:?} is none of these keys"))?;
    let key = DecodingKey::from_jwk(key).map_err(|_| format!("key {name:?} is damaged"))?;
    let mut validation = Validation::new(Algorithm::ES256);
    validation.leeway = LEEWAY_S;
    if ends == Ends::Never {
        validation.required_spec_claims.clear();
        validation.validate_exp = false;
    }
    match decode(token, &key, &validation) {
        Ok(data) => Ok(data.claims),
        Err(err) => Err(match err.kind() {
            ErrorKind::ExpiredSignature => "it has ended: get a new one".to_owned(),
            ErrorKind::InvalidSignature => format!("key {name:?} did not sign it"),
            _ => format!("it is damaged: {err}"),
        }),
    }
}
