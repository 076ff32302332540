//! Accounts and sessions.

use rusqlite::{Connection as Db, OptionalExtension, Row, params};
use serde_json::json;

use super::columns::Columns;
use super::error::is_duplicate;
use super::{SqliteStore, audit};
use crate::row::people::{failure_detail, session_detail, user_subject};
use crate::{
    AccountState, By, Conflict, Kind, LoginFailure, NewSession, NewUser, PasswordState, People,
    Reply, Role, SESSIONS_PER_PERSON_MAX, Session, SessionId, SessionOf, Sha256, StoreError,
    StoredPassword, User, UserChange, VOUCHED_MS_MAX, VouchedSessions, Voucher,
};

impl People for SqliteStore {
    fn add_user(&self, user: NewUser, by: By) -> Reply<'_, ()> {
        self.write(move |db| add(db, &user, &by))
    }

    fn user(&self, name: &str) -> Reply<'_, Option<User>> {
        let name = name.to_owned();
        self.read(move |db| by_name(db, &name))
    }

    fn users(&self) -> Reply<'_, Vec<User>> {
        self.read(all)
    }

    fn change_user(&self, name: &str, wanted: UserChange, by: By) -> Reply<'_, ()> {
        let name = name.to_owned();
        self.write(move |db| change(db, &name, wanted, &by))
    }

    fn set_password(&self, name: &str, password: StoredPassword, by: By) -> Reply<'_, ()> {
        let name = name.to_owned();
        self.write(move |db| set_password(db, &name, &password, &by))
    }

    fn remove_user(&self, name: &str, by: By) -> Reply<'_, ()> {
        let name = name.to_owned();
        self.write(move |db| remove(db, &name, &by))
    }

    fn keep_setup_code(&self, code_sha256: Sha256, at_ms: i64) -> Reply<'_, bool> {
        self.write(move |db| keep_setup_code(db, &code_sha256, at_ms))
    }

    fn is_setup_open(&self) -> Reply<'_, bool> {
        self.read(is_setup_open)
    }

    fn set_up(&self, code_sha256: Sha256, user: NewUser, by: By) -> Reply<'_, ()> {
        self.write(move |db| set_up(db, &code_sha256, &user, &by))
    }

    fn begin_session(&self, session: NewSession, by: By) -> Reply<'_, ()> {
        self.write(move |db| begin(db, &session, &by))
    }

    fn session_by_sha256(
        &self,
        secret_sha256: Sha256,
        now_ms: i64,
        used_after_ms: i64,
    ) -> Reply<'_, Option<Session>> {
        self.read(move |db| session_by_sha256(db, &secret_sha256, now_ms, used_after_ms))
    }

    fn sessions(&self, now_ms: i64, used_after_ms: i64) -> Reply<'_, Vec<Session>> {
        self.read(move |db| sessions(db, now_ms, used_after_ms))
    }

    fn note_session_used(&self, id: &SessionId, at_ms: i64) -> Reply<'_, ()> {
        let id = id.clone();
        self.write(move |db| note_used(db, &id, at_ms))
    }

    fn end_session(&self, id: &SessionId, actor: Option<&str>, by: By) -> Reply<'_, ()> {
        let (id, actor) = (id.clone(), actor.map(str::to_owned));
        self.write(move |db| end(db, &id, actor.as_deref(), &by))
    }

    fn end_vouched_sessions(&self, which: VouchedSessions, by: By) -> Reply<'_, u32> {
        self.write(move |db| end_vouched(db, &which, &by))
    }

    fn note_login_failure(&self, failure: LoginFailure, by: By) -> Reply<'_, ()> {
        self.write(move |db| note_failure(db, &failure, &by))
    }
}

