//! Endorsement keys that are known from a purchase.

use aws_lc_rs::digest::{SHA256, digest};
use rusqlite::{Connection as Db, OptionalExtension as _, params};
use serde_json::json;

use super::columns::Columns;
use super::error::is_duplicate;
use super::{SqliteStore, audit, host};
use crate::row::ek_list::{Admission, merged};
use crate::{
    AdmittedEks, By, Conflict, EkCursor, EkDigestKind, EkList, EkLists, HISTORY_PAGE_MAX,
    HOSTS_PAGE_MAX, Host, HostId, Identity, JoinedEks, Kind, Labels, ListedApproval, ListedEk,
    NewEkList, NewListedEk, Reply, Sha256, StoreError,
};

impl EkLists for SqliteStore {
    fn add_ek_list(&self, list: NewEkList, by: By) -> Reply<'_, ()> {
        self.write(move |db| add(db, &list, &by))
    }

    fn ek_lists(&self) -> Reply<'_, Vec<EkList>> {
        self.read(all)
    }

    fn add_listed_eks(
        &self,
        list: &str,
        eks: Vec<NewListedEk>,
        by: By,
    ) -> Reply<'_, Vec<Vec<String>>> {
        let list = list.to_owned();
        self.write(move |db| add_eks(db, &list, &eks, &by))
    }

    fn listed_eks(
        &self,
        list: &str,
        joined: JoinedEks,
        after: Option<EkCursor>,
        n_max: u32,
    ) -> Reply<'_, Vec<ListedEk>> {
        let list = list.to_owned();
        self.read(move |db| page(db, &list, joined, after, n_max))
    }

    fn remove_ek_list(&self, list: &str, by: By) -> Reply<'_, ()> {
        let list = list.to_owned();
        self.write(move |db| remove(db, &list, &by))
    }

    fn unlisted_hosts(&self, after: Option<HostId>, n_max: u32) -> Reply<'_, Vec<Host>> {
        self.read(move |db| unlisted(db, after.as_ref(), n_max))
    }
}

/// SHA-256 of the public area of an endorsement key.
pub(super) fn public_sha256(identity: &Identity) -> Vec<u8> {
    digest(&SHA256, &identity.ek_public).as_ref().to_vec()
}

/// Where a key on a list is that of an identity.
const JOINED: &str = "(SELECT host_id FROM identities WHERE
    (listed_eks.kind = 'spki' AND ek_spki_sha256 = listed_eks.digest)
    OR (listed_eks.kind = 'public-area' AND ek_public_sha256 = listed_eks.digest) LIMIT 1)";

