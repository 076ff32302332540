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
    #[cfg_attr(feature = "schema", schemars(length(min = 1, max = NAME_CHARS_MAX), regex(pattern = r"^[0-9A-Za-z][0-9A-Za-z._@-]*$")))]
    pub name: String,
    /// What it may do.
    pub role: Role,
    /// Labels that a host must have, all of them, for it to be seen with this token; none: all hosts.
    #[serde(default)]
    pub hosts: Labels,
    /// Seconds for which it is good, [`API_TOKEN_S_MAX`] at most.
    #[cfg_attr(feature = "schema", schemars(range(min = 1, max = API_TOKEN_S_MAX)))]
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
    /// Whether the password must be changed before anything else.
    #[serde(default)]
    pub must_change_password: bool,
    /// What requests that change something show in the header `X-CSRF-Token`, where a session was shown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub csrf_token: Option<String>,
}

/// How what begins a session is shown later.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum ShownAs {
    /// By a browser, as a cookie that no script can read.
    #[default]
    Cookie,
    /// By a program, as a token in the header `Authorization`.
    Token,
}

/// `POST /v1/session`: log in.
#[derive(Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct LoginRequest {
    /// The account.
    pub name: String,
    /// Its password.
    pub password: String,
    /// How the session is shown later.
    #[serde(default)]
    pub shown_as: ShownAs,
}

/// The answer to what begins a session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct SessionBegun {
    /// What the audit log calls the person.
    pub actor: String,
    /// What the person may do.
    pub role: Role,
    /// Whether the password must be changed before anything else.
    pub must_change_password: bool,
    /// When it ends at the latest, in milliseconds since 1970.
    pub expires_at_ms: i64,
    /// Seconds without a request after which it ends.
    pub idle_s: u64,
    /// What requests that change something show in the header `X-CSRF-Token`, where the session is
    /// shown as a cookie.
    pub csrf_token: String,
    /// The token, where it is shown as one: the only time that it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<String>,
}

/// `POST /v1/setup`: make the first account, an administrator's, and log in.
#[derive(Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct SetupRequest {
    /// The code that the server printed.
    pub code: String,
    /// The account's name.
    pub name: String,
    /// Its password.
    pub password: String,
    /// How the session is shown later.
    #[serde(default)]
    pub shown_as: ShownAs,
}

/// `POST /v1/password`: change one's own password. All sessions end, and one begins.
#[derive(Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct PasswordRequest {
    /// The present one.
    pub old: String,
    /// The new one.
    pub new: String,
}

/// `GET /v1/login`: how one can log in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct LoginWays {
    /// Whether the first account is still to be made.
    pub setup_open: bool,
    /// What the provider of identities is called, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub oidc: Option<String>,
    /// Where a browser begins a login there: an address of this server under the name that the provider
    /// knows it by, which may be another one than it was asked under. Cookies are of one name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub oidc_login: Option<String>,
}

/// The query of `GET /v1/sessions`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct SessionsQuery {
    /// Everybody's, for administrators.
    #[serde(default)]
    pub all: bool,
}

/// `GET /v1/sessions`: one session, without its secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Session {
    /// Its identifier.
    pub id: String,
    /// What the audit log calls the person.
    pub actor: String,
    /// What the person may do.
    pub role: Role,
    /// Where it was begun.
    pub address: String,
    /// When it was begun, in milliseconds since 1970.
    pub begun_at_ms: i64,
    /// When it was used last, in milliseconds since 1970, to within a minute.
    pub used_at_ms: i64,
    /// When it ends at the latest, in milliseconds since 1970.
    pub expires_at_ms: i64,
    /// Whether it is the one that asks.
    pub is_this: bool,
}

/// `POST /v1/users`: add an account.
#[derive(Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct UserRequest {
    /// Its unique name.
    pub name: String,
    /// What its person may do.
    pub role: Role,
    /// Its first password, which its person must change.
    pub password: String,
}

/// `POST /v1/users/{name}`: change an account; what is absent stays. A change ends its sessions.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct UserChangeRequest {
    /// What its person may do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<Role>,
    /// Whether it lets nobody in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disabled: Option<bool>,
}

/// `POST /v1/users/{name}/password`: give an account another password, which its person must change. Its
/// sessions end.
#[derive(Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct GivenPasswordRequest {
    /// The password.
    pub password: String,
}

/// `GET /v1/users`: one account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct User {
    /// Its name.
    pub name: String,
    /// What its person may do.
    pub role: Role,
    /// Whether it lets nobody in.
    pub disabled: bool,
    /// Whether its password must be changed before anything else.
    pub must_change_password: bool,
    /// When it was made, in milliseconds since 1970.
    pub created_at_ms: i64,
    /// Who made it.
    pub created_by: String,
    /// When its password was set, in milliseconds since 1970.
    pub password_at_ms: i64,
}

/// The cookie that shows a session. A browser takes a name with this prefix only over TLS, from this very
/// host, and for all of it. [RFC6265bis §4.1.3.2]
pub const SESSION_COOKIE: &str = "__Host-bootproof";

/// The header in which a request shows that it comes from a page that knows its session.
pub const CSRF_HEADER: &str = "x-csrf-token";

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
