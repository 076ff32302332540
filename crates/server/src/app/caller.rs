//! Who asks, what it may do, and of which hosts it may know.

use std::{
    net::{IpAddr, Ipv4Addr},
    time::Instant,
};

use api::people::WhoAmI;
use store::{By, HostId, Labels, Role};

use super::{
    App, AppError, RefusalKind, api_token,
    secret::{SESSION_PREFIX, token_sha256},
    session,
};
use crate::metrics::TokenKind;

/// Milliseconds after which the use of a token is noted again: who looks whether anybody still uses it
/// thinks in days, and each note is a change on disk.
const NOTE_USE_MS: i64 = 10 * 60 * 1000;

/// The hosts of which somebody may know.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HostScope(Labels);

impl HostScope {
    /// Those that have all these labels; none: all hosts.
    pub(crate) const fn new(labels: Labels) -> Self {
        Self(labels)
    }

    /// Whether it is all hosts.
    pub fn is_fleet(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether a host with these labels is one of them.
    pub(super) fn has(&self, labels: &Labels) -> bool {
        self.0.iter().all(|(key, value)| labels.get(key) == Some(value))
    }

    /// The labels that make a host one of them.
    pub(super) const fn labels(&self) -> &Labels {
        &self.0
    }

    /// Refuses who may not know of all hosts.
    pub(crate) fn require_fleet(&self) -> Result<(), AppError> {
        if self.is_fleet() {
            return Ok(());
        }
        let labels: Vec<_> = self.0.iter().map(|(key, value)| format!("{key}={value}")).collect();
        Err(AppError::refused(
            RefusalKind::Forbidden,
            "token-is-limited",
            format!("the token is for hosts with {} alone", labels.join(",")),
            "name a host, where that can be done, or use a token for all hosts",
        ))
    }
}

/// Who asks.
#[derive(Debug, Clone)]
pub struct Caller {
    /// Its name in the audit log, and when it asks.
    pub by: By,
    /// What it may do.
    pub role: Role,
    /// Of which hosts it may know.
    pub hosts: HostScope,
    /// When what it showed is void.
    pub expires_at_ms: Option<i64>,
    /// The session, where it showed one.
    pub(crate) session: Option<session::Of>,
}

impl Caller {
    /// Refuses who has a lower role than `needed`, and who must choose a password first.
    pub fn require(&self, needed: Role) -> Result<(), AppError> {
        if self.must_change_password() {
            return Err(AppError::refused(
                RefusalKind::Forbidden,
                "password-must-change",
                "somebody else gave you this password: choose one of your own first",
                "`bootproof user password`, or the page on which one logs in",
            ));
        }
        require(self.role, needed)
    }
}

impl Caller {
    fn must_change_password(&self) -> bool {
        self.session.as_ref().is_some_and(|session| session.password.must_change())
    }
}

impl App {
    /// Who shows this token, a program's or a session's, at `address`.
    pub async fn authenticate(&self, token: &str, address: IpAddr) -> Result<Caller, AppError> {
        let sha256 = token_sha256(token);
        self.guess_rate.admit(&sha256, address, Instant::now())?;
        let now_ms = self.store.now_ms().await?;
        if token.starts_with(SESSION_PREFIX) {
            let caller = self.caller_of_session(token, now_ms).await?;
            self.was_shown(TokenKind::Session, sha256, caller.as_ref(), address);
            return caller.ok_or_else(AppError::no_session_any_more);
        }
        let known = self.store.api_token_by_sha256(sha256, now_ms).await?;
        self.was_shown(TokenKind::Api, sha256, known.as_ref(), address);
        let known = known.ok_or_else(AppError::unauthenticated)?;
        if known.last_used_at_ms.is_none_or(|last_ms| now_ms.saturating_sub(last_ms) > NOTE_USE_MS)
            && let Err(err) = self.store.note_api_token_used(&known.name, now_ms).await
        {
            // A disk that is full holds up nobody who only looks.
            tracing::debug!(%err, "the use of a token was not noted");
        }
        Ok(Caller {
            by: By::new(known.name, now_ms),
            role: known.role,
            hosts: HostScope::new(known.hosts),
            expires_at_ms: known.expires_at_ms,
            session: None,
        })
    }

    /// Whether `token` is one of an administrator.
    pub async fn is_administrator(&self, token: &str) -> Result<bool, AppError> {
        // The server's own file shows it.
        match self.authenticate(token, Ipv4Addr::LOCALHOST.into()).await {
            Ok(caller) => Ok(caller.role == Role::Admin),
            Err(AppError::Refused(_)) => Ok(false),
            Err(err) => Err(err),
        }
    }

    /// Refuses a host of which nobody of this scope may know, in the words for one that is not there.
    pub async fn require_host(&self, hosts: &HostScope, id: &str) -> Result<(), AppError> {
        if hosts.is_fleet() {
            return Ok(());
        }
        let host = self.find(&HostId::from(id)).await?;
        if hosts.has(&host.labels) { Ok(()) } else { Err(AppError::no_host(id)) }
    }

    /// Who asks, for it to read.
    pub fn who_am_i(&self, caller: &Caller) -> WhoAmI {
        WhoAmI {
            actor: caller.by.actor.clone(),
            role: api_token::role_view(caller.role),
            hosts: caller.hosts.labels().clone(),
            expires_at_ms: caller.expires_at_ms,
            must_change_password: caller.must_change_password(),
            csrf_token: caller.session.as_ref().map(|session| session.csrf_token.clone()),
        }
    }
}

/// Refuses who has a lower role than `needed`.
pub(super) fn require(role: Role, needed: Role) -> Result<(), AppError> {
    if rank(role) >= rank(needed) {
        return Ok(());
    }
    Err(AppError::refused(
        RefusalKind::Forbidden,
        "role-too-low",
        format!("this needs the role {needed}; the token has {role}"),
        "use a token of that role",
    ))
}

/// Each role may do what those before it may.
const fn rank(role: Role) -> u8 {
    match role {
        Role::RelyingParty => 0,
        Role::Viewer => 1,
        Role::Operator => 2,
        Role::Admin => 3,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(pairs: &[(&str, &str)]) -> Labels {
        pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn a_host_must_have_all_labels() {
        let scope = HostScope::new(labels(&[("site", "muc"), ("rack", "7")]));
        assert!(scope.has(&labels(&[("site", "muc"), ("rack", "7"), ("a", "b")])));
        assert!(!scope.has(&labels(&[("site", "muc")])));
        assert!(!scope.has(&labels(&[("site", "muc"), ("rack", "8")])));
        assert!(!scope.has(&Labels::new()));
        assert!(scope.require_fleet().is_err());
        assert!(HostScope::default().has(&Labels::new()));
        assert!(HostScope::default().require_fleet().is_ok());
    }
}
