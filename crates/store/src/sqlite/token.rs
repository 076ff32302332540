//! Join tokens and API tokens.

use rusqlite::{Connection as Db, OptionalExtension, Row, params};
use serde_json::json;

use super::columns::Columns;
use super::error::is_duplicate;
use super::{SqliteStore, audit};
use crate::{
    AdmittedEks, ApiToken, Approval, ApprovalRule, By, Conflict, JoinToken, JoinTokenFault,
    JoinTokenId, Kind, Labels, NewApiToken, NewJoinToken, Reply, Role, Sha256, StoreError, Tokens,
};

impl Tokens for SqliteStore {
    fn add_api_token(&self, token: NewApiToken, by: By) -> Reply<'_, ()> {
        self.write(move |db| add_api(db, &token, &by))
    }

    fn api_token_by_sha256(
        &self,
        secret_sha256: Sha256,
        now_ms: i64,
    ) -> Reply<'_, Option<ApiToken>> {
        self.look_up(move |db| api_by_sha256(db, &secret_sha256, now_ms))
    }

    fn api_tokens(&self) -> Reply<'_, Vec<ApiToken>> {
        self.read(api_all)
    }

    fn note_api_token_used(&self, name: &str, at_ms: i64) -> Reply<'_, ()> {
        let name = name.to_owned();
        self.write(move |db| note_api_used(db, &name, at_ms))
    }

    fn remove_api_token(&self, name: &str, by: By) -> Reply<'_, ()> {
        let name = name.to_owned();
        self.write(move |db| remove_api(db, &name, &by))
    }

    fn add_join_token(&self, token: NewJoinToken, by: By) -> Reply<'_, ()> {
        self.write(move |db| add_join(db, &token, &by))
    }

    fn join_tokens(&self) -> Reply<'_, Vec<JoinToken>> {
        self.read(join_all)
    }

    fn join_token_by_sha256(&self, secret_sha256: Sha256) -> Reply<'_, Option<JoinToken>> {
        self.look_up(move |db| join_by_sha256(db, &secret_sha256))
    }

    fn revoke_join_token(&self, id: &JoinTokenId, by: By) -> Reply<'_, ()> {
        let id = id.clone();
        self.write(move |db| revoke_join(db, &id, &by))
    }
}

pub(super) fn add_api(db: &Db, token: &NewApiToken, by: &By) -> Result<(), StoreError> {
    db.prepare_cached(
        "INSERT INTO api_tokens
            (name, secret_sha256, role, hosts_json, created_at_ms, created_by, expires_at_ms)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    )?
    .execute(params![
        token.name,
        token.secret_sha256,
        token.role.as_str(),
        json!(token.hosts).to_string(),
        by.at_ms,
        by.actor,
        token.expires_at_ms
    ])
    .map_err(|error| match is_duplicate(&error) {
        true => Conflict::NameTaken { name: token.name.clone() }.into(),
        false => StoreError::from(error),
    })?;
    let detail = json!({
        "role": token.role.as_str(),
        "hosts": token.hosts,
        "expires_at_ms": token.expires_at_ms,
    });
    audit::append(db, by, "api-token.add", format!("api-token:{}", token.name), &detail)
}

const API_COLUMNS: &str = "SELECT name, role, hosts_json, created_at_ms, created_by, \
                           last_used_at_ms, expires_at_ms FROM api_tokens";

fn api_row(row: &Row<'_>) -> rusqlite::Result<ApiToken> {
    let mut columns = Columns::of(row);
    Ok(ApiToken {
        name: columns.take()?,
        role: columns.word(Role::from_word)?,
        hosts: columns.labels()?,
        created_at_ms: columns.take()?,
        created_by: columns.take()?,
        last_used_at_ms: columns.take()?,
        expires_at_ms: columns.take()?,
    })
}

pub(super) fn api_by_sha256(
    db: &Db,
    secret_sha256: &Sha256,
    now_ms: i64,
) -> Result<Option<ApiToken>, StoreError> {
    let sql = format!(
        "{API_COLUMNS} WHERE secret_sha256 = ?1 AND (expires_at_ms IS NULL OR expires_at_ms > ?2)"
    );
    let mut statement = db.prepare_cached(&sql)?;
    Ok(statement.query_row(params![secret_sha256, now_ms], api_row).optional()?)
}

