//! Secrets that the server makes, and what is kept of them.

use aws_lc_rs::{
    digest::{SHA256, digest},
    rand,
};
use store::Sha256;
use zeroize::Zeroizing;

use super::AppError;

/// `N` random bytes.
pub(crate) fn random<const N: usize>() -> Result<[u8; N], AppError> {
    let mut bytes = [0; N];
    rand::fill(&mut bytes).map_err(|_| AppError::Bug("no randomness".into()))?;
    Ok(bytes)
}

/// A new token: a prefix that says what it is for, and 256 random bits in hex.
pub(crate) fn new_token(prefix: &str) -> Result<Zeroizing<String>, AppError> {
    let bytes = Zeroizing::new(random::<32>()?);
    Ok(Zeroizing::new(format!("{prefix}{}", hex::encode(*bytes))))
}

/// What is stored of a token. It has 256 random bits, so a plain hash keeps it secret.
pub(crate) fn token_sha256(token: &str) -> Sha256 {
    sha256(token.as_bytes())
}

/// SHA-256 of `bytes`.
pub(crate) fn sha256(bytes: &[u8]) -> Sha256 {
    let mut out = [0; 32];
    out.copy_from_slice(digest(&SHA256, bytes).as_ref());
    out
}

/// Prefix of a join token.
pub(crate) const JOIN_PREFIX: &str = "bpj_";
/// Prefix of an administrator's token.
pub(crate) const ADMIN_PREFIX: &str = "bpa_";
/// Prefix of what shows a session.
pub(crate) const SESSION_PREFIX: &str = "bps_";
/// Prefix of the code for the first account.
pub(crate) const SETUP_PREFIX: &str = "bpc_";
