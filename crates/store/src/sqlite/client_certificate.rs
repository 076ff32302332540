//! Client certificates for keys in TPMs of hosts.

use rusqlite::{Connection as Db, OptionalExtension as _, Row, params};
use serde_json::json;

use super::columns::Columns;
use super::error::is_duplicate;
use super::{SqliteStore, audit, client_authority, host};
use crate::{
    By, CLIENT_CERTIFICATES_KEPT_MS, CLIENT_CERTIFICATES_PER_HOST_MAX, CertificateCursor,
    ClientAuthorityRow, ClientCertificate, ClientCertificates, Conflict, Connection,
    HISTORY_PAGE_MAX, HostId, Kind, NewClientAuthority, NewClientCertificate, Reply, Revocation,
    RevokedCertificates, RevokedFor, RevokedKeys, StoreError,
};

impl ClientCertificates for SqliteStore {
    fn client_authorities(&self, name: &str) -> Reply<'_, Vec<ClientAuthorityRow>> {
        let name = name.to_owned();
        self.read(move |db| client_authority::all(db, &name))
    }

    fn add_client_authority(&self, new: NewClientAuthority, by: By) -> Reply<'_, ()> {
        self.write(move |db| client_authority::add(db, &new, &by))
    }

    fn retire_client_authorities(&self, name: &str, by: By) -> Reply<'_, Vec<i64>> {
        let name = name.to_owned();
        self.write(move |db| client_authority::retire(db, &name, &by))
    }

    fn add_client_certificate(&self, new: NewClientCertificate, by: By) -> Reply<'_, ()> {
        self.write(move |db| add(db, &new, &by))
    }

    fn client_certificates(
        &self,
        host: Option<HostId>,
        after: Option<CertificateCursor>,
        n_max: u32,
    ) -> Reply<'_, Vec<ClientCertificate>> {
        self.read(move |db| page(db, host.as_ref(), after, n_max))
    }

    fn has_client_certificate(&self, host: &HostId, now_ms: i64) -> Reply<'_, bool> {
        let host = host.clone();
        self.look_up(move |db| has_live(db, &host, now_ms))
    }

    fn revoke_client_certificates(
        &self,
        host: &HostId,
        which: RevokedKeys,
        why: RevokedFor,
        reason: &str,
        by: By,
    ) -> Reply<'_, u32> {
        let (host, reason) = (host.clone(), reason.to_owned());
        self.write(move |db| revoke(db, &host, which, (why, &reason), &by))
    }

    fn client_revocations(&self) -> Reply<'_, i64> {
        self.look_up(n_revocations)
    }

    fn next_revoked_certificates(&self, now_ms: i64) -> Reply<'_, RevokedCertificates> {
        self.write(move |db| next_list(db, now_ms))
    }
}

const COLUMNS: &str = "SELECT serial, host_id, host_name, ek_spki_sha256, key_name, issued_at_ms, \
    not_after_ms, authority_number, revoked_at_ms, revoked_for, revoked_reason, revoked_by \
    FROM client_certificates";

fn certificate_row(row: &Row<'_>) -> rusqlite::Result<ClientCertificate> {
    let mut columns = Columns::of(row);
    Ok(ClientCertificate {
        serial: columns.take()?,
        host: columns.take::<String>()?.into(),
        host_name: columns.take()?,
        ek_spki_sha256: columns.take()?,
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

pub(super) fn add(db: &Db, new: &NewClientCertificate, by: &By) -> Result<(), StoreError> {
    let host = host::by_id(db, &new.host)?.ok_or(StoreError::NotFound(Kind::Host))?;
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
    prune(db, by.at_ms)?;
    let (n, last, barred): (u32, Option<i64>, bool) = db
        .prepare_cached(
            "SELECT count(*) FILTER (WHERE not_after_ms > ?2), max(challenge_at_ms),
                coalesce(max(key_name = ?3 AND revoked_for = 'by-person'), 0)
             FROM client_certificates WHERE host_id = ?1",
        )?
        .query_row(params![id, by.at_ms, new.key_name], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?))
        })?;
    if last.is_some_and(|last| new.challenge_at_ms <= last) {
        return Err(Conflict::NonceUsed.into());
    }
    if barred {
        return Err(Conflict::KeyRevoked { host: new.host.clone() }.into());
    }
    if n >= CLIENT_CERTIFICATES_PER_HOST_MAX {
        let max = CLIENT_CERTIFICATES_PER_HOST_MAX;
        return Err(StoreError::Limit { what: "client certificates of the host", max });
    }
    if client_authority::issuing(db, &new.authority, by.at_ms)? != Some(new.authority_number) {
        return Err(Conflict::AuthorityReplaced.into());
    }
    db.prepare_cached(
        "INSERT INTO client_certificates (serial, host_id, host_name, ek_spki_sha256, key_name,
            challenge_at_ms, issued_at_ms, not_after_ms,
            authority_name, authority_number)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
    )?
    .execute(params![
        new.serial,
        id,
        host.name,
        identity.ek_spki_sha256,
        new.key_name,
        new.challenge_at_ms,
        by.at_ms,
        new.not_after_ms,
        new.authority,
        new.authority_number
    ])
    .map_err(|error| match is_duplicate(&error) {
        true => Conflict::IdTaken.into(),
        false => StoreError::from(error),
    })?;
    // Whoever looked at the host a moment ago did not see this one.
    host::update(db, &new.host, "look_at_ms = 0, look_seq = look_seq + 1", &[])?;
    let detail = json!({
        "serial": hex::encode(new.serial),
        "authority": new.authority_number,
        "key_name": hex::encode(&new.key_name),
        "not_after_ms": new.not_after_ms,
    });
    audit::append(db, by, "client-certificate.issue", host::subject(&new.host), &detail)
}

