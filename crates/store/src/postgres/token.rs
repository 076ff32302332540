//! Join tokens and API tokens.

use serde_json::json;
use tokio_postgres::Row;

use super::PostgresStore;
use super::columns::Columns;
use super::error::is_duplicate;
use super::session::Session;
use super::transaction::Transaction;
use crate::{
    AdmittedEks, ApiToken, Approval, ApprovalRule, By, Conflict, JoinToken, JoinTokenFault,
    JoinTokenId, Kind, Labels, NewApiToken, NewJoinToken, Reply, Role, Sha256, StoreError, Tokens,
};

impl Tokens for PostgresStore {
    fn add_api_token(&self, token: NewApiToken, by: By) -> Reply<'_, ()> {
        self.change((token, by), |tx, (token, by)| Box::pin(add_api(tx, token, by)))
    }

    fn api_token_by_sha256(
        &self,
        secret_sha256: Sha256,
        now_ms: i64,
    ) -> Reply<'_, Option<ApiToken>> {
        self.look((secret_sha256, now_ms), |db, (secret_sha256, now_ms)| {
            Box::pin(api_by_sha256(db, secret_sha256, *now_ms))
        })
    }

    fn api_tokens(&self) -> Reply<'_, Vec<ApiToken>> {
        self.look((), |db, ()| Box::pin(api_all(db)))
    }

    fn note_api_token_used(&self, name: &str, at_ms: i64) -> Reply<'_, ()> {
        let name = name.to_owned();
        self.change((name, at_ms), |tx, (name, at_ms)| Box::pin(note_api_used(tx, name, *at_ms)))
    }

    fn remove_api_token(&self, name: &str, by: By) -> Reply<'_, ()> {
        let name = name.to_owned();
        self.change((name, by), |tx, (name, by)| Box::pin(remove_api(tx, name, by)))
    }

    fn add_join_token(&self, token: NewJoinToken, by: By) -> Reply<'_, ()> {
        self.change((token, by), |tx, (token, by)| Box::pin(add_join(tx, token, by)))
    }

    fn join_tokens(&self) -> Reply<'_, Vec<JoinToken>> {
        self.look((), |db, ()| Box::pin(join_all(db)))
    }

    fn join_token_by_sha256(&self, secret_sha256: Sha256) -> Reply<'_, Option<JoinToken>> {
        self.look((secret_sha256,), |db, (secret_sha256,)| {
            Box::pin(join_by_sha256(db, secret_sha256))
        })
    }

    fn revoke_join_token(&self, id: &JoinTokenId, by: By) -> Reply<'_, ()> {
        let id = id.clone();
        self.change((id, by), |tx, (id, by)| Box::pin(revoke_join(tx, id, by)))
    }
}

pub(super) async fn add_api(
    tx: &Transaction,
    token: &NewApiToken,
    by: &By,
) -> Result<(), StoreError> {
    tx.try_execute(
        "INSERT INTO api_tokens
            (name, secret_sha256, role, hosts_json, created_at_ms, created_by, expires_at_ms)
         VALUES ($1, $2, $3, $4, $5, $6, $7)",
        &[
            &token.name,
            &token.secret_sha256.as_slice(),
            &token.role.as_str(),
            &json!(token.hosts).to_string(),
            &by.at_ms,
            &by.actor,
            &token.expires_at_ms,
        ],
    )
    .await
    .map_err(|error| match is_duplicate(&error) {
        true => Conflict::NameTaken { name: token.name.clone() }.into(),
        false => StoreError::from(error),
    })?;
    let detail = json!({
        "role": token.role.as_str(),
        "hosts": token.hosts,
        "expires_at_ms": token.expires_at_ms,
    });
    tx.audit(by, "api-token.add", format!("api-token:{}", token.name), &detail);
    Ok(())
}

const API_COLUMNS: &str = "SELECT name, role, hosts_json, created_at_ms, created_by, \
                           last_used_at_ms, expires_at_ms FROM api_tokens";

