//! Sessions of people: begun with a password, ended by themselves, by a person, or by a change of what
//! they rest on.

use std::{net::IpAddr, time::Instant};

use api::people::{
    LoginRequest, LoginWays, PasswordRequest, Session as SessionView, SessionBegun, ShownAs,
    name_fault,
};
use aws_lc_rs::{constant_time, hmac};
use store::{
    By, LoginFailure, NewSession, PasswordState, Role, Session, SessionId, SessionOf,
    StoredPassword,
};
use uuid::Uuid;
use zeroize::Zeroizing;

use super::{
    App, AppError, Caller, HostScope, RefusalKind,
    api_token::role_view,
    password,
    secret::{SESSION_PREFIX, new_token, token_sha256},
};

/// Milliseconds after which the use of a session is noted again, unless it would end by then for not
/// being used: each note is a change on disk.
const NOTE_USE_MS: i64 = 60_000;

/// The name under which tries of the setup code are counted: no account has it.
pub(super) const SETUP_TRIES: &str = ":setup";

/// A session that has begun, and what shows it.
pub struct Begun {
    /// For the client.
    pub view: SessionBegun,
    /// What shows it.
    pub secret: Zeroizing<String>,
}

impl Begun {
    /// Puts the secret into the answer where it is shown as a token.
    pub(crate) fn shown_as(mut self, shown_as: ShownAs) -> Self {
        if shown_as == ShownAs::Token {
            self.view.token = Some(self.secret.to_string());
        }
        self
    }
}

/// A session to begin.
pub(super) struct NewLogin {
    /// One of its own, by which it begins once.
    pub(super) id: SessionId,
    pub(super) of: SessionOf,
    /// What its person may do at this moment.
    pub(super) role: Role,
    pub(super) password: PasswordState,
    /// From where.
    pub(super) address: IpAddr,
}

/// An identifier that nothing follows from.
pub(super) fn new_session_id() -> SessionId {
    Uuid::new_v4().to_string().into()
}

/// The session of somebody who asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Of {
    pub(crate) id: SessionId,
    pub(crate) account: Option<String>,
    pub(crate) csrf_token: String,
    pub(crate) password: PasswordState,
}

/// What a page shows beside its cookie. It follows from the session's secret and does not lead back to it.
pub(crate) fn csrf_token(secret: &str) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
    hex::encode(hmac::sign(&key, b"bootproof csrf"))
}

/// Whether `shown` is the token of the session with this secret.
pub(crate) fn is_csrf_token(shown: &str, secret: &str) -> bool {
    constant_time::verify_slices_are_equal(shown.as_bytes(), csrf_token(secret).as_bytes()).is_ok()
}

fn login_failed() -> AppError {
    AppError::refused(
        RefusalKind::Unauthenticated,
        "login-failed",
        "name and password do not belong to an account that lets somebody in",
        "an administrator gives another password with `bootproof user password NAME`",
    )
}

impl App {
    /// How one can log in.
    pub async fn login_ways(&self) -> Result<LoginWays, AppError> {
        let setup_open = self.store.is_setup_open().await?;
        let (oidc, oidc_login) = self.way_by_provider().unzip();
        Ok(LoginWays { setup_open, oidc, oidc_login })
    }

    /// Logs a person in.
    pub async fn log_in(&self, request: LoginRequest, address: IpAddr) -> Result<Begun, AppError> {
        let LoginRequest { name, password, shown_as } = request;
        let password = Zeroizing::new(password);
        let begun = self.log_in_with(&name, password, address).await?;
        Ok(begun.shown_as(shown_as))
    }