/// Those that no list of revoked ones has to name any more.
fn prune(db: &Db, now_ms: i64) -> Result<(), StoreError> {
    db.prepare_cached("DELETE FROM client_certificates WHERE not_after_ms < ?1")?
        .execute([now_ms.saturating_sub(CLIENT_CERTIFICATES_KEPT_MS)])?;
    Ok(())
}

pub(super) fn page(
    db: &Db,
    host: Option<&HostId>,
    after: Option<CertificateCursor>,
    n_max: u32,
) -> Result<Vec<ClientCertificate>, StoreError> {
    let (at_ms, serial) =
        after.map_or((i64::MAX, Vec::new()), |after| (after.issued_at_ms, after.serial.to_vec()));
    let n_max = n_max.min(HISTORY_PAGE_MAX);
    // Two statements, each by an index of its own.
    let of_host = if host.is_some() { "host_id = ?4 AND" } else { "" };
    let mut statement = db.prepare_cached(&format!(
        "{COLUMNS} WHERE {of_host} (issued_at_ms, serial) < (?1, ?2)
         ORDER BY issued_at_ms DESC, serial DESC LIMIT ?3"
    ))?;
    let rows = match host {
        Some(host) => statement
            .query_map(params![at_ms, serial, n_max, host.as_str()], certificate_row)?
            .collect::<Result<_, _>>(),
        None => statement
            .query_map(params![at_ms, serial, n_max], certificate_row)?
            .collect::<Result<_, _>>(),
    };
    Ok(rows?)
}

pub(super) fn has_live(db: &Db, host: &HostId, now_ms: i64) -> Result<bool, StoreError> {
    let mut statement = db.prepare_cached(
        "SELECT 1 FROM client_certificates
         WHERE host_id = ?1 AND revoked_at_ms IS NULL AND not_after_ms > ?2 LIMIT 1",
    )?;
    let found: Option<i64> =
        statement.query_row(params![host.as_str(), now_ms], |row| row.get(0)).optional()?;
    Ok(found.is_some())
}

pub(super) fn revoke(
    db: &Db,
    host: &HostId,
    which: RevokedKeys,
    (why, reason): (RevokedFor, &str),
    by: &By,
) -> Result<u32, StoreError> {
    let spared = match which {
        RevokedKeys::All => None,
        RevokedKeys::NotIn(ek) => Some(ek.to_vec()),
    };
    let serials: Vec<[u8; 16]> = db
        .prepare_cached(
            "UPDATE client_certificates SET revoked_at_ms = ?2, revoked_for = ?3,
                revoked_reason = ?4, revoked_by = ?5
             WHERE host_id = ?1 AND revoked_at_ms IS NULL AND not_after_ms > ?2
                AND (?6 IS NULL OR ek_spki_sha256 <> ?6) RETURNING serial",
        )?
        .query_map(
            params![host.as_str(), by.at_ms, why.as_str(), reason, by.actor, spared],
            |row| row.get(0),
        )?
        .collect::<Result<_, _>>()?;
    if serials.is_empty() {
        return Ok(0);
    }
    db.prepare_cached("UPDATE counters SET value = value + 1 WHERE name = 'client_revocations'")?
        .execute([])?;
    let detail = json!({
        "serials": serials.iter().map(hex::encode).collect::<Vec<_>>(),
        "for": why.as_str(),
        "reason": reason,
    });
    audit::append(db, by, "client-certificate.revoke", host::subject(host), &detail)?;
    Ok(u32::try_from(serials.len()).unwrap_or(u32::MAX))
}

pub(super) fn n_revocations(db: &Db) -> Result<i64, StoreError> {
    let sql = "SELECT value FROM counters WHERE name = 'client_revocations'";
    Ok(db.prepare_cached(sql)?.query_row([], |row| row.get(0))?)
}

pub(super) fn next_list(db: &Db, now_ms: i64) -> Result<RevokedCertificates, StoreError> {
    prune(db, now_ms)?;
    // Also the time, so that the numbers go on where a backup was restored.
    let number = db
        .prepare_cached(
            "UPDATE counters SET value = max(value + 1, ?1) WHERE name = 'client_crl'
             RETURNING value",
        )?
        .query_row([now_ms], |row| row.get(0))?;
    let mut statement = db.prepare_cached(
        "SELECT serial, revoked_at_ms, revoked_for FROM client_certificates
         WHERE revoked_at_ms IS NOT NULL ORDER BY serial",
    )?;
    let revoked = statement.query_map([], |row| {
        let mut columns = Columns::of(row);
        Ok((columns.take()?, columns.take()?, columns.word(RevokedFor::from_word)?))
    })?;
    let revoked = revoked.collect::<Result<_, _>>()?;
    Ok(RevokedCertificates { number, n_changes: n_revocations(db)?, revoked })
}