fn api_row(row: &Row) -> Result<ApiToken, StoreError> {
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

pub(super) async fn api_by_sha256(
    db: &Session,
    secret_sha256: &Sha256,
    now_ms: i64,
) -> Result<Option<ApiToken>, StoreError> {
    let sql = format!(
        "{API_COLUMNS} WHERE secret_sha256 = $1 AND (expires_at_ms IS NULL OR expires_at_ms > $2)"
    );
    let row = db.row_or_none(&sql, &[&secret_sha256.as_slice(), &now_ms]).await?;
    row.as_ref().map(api_row).transpose()
}

pub(super) async fn api_all(db: &Session) -> Result<Vec<ApiToken>, StoreError> {
    db.read(&format!("{API_COLUMNS} ORDER BY name"), &[], api_row).await
}

pub(super) async fn note_api_used(
    tx: &Transaction,
    name: &str,
    at_ms: i64,
) -> Result<(), StoreError> {
    tx.execute(
        "UPDATE api_tokens SET last_used_at_ms = $2
         WHERE name = $1 AND coalesce(last_used_at_ms, 0) < $2",
        &[&name, &at_ms],
    )
    .await
    .map(drop)
}

pub(super) async fn remove_api(tx: &Transaction, name: &str, by: &By) -> Result<(), StoreError> {
    if tx.execute("DELETE FROM api_tokens WHERE name = $1", &[&name]).await? == 0 {
        return Err(StoreError::NotFound(Kind::ApiToken));
    }
    tx.audit(by, "api-token.remove", format!("api-token:{name}"), &json!({}));
    Ok(())
}

pub(super) async fn add_join(
    tx: &Transaction,
    token: &NewJoinToken,
    by: &By,
) -> Result<(), StoreError> {
    tx.try_execute(
        "INSERT INTO join_tokens
            (id, secret_sha256, expires_at_ms, n_uses_max, approval, note, created_at_ms, labels_json,
             listed_on)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        &[
            &token.id.as_str(),
            &token.secret_sha256.as_slice(),
            &token.expires_at_ms,
            &token.n_uses_max,
            &token.approval.as_str(),
            &token.note,
            &by.at_ms,
            &json!(token.labels).to_string(),
            &token.admitted.to_column(),
        ],
    )
    .await
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
    tx.audit(by, "join-token.add", subject(&token.id), &detail);
    Ok(())
}

const JOIN_COLUMNS: &str = "SELECT id, expires_at_ms, n_uses_max, n_uses, approval, labels_json, \
                            listed_on, note, created_at_ms, revoked_at_ms FROM join_tokens";

fn join_row(row: &Row) -> Result<JoinToken, StoreError> {
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

pub(super) async fn join_all(db: &Session) -> Result<Vec<JoinToken>, StoreError> {
    db.read(&format!("{JOIN_COLUMNS} ORDER BY created_at_ms DESC, id"), &[], join_row).await
}

pub(super) async fn join_by_sha256(
    db: &Session,
    secret_sha256: &Sha256,
) -> Result<Option<JoinToken>, StoreError> {
    let sql = format!("{JOIN_COLUMNS} WHERE secret_sha256 = $1");
    let row = db.row_or_none(&sql, &[&secret_sha256.as_slice()]).await?;
    row.as_ref().map(join_row).transpose()
}

pub(super) async fn revoke_join(
    tx: &Transaction,
    id: &JoinTokenId,
    by: &By,
) -> Result<(), StoreError> {
    let token = locked(tx, id).await?.ok_or(StoreError::NotFound(Kind::JoinToken))?;
    if token.revoked_at_ms.is_some() {
        return Ok(());
    }
    let sql = "UPDATE join_tokens SET revoked_at_ms = $2 WHERE id = $1";
    tx.execute(sql, &[&id.as_str(), &by.at_ms]).await?;
    tx.audit(by, "join-token.revoke", subject(id), &json!({}));
    Ok(())
}

/// The token, if it can be used at `now_ms`. Until the transaction ends nobody else uses or ends it.
pub(super) async fn usable_join(
    tx: &Transaction,
    id: &JoinTokenId,
    now_ms: i64,
) -> Result<JoinToken, StoreError> {
    let token = locked(tx, id).await?.ok_or(Conflict::JoinToken(JoinTokenFault::Unknown))?;
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
pub(super) async fn use_join(
    tx: &Transaction,
    id: &JoinTokenId,
    now_ms: i64,
) -> Result<UsedJoin, StoreError> {
    let token = usable_join(tx, id, now_ms).await?;
    let sql = "UPDATE join_tokens SET n_uses = n_uses + 1 WHERE id = $1";
    tx.execute(sql, &[&id.as_str()]).await?;
    let approval = match token.approval {
        ApprovalRule::Required => Approval::Waiting,
        ApprovalRule::NotRequired => Approval::NotRequired,
    };
    Ok(UsedJoin { approval, labels: token.labels, admitted: token.admitted })
}

async fn locked(tx: &Transaction, id: &JoinTokenId) -> Result<Option<JoinToken>, StoreError> {
    let sql = format!("{JOIN_COLUMNS} WHERE id = $1 FOR NO KEY UPDATE");
    let row = tx.row_or_none(&sql, &[&id.as_str()]).await?;
    row.as_ref().map(join_row).transpose()
}

fn subject(id: &JoinTokenId) -> String {
    format!("join-token:{id}")
}
