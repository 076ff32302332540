//! Accounts and sessions.

use serde_json::json;
use tokio_postgres::Row;

use super::columns::Columns;
use super::error::is_duplicate;
use super::session::Session as Connection;
use super::transaction::Transaction;
use super::{PostgresStore, lock};
use crate::row::people::{failure_detail, session_detail, user_subject};
use crate::{
    AccountState, By, Conflict, HISTORY_PAGE_MAX, Kind, LoginFailure, NewSession, NewUser,
    PasswordState, People, Reply, Role, SESSIONS_PER_PERSON_MAX, Session, SessionId, SessionOf,
    Sha256, StoreError, StoredPassword, User, UserChange, VOUCHED_MS_MAX, VouchedSessions, Voucher,
};

impl People for PostgresStore {
    fn add_user(&self, user: NewUser, by: By) -> Reply<'_, ()> {
        self.change((user, by), |tx, (user, by)| Box::pin(add(tx, user, by)))
    }

    fn user(&self, name: &str) -> Reply<'_, Option<User>> {
        let name = name.to_owned();
        self.look((name,), |db, (name,)| Box::pin(by_name(db, name)))
    }

    fn users(&self) -> Reply<'_, Vec<User>> {
        self.look((), |db, ()| Box::pin(all(db)))
    }

    fn change_user(&self, name: &str, wanted: UserChange, by: By) -> Reply<'_, ()> {
        let name = name.to_owned();
        self.change((name, wanted, by), |tx, (name, wanted, by)| {
            Box::pin(change(tx, name, *wanted, by))
        })
    }

    fn set_password(&self, name: &str, password: StoredPassword, by: By) -> Reply<'_, ()> {
        let name = name.to_owned();
        self.change((name, password, by), |tx, (name, password, by)| {
            Box::pin(set_password(tx, name, password, by))
        })
    }

    fn remove_user(&self, name: &str, by: By) -> Reply<'_, ()> {
        let name = name.to_owned();
        self.change((name, by), |tx, (name, by)| Box::pin(remove(tx, name, by)))
    }

    fn keep_setup_code(&self, code_sha256: Sha256, at_ms: i64) -> Reply<'_, bool> {
        self.change((code_sha256, at_ms), |tx, (code_sha256, at_ms)| {
            Box::pin(keep_setup_code(tx, code_sha256, *at_ms))
        })
    }

    fn is_setup_open(&self) -> Reply<'_, bool> {
        self.look((), |db, ()| Box::pin(is_setup_open(db)))
    }

    fn set_up(&self, code_sha256: Sha256, user: NewUser, by: By) -> Reply<'_, ()> {
        self.change((code_sha256, user, by), |tx, (code_sha256, user, by)| {
            Box::pin(set_up(tx, code_sha256, user, by))
        })
    }

    fn begin_session(&self, session: NewSession, by: By) -> Reply<'_, ()> {
        self.change((session, by), |tx, (session, by)| Box::pin(begin(tx, session, by)))
    }

    fn session_by_sha256(
        &self,
        secret_sha256: Sha256,
        now_ms: i64,
        used_after_ms: i64,
    ) -> Reply<'_, Option<crate::Session>> {
        self.look((secret_sha256, now_ms, used_after_ms), |db, (sha256, now_ms, used_after_ms)| {
            Box::pin(session_by_sha256(db, sha256, *now_ms, *used_after_ms))
        })
    }

    fn sessions(&self, now_ms: i64, used_after_ms: i64) -> Reply<'_, Vec<crate::Session>> {
        self.look((now_ms, used_after_ms), |db, (now_ms, used_after_ms)| {
            Box::pin(sessions(db, *now_ms, *used_after_ms))
        })
    }

    fn note_session_used(&self, id: &SessionId, at_ms: i64) -> Reply<'_, ()> {
        let id = id.clone();
        self.change((id, at_ms), |tx, (id, at_ms)| Box::pin(note_used(tx, id, *at_ms)))
    }

    fn end_session(&self, id: &SessionId, actor: Option<&str>, by: By) -> Reply<'_, ()> {
        let (id, actor) = (id.clone(), actor.map(str::to_owned));
        self.change((id, actor, by), |tx, (id, actor, by)| {
            Box::pin(end(tx, id, actor.as_deref(), by))
        })
    }

    fn end_vouched_sessions(&self, which: VouchedSessions, by: By) -> Reply<'_, u32> {
        self.change((which, by), |tx, (which, by)| Box::pin(end_vouched(tx, which, by)))
    }

    fn note_login_failure(&self, failure: LoginFailure, by: By) -> Reply<'_, ()> {
        self.change((failure, by), |tx, (failure, by)| Box::pin(note_failure(tx, failure, by)))
    }
}