pub(super) fn add(db: &Db, user: &NewUser, by: &By) -> Result<(), StoreError> {
    db.prepare_cached(
        "INSERT INTO users (name, role, password_phc, must_change, disabled, created_at_ms,
                            created_by, password_at_ms)
         VALUES (?1, ?2, ?3, ?4, 0, ?5, ?6, ?5)",
    )?
    .execute(params![
        user.name,
        user.role.as_str(),
        user.password.phc,
        user.password.state.must_change(),
        by.at_ms,
        by.actor
    ])
    .map_err(|error| match is_duplicate(&error) {
        true => Conflict::NameTaken { name: user.name.clone() }.into(),
        false => StoreError::from(error),
    })?;
    // Whoever has an account needs no code for the first one.
    db.execute("DELETE FROM setup_code", [])?;
    let detail = json!({ "role": user.role.as_str() });
    audit::append(db, by, "user.add", user_subject(&user.name), &detail)
}

const COLUMNS: &str = "SELECT name, role, password_phc, must_change, disabled, created_at_ms, \
                       created_by, password_at_ms FROM users";

fn user_row(row: &Row<'_>) -> rusqlite::Result<User> {
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

pub(super) fn by_name(db: &Db, name: &str) -> Result<Option<User>, StoreError> {
    let mut statement = db.prepare_cached(&format!("{COLUMNS} WHERE name = ?1"))?;
    Ok(statement.query_row([name], user_row).optional()?)
}

pub(super) fn all(db: &Db) -> Result<Vec<User>, StoreError> {
    let mut statement = db.prepare_cached(&format!("{COLUMNS} ORDER BY name"))?;
    let rows = statement.query_map([], user_row)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

pub(super) fn change(db: &Db, name: &str, change: UserChange, by: &By) -> Result<(), StoreError> {
    let user = by_name(db, name)?.ok_or(StoreError::NotFound(Kind::User))?;
    let (role, state) = (change.role.unwrap_or(user.role), change.state.unwrap_or(user.state));
    if (role, state) == (user.role, user.state) {
        return Ok(());
    }
    if role != Role::Admin || state.is_disabled() {
        require_another_admin(db, &user)?;
    }
    db.prepare_cached("UPDATE users SET role = ?2, disabled = ?3 WHERE name = ?1")?
        .execute(params![name, role.as_str(), state.is_disabled()])?;
    end_all_of(db, name)?;
    let detail = json!({ "role": role.as_str(), "disabled": state.is_disabled() });
    audit::append(db, by, "user.change", user_subject(name), &detail)
}

pub(super) fn remove(db: &Db, name: &str, by: &By) -> Result<(), StoreError> {
    let user = by_name(db, name)?.ok_or(StoreError::NotFound(Kind::User))?;
    require_another_admin(db, &user)?;
    end_all_of(db, name)?;
    db.prepare_cached("DELETE FROM users WHERE name = ?1")?.execute([name])?;
    // By its name in the audit log, which is that of the next account of this name, too.
    db.prepare_cached("DELETE FROM host_views WHERE owner = ?1")?.execute([user_subject(name)])?;
    audit::append(db, by, "user.remove", user_subject(name), &json!({}))
}

pub(super) fn set_password(
    db: &Db,
    name: &str,
    password: &StoredPassword,
    by: &By,
) -> Result<(), StoreError> {
    let n = db
        .prepare_cached(
            "UPDATE users SET password_phc = ?2, must_change = ?3, password_at_ms = ?4
             WHERE name = ?1",
        )?
        .execute(params![name, password.phc, password.state.must_change(), by.at_ms])?;
    if n == 0 {
        return Err(StoreError::NotFound(Kind::User));
    }
    end_all_of(db, name)?;
    let detail = json!({ "must_change": password.state.must_change() });
    audit::append(db, by, "user.password", user_subject(name), &detail)
}

/// Refuses to take the last enabled account of an administrator away.
fn require_another_admin(db: &Db, user: &User) -> Result<(), StoreError> {
    if user.role != Role::Admin || user.state.is_disabled() {
        return Ok(());
    }
    let n_others: i64 = db
        .prepare_cached(
            "SELECT count(*) FROM users WHERE role = 'admin' AND disabled = 0 AND name <> ?1",
        )?
        .query_row([&user.name], |row| row.get(0))?;
    if n_others > 0 { Ok(()) } else { Err(Conflict::LastAdministrator.into()) }
}

fn end_all_of(db: &Db, name: &str) -> Result<(), StoreError> {
    db.prepare_cached("DELETE FROM sessions WHERE user_name = ?1")?.execute([name])?;
    Ok(())
}

pub(super) fn keep_setup_code(db: &Db, code: &Sha256, at_ms: i64) -> Result<bool, StoreError> {
    let n = db
        .prepare_cached(
            "INSERT INTO setup_code (only_one, code_sha256, made_at_ms)
             SELECT 1, ?1, ?2 WHERE NOT EXISTS (SELECT 1 FROM users)
             ON CONFLICT (only_one) DO UPDATE SET code_sha256 = ?1, made_at_ms = ?2",
        )?
        .execute(params![code, at_ms])?;
    Ok(n > 0)
}

pub(super) fn is_setup_open(db: &Db) -> Result<bool, StoreError> {
    let sql = "SELECT EXISTS (SELECT 1 FROM setup_code)";
    Ok(db.prepare_cached(sql)?.query_row([], |row| row.get(0))?)
}

pub(super) fn set_up(db: &Db, code: &Sha256, user: &NewUser, by: &By) -> Result<(), StoreError> {
    let n = db
        .prepare_cached("DELETE FROM setup_code WHERE code_sha256 = ?1")?
        .execute([code.as_slice()])?;
    if n == 0 {
        return Err(Conflict::SetupCode.into());
    }
    add(db, user, by)
}

pub(super) fn begin(db: &Db, session: &NewSession, by: &By) -> Result<(), StoreError> {
    db.prepare_cached("DELETE FROM sessions WHERE expires_at_ms <= ?1")?.execute([by.at_ms])?;
    let (account, actor, role, hosts, voucher) = match &session.of {
        SessionOf::Account { name, phc } => {
            let user = by_name(db, name)?;
            let fits = |user: &User| !user.state.is_disabled() && user.password.phc == *phc;
            if !user.as_ref().is_some_and(fits) {
                return Err(Conflict::AccountChanged.into());
            }
            (Some(name), user_subject(name), None, json!({}), None)
        }
        SessionOf::Vouched { actor, role, hosts, voucher } => {
            if is_ended(db, voucher)? {
                return Err(Conflict::LoggedOut.into());
            }
            (None, actor.clone(), Some(role.as_str()), json!(hosts), Some(voucher))
        }
    };
    db.prepare_cached(
        "INSERT INTO sessions (id, secret_sha256, user_name, actor, role, hosts_json, address,
                               begun_at_ms, used_at_ms, expires_at_ms, issuer, subject, provider_sid)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?8, ?9, ?10, ?11, ?12)",
    )?
    .execute(params![
        session.id.as_str(),
        session.secret_sha256,
        account,
        actor,
        role,
        hosts.to_string(),
        session.address,
        by.at_ms,
        session.expires_at_ms,
        voucher.map(|voucher| &voucher.issuer),
        voucher.map(|voucher| &voucher.subject),
        voucher.and_then(|voucher| voucher.sid.as_ref())
    ])
    .map_err(|error| match is_duplicate(&error) {
        true => Conflict::LoginUsed.into(),
        false => StoreError::from(error),
    })?;
    db.prepare_cached(
        "DELETE FROM sessions WHERE actor = ?1 AND id NOT IN (SELECT id FROM sessions
             WHERE actor = ?1 ORDER BY begun_at_ms DESC, id LIMIT ?2)",
    )?
    .execute(params![actor, SESSIONS_PER_PERSON_MAX])?;
    audit::append(db, by, "session.begin", actor, &session_detail(session))
}

