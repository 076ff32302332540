//! Endorsement keys that are known from a purchase.

use aws_lc_rs::digest::{SHA256, digest};
use serde_json::json;
use tokio_postgres::Row;

use super::columns::Columns;
use super::error::is_duplicate;
use super::session::Session;
use super::transaction::Transaction;
use super::{PostgresStore, host};
use crate::row::ek_list::{Admission, merged};
use crate::{
    AdmittedEks, By, Conflict, EkCursor, EkDigestKind, EkList, EkLists, HISTORY_PAGE_MAX,
    HOSTS_PAGE_MAX, Host, HostId, Identity, JoinedEks, Kind, ListedApproval, ListedEk, NewEkList,
    NewListedEk, Reply, StoreError,
};

impl EkLists for PostgresStore {
    fn add_ek_list(&self, list: NewEkList, by: By) -> Reply<'_, ()> {
        self.change((list, by), |tx, (list, by)| Box::pin(add(tx, list, by)))
    }

    fn ek_lists(&self) -> Reply<'_, Vec<EkList>> {
        self.look((), |db, ()| Box::pin(all(db)))
    }

    fn add_listed_eks(
        &self,
        list: &str,
        eks: Vec<NewListedEk>,
        by: By,
    ) -> Reply<'_, Vec<Vec<String>>> {
        let list = list.to_owned();
        self.change((list, eks, by), |tx, (list, eks, by)| Box::pin(add_eks(tx, list, eks, by)))
    }

    fn listed_eks(
        &self,
        list: &str,
        joined: JoinedEks,
        after: Option<EkCursor>,
        n_max: u32,
    ) -> Reply<'_, Vec<ListedEk>> {
        let list = list.to_owned();
        self.look((list, joined, after, n_max), |db, (list, joined, after, n_max)| {
            Box::pin(page(db, list, *joined, *after, *n_max))
        })
    }

    fn remove_ek_list(&self, list: &str, by: By) -> Reply<'_, ()> {
        let list = list.to_owned();
        self.change((list, by), |tx, (list, by)| Box::pin(remove(tx, list, by)))
    }

    fn unlisted_hosts(&self, after: Option<HostId>, n_max: u32) -> Reply<'_, Vec<Host>> {
        self.look((after, n_max), |db, (after, n_max)| {
            Box::pin(unlisted(db, after.as_ref(), *n_max))
        })
    }
}

/// SHA-256 of the public area of an endorsement key.
pub(super) fn public_sha256(identity: &Identity) -> Vec<u8> {
    digest(&SHA256, &identity.ek_public).as_ref().to_vec()
}

/// Where a key on a list is that of an identity: each by an index of its own.
const JOINED: &str = "(SELECT host_id FROM identities
        WHERE listed_eks.kind = 'spki' AND ek_spki_sha256 = listed_eks.digest
    UNION ALL SELECT host_id FROM identities
        WHERE listed_eks.kind = 'public-area' AND ek_public_sha256 = listed_eks.digest LIMIT 1)";

pub(super) async fn add(tx: &Transaction, new: &NewEkList, by: &By) -> Result<(), StoreError> {
    tx.try_execute(
        "INSERT INTO ek_lists (name, labels_json, approval, note, created_at_ms, created_by)
         VALUES ($1, $2, $3, $4, $5, $6)",
        &[
            &new.name,
            &json!(new.labels).to_string(),
            &new.approval.as_str(),
            &new.note,
            &by.at_ms,
            &by.actor,
        ],
    )
    .await
    .map_err(|error| match is_duplicate(&error) {
        true => Conflict::NameTaken { name: new.name.clone() }.into(),
        false => StoreError::from(error),
    })?;
    let detail =
        json!({ "labels": new.labels, "approval": new.approval.as_str(), "note": new.note });
    tx.audit(by, "ek-list.add", subject(&new.name), &detail);
    Ok(())
}

pub(super) async fn all(db: &Session) -> Result<Vec<EkList>, StoreError> {
    let sql = format!(
        "SELECT name, labels_json, approval, note, created_at_ms, created_by,
            (SELECT count(*) FROM listed_eks WHERE list = name),
            (SELECT count(*) FROM listed_eks WHERE list = name AND {JOINED} IS NOT NULL)
         FROM ek_lists ORDER BY name"
    );
    db.read(&sql, &[], |row| {
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
            n_eks: columns.count()?,
            n_joined: columns.count()?,
        })
    })
    .await
}