pub(super) async fn add(tx: &Transaction, user: &NewUser, by: &By) -> Result<(), StoreError> {
    lock::people(tx).await?;
    tx.try_execute(
        "INSERT INTO users (name, role, password_phc, must_change, disabled, created_at_ms,
                            created_by, password_at_ms)
         VALUES ($1, $2, $3, $4, false, $5, $6, $5)",
        &[
            &user.name,
            &user.role.as_str(),
            &user.password.phc,
            &user.password.state.must_change(),
            &by.at_ms,
            &by.actor,
        ],
    )
    .await
    .map_err(|error| match is_duplicate(&error) {
        true => Conflict::NameTaken { name: user.name.clone() }.into(),
        false => StoreError::from(error),
    })?;
    // Whoever has an account needs no code for the first one.
    tx.execute("DELETE FROM setup_code", &[]).await?;
    let detail = json!({ "role": user.role.as_str() });
    tx.audit(by, "user.add", user_subject(&user.name), &detail);
    Ok(())
}

const COLUMNS: &str = "SELECT name, role, password_phc, must_change, disabled, created_at_ms, \
                       created_by, password_at_ms FROM users";

fn user_row(row: &Row) -> Result<User, StoreError> {
    let mut columns = Columns::of(row);
    Ok(User {
        name: columns.take()?,
        role: columns.word(Role::from_word)?,
        password: StoredPassword {
            phc: columns.take()?,
            state: PasswordState::from_must_change(columns.take()?),
        },
        state: AccountState::from_disabled(columns.take()?),
        created_at_ms: columns.take()?,
        created_by: columns.take()?,
        password_at_ms: columns.take()?,
    })
}

pub(super) async fn by_name(db: &Connection, name: &str) -> Result<Option<User>, StoreError> {
    let row = db.row_or_none(&format!("{COLUMNS} WHERE name = $1"), &[&name]).await?;
    row.as_ref().map(user_row).transpose()
}

pub(super) async fn all(db: &Connection) -> Result<Vec<User>, StoreError> {
    db.read(&format!("{COLUMNS} ORDER BY name"), &[], user_row).await
}

pub(super) async fn change(
    tx: &Transaction,
    name: &str,
    change: UserChange,
    by: &By,
) -> Result<(), StoreError> {
    lock::people(tx).await?;
    let user = by_name(tx, name).await?.ok_or(StoreError::NotFound(Kind::User))?;
    let (role, state) = (change.role.unwrap_or(user.role), change.state.unwrap_or(user.state));
    if (role, state) == (user.role, user.state) {
        return Ok(());
    }
    if role != Role::Admin || state.is_disabled() {
        require_another_admin(tx, &user).await?;
    }
    let sql = "UPDATE users SET role = $2, disabled = $3 WHERE name = $1";
    tx.execute(sql, &[&name, &role.as_str(), &state.is_disabled()]).await?;
    end_all_of(tx, name).await?;
    let detail = json!({ "role": role.as_str(), "disabled": state.is_disabled() });
    tx.audit(by, "user.change", user_subject(name), &detail);
    Ok(())
}

pub(super) async fn remove(tx: &Transaction, name: &str, by: &By) -> Result<(), StoreError> {
    lock::people(tx).await?;
    let user = by_name(tx, name).await?.ok_or(StoreError::NotFound(Kind::User))?;
    require_another_admin(tx, &user).await?;
    tx.execute("DELETE FROM users WHERE name = $1", &[&name]).await?;
    // By its name in the audit log, which is that of the next account of this name, too.
    let owner = user_subject(name);
    tx.execute("DELETE FROM host_views WHERE owner = $1", &[&owner]).await?;
    tx.audit(by, "user.remove", user_subject(name), &json!({}));
    Ok(())
}

pub(super) async fn set_password(
    tx: &Transaction,
    name: &str,
    password: &StoredPassword,
    by: &By,
) -> Result<(), StoreError> {
    lock::people(tx).await?;
    let n = tx
        .execute(
            "UPDATE users SET password_phc = $2, must_change = $3, password_at_ms = $4
             WHERE name = $1",
            &[&name, &password.phc, &password.state.must_change(), &by.at_ms],
        )
        .await?;
    if n == 0 {
        return Err(StoreError::NotFound(Kind::User));
    }
    end_all_of(tx, name).await?;
    let detail = json!({ "must_change": password.state.must_change() });
    tx.audit(by, "user.password", user_subject(name), &detail);
    Ok(())
}

/// Refuses to take the last enabled account of an administrator away.
async fn require_another_admin(tx: &Transaction, user: &User) -> Result<(), StoreError> {
    if user.role != Role::Admin || user.state.is_disabled() {
        return Ok(());
    }
    let sql = "SELECT count(*) FROM users WHERE role = 'admin' AND NOT disabled AND name <> $1";
    let n_others: i64 = tx.row(sql, &[&user.name]).await?.try_get(0)?;
    if n_others > 0 { Ok(()) } else { Err(Conflict::LastAdministrator.into()) }
}

