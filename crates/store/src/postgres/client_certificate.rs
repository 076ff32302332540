//! Client certificates for keys in TPMs of hosts.

use serde_json::json;
use tokio_postgres::Row;

use super::PostgresStore;
use super::client_authority;
use super::columns::Columns;
use super::error::is_duplicate;
use super::host;
use super::session::Session;
use super::transaction::Transaction;
use crate::{
    By, CLIENT_CERTIFICATES_KEPT_MS, CLIENT_CERTIFICATES_PER_HOST_MAX, CertificateCursor,
    ClientAuthorityRow, ClientCertificate, ClientCertificates, Conflict, Connection,
    HISTORY_PAGE_MAX, HostId, NewClientAuthority, NewClientCertificate, Reply, Revocation,
    RevokedCertificates, RevokedFor, RevokedKeys, Serial, StoreError,
};

impl ClientCertificates for PostgresStore {
    fn client_authorities(&self, name: &str) -> Reply<'_, Vec<ClientAuthorityRow>> {
        self.look(name.to_owned(), |db, name| Box::pin(client_authority::all(db, name)))
    }

    fn add_client_authority(&self, new: NewClientAuthority, by: By) -> Reply<'_, ()> {
        self.change((new, by), |tx, (new, by)| Box::pin(client_authority::add(tx, new, by)))
    }

    fn retire_client_authorities(&self, name: &str, by: By) -> Reply<'_, Vec<i64>> {
        self.change((name.to_owned(), by), |tx, (name, by)| {
            Box::pin(client_authority::retire(tx, name, by))
        })
    }

    fn add_client_certificate(&self, new: NewClientCertificate, by: By) -> Reply<'_, ()> {
        self.change((new, by), |tx, (new, by)| Box::pin(add(tx, new, by)))
    }

    fn client_certificates(
        &self,
        host: Option<HostId>,
        after: Option<CertificateCursor>,
        n_max: u32,
    ) -> Reply<'_, Vec<ClientCertificate>> {
        self.look((host, after, n_max), |db, (host, after, n_max)| {
            Box::pin(page(db, host.as_ref(), *after, *n_max))
        })
    }

    fn has_client_certificate(&self, host: &HostId, now_ms: i64) -> Reply<'_, bool> {
        self.look((host.clone(), now_ms), |db, (host, now_ms)| {
            Box::pin(has_live(db, host, *now_ms))
        })
    }

    fn revoke_client_certificates(
        &self,
        host: &HostId,
        which: RevokedKeys,
        why: RevokedFor,
        reason: &str,
        by: By,
    ) -> Reply<'_, u32> {
        let with = (host.clone(), which, why, reason.to_owned(), by);
        self.change(with, |tx, (host, which, why, reason, by)| {
            Box::pin(revoke(tx, host, *which, (*why, reason), by))
        })
    }

    fn client_revocations(&self) -> Reply<'_, i64> {
        self.look((), |db, ()| Box::pin(n_revocations(db)))
    }

    fn next_revoked_certificates(&self, now_ms: i64) -> Reply<'_, RevokedCertificates> {
        self.change(now_ms, |tx, now_ms| Box::pin(next_list(tx, *now_ms)))
    }
}

const COLUMNS: &str = "SELECT serial, host_id, host_name, ek_spki_sha256, key_name, issued_at_ms, \
    not_after_ms, authority_number, revoked_at_ms, revoked_for, revoked_reason, revoked_by \
    FROM client_certificates";

fn serial(columns: &mut Columns<'_>) -> Result<Serial, StoreError> {
    let bytes: Vec<u8> = columns.take()?;
    bytes.try_into().map_err(|_| StoreError::broken("a serial number has not 16 bytes"))
}

fn certificate_row(row: &Row) -> Result<ClientCertificate, StoreError> {
    let mut columns = Columns::of(row);
    Ok(ClientCertificate {
        serial: serial(&mut columns)?,
        host: columns.take::<String>()?.into(),
        host_name: columns.take()?,
        ek_spki_sha256: columns.sha256()?,
        key_name: columns.take()?,
        issued_at_ms: columns.take()?,
        not_after_ms: columns.take()?,
        authority_number: columns.take()?,
        // Last: of one that is not revoked the rest is left.
        revoked: match columns.take()? {
            None => None,
            Some(at_ms) => Some(Revocation {
                at_ms,
                why: columns.word(RevokedFor::from_word)?,
                reason: columns.take()?,
                by: columns.take()?,
            }),
        },
    })
}