const SESSION_COLUMNS: &str = "\
    SELECT sessions.id, actor, user_name, coalesce(sessions.role, users.role), hosts_json, \
    coalesce(users.must_change, 0), address, begun_at_ms, used_at_ms, expires_at_ms \
    FROM sessions LEFT JOIN users ON users.name = user_name \
    WHERE coalesce(users.disabled, 0) = 0 AND expires_at_ms > ?1 AND used_at_ms > ?2";

fn session_row(row: &Row<'_>) -> rusqlite::Result<Session> {
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

pub(super) fn session_by_sha256(
    db: &Db,
    secret_sha256: &Sha256,
    now_ms: i64,
    used_after_ms: i64,
) -> Result<Option<Session>, StoreError> {
    let sql = format!("{SESSION_COLUMNS} AND secret_sha256 = ?3");
    let mut statement = db.prepare_cached(&sql)?;
    let values = params![now_ms, used_after_ms, secret_sha256];
    Ok(statement.query_row(values, session_row).optional()?)
}

pub(super) fn sessions(
    db: &Db,
    now_ms: i64,
    used_after_ms: i64,
) -> Result<Vec<Session>, StoreError> {
    let sql = format!("{SESSION_COLUMNS} ORDER BY actor, begun_at_ms DESC, sessions.id LIMIT ?3");
    let mut statement = db.prepare_cached(&sql)?;
    let rows = statement
        .query_map(params![now_ms, used_after_ms, crate::HISTORY_PAGE_MAX], session_row)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

pub(super) fn note_used(db: &Db, id: &SessionId, at_ms: i64) -> Result<(), StoreError> {
    db.prepare_cached("UPDATE sessions SET used_at_ms = ?2 WHERE id = ?1 AND used_at_ms < ?2")?
        .execute(params![id.as_str(), at_ms])?;
    Ok(())
}

pub(super) fn end(db: &Db, id: &SessionId, actor: Option<&str>, by: &By) -> Result<(), StoreError> {
    let ended: Option<String> = db
        .prepare_cached(
            "DELETE FROM sessions WHERE id = ?1 AND (?2 IS NULL OR actor = ?2) RETURNING actor",
        )?
        .query_row(params![id.as_str(), actor], |row| row.get(0))
        .optional()?;
    let ended = ended.ok_or(StoreError::NotFound(Kind::Session))?;
    audit::append(db, by, "session.end", ended, &json!({ "id": id.as_str() }))
}

/// Whether the provider logged the person out after it vouched: by the same rule as sessions that have begun.
fn is_ended(db: &Db, voucher: &Voucher) -> Result<bool, StoreError> {
    let mut statement = db.prepare_cached(
        "SELECT EXISTS (SELECT 1 FROM vouched_ends WHERE issuer = ?1 AND at_ms >= ?4
            AND (subject IS NULL OR subject = ?2)
            AND (sid IS NULL OR sid = ?3 OR (?3 IS NULL AND subject IS NOT NULL)))",
    )?;
    let Voucher { issuer, subject, sid, at_ms } = voucher;
    Ok(statement.query_row(params![issuer, subject, sid, at_ms], |row| row.get(0))?)
}

pub(super) fn end_vouched(db: &Db, which: &VouchedSessions, by: &By) -> Result<u32, StoreError> {
    db.prepare_cached("DELETE FROM vouched_ends WHERE at_ms < ?1")?
        .execute([by.at_ms.saturating_sub(VOUCHED_MS_MAX)])?;
    if which.subject.is_some() || which.sid.is_some() {
        db.prepare_cached(
            "INSERT INTO vouched_ends (issuer, subject, sid, at_ms) VALUES (?1, ?2, ?3, ?4)",
        )?
        .execute(params![which.issuer, which.subject, which.sid, by.at_ms])?;
    }
    let ended: Vec<(String, String)> = db
        .prepare_cached(
            "DELETE FROM sessions WHERE issuer = ?1
            AND (?2 IS NULL OR subject = ?2)
            AND (?3 IS NULL OR provider_sid = ?3 OR (provider_sid IS NULL AND ?2 IS NOT NULL))
            AND (?2 IS NOT NULL OR ?3 IS NOT NULL)
         RETURNING id, actor",
        )?
        .query_map(params![which.issuer, which.subject, which.sid], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })?
        .collect::<Result<_, _>>()?;
    for (id, actor) in &ended {
        audit::append(db, by, "session.end", actor.clone(), &json!({ "id": id }))?;
    }
    Ok(u32::try_from(ended.len()).unwrap_or(u32::MAX))
}

pub(super) fn note_failure(db: &Db, failure: &LoginFailure, by: &By) -> Result<(), StoreError> {
    let (subject, detail) = failure_detail(failure);
    audit::append(db, by, "login.fail", subject, &detail)
}