    async fn log_in_with(
        &self,
        name: &str,
        password: Zeroizing<String>,
        address: IpAddr,
    ) -> Result<Begun, AppError> {
        // What can be no name is counted as one: it may be a password in the wrong field.
        let counted = if name_fault(name).is_none() { name } else { ":no name" };
        self.login_rate.begin(counted, address, Instant::now())?;
        let user = match counted == name {
            true => self.store.user(name).await?,
            false => None,
        };
        let phc = user.as_ref().map(|user| user.password.phc.clone());
        let account = user.as_ref().map(|user| user.name.clone());
        let fits = self.passwords.is(password, phc).await?;
        let by_now = self.store.now_ms().await?;
        let Some(user) = user.filter(|user| fits && !user.state.is_disabled()) else {
            self.note_login_failure(account, address, by_now).await?;
            return Err(login_failed());
        };
        let of = SessionOf::Account { name: user.name.clone(), phc: user.password.phc };
        let by = By::new(format!("user:{}", user.name), by_now);
        let (id, role, password) = (new_session_id(), user.role, user.password.state);
        let begun = self.begin_session(NewLogin { id, of, role, password, address }, by).await?;
        self.login_rate.was_right(counted, address, Instant::now());
        tracing::info!(user = user.name, %address, "logged in");
        Ok(begun)
    }

    /// Tells of somebody who was not let in.
    pub(super) async fn note_login_failure(
        &self,
        account: Option<String>,
        address: IpAddr,
        now_ms: i64,
    ) -> Result<(), AppError> {
        let Some(n_more) = self.login_log.row(Instant::now()) else { return Ok(()) };
        tracing::warn!(account, %address, n_more, "login failed");
        let subject = account.map(|account| format!("user:{account}"));
        let failure = LoginFailure { subject, address: address.to_string(), n_more, reason: None };
        Ok(self.store.note_login_failure(failure, By::new("server", now_ms)).await?)
    }

    /// Begins a session.
    pub(super) async fn begin_session(&self, login: NewLogin, by: By) -> Result<Begun, AppError> {
        let NewLogin { id, of, role, password, address } = login;
        let secret = new_token(SESSION_PREFIX)?;
        let lasts_ms =
            i64::try_from(self.rules().config.session_s).unwrap_or(0).saturating_mul(1000);
        let expires_at_ms = by.at_ms.saturating_add(lasts_ms);
        let actor = by.actor.clone();
        let session = NewSession {
            id,
            secret_sha256: token_sha256(&secret),
            of,
            address: address.to_string(),
            expires_at_ms,
        };
        self.store.begin_session(session, by).await?;
        self.guess_rate.was_right(token_sha256(&secret));
        let view = SessionBegun {
            actor,
            role: role_view(role),
            must_change_password: password.must_change(),
            expires_at_ms,
            idle_s: self.rules().config.session_idle_s,
            csrf_token: csrf_token(&secret),
            token: None,
        };
        Ok(Begun { view, secret })
    }

    /// The caller whose session has this secret.
    pub(super) async fn caller_of_session(
        &self,
        secret: &str,
        now_ms: i64,
    ) -> Result<Option<Caller>, AppError> {
        let used_after_ms = self.used_after_ms(now_ms);
        let digest = token_sha256(secret);
        let found = self.store.session_by_sha256(digest, now_ms, used_after_ms).await?;
        let Some(session) = found else { return Ok(None) };
        let note_ms = NOTE_USE_MS.min((now_ms - used_after_ms) / 10);
        if now_ms.saturating_sub(session.used_at_ms) > note_ms
            && let Err(err) = self.store.note_session_used(&session.id, now_ms).await
        {
            tracing::debug!(%err, "the use of a session was not noted");
        }
        let Session { id, actor, account, role, hosts, password, expires_at_ms, .. } = session;
        Ok(Some(Caller {
            by: By::new(actor, now_ms),
            role,
            hosts: HostScope::new(hosts),
            expires_at_ms: Some(expires_at_ms),
            session: Some(Of { id, account, csrf_token: csrf_token(secret), password }),
        }))
    }

    fn used_after_ms(&self, now_ms: i64) -> i64 {
        let idle_ms =
            i64::try_from(self.rules().config.session_idle_s).unwrap_or(0).saturating_mul(1000);
        now_ms.saturating_sub(idle_ms)
    }

    /// Ends the session of who asks.
    pub async fn log_out(&self, caller: &Caller) -> Result<(), AppError> {
        let session = caller.session.as_ref().ok_or_else(no_session)?;
        Ok(self.store.end_session(&session.id, None, caller.by.clone()).await?)
    }

