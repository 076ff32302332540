//! Who asks: tokens of programs, and what each may do.

use serde::{Deserialize, Serialize};

use crate::inventory::Labels;

/// Characters of a name of a token or an account.
pub const NAME_CHARS_MAX: usize = 64;

/// Seconds for which an API token is good at most: a year. Who still needs it then makes a new one.
pub const API_TOKEN_S_MAX: u64 = 366 * 24 * 3600;

/// What is wrong with a name of a token or an account; `None`: nothing. It stands in the audit log, in
/// addresses and on command lines, and looks the same to everybody. `server` and what has a colon are
/// actors of the server's own.
pub fn name_fault(name: &str) -> Option<&'static str> {
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-' | '@');
    let begins = name.starts_with(|c: char| c.is_ascii_alphanumeric());
    if !begins || name.len() > NAME_CHARS_MAX || !name.chars().all(fits) {
        Some("a name begins with a letter or digit, and has 64 letters, digits, . _ - @ at most")
    } else if name == "server" {
        Some("the server itself is called so in the audit log")
    } else {
        None
    }
}

/// What a person or a program may do. Each may do what those before it may.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// Get attested results of hosts that it can name, and nothing else.
    RelyingParty,
    /// Look.
    Viewer,
    /// Look, attest, disconnect, reconnect, label, acknowledge.
    Operator,
    /// Everything.
    Admin,
}

impl Role {
    /// The word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::RelyingParty => "relying-party",
            Self::Viewer => "viewer",
            Self::Operator => "operator",
            Self::Admin => "admin",
        }
    }
}

/// `POST /v1/api-tokens`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct ApiTokenRequest {
    /// Its unique name: the actor in the audit log.
    pub name: String,
    /// What it may do.
    pub role: Role,
    /// Labels that a host must have, all of them, for it to be seen with this token; none: all hosts.
    #[serde(default)]
    pub hosts: Labels,
    /// Seconds for which it is good, [`API_TOKEN_S_MAX`] at most.
    pub expires_in_s: u64,
}

/// The answer to [`ApiTokenRequest`]: the only time that the token itself is shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct NewApiToken {
    /// The token.
    pub token: String,
    /// Its name.
    pub name: String,
    /// When it ends, in milliseconds since 1970.
    pub expires_at_ms: i64,
}

/// `GET /v1/api-tokens`: one token, without its secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ApiToken {
    /// Its name.
    pub name: String,
    /// What it may do.
    pub role: Role,
    /// Labels that a host must have, all of them, for it to be seen with this token; none: all hosts.
    #[serde(default)]
    pub hosts: Labels,
    /// When it was made, in milliseconds since 1970.
    pub created_at_ms: i64,
    /// Who made it; empty where that is not known.
    pub created_by: String,
    /// When it was used last, in milliseconds since 1970, to within ten minutes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_used_at_ms: Option<i64>,
    /// When it ends, in milliseconds since 1970; absent: never.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at_ms: Option<i64>,
}

/// `GET /v1/whoami`: who asks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct WhoAmI {
    /// The actor in the audit log.
    pub actor: String,
    /// What it may do.
    pub role: Role,
    /// Labels that a host must have, all of them, for it to be seen; none: all hosts.
    #[serde(default)]
    pub hosts: Labels,
    /// When what was shown ends, in milliseconds since 1970; absent: never.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at_ms: Option<i64>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_look_the_same_to_everybody() {
        for good in ["alice", "7", "ci-4711", "administrator@node.example", &"a".repeat(64)] {
            assert_eq!(name_fault(good), None, "{good}");
        }
        let long = "a".repeat(65);
        for bad in ["", "-a", ".a", "a b", "a/b", "host:x", "server", "\u{430}lice", "a\n", &long] {
            assert!(name_fault(bad).is_some(), "{bad}");
        }
    }
}