/// The list is locked: nobody removes it meanwhile, and of two who add the same key the second is told.
pub(super) async fn add_eks(
    tx: &Transaction,
    list: &str,
    eks: &[NewListedEk],
    by: &By,
) -> Result<Vec<Vec<String>>, StoreError> {
    lock(tx, list).await?;
    let mut on = Vec::with_capacity(eks.len());
    let mut n_added = 0_u64;
    for ek in eks {
        let (kind, digest) = (ek.kind.as_str(), ek.digest.as_slice());
        let sql = "SELECT list FROM listed_eks WHERE digest = $1 AND kind = $2 ORDER BY list";
        let known = tx.read(sql, &[&digest, &kind], |row| Ok(row.try_get(0)?)).await?;
        on.push(known);
        let n = tx
            .execute(
                "INSERT INTO listed_eks (list, kind, digest, note) VALUES ($1, $2, $3, $4)
                 ON CONFLICT DO NOTHING",
                &[&list, &kind, &digest, &ek.note],
            )
            .await?;
        n_added = n_added.saturating_add(n);
    }
    if n_added > 0 {
        tx.audit(by, "ek-list.add-keys", subject(list), &json!({ "n": n_added }));
    }
    Ok(on)
}

async fn lock(tx: &Transaction, list: &str) -> Result<(), StoreError> {
    let sql = "SELECT 1 FROM ek_lists WHERE name = $1 FOR UPDATE";
    match tx.execute(sql, &[&list]).await? {
        0 => Err(StoreError::NotFound(Kind::EkList)),
        _ => Ok(()),
    }
}

pub(super) async fn page(
    db: &Session,
    list: &str,
    joined: JoinedEks,
    after: Option<EkCursor>,
    n_max: u32,
) -> Result<Vec<ListedEk>, StoreError> {
    let there = db.row_or_none("SELECT 1 FROM ek_lists WHERE name = $1", &[&list]).await?;
    there.ok_or(StoreError::NotFound(Kind::EkList))?;
    let (kind, digest) =
        after.map_or(("", Vec::new()), |after| (after.kind.as_str(), after.digest.to_vec()));
    let chosen = match joined {
        JoinedEks::All => "",
        JoinedEks::Joined => "WHERE host IS NOT NULL",
        JoinedEks::Missing => "WHERE host IS NULL",
    };
    let sql = format!(
        "SELECT kind, digest, note, host, (SELECT name FROM hosts WHERE id = host) FROM (
            SELECT kind, digest, note, {JOINED} AS host FROM listed_eks
            WHERE list = $1 AND (kind, digest) > ($2, $3) ORDER BY kind, digest) AS listed
         {chosen} ORDER BY kind, digest LIMIT $4"
    );
    let n_max = i64::from(n_max.min(HISTORY_PAGE_MAX));
    db.read(&sql, &[&list, &kind, &digest, &n_max], listed_row).await
}

fn listed_row(row: &Row) -> Result<ListedEk, StoreError> {
    let mut columns = Columns::of(row);
    let ek = NewListedEk {
        kind: columns.word(EkDigestKind::from_word)?,
        digest: columns.sha256()?,
        note: columns.take()?,
    };
    let (host, name): (Option<String>, Option<String>) = (columns.take()?, columns.take()?);
    Ok(ListedEk { ek, host: host.map(HostId::from).zip(name) })
}

pub(super) async fn remove(tx: &Transaction, list: &str, by: &By) -> Result<(), StoreError> {
    lock(tx, list).await?;
    let n = tx.execute("DELETE FROM listed_eks WHERE list = $1", &[&list]).await?;
    tx.execute("DELETE FROM ek_lists WHERE name = $1", &[&list]).await?;
    tx.audit(by, "ek-list.remove", subject(list), &json!({ "n": n }));
    Ok(())
}

pub(super) async fn unlisted(
    db: &Session,
    after: Option<&HostId>,
    n_max: u32,
) -> Result<Vec<Host>, StoreError> {
    let after = after.map_or("", HostId::as_str);
    host::many(
        db,
        "WHERE hosts.id > $1 AND ek_spki_sha256 IS NOT NULL
            AND NOT EXISTS (SELECT 1 FROM listed_eks WHERE digest = ek_spki_sha256
                AND kind = 'spki')
            AND NOT EXISTS (SELECT 1 FROM listed_eks WHERE digest = ek_public_sha256
                AND kind = 'public-area')
         ORDER BY hosts.id LIMIT $2",
        &[&after, &i64::from(n_max.min(HOSTS_PAGE_MAX))],
    )
    .await
}

/// What the lists that have the key of `identity` say of its host. [`Conflict::EkNotListed`] where
/// `admitted` wants one that is not among them.
pub(super) async fn admit(
    tx: &Transaction,
    identity: &Identity,
    admitted: &AdmittedEks,
) -> Result<Admission, StoreError> {
    let sql =
        "SELECT DISTINCT name, labels_json, approval FROM listed_eks JOIN ek_lists ON name = list
         WHERE (digest = $1 AND kind = 'spki') OR (digest = $2 AND kind = 'public-area')
         ORDER BY name";
    let values: &[&(dyn tokio_postgres::types::ToSql + Sync)] =
        &[&identity.ek_spki_sha256.as_slice(), &public_sha256(identity)];
    let lists = tx
        .read(sql, values, |row| {
            let mut columns = Columns::of(row);
            let name: String = columns.take()?;
            Ok((name, columns.labels()?, columns.word(ListedApproval::from_word)?))
        })
        .await?;
    merged(lists, admitted)
}

fn subject(list: &str) -> String {
    format!("ek-list:{list}")
}