pub(super) fn add(db: &Db, new: &NewEkList, by: &By) -> Result<(), StoreError> {
    db.prepare_cached(
        "INSERT INTO ek_lists (name, labels_json, approval, note, created_at_ms, created_by)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    )?
    .execute(params![
        new.name,
        json!(new.labels).to_string(),
        new.approval.as_str(),
        new.note,
        by.at_ms,
        by.actor
    ])
    .map_err(|error| match is_duplicate(&error) {
        true => Conflict::NameTaken { name: new.name.clone() }.into(),
        false => StoreError::from(error),
    })?;
    let detail =
        json!({ "labels": new.labels, "approval": new.approval.as_str(), "note": new.note });
    audit::append(db, by, "ek-list.add", subject(&new.name), &detail)
}

pub(super) fn all(db: &Db) -> Result<Vec<EkList>, StoreError> {
    let mut statement = db.prepare_cached(&format!(
        "SELECT name, labels_json, approval, note, created_at_ms, created_by,
            (SELECT count(*) FROM listed_eks WHERE list = name),
            (SELECT count(*) FROM listed_eks WHERE list = name AND {JOINED} IS NOT NULL)
         FROM ek_lists ORDER BY name"
    ))?;
    let rows = statement.query_map([], |row| {
        let mut columns = Columns::of(row);
        Ok(EkList {
            list: NewEkList {
                name: columns.take()?,
                labels: columns.labels()?,
                approval: columns.word(ListedApproval::from_word)?,
                note: columns.take()?,
            },
            created_at_ms: columns.take()?,
            created_by: columns.take()?,
            n_eks: columns.take::<i64>()?.unsigned_abs(),
            n_joined: columns.take::<i64>()?.unsigned_abs(),
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

pub(super) fn add_eks(
    db: &Db,
    list: &str,
    eks: &[NewListedEk],
    by: &By,
) -> Result<Vec<Vec<String>>, StoreError> {
    check_there(db, list)?;
    let mut on = Vec::with_capacity(eks.len());
    let mut n_added = 0_u32;
    for ek in eks {
        on.push(lists_of(db, ek.kind, &ek.digest)?);
        let n = db
            .prepare_cached(
                "INSERT INTO listed_eks (list, kind, digest, note) VALUES (?1, ?2, ?3, ?4)
                 ON CONFLICT DO NOTHING",
            )?
            .execute(params![list, ek.kind.as_str(), ek.digest, ek.note])?;
        n_added = n_added.saturating_add(u32::try_from(n).unwrap_or(0));
    }
    if n_added > 0 {
        audit::append(db, by, "ek-list.add-keys", subject(list), &json!({ "n": n_added }))?;
    }
    Ok(on)
}

fn lists_of(db: &Db, kind: EkDigestKind, digest: &Sha256) -> Result<Vec<String>, StoreError> {
    let mut statement = db.prepare_cached(
        "SELECT list FROM listed_eks WHERE digest = ?1 AND kind = ?2 ORDER BY list",
    )?;
    let rows = statement.query_map(params![digest, kind.as_str()], |row| row.get(0))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn check_there(db: &Db, list: &str) -> Result<(), StoreError> {
    let mut statement = db.prepare_cached("SELECT 1 FROM ek_lists WHERE name = ?1")?;
    let found: Option<i64> = statement.query_row([list], |row| row.get(0)).optional()?;
    found.map(drop).ok_or(StoreError::NotFound(Kind::EkList))
}

pub(super) fn page(
    db: &Db,
    list: &str,
    joined: JoinedEks,
    after: Option<EkCursor>,
    n_max: u32,
) -> Result<Vec<ListedEk>, StoreError> {
    check_there(db, list)?;
    let (kind, digest) =
        after.map_or(("", Vec::new()), |after| (after.kind.as_str(), after.digest.to_vec()));
    let chosen = match joined {
        JoinedEks::All => "",
        JoinedEks::Joined => "WHERE host IS NOT NULL",
        JoinedEks::Missing => "WHERE host IS NULL",
    };
    let mut statement = db.prepare_cached(&format!(
        "SELECT kind, digest, note, host, (SELECT name FROM hosts WHERE id = host) FROM (
            SELECT kind, digest, note, {JOINED} AS host FROM listed_eks
            WHERE list = ?1 AND (kind, digest) > (?2, ?3) ORDER BY kind, digest)
         {chosen} LIMIT ?4"
    ))?;
    let values = params![list, kind, digest, n_max.min(HISTORY_PAGE_MAX)];
    let rows = statement.query_map(values, |row| {
        let mut columns = Columns::of(row);
        let ek = NewListedEk {
            kind: columns.word(EkDigestKind::from_word)?,
            digest: columns.take()?,
            note: columns.take()?,
        };
        let (host, name): (Option<String>, Option<String>) = (columns.take()?, columns.take()?);
        Ok(ListedEk { ek, host: host.map(HostId::from).zip(name) })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

pub(super) fn remove(db: &Db, list: &str, by: &By) -> Result<(), StoreError> {
    check_there(db, list)?;
    let n = db.prepare_cached("DELETE FROM listed_eks WHERE list = ?1")?.execute([list])?;
    db.prepare_cached("DELETE FROM ek_lists WHERE name = ?1")?.execute([list])?;
    audit::append(db, by, "ek-list.remove", subject(list), &json!({ "n": n }))
}

pub(super) fn unlisted(
    db: &Db,
    after: Option<&HostId>,
    n_max: u32,
) -> Result<Vec<Host>, StoreError> {
    let after = after.map_or("", HostId::as_str);
    host::many(
        db,
        "WHERE hosts.id > ?1 AND ek_spki_sha256 IS NOT NULL
            AND NOT EXISTS (SELECT 1 FROM listed_eks WHERE digest = ek_spki_sha256
                AND kind = 'spki')
            AND NOT EXISTS (SELECT 1 FROM listed_eks WHERE digest = ek_public_sha256
                AND kind = 'public-area')
         ORDER BY hosts.id LIMIT ?2",
        &[&after, &n_max.min(HOSTS_PAGE_MAX)],
    )
}

/// What the lists that have the key of `identity` say of its host. [`Conflict::EkNotListed`] where
/// `admitted` wants one that is not among them.
pub(super) fn admit(
    db: &Db,
    identity: &Identity,
    admitted: &AdmittedEks,
) -> Result<Admission, StoreError> {
    let mut statement = db.prepare_cached(
        "SELECT DISTINCT name, labels_json, approval FROM listed_eks JOIN ek_lists ON name = list
         WHERE (digest = ?1 AND kind = 'spki') OR (digest = ?2 AND kind = 'public-area')
         ORDER BY name",
    )?;
    let values = params![identity.ek_spki_sha256, public_sha256(identity)];
    let rows = statement.query_map(values, |row| {
        let mut columns = Columns::of(row);
        let name: String = columns.take()?;
        Ok((name, columns.labels()?, columns.word(ListedApproval::from_word)?))
    })?;
    let lists: Vec<(String, Labels, ListedApproval)> = rows.collect::<Result<_, _>>()?;
    merged(lists, admitted)
}

fn subject(list: &str) -> String {
    format!("ek-list:{list}")
}
