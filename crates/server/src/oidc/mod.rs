//! An identity provider, as a relying party speaks with it: discovery, the authorization code flow with PKCE,
//! the provider's keys, and what an ID token must be to be believed. No roles and no sessions here.
//!
//! The provider is named by the operator, and all that it says is looked at all the same: sizes, times, its
//! own name in each answer. What comes through a browser is anybody's word until the sealed cookie, the
//! provider's own answer and its signature bear it out.

mod claims;
mod client_key;
mod id_token;
mod keys;
mod logout_token;
mod metadata;
mod provider;
mod wire;

pub(crate) use claims::{Claims, NoPerson};
pub(crate) use id_token::TokenFault;
pub(crate) use logout_token::LoggedOut;
pub(crate) use provider::{Asked, Code, Provider, Returned};

/// Why a person could not be vouched for. One variant per thing that somebody may do about it.
#[derive(Debug, thiserror::Error)]
pub(crate) enum OidcError {
    /// It did not answer, or not with what can be used: again later, or an operator looks.
    #[error("the identity provider cannot be asked now: {0}")]
    Away(String),
    /// It said no.
    #[error("the identity provider refused: {0}")]
    Refused(String),
    /// The browser came back with what this provider did not send.
    #[error("the answer is not one of the identity provider: {0}")]
    Foreign(&'static str),
    /// Its ID token vouches for nobody.
    #[error("the identity provider's token is not accepted: {0}")]
    Token(#[from] TokenFault),
}

/// A provider's error code, for people: codes are words of the standard, and texts beside them are anybody's.
/// [RFC 6749 §4.1.2.1]
fn error_code(text: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    match !text.is_empty() && text.len() <= 64 && text.chars().all(is_plain) {
        true => text.to_owned(),
        false => "it does not say why".to_owned(),
    }
}
