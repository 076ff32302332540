//! Accounts of people, and their sessions. Of passwords and secrets only what proves them is stored.

use super::text_id;
use crate::{By, Labels, Reply, Role, Sha256};

text_id!(
    /// A session's public identifier: shown in lists, and good for nothing but to end it.
    SessionId
);

/// What a person must do before anything else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PasswordState {
    /// It was chosen by its owner.
    Chosen,
    /// Somebody else gave it, so that it must be changed.
    Given,
}

impl PasswordState {
    /// Whether it must be changed.
    #[must_use]
    pub fn must_change(self) -> bool {
        self == Self::Given
    }

    pub(crate) fn from_must_change(must_change: bool) -> Self {
        if must_change { Self::Given } else { Self::Chosen }
    }
}

/// Whether an account lets its person in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AccountState {
    /// It does.
    Enabled,
    /// It does not, until somebody enables it.
    Disabled,
}

impl AccountState {
    /// Whether it does not.
    #[must_use]
    pub fn is_disabled(self) -> bool {
        self == Self::Disabled
    }

    pub(crate) fn from_disabled(disabled: bool) -> Self {
        if disabled { Self::Disabled } else { Self::Enabled }
    }
}

/// A password, as it is kept.
#[derive(Clone, PartialEq, Eq)]
pub struct StoredPassword {
    /// A salted, slow hash of it, in the PHC format.
    pub phc: String,
    /// Who chose it.
    pub state: PasswordState,
}

impl std::fmt::Debug for StoredPassword {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StoredPassword").field("state", &self.state).finish_non_exhaustive()
    }
}

/// An account to add.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewUser {
    /// Its unique name.
    pub name: String,
    /// What its person may do.
    pub role: Role,
    /// Its password.
    pub password: StoredPassword,
}

/// An account as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// Its name.
    pub name: String,
    /// What its person may do.
    pub role: Role,
    /// Its password.
    pub password: StoredPassword,
    /// Whether it lets its person in.
    pub state: AccountState,
    /// When it was made.
    pub created_at_ms: i64,
    /// Who made it.
    pub created_by: String,
    /// When its password was set.
    pub password_at_ms: i64,
}

/// What is to change of an account; `None` stays.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct UserChange {
    /// What its person may do.
    pub role: Option<Role>,
    /// Whether it lets its person in.
    pub state: Option<AccountState>,
}

/// Whose session it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SessionOf {
    /// A person with an account, who has shown its password.
    Account {
        /// The account's name.
        name: String,
        /// The hash that the password was compared with: it may have changed since.
        phc: String,
    },
    /// A person of whom somebody else vouches.
    Vouched {
        /// What the audit log calls it.
        actor: String,
        /// What it may do, for as long as the session lasts.
        role: Role,
        /// Labels that a host must have for it to be seen; none: all hosts.
        hosts: Labels,
        /// Who vouches, and what the person is called there: names change hands, this does not.
        voucher: Voucher,
    },
}

/// Who vouches for a person, and by what name that is never another's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Voucher {
    /// Who vouches: the issuer of an identity provider.
    pub issuer: String,
    /// The person's identifier there, which no other person gets.
    pub subject: String,
    /// What its own session of the person is called there, where it says so.
    pub sid: Option<String>,
    /// When it vouched: whom it logged out since is let in no more.
    pub at_ms: i64,
}

/// Sessions of people whom an identity provider vouched for. Of a person and a session both must fit, and a session that
/// has no name there fits as any of its person; of neither, there is none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VouchedSessions {
    /// Who vouched.
    pub issuer: String,
    /// The person.
    pub subject: Option<String>,
    /// The session there.
    pub sid: Option<String>,
}

/// A session to begin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewSession {
    /// A new identifier.
    pub id: SessionId,
    /// Digest of its secret.
    pub secret_sha256: Sha256,
    /// Whose it is.
    pub of: SessionOf,
    /// Where it was begun.
    pub address: String,
    /// When it ends at the latest.
    pub expires_at_ms: i64,
}

/// A session that is good.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// Its identifier.
    pub id: SessionId,
    /// What the audit log calls its person.
    pub actor: String,
    /// The account, where its person has one.
    pub account: Option<String>,
    /// What its person may do now.
    pub role: Role,
    /// Labels that a host must have for it to be seen; none: all hosts.
    pub hosts: Labels,
    /// Who chose the account's password.
    pub password: PasswordState,
    /// Where it was begun.
    pub address: String,
    /// When it was begun.
    pub begun_at_ms: i64,
    /// When it was used last, as far as [`crate::People::note_session_used`] was told.
    pub used_at_ms: i64,
    /// When it ends at the latest.
    pub expires_at_ms: i64,
}

/// Attempts to log in that failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoginFailure {
    /// What the audit log calls the person whom it was about; `None`: nobody that is known.
    pub subject: Option<String>,
    /// From where.
    pub address: String,
    /// How many more there were since the last one that was noted.
    pub n_more: u32,
    /// Why, where it was no wrong password.
    pub reason: Option<String>,
}