/// The host is locked: of two answers to one challenge the second sees the first, and a verdict that turns
/// meanwhile comes before or after, and then finds this certificate.
pub(super) async fn add(
    tx: &Transaction,
    new: &NewClientCertificate,
    by: &By,
) -> Result<(), StoreError> {
    let host = host::locked(tx, &new.host).await?;
    let id = new.host.as_str();
    if host.connection == Connection::Disconnected {
        return Err(Conflict::HostDisconnected { host: new.host.clone() }.into());
    }
    let identity = host.identity.ok_or(Conflict::NoIdentity { host: new.host.clone() })?;
    if host.identity_version != new.identity_version {
        return Err(Conflict::IdentityChanged { host: new.host.clone() }.into());
    }
    if host.last.is_none_or(|last| last.verdict != "accepted") {
        return Err(Conflict::HostNotAccepted { host: new.host.clone() }.into());
    }
    let sql = "DELETE FROM client_certificates WHERE host_id = $1 AND not_after_ms < $2";
    let kept_from_ms = by.at_ms.saturating_sub(CLIENT_CERTIFICATES_KEPT_MS);
    tx.execute(sql, &[&id, &kept_from_ms]).await?;
    let row = tx
        .row(
            "SELECT count(*) FILTER (WHERE not_after_ms > $2), max(challenge_at_ms),
                coalesce(bool_or(key_name = $3 AND revoked_for = 'by-person'), false)
             FROM client_certificates WHERE host_id = $1",
            &[&id, &by.at_ms, &new.key_name],
        )
        .await?;
    let mut columns = Columns::of(&row);
    let n = columns.count()?;
    let last: Option<i64> = columns.take()?;
    let barred: bool = columns.take()?;
    if last.is_some_and(|last| new.challenge_at_ms <= last) {
        return Err(Conflict::NonceUsed.into());
    }
    if barred {
        return Err(Conflict::KeyRevoked { host: new.host.clone() }.into());
    }
    let max = CLIENT_CERTIFICATES_PER_HOST_MAX;
    if n >= u64::from(max) {
        return Err(StoreError::Limit { what: "client certificates of the host", max });
    }
    if client_authority::issuing(tx, &new.authority, by.at_ms).await? != Some(new.authority_number)
    {
        return Err(Conflict::AuthorityReplaced.into());
    }
    tx.try_execute(
        "INSERT INTO client_certificates (serial, host_id, host_name, ek_spki_sha256, key_name,
            challenge_at_ms, issued_at_ms, not_after_ms,
            authority_name, authority_number)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        &[
            &new.serial.as_slice(),
            &id,
            &host.name,
            &identity.ek_spki_sha256.as_slice(),
            &new.key_name,
            &new.challenge_at_ms,
            &by.at_ms,
            &new.not_after_ms,
            &new.authority,
            &new.authority_number,
        ],
    )
    .await
    .map_err(|error| match is_duplicate(&error) {
        true => Conflict::IdTaken.into(),
        false => StoreError::from(error),
    })?;
    // Whoever looked at the host a moment ago did not see this one.
    host::update(tx, &new.host, "look_at_ms = 0, look_seq = look_seq + 1", &[]).await?;
    let detail = json!({
        "serial": hex::encode(new.serial),
        "authority": new.authority_number,
        "key_name": hex::encode(&new.key_name),
        "not_after_ms": new.not_after_ms,
    });
    tx.audit(by, "client-certificate.issue", host::subject(&new.host), &detail);
    Ok(())
}