async fn end_all_of(tx: &Transaction, name: &str) -> Result<(), StoreError> {
    tx.execute("DELETE FROM sessions WHERE user_name = $1", &[&name]).await.map(drop)
}

pub(super) async fn keep_setup_code(
    tx: &Transaction,
    code: &Sha256,
    at_ms: i64,
) -> Result<bool, StoreError> {
    lock::people(tx).await?;
    let n = tx
        .execute(
            "INSERT INTO setup_code (only_one, code_sha256, made_at_ms)
             SELECT 1, $1, $2 WHERE NOT EXISTS (SELECT 1 FROM users)
             ON CONFLICT (only_one) DO UPDATE SET code_sha256 = $1, made_at_ms = $2",
            &[&code.as_slice(), &at_ms],
        )
        .await?;
    Ok(n > 0)
}

pub(super) async fn is_setup_open(db: &Connection) -> Result<bool, StoreError> {
    Ok(db.row("SELECT EXISTS (SELECT 1 FROM setup_code)", &[]).await?.try_get(0)?)
}

pub(super) async fn set_up(
    tx: &Transaction,
    code: &Sha256,
    user: &NewUser,
    by: &By,
) -> Result<(), StoreError> {
    lock::people(tx).await?;
    let sql = "DELETE FROM setup_code WHERE code_sha256 = $1";
    if tx.execute(sql, &[&code.as_slice()]).await? == 0 {
        return Err(Conflict::SetupCode.into());
    }
    add(tx, user, by).await
}

pub(super) async fn begin(
    tx: &Transaction,
    session: &NewSession,
    by: &By,
) -> Result<(), StoreError> {
    // Whoever changes an account waits for this, or is waited for: no session outlives the change.
    lock::people(tx).await?;
    tx.execute("DELETE FROM sessions WHERE expires_at_ms <= $1", &[&by.at_ms]).await?;
    let (account, actor, role, hosts, voucher) = match &session.of {
        SessionOf::Account { name, phc } => {
            let user = by_name(tx, name).await?;
            let fits = |user: &User| !user.state.is_disabled() && user.password.phc == *phc;
            if !user.as_ref().is_some_and(fits) {
                return Err(Conflict::AccountChanged.into());
            }
            (Some(name), user_subject(name), None, json!({}), None)
        }
        SessionOf::Vouched { actor, role, hosts, voucher } => {
            if is_ended(tx, voucher).await? {
                return Err(Conflict::LoggedOut.into());
            }
            (None, actor.clone(), Some(role.as_str()), json!(hosts), Some(voucher))
        }
    };
    tx.try_execute(
        "INSERT INTO sessions (id, secret_sha256, user_name, actor, role, hosts_json, address,
                               begun_at_ms, used_at_ms, expires_at_ms, issuer, subject, provider_sid)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $8, $9, $10, $11, $12)",
        &[
            &session.id.as_str(),
            &session.secret_sha256.as_slice(),
            &account,
            &actor,
            &role,
            &hosts.to_string(),
            &session.address,
            &by.at_ms,
            &session.expires_at_ms,
            &voucher.map(|voucher| voucher.issuer.as_str()),
            &voucher.map(|voucher| voucher.subject.as_str()),
            &voucher.and_then(|voucher| voucher.sid.as_deref()),
        ],
    )
    .await
    .map_err(|error| match is_duplicate(&error) {
        true => Conflict::LoginUsed.into(),
        false => StoreError::from(error),
    })?;
    tx.execute(
        "DELETE FROM sessions WHERE actor = $1 AND id NOT IN (SELECT id FROM sessions
             WHERE actor = $1 ORDER BY begun_at_ms DESC, id LIMIT $2)",
        &[&actor, &i64::from(SESSIONS_PER_PERSON_MAX)],
    )
    .await?;
    tx.audit(by, "session.begin", actor, &session_detail(session));
    Ok(())
}

const SESSION_COLUMNS: &str = "\
    SELECT sessions.id, actor, user_name, coalesce(sessions.role, users.role), hosts_json, \
    coalesce(users.must_change, false), address, begun_at_ms, used_at_ms, expires_at_ms \
    FROM sessions LEFT JOIN users ON users.name = user_name \
    WHERE NOT coalesce(users.disabled, false) AND expires_at_ms > $1 AND used_at_ms > $2";