/// What audit rows call an account, and the person who has it.
pub(crate) fn user_subject(name: &str) -> String {
    format!("user:{name}")
}

/// What an audit row says of a failed login. A name that is no account's may be a password that somebody
/// typed into the wrong field.
pub(crate) fn failure_detail(failure: &LoginFailure) -> (String, serde_json::Value) {
    let LoginFailure { subject, address, n_more, reason } = failure;
    let detail = match reason {
        None => serde_json::json!({ "address": address, "n_more": n_more }),
        Some(reason) => {
            serde_json::json!({ "address": address, "n_more": n_more, "reason": reason })
        }
    };
    (subject.clone().unwrap_or_else(|| "unknown".to_owned()), detail)
}

/// What an audit row says of a session that begins.
pub(crate) fn session_detail(session: &NewSession) -> serde_json::Value {
    let (address, id) = (&session.address, session.id.as_str());
    match &session.of {
        SessionOf::Account { .. } => serde_json::json!({ "address": address, "id": id }),
        SessionOf::Vouched { role, voucher: Voucher { issuer, subject, .. }, .. } => {
            serde_json::json!({
                "address": address, "id": id, "issuer": issuer, "sub": subject, "role": role.as_str(),
            })
        }
    }
}

/// What a store does with accounts, and with sessions of people: a part of
/// [`crate::Store`].
pub trait People {
    /// Adds an account. [`Conflict::NameTaken`](crate::Conflict::NameTaken) if its name is in use.
    fn add_user(&self, user: NewUser, by: By) -> Reply<'_, ()>;
    /// One account.
    fn user(&self, name: &str) -> Reply<'_, Option<User>>;
    /// All accounts by name.
    fn users(&self) -> Reply<'_, Vec<User>>;
    /// Changes an account, and ends its sessions if anything is another one then.
    /// [`Conflict::LastAdministrator`](crate::Conflict::LastAdministrator) where no enabled account of an administrator would be left.
    fn change_user(&self, name: &str, change: UserChange, by: By) -> Reply<'_, ()>;
    /// Sets the password of an account, and ends its sessions.
    fn set_password(&self, name: &str, password: StoredPassword, by: By) -> Reply<'_, ()>;
    /// Removes an account with its sessions. [`Conflict::LastAdministrator`](crate::Conflict::LastAdministrator) as above.
    fn remove_user(&self, name: &str, by: By) -> Reply<'_, ()>;
    /// Keeps the digest of a code by which the first account can be made, in the place of any before;
    /// `false` where there is an account, and so no need for one.
    fn keep_setup_code(&self, code_sha256: Sha256, at_ms: i64) -> Reply<'_, bool>;
    /// Whether the first account can be made by a code.
    fn is_setup_open(&self) -> Reply<'_, bool>;
    /// Adds the first account, and ends the code. [`Conflict::SetupCode`](crate::Conflict::SetupCode) where it is not the code.
    fn set_up(&self, code_sha256: Sha256, user: NewUser, by: By) -> Reply<'_, ()>;
    /// Begins a session; one of an account only if the password is still the one that was shown, and
    /// the account is not disabled ([`Conflict::AccountChanged`](crate::Conflict::AccountChanged)). Of two with one identifier the second
    /// does not begin ([`Conflict::LoginUsed`](crate::Conflict::LoginUsed)), nor does one of a person whom the provider logged out since it
    /// vouched ([`Conflict::LoggedOut`](crate::Conflict::LoggedOut)). Of more than [`SESSIONS_PER_PERSON_MAX`](crate::SESSIONS_PER_PERSON_MAX) the oldest end.
    fn begin_session(&self, session: NewSession, by: By) -> Reply<'_, ()>;
    /// The session whose secret has this digest, where it has not ended at `now_ms` and was used after
    /// `used_after_ms`, and its account is not disabled.
    fn session_by_sha256(
        &self,
        secret_sha256: Sha256,
        now_ms: i64,
        used_after_ms: i64,
    ) -> Reply<'_, Option<Session>>;
    /// All sessions that are good in that sense, by person, the newest first; at most
    /// [`HISTORY_PAGE_MAX`](crate::HISTORY_PAGE_MAX).
    fn sessions(&self, now_ms: i64, used_after_ms: i64) -> Reply<'_, Vec<Session>>;
    /// A session was used at `at_ms`. Say it now and then: it is a change on disk.
    fn note_session_used(&self, id: &SessionId, at_ms: i64) -> Reply<'_, ()>;
    /// Ends a session: anybody's, or one of `actor`.
    fn end_session(&self, id: &SessionId, actor: Option<&str>, by: By) -> Reply<'_, ()>;
    /// Ends sessions that an identity provider vouched for, also those that are yet to begin by its word of before, and
    /// says how many had begun.
    fn end_vouched_sessions(&self, which: VouchedSessions, by: By) -> Reply<'_, u32>;
    /// Somebody could not log in. Audited: say how many there were instead of each, when there are many.
    fn note_login_failure(&self, failure: LoginFailure, by: By) -> Reply<'_, ()>;
}
