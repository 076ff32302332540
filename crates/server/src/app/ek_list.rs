//! Lists of endorsement keys that are known from a purchase.
//!
//! A list is no trust root: that a TPM has a key is proved by activation, and that it is a TPM by the key's
//! certificate or a person's word in the policy, on a list or not. A list says whose it is, and whom one expects.

use api::ek_list::{
    AddEksRequest, AddedEks, EK_NOTE_CHARS_MAX, EKS_MAX, Ek, EkDigestOf, EkList, EkListRequest,
    EkPage, EksQuery, ListedEk, ShownEk, UnlistedHost, UnlistedPage, is_list_name,
};
use store::{
    AdmittedEks, By, EkCursor, EkDigestKind, HostId, JoinedEks, ListedApproval, NewEkList,
    NewListedEk,
};

use super::{
    App, AppError, RefusalKind,
    labels::check_labels,
    paging::{cut, one_more},
};

/// Keys or hosts on a page, where the client does not say.
const PAGE_LEN: u32 = 100;

/// Characters of a list's note: a line of text.
const NOTE_CHARS_MAX: usize = 200;

fn invalid(title: impl Into<String>) -> AppError {
    AppError::plain(RefusalKind::Invalid, "ek-list-invalid", title)
}

/// Whether `text` is a line, or nothing.
fn is_note(text: &str, chars_max: usize) -> bool {
    text.chars().count() <= chars_max && !text.chars().any(char::is_control)
}

impl App {
    /// Makes a list without keys.
    pub async fn add_ek_list(&self, request: EkListRequest, by: By) -> Result<(), AppError> {
        let EkListRequest { name, labels, expected, note } = request;
        if !is_list_name(&name) {
            return Err(invalid(
                "a list's name has 1 to 63 letters, digits, dots, dashes and underscores, and begins \
                 with one of the former",
            ));
        }
        check_labels(&labels)?;
        if !is_note(&note, NOTE_CHARS_MAX) {
            return Err(invalid(format!(
                "a note is one line of {NOTE_CHARS_MAX} characters at most"
            )));
        }
        let approval = if expected { ListedApproval::NotRequired } else { ListedApproval::AsToken };
        Ok(self.store.add_ek_list(NewEkList { name, labels, approval, note }, by).await?)
    }

    /// All lists.
    pub async fn ek_lists(&self) -> Result<Vec<EkList>, AppError> {
        let lists = self.store.ek_lists().await?.into_iter();
        Ok(lists
            .map(|row| EkList {
                name: row.list.name,
                labels: row.list.labels,
                expected: row.list.approval == ListedApproval::NotRequired,
                note: row.list.note,
                created_at_ms: row.created_at_ms,
                created_by: row.created_by,
                n_eks: row.n_eks,
                n_joined: row.n_joined,
            })
            .collect())
    }

    /// Puts keys on a list.
    pub async fn add_eks(
        &self,
        list: &str,
        request: AddEksRequest,
        by: By,
    ) -> Result<AddedEks, AppError> {
        if request.eks.len() > EKS_MAX {
            return Err(invalid(format!("one request has {EKS_MAX} keys at most")));
        }
        let eks = request.eks.into_iter().map(new_ek).collect::<Result<Vec<_>, _>>()?;
        Ok(AddedEks { known_on: self.store.add_listed_eks(list, eks, by).await? })
    }

    /// One page of the keys of a list.
    pub async fn eks(&self, list: &str, query: EksQuery) -> Result<EkPage, AppError> {
        let after = query.cursor.as_deref().map(cursor_from_text).transpose()?;
        let limit = query.limit.unwrap_or(PAGE_LEN).clamp(1, store::HISTORY_PAGE_MAX);
        let joined = match query.joined {
            None => JoinedEks::All,
            Some(true) => JoinedEks::Joined,
            Some(false) => JoinedEks::Missing,
        };
        let rows = self.store.listed_eks(list, joined, after, one_more(limit)).await?;
        let (rows, follows) = cut(rows, limit, store::HISTORY_PAGE_MAX);
        let next_cursor = rows.last().filter(|_| follows).map(|last| cursor_to_text(&last.ek));
        let view = |row: store::ListedEk| {
            let (host_id, host) = row.host.unzip();
            let NewListedEk { kind, digest, note } = row.ek;
            let of = match kind {
                EkDigestKind::Spki => EkDigestOf::Spki,
                EkDigestKind::PublicArea => EkDigestOf::PublicArea,
            };
            let ek = ShownEk { of, sha256: hex::encode(digest), note };
            ListedEk { ek, host_id: host_id.map(|id| id.to_string()), host }
        };
        Ok(EkPage { eks: rows.into_iter().map(view).collect(), next_cursor })
    }