    /// The sessions of who asks, or for an administrator everybody's.
    pub async fn sessions(
        &self,
        caller: &Caller,
        whose: Whose,
    ) -> Result<Vec<SessionView>, AppError> {
        if whose == Whose::Everybodys {
            caller.require(Role::Admin)?;
        }
        let now_ms = caller.by.at_ms;
        let all = self.store.sessions(now_ms, self.used_after_ms(now_ms)).await?;
        let is_meant = |session: &Session| {
            whose == Whose::Everybodys
                || (caller.session.is_some() && session.actor == caller.by.actor)
        };
        let this = caller.session.as_ref().map(|session| &session.id);
        let view = |session: Session| SessionView {
            is_this: this == Some(&session.id),
            id: session.id.to_string(),
            actor: session.actor,
            role: role_view(session.role),
            address: session.address,
            begun_at_ms: session.begun_at_ms,
            used_at_ms: session.used_at_ms,
            expires_at_ms: session.expires_at_ms,
        };
        Ok(all.into_iter().filter(is_meant).map(view).collect())
    }

    /// Ends a session: one of who asks, or for an administrator anybody's.
    pub async fn end_session(&self, id: &str, caller: &Caller) -> Result<(), AppError> {
        let of = match caller.role {
            Role::Admin => None,
            _ => Some(caller.by.actor.as_str()),
        };
        Ok(self.store.end_session(&SessionId::from(id), of, caller.by.clone()).await?)
    }

    /// Changes the password of who asks. All sessions of the account end, and one begins.
    pub async fn change_own_password(
        &self,
        caller: &Caller,
        request: PasswordRequest,
        address: IpAddr,
    ) -> Result<Begun, AppError> {
        let (old, new) = (Zeroizing::new(request.old), Zeroizing::new(request.new));
        let session = caller.session.as_ref().ok_or_else(no_session)?;
        let account = session.account.as_deref().ok_or_else(no_session)?;
        self.login_rate.begin(account, address, Instant::now())?;
        let user = self.store.user(account).await?.ok_or_else(AppError::unauthenticated)?;
        if !self.passwords.is(old.clone(), Some(user.password.phc)).await? {
            let known = Some(user.name);
            self.note_login_failure(known, address, caller.by.at_ms).await?;
            return Err(AppError::plain(
                RefusalKind::Forbidden,
                "password-wrong",
                "this is not the present password",
            ));
        }
        self.login_rate.was_right(account, address, Instant::now());
        if old == new {
            let title = "the new password is the present one";
            return Err(AppError::plain(RefusalKind::Invalid, "password-invalid", title));
        }
        let phc = self.choose_password(account, new).await?;
        let state = PasswordState::Chosen;
        let stored = StoredPassword { phc: phc.clone(), state };
        self.store.set_password(account, stored, caller.by.clone()).await?;
        let of = SessionOf::Account { name: account.to_owned(), phc };
        let (id, role) = (new_session_id(), user.role);
        let login = NewLogin { id, of, role, password: state, address };
        self.begin_session(login, caller.by.clone()).await
    }

    /// What is kept of a password that somebody chooses for `account`.
    pub(super) async fn choose_password(
        &self,
        account: &str,
        password: Zeroizing<String>,
    ) -> Result<String, AppError> {
        match password::fault(&password, account) {
            Some(fault) => Err(AppError::refused(
                RefusalKind::Invalid,
                "password-invalid",
                fault,
                "some words that do not belong together are long, and easy to remember",
            )),
            None => self.passwords.hash(password).await,
        }
    }

    /// Refuses a name that no account can have.
    pub(super) fn check_account_name(name: &str) -> Result<(), AppError> {
        match name_fault(name) {
            Some(fault) => Err(AppError::plain(RefusalKind::Invalid, "name-invalid", fault)),
            None => Ok(()),
        }
    }
}

/// Whose sessions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Whose {
    /// Those of who asks.
    Own,
    /// All.
    Everybodys,
}

fn no_session() -> AppError {
    AppError::refused(
        RefusalKind::Conflict,
        "no-session",
        "this is for people who have logged in with a password; a token was shown",
        "`bootproof login NAME`",
    )
}
