//! Join tokens of hosts, API tokens of people and programs. Only digests of secrets are stored.

use super::{text_id, word_enum};
use crate::{AdmittedEks, By, JoinTokenFault, Labels, Reply, Sha256};

text_id!(
    /// A join token's public identifier.
    JoinTokenId
);

/// Whether what comes by this way must wait for a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ApprovalRule {
    /// It is taken at once.
    NotRequired,
    /// It waits.
    Required,
}
word_enum!(ApprovalRule { NotRequired = "not-required", Required = "required" });

/// What a person or a program may do. Each may do what those before it may.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Get attested results of hosts that it can name, and nothing else.
    RelyingParty,
    /// Look.
    Viewer,
    /// Look, attest, disconnect, reconnect.
    Operator,
    /// Everything.
    Admin,
}
word_enum!(Role {
    RelyingParty = "relying-party", Viewer = "viewer", Operator = "operator", Admin = "admin",
});

/// A join token to add.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewJoinToken {
    /// A new identifier.
    pub id: JoinTokenId,
    /// Digest of its secret.
    pub secret_sha256: Sha256,
    /// From when on it is void.
    pub expires_at_ms: i64,
    /// How many hosts may join with it; `None` is any number.
    pub n_uses_max: Option<i64>,
    /// Whether hosts that join with it wait for a person.
    pub approval: ApprovalRule,
    /// What hosts are labelled with that join with it.
    pub labels: Labels,
    /// Whose endorsement keys it admits.
    pub admitted: AdmittedEks,
    /// A person's words about it.
    pub note: String,
}

/// A join token as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JoinToken {
    /// Its identifier.
    pub id: JoinTokenId,
    /// From when on it is void.
    pub expires_at_ms: i64,
    /// How many hosts may join with it; `None` is any number.
    pub n_uses_max: Option<i64>,
    /// How many have.
    pub n_uses: i64,
    /// Whether hosts that join with it wait for a person.
    pub approval: ApprovalRule,
    /// What hosts are labelled with that join with it.
    pub labels: Labels,
    /// Whose endorsement keys it admits.
    pub admitted: AdmittedEks,
    /// A person's words about it.
    pub note: String,
    /// When it was made.
    pub created_at_ms: i64,
    /// When it was revoked.
    pub revoked_at_ms: Option<i64>,
}

impl JoinToken {
    /// Why it cannot be used at `now_ms`; `None` means it can.
    #[must_use]
    pub fn fault(&self, now_ms: i64) -> Option<JoinTokenFault> {
        if self.revoked_at_ms.is_some() {
            Some(JoinTokenFault::Revoked)
        } else if now_ms >= self.expires_at_ms {
            Some(JoinTokenFault::Expired)
        } else if self.n_uses_max.is_some_and(|max| self.n_uses >= max) {
            Some(JoinTokenFault::UsedUp)
        } else {
            None
        }
    }
}

/// An API token to add.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewApiToken {
    /// Its unique name: the actor in audit rows.
    pub name: String,
    /// Digest of its secret.
    pub secret_sha256: Sha256,
    /// What it may do.
    pub role: Role,
    /// Labels that a host must have, all of them, for it to be seen with this token; none: all hosts.
    pub hosts: Labels,
    /// From when on it is void; `None` is never.
    pub expires_at_ms: Option<i64>,
}

/// An API token as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiToken {
    /// Its name.
    pub name: String,
    /// What it may do.
    pub role: Role,
    /// Labels that a host must have, all of them, for it to be seen with this token; none: all hosts.
    pub hosts: Labels,
    /// When it was made.
    pub created_at_ms: i64,
    /// Who made it; empty where nobody noted that.
    pub created_by: String,
    /// When it was used last, as far as [`crate::Tokens::note_api_token_used`] was told.
    pub last_used_at_ms: Option<i64>,
    /// From when on it is void; `None` is never.
    pub expires_at_ms: Option<i64>,
}

/// What a store does with tokens: those of people and programs, and those that hosts join with: a part of
/// [`crate::Store`].
pub trait Tokens {
    /// Adds an API token. [`Conflict::NameTaken`](crate::Conflict::NameTaken) if its name is in use.
    fn add_api_token(&self, token: NewApiToken, by: By) -> Reply<'_, ()>;
    /// The token whose secret has this digest, unless it has expired at `now_ms`.
    fn api_token_by_sha256(
        &self,
        secret_sha256: Sha256,
        now_ms: i64,
    ) -> Reply<'_, Option<ApiToken>>;
    /// All API tokens by name.
    fn api_tokens(&self) -> Reply<'_, Vec<ApiToken>>;
    /// An API token was used at `at_ms`. An earlier time than the one known changes nothing. Say it now
    /// and then: it is a change on disk.
    fn note_api_token_used(&self, name: &str, at_ms: i64) -> Reply<'_, ()>;
    /// Removes an API token.
    fn remove_api_token(&self, name: &str, by: By) -> Reply<'_, ()>;
    /// Adds a join token.
    fn add_join_token(&self, token: NewJoinToken, by: By) -> Reply<'_, ()>;
    /// All join tokens, newest first, with those that can no longer be used.
    fn join_tokens(&self) -> Reply<'_, Vec<JoinToken>>;
    /// The join token whose secret has this digest, usable or not: see [`JoinToken::fault`](crate::JoinToken::fault).
    fn join_token_by_sha256(&self, secret_sha256: Sha256) -> Reply<'_, Option<JoinToken>>;
    /// Ends a join token. Hosts that used it stay; a second revocation changes nothing.
    fn revoke_join_token(&self, id: &JoinTokenId, by: By) -> Reply<'_, ()>;
}