    /// Removes a list. Hosts that joined by it stay as they are.
    pub async fn remove_ek_list(&self, list: &str, by: By) -> Result<(), AppError> {
        Ok(self.store.remove_ek_list(list, by).await?)
    }

    /// One page of enrolled hosts whose keys are on no list.
    pub async fn unlisted_hosts(
        &self,
        cursor: Option<&str>,
        limit: Option<u32>,
    ) -> Result<UnlistedPage, AppError> {
        let limit = limit.unwrap_or(PAGE_LEN).clamp(1, store::HOSTS_PAGE_MAX);
        let after = cursor.map(host_from_text).transpose()?;
        let hosts = self.store.unlisted_hosts(after, one_more(limit)).await?;
        let (hosts, follows) = cut(hosts, limit, store::HOSTS_PAGE_MAX);
        let next_cursor =
            hosts.last().filter(|_| follows).map(|last| hex::encode(last.id.as_str()));
        let view = |host: store::Host| {
            let ek_sha256 = hex::encode(host.identity?.ek_spki_sha256);
            Some(UnlistedHost { id: host.id.to_string(), name: host.name, ek_sha256 })
        };
        Ok(UnlistedPage { hosts: hosts.into_iter().filter_map(view).collect(), next_cursor })
    }

    /// Whose endorsement keys a join token admits that names this list, or any with `*`. A list that is
    /// not there would admit nobody, which its author did not mean.
    pub(super) async fn admitted_eks(&self, on: Option<String>) -> Result<AdmittedEks, AppError> {
        match on {
            None => Ok(AdmittedEks::Any),
            Some(text) if text == "*" => Ok(AdmittedEks::Listed),
            Some(name) => {
                let lists = self.store.ek_lists().await?;
                match lists.iter().any(|row| row.list.name == name) {
                    true => Ok(AdmittedEks::OnList(name)),
                    false => Err(store::StoreError::NotFound(store::Kind::EkList).into()),
                }
            }
        }
    }
}

/// The list that a token admits, as clients see it.
pub(super) fn listed_on(admitted: AdmittedEks) -> Option<String> {
    match admitted {
        AdmittedEks::Any => None,
        AdmittedEks::Listed => Some("*".to_owned()),
        AdmittedEks::OnList(name) => Some(name),
    }
}

fn new_ek(ek: Ek) -> Result<NewListedEk, AppError> {
    let Ek { of, sha256, note } = ek;
    let mut digest = [0; 32];
    hex::decode_to_slice(sha256.as_bytes(), &mut digest)
        .map_err(|_| invalid("a key is named by a SHA-256, 64 hexadecimal digits"))?;
    if !is_note(&note, EK_NOTE_CHARS_MAX) {
        let title =
            format!("what is said of a key is one line of {EK_NOTE_CHARS_MAX} characters at most");
        return Err(invalid(title));
    }
    let kind = match of {
        EkDigestOf::Spki => EkDigestKind::Spki,
        EkDigestOf::PublicArea => EkDigestKind::PublicArea,
    };
    Ok(NewListedEk { kind, digest, note })
}

fn host_from_text(text: &str) -> Result<HostId, AppError> {
    let id = hex::decode(text).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    id.map(|id| HostId::from(id.as_str())).ok_or_else(super::cursor::invalid)
}

/// A cursor as clients see it: opaque, so that it may change.
fn cursor_to_text(ek: &NewListedEk) -> String {
    format!("{}.{}", ek.kind, hex::encode(ek.digest))
}

fn cursor_from_text(text: &str) -> Result<EkCursor, AppError> {
    let read = || {
        let (kind, digits) = text.split_once('.')?;
        let mut digest = [0; 32];
        hex::decode_to_slice(digits, &mut digest).ok()?;
        Some(EkCursor { kind: EkDigestKind::from_word(kind)?, digest })
    };
    read().ok_or_else(super::cursor::invalid)
}