pub(super) async fn page(
    db: &Session,
    host: Option<&HostId>,
    after: Option<CertificateCursor>,
    n_max: u32,
) -> Result<Vec<ClientCertificate>, StoreError> {
    let (at_ms, serial) =
        after.map_or((i64::MAX, Vec::new()), |after| (after.issued_at_ms, after.serial.to_vec()));
    let n_max = i64::from(n_max.min(HISTORY_PAGE_MAX));
    // Two statements, each by an index of its own.
    let of_host = if host.is_some() { "host_id = $4 AND" } else { "" };
    let sql = format!(
        "{COLUMNS} WHERE {of_host} (issued_at_ms, serial) < ($1, $2)
         ORDER BY issued_at_ms DESC, serial DESC LIMIT $3"
    );
    match host {
        Some(host) => {
            db.read(&sql, &[&at_ms, &serial, &n_max, &host.as_str()], certificate_row).await
        }
        None => db.read(&sql, &[&at_ms, &serial, &n_max], certificate_row).await,
    }
}

pub(super) async fn has_live(db: &Session, host: &HostId, now_ms: i64) -> Result<bool, StoreError> {
    let sql = "SELECT 1 FROM client_certificates
         WHERE host_id = $1 AND revoked_at_ms IS NULL AND not_after_ms > $2 LIMIT 1";
    Ok(db.row_or_none(sql, &[&host.as_str(), &now_ms]).await?.is_some())
}

/// The counter is locked last, by everybody who revokes, and by who makes a list: so a list has all that its
/// number of changes says.
pub(super) async fn revoke(
    tx: &Transaction,
    host: &HostId,
    which: RevokedKeys,
    (why, reason): (RevokedFor, &str),
    by: &By,
) -> Result<u32, StoreError> {
    let spared = match which {
        RevokedKeys::All => None,
        RevokedKeys::NotIn(ek) => Some(ek.to_vec()),
    };
    let rows = tx
        .rows(
            "UPDATE client_certificates SET revoked_at_ms = $2, revoked_for = $3,
                revoked_reason = $4, revoked_by = $5
             WHERE host_id = $1 AND revoked_at_ms IS NULL AND not_after_ms > $2
                AND ($6::bytea IS NULL OR ek_spki_sha256 <> $6) RETURNING serial",
            &[&host.as_str(), &by.at_ms, &why.as_str(), &reason, &by.actor, &spared],
        )
        .await?;
    if rows.is_empty() {
        return Ok(0);
    }
    let serials: Vec<String> = rows
        .iter()
        .map(|row| Ok(hex::encode(serial(&mut Columns::of(row))?)))
        .collect::<Result<_, StoreError>>()?;
    let sql = "UPDATE counters SET value = value + 1 WHERE name = 'client_revocations'";
    tx.execute(sql, &[]).await?;
    let detail = json!({ "serials": serials, "for": why.as_str(), "reason": reason });
    tx.audit(by, "client-certificate.revoke", host::subject(host), &detail);
    Ok(u32::try_from(serials.len()).unwrap_or(u32::MAX))
}

pub(super) async fn n_revocations(db: &Session) -> Result<i64, StoreError> {
    let sql = "SELECT value FROM counters WHERE name = 'client_revocations'";
    Ok(db.row(sql, &[]).await?.try_get(0)?)
}

pub(super) async fn next_list(
    tx: &Transaction,
    now_ms: i64,
) -> Result<RevokedCertificates, StoreError> {
    // Locked: who revokes meanwhile waits, and counts after this list.
    let sql = "SELECT value FROM counters WHERE name = 'client_revocations' FOR UPDATE";
    let n_changes = tx.row(sql, &[]).await?.try_get(0)?;
    // Also the time, so that the numbers go on where a backup was restored.
    let sql = "UPDATE counters SET value = greatest(value + 1, $1) WHERE name = 'client_crl'
         RETURNING value";
    let number = tx.row(sql, &[&now_ms]).await?.try_get(0)?;
    let sql = "DELETE FROM client_certificates WHERE not_after_ms < $1";
    tx.execute(sql, &[&now_ms.saturating_sub(CLIENT_CERTIFICATES_KEPT_MS)]).await?;
    let sql = "SELECT serial, revoked_at_ms, revoked_for FROM client_certificates
         WHERE revoked_at_ms IS NOT NULL ORDER BY serial";
    let revoked = tx
        .read(sql, &[], |row| {
            let mut columns = Columns::of(row);
            let serial = serial(&mut columns)?;
            Ok((serial, columns.take()?, columns.word(RevokedFor::from_word)?))
        })
        .await?;
    Ok(RevokedCertificates { number, n_changes, revoked })
}
