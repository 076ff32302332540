//! Who may do what: accounts, sessions, tokens of programs.

use api::people::{ApiToken, NewApiToken, Role, Session, User};
use askama::Template;

use crate::frame::Frame;

/// The page.
#[derive(Debug, Template)]
#[template(path = "people.html")]
pub struct People {
    /// What stands around it.
    pub frame: Frame,
    /// Accounts; none where who looks may not see them.
    pub users: Vec<User>,
    /// Sessions: one's own, or for administrators everybody's.
    pub sessions: Vec<Session>,
    /// Tokens of programs; none where who looks may not see them.
    pub tokens: Vec<ApiToken>,
    /// What was filled in for an account that was not made.
    pub user_draft: UserDraft,
    /// What was filled in for a token that was not made.
    pub token_draft: TokenDraft,
}

/// An account that is to be made, without its password: who may makes one is asked for it once more.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UserDraft {
    /// Its name.
    pub name: String,
    /// What it may do: a word of [`Role`].
    pub role: String,
}

/// A token that is to be made.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TokenDraft {
    /// Its name.
    pub name: String,
    /// What it may do: a word of [`Role`].
    pub role: String,
    /// Labels of the hosts that it is for.
    pub hosts: String,
    /// Days for which it is good.
    pub days: String,
}

impl People {
    /// Roles that an account may have.
    fn user_roles(&self) -> [Role; 3] {
        [Role::Viewer, Role::Operator, Role::Admin]
    }

    /// Roles that a token may have.
    fn token_roles(&self) -> [Role; 4] {
        [Role::RelyingParty, Role::Viewer, Role::Operator, Role::Admin]
    }

    fn days(&self) -> &str {
        if self.token_draft.days.is_empty() { "90" } else { &self.token_draft.days }
    }
}

/// What a role may do, in a line.
pub(crate) const fn may(role: &Role) -> &'static str {
    match role {
        Role::RelyingParty => "relying party: fetch results of hosts that it can name",
        Role::Viewer => "viewer: look",
        Role::Operator => "operator: look, attest, label, acknowledge",
        Role::Admin => "admin: everything",
    }
}

/// A token that was just made: the only time that it is shown.
#[derive(Debug, Template)]
#[template(path = "api_token.html")]
pub struct NewToken {
    /// What stands around it.
    pub frame: Frame,
    /// The token.
    pub token: NewApiToken,
}