fn session_row(row: &Row) -> Result<Session, StoreError> {
    let mut columns = Columns::of(row);
    Ok(Session {
        id: columns.take::<String>()?.into(),
        actor: columns.take()?,
        account: columns.take()?,
        role: columns.word(Role::from_word)?,
        hosts: columns.labels()?,
        password: PasswordState::from_must_change(columns.take()?),
        address: columns.take()?,
        begun_at_ms: columns.take()?,
        used_at_ms: columns.take()?,
        expires_at_ms: columns.take()?,
    })
}

pub(super) async fn session_by_sha256(
    db: &Connection,
    secret_sha256: &Sha256,
    now_ms: i64,
    used_after_ms: i64,
) -> Result<Option<Session>, StoreError> {
    let sql = format!("{SESSION_COLUMNS} AND secret_sha256 = $3");
    let values: super::session::Values<'_> = &[&now_ms, &used_after_ms, &secret_sha256.as_slice()];
    db.row_or_none(&sql, values).await?.as_ref().map(session_row).transpose()
}

pub(super) async fn sessions(
    db: &Connection,
    now_ms: i64,
    used_after_ms: i64,
) -> Result<Vec<Session>, StoreError> {
    let sql = format!("{SESSION_COLUMNS} ORDER BY actor, begun_at_ms DESC, sessions.id LIMIT $3");
    db.read(&sql, &[&now_ms, &used_after_ms, &i64::from(HISTORY_PAGE_MAX)], session_row).await
}

pub(super) async fn note_used(
    tx: &Transaction,
    id: &SessionId,
    at_ms: i64,
) -> Result<(), StoreError> {
    let sql = "UPDATE sessions SET used_at_ms = $2 WHERE id = $1 AND used_at_ms < $2";
    tx.execute(sql, &[&id.as_str(), &at_ms]).await.map(drop)
}

pub(super) async fn end(
    tx: &Transaction,
    id: &SessionId,
    actor: Option<&str>,
    by: &By,
) -> Result<(), StoreError> {
    let sql = "DELETE FROM sessions WHERE id = $1 AND ($2::text IS NULL OR actor = $2) \
               RETURNING actor";
    let ended = tx.row_or_none(sql, &[&id.as_str(), &actor]).await?;
    let ended: String = ended.ok_or(StoreError::NotFound(Kind::Session))?.try_get(0)?;
    tx.audit(by, "session.end", ended, &json!({ "id": id.as_str() }));
    Ok(())
}

/// Whether the provider logged the person out after it vouched: by the same rule as sessions that have begun.
async fn is_ended(tx: &Transaction, voucher: &Voucher) -> Result<bool, StoreError> {
    let sql = "SELECT EXISTS (SELECT 1 FROM vouched_ends WHERE issuer = $1 AND at_ms >= $4
            AND (subject IS NULL OR subject = $2)
            AND (sid IS NULL OR sid = $3 OR ($3::text IS NULL AND subject IS NOT NULL)))";
    let Voucher { issuer, subject, sid, at_ms } = voucher;
    let row = tx.row_or_none(sql, &[issuer, subject, sid, at_ms]).await?;
    row.map_or(Ok(false), |row| Ok(row.try_get(0)?))
}

pub(super) async fn end_vouched(
    tx: &Transaction,
    which: &VouchedSessions,
    by: &By,
) -> Result<u32, StoreError> {
    lock::people(tx).await?;
    let old_ms = by.at_ms.saturating_sub(VOUCHED_MS_MAX);
    tx.execute("DELETE FROM vouched_ends WHERE at_ms < $1", &[&old_ms]).await?;
    if which.subject.is_some() || which.sid.is_some() {
        tx.execute(
            "INSERT INTO vouched_ends (issuer, subject, sid, at_ms) VALUES ($1, $2, $3, $4)",
            &[&which.issuer, &which.subject, &which.sid, &by.at_ms],
        )
        .await?;
    }
    let sql = "DELETE FROM sessions WHERE issuer = $1
            AND ($2::text IS NULL OR subject = $2)
            AND ($3::text IS NULL OR provider_sid = $3 OR (provider_sid IS NULL AND $2::text IS NOT NULL))
            AND ($2::text IS NOT NULL OR $3::text IS NOT NULL)
         RETURNING id, actor";
    let rows = tx.rows(sql, &[&which.issuer, &which.subject, &which.sid]).await?;
    for row in &rows {
        let (id, actor): (String, String) = (row.try_get(0)?, row.try_get(1)?);
        tx.audit(by, "session.end", actor, &json!({ "id": id }));
    }
    Ok(u32::try_from(rows.len()).unwrap_or(u32::MAX))
}

pub(super) async fn note_failure(
    tx: &Transaction,
    failure: &LoginFailure,
    by: &By,
) -> Result<(), StoreError> {
    let (subject, detail) = failure_detail(failure);
    tx.audit(by, "login.fail", subject, &detail);
    Ok(())
}