pub(super) fn api_all(db: &Db) -> Result<Vec<ApiToken>, StoreError> {
    let mut statement = db.prepare_cached(&format!("{API_COLUMNS} ORDER BY name"))?;
    let rows = statement.query_map([], api_row)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

pub(super) fn note_api_used(db: &Db, name: &str, at_ms: i64) -> Result<(), StoreError> {
    db.prepare_cached(
        "UPDATE api_tokens SET last_used_at_ms = ?2
         WHERE name = ?1 AND coalesce(last_used_at_ms, 0) < ?2",
    )?
    .execute(params![name, at_ms])?;
    Ok(())
}

pub(super) fn remove_api(db: &Db, name: &str, by: &By) -> Result<(), StoreError> {
    let n = db.prepare_cached("DELETE FROM api_tokens WHERE name = ?1")?.execute([name])?;
    if n == 0 {
        return Err(StoreError::NotFound(Kind::ApiToken));
    }
    audit::append(db, by, "api-token.remove", format!("api-token:{name}"), &json!({}))
}

pub(super) fn add_join(db: &Db, token: &NewJoinToken, by: &By) -> Result<(), StoreError> {
    db.prepare_cached(
        "INSERT INTO join_tokens
            (id, secret_sha256, expires_at_ms, n_uses_max, approval, note, created_at_ms, labels_json,
             listed_on)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
    )?
    .execute(params![
        token.id.as_str(),
        token.secret_sha256,
        token.expires_at_ms,
        token.n_uses_max,
        token.approval.as_str(),
        token.note,
        by.at_ms,
        json!(token.labels).to_string(),
        token.admitted.to_column()
    ])
    .map_err(|error| match is_duplicate(&error) {
        true => Conflict::IdTaken.into(),
        false => StoreError::from(error),
    })?;
    let detail = json!({
        "expires_at_ms": token.expires_at_ms,
        "n_uses_max": token.n_uses_max,
        "approval": token.approval.as_str(),
        "labels": token.labels,
        "listed_on": token.admitted.to_column(),
        "note": token.note,
    });
    audit::append(db, by, "join-token.add", subject(&token.id), &detail)
}

const JOIN_COLUMNS: &str = "SELECT id, expires_at_ms, n_uses_max, n_uses, approval, labels_json, \
                            listed_on, note, created_at_ms, revoked_at_ms FROM join_tokens";

fn join_row(row: &Row<'_>) -> rusqlite::Result<JoinToken> {
    let mut columns = Columns::of(row);
    Ok(JoinToken {
        id: columns.take::<String>()?.into(),
        expires_at_ms: columns.take()?,
        n_uses_max: columns.take()?,
        n_uses: columns.take()?,
        approval: columns.word(ApprovalRule::from_word)?,
        labels: columns.labels()?,
        admitted: AdmittedEks::from_column(columns.take()?),
        note: columns.take()?,
        created_at_ms: columns.take()?,
        revoked_at_ms: columns.take()?,
    })
}

pub(super) fn join_all(db: &Db) -> Result<Vec<JoinToken>, StoreError> {
    let sql = format!("{JOIN_COLUMNS} ORDER BY created_at_ms DESC, id");
    let mut statement = db.prepare_cached(&sql)?;
    let rows = statement.query_map([], join_row)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

pub(super) fn join_by_sha256(
    db: &Db,
    secret_sha256: &Sha256,
) -> Result<Option<JoinToken>, StoreError> {
    let mut statement = db.prepare_cached(&format!("{JOIN_COLUMNS} WHERE secret_sha256 = ?1"))?;
    Ok(statement.query_row([secret_sha256.as_slice()], join_row).optional()?)
}

pub(super) fn revoke_join(db: &Db, id: &JoinTokenId, by: &By) -> Result<(), StoreError> {
    let token = join_by_id(db, id)?.ok_or(StoreError::NotFound(Kind::JoinToken))?;
    if token.revoked_at_ms.is_some() {
        return Ok(());
    }
    db.prepare_cached("UPDATE join_tokens SET revoked_at_ms = ?2 WHERE id = ?1")?
        .execute(params![id.as_str(), by.at_ms])?;
    audit::append(db, by, "join-token.revoke", subject(id), &json!({}))
}

/// The token, if it can be used at `now_ms`.
pub(super) fn usable_join(db: &Db, id: &JoinTokenId, now_ms: i64) -> Result<JoinToken, StoreError> {
    let token = join_by_id(db, id)?.ok_or(Conflict::JoinToken(JoinTokenFault::Unknown))?;
    match token.fault(now_ms) {
        Some(fault) => Err(Conflict::JoinToken(fault).into()),
        None => Ok(token),
    }
}

/// What a host gets that joins.
pub(super) struct UsedJoin {
    /// Whether it must wait for a person.
    pub(super) approval: Approval,
    pub(super) labels: Labels,
    pub(super) admitted: AdmittedEks,
}

/// Takes one use of the token.
pub(super) fn use_join(db: &Db, id: &JoinTokenId, now_ms: i64) -> Result<UsedJoin, StoreError> {
    let token = usable_join(db, id, now_ms)?;
    db.prepare_cached("UPDATE join_tokens SET n_uses = n_uses + 1 WHERE id = ?1")?
        .execute([id.as_str()])?;
    let approval = match token.approval {
        ApprovalRule::Required => Approval::Waiting,
        ApprovalRule::NotRequired => Approval::NotRequired,
    };
    Ok(UsedJoin { approval, labels: token.labels, admitted: token.admitted })
}

fn join_by_id(db: &Db, id: &JoinTokenId) -> Result<Option<JoinToken>, StoreError> {
    let mut statement = db.prepare_cached(&format!("{JOIN_COLUMNS} WHERE id = ?1"))?;
    Ok(statement.query_row([id.as_str()], join_row).optional()?)
}

fn subject(id: &JoinTokenId) -> String {
    format!("join-token:{id}")
}
