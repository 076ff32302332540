//! Logging a command line in by a browser whose person an identity provider vouches for. [RFC 8252]
//!
//! The command line listens on a loopback port and has the browser open `GET /v1/oidc/login` with a
//! [`CliLogin`]. The person logs in, compares what both show ([`CliLogin::shown`]), and goes on to the loopback
//! port with a code, which the command line gives back with the secret that it began with.

use serde::{Deserialize, Serialize};

/// Bytes of a code: a name, labels of hosts, and what seals them.
pub const CODE_BYTES_MAX: usize = 8 * 1024;

/// Characters of a challenge: a SHA-256 as base64url. [RFC 7636 §4.2]
const CHALLENGE_CHARS: usize = 43;

/// Characters that people compare: 48 bits.
const SHOWN_CHARS: usize = 8;

/// The query of `GET /v1/oidc/login` of a command line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CliLogin {
    /// The port of 127.0.0.1 on which it listens.
    pub port: u16,
    /// SHA-256 of its secret, base64url.
    pub challenge: String,
    /// What it is handed back with the code, so that it knows its own login.
    pub state: String,
}

impl CliLogin {
    /// What the command line and the page show alike, so that nobody lets a stranger's in.
    pub fn shown(&self) -> &str {
        self.challenge.get(..SHOWN_CHARS).unwrap_or(&self.challenge)
    }
}

fn is_base64url(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
}

/// Whether this can be a challenge.
pub fn is_challenge(text: &str) -> bool {
    text.len() == CHALLENGE_CHARS && is_base64url(text)
}

/// Whether this can be a state: random text that nobody guesses.
pub fn is_state(text: &str) -> bool {
    (16..=128).contains(&text.len()) && is_base64url(text)
}

/// `POST /v1/oidc/session`: begin the session of a command line.
#[derive(Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct CodeRequest {
    /// The code that the browser brought.
    #[cfg_attr(feature = "schema", schemars(length(max = CODE_BYTES_MAX)))]
    pub code: String,
    /// The secret of which the challenge is the digest.
    #[cfg_attr(feature = "schema", schemars(length(max = 128)))]
    pub verifier: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_challenge_is_a_digest_and_a_state_is_no_markup() {
        let challenge = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
        assert!(is_challenge(challenge) && !is_challenge(&challenge[1..]));
        assert!(!is_challenge(&challenge.replace('-', "&")));
        assert!(is_state(&"a".repeat(16)) && is_state(&"a".repeat(128)));
        for bad in ["", &"a".repeat(15), &"a".repeat(129), "aaaaaaaaaaaaaaaa&code=x"] {
            assert!(!is_state(bad), "{bad}");
        }
        let login = CliLogin { port: 1, challenge: challenge.to_owned(), state: String::new() };
        assert_eq!(login.shown(), "E9Melhoa");
    }
}
