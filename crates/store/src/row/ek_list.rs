//! Endorsement keys that are known from a purchase.

use super::word_enum;
use crate::{By, Host, HostId, Labels, Reply, Sha256};

/// What a list knows of an endorsement key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum EkDigestKind {
    /// SHA-256 of its SubjectPublicKeyInfo.
    Spki,
    /// SHA-256 of its public area (TPMT_PUBLIC): what is in its name behind the algorithm.
    PublicArea,
}
word_enum!(EkDigestKind { Spki = "spki", PublicArea = "public-area" });

/// Whether a host whose key is on a list needs a person's consent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ListedApproval {
    /// As its join token says.
    AsToken,
    /// It is expected: it needs none.
    NotRequired,
}
word_enum!(ListedApproval { AsToken = "as-token", NotRequired = "not-required" });

/// Whose endorsement keys a join token admits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AdmittedEks {
    /// Any that enrolment accepts.
    Any,
    /// Those on any list.
    Listed,
    /// Those on the list of this name.
    OnList(String),
}

impl AdmittedEks {
    /// What stands in the column.
    pub(crate) fn to_column(&self) -> Option<&str> {
        match self {
            Self::Any => None,
            Self::Listed => Some("*"),
            Self::OnList(name) => Some(name),
        }
    }

    pub(crate) fn from_column(text: Option<String>) -> Self {
        match text {
            None => Self::Any,
            Some(text) if text == "*" => Self::Listed,
            Some(name) => Self::OnList(name),
        }
    }
}

/// A list to make.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewEkList {
    /// Its unique name.
    pub name: String,
    /// What hosts are labelled with whose keys are on it.
    pub labels: Labels,
    /// Whether they need a person's consent.
    pub approval: ListedApproval,
    /// A person's words about it.
    pub note: String,
}

/// A list as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EkList {
    /// Its name, what it does, and a person's words.
    pub list: NewEkList,
    /// When it was made.
    pub created_at_ms: i64,
    /// Who made it.
    pub created_by: String,
    /// The keys on it.
    pub n_eks: u64,
    /// Those of them with which a host is enrolled.
    pub n_joined: u64,
}

/// What a list knows of a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewListedEk {
    /// Of what.
    pub kind: EkDigestKind,
    /// The digest.
    pub digest: Sha256,
    /// What the seller says of it: a serial number, say.
    pub note: String,
}

/// A key on a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedEk {
    /// What the list knows of it.
    pub ek: NewListedEk,
    /// The host that is enrolled with it, and its name.
    pub host: Option<(HostId, String)>,
}

/// The place after which a page of a list goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EkCursor {
    /// Of the last key seen.
    pub kind: EkDigestKind,
    /// Of the last key seen.
    pub digest: Sha256,
}

/// Which keys of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JoinedEks {
    /// All.
    All,
    /// Those with which a host is enrolled.
    Joined,
    /// Those with which none is.
    Missing,
}

/// What lists say of a host whose key is on them.
#[derive(Debug, Default)]
pub(crate) struct Admission {
    /// Their names.
    pub(crate) lists: Vec<String>,
    /// Their labels.
    pub(crate) labels: Labels,
    /// Whether one of them expects it.
    pub(crate) is_expected: bool,
}

/// All that `lists` say together; of two values of a label the first list's counts.
pub(crate) fn merged(
    lists: Vec<(String, Labels, ListedApproval)>,
    admitted: &AdmittedEks,
) -> Result<Admission, crate::StoreError> {
    let is_admitted = match admitted {
        AdmittedEks::Any => true,
        AdmittedEks::Listed => !lists.is_empty(),
        AdmittedEks::OnList(wanted) => lists.iter().any(|(name, ..)| name == wanted),
    };
    if !is_admitted {
        return Err(crate::Conflict::EkNotListed.into());
    }
    let mut admission = Admission::default();
    for (name, labels, approval) in lists {
        for (key, value) in labels {
            admission.labels.entry(key).or_insert(value);
        }
        admission.is_expected |= approval == ListedApproval::NotRequired;
        admission.lists.push(name);
    }
    Ok(admission)
}

impl Admission {
    /// The labels of a host that joined with those of a token. Who holds a token may be anybody, and a
    /// list names this very TPM: its labels go before, as far as there is room.
    pub(crate) fn labels_with(&self, of_token: &Labels) -> Labels {
        let max = usize::try_from(crate::LABELS_PER_HOST_MAX).unwrap_or(usize::MAX);
        let mut labels = of_token.clone();
        for (key, value) in &self.labels {
            if labels.contains_key(key) || labels.len() < max {
                labels.insert(key.clone(), value.clone());
            }
        }
        labels
    }
}

/// What a store does with endorsement keys that are known from a purchase: a part of
/// [`crate::Store`].
pub trait EkLists {
    /// Makes a list without keys. [`Conflict::NameTaken`](crate::Conflict::NameTaken) if there is one of its name.
    fn add_ek_list(&self, list: NewEkList, by: By) -> Reply<'_, ()>;
    /// All lists by name.
    fn ek_lists(&self) -> Reply<'_, Vec<EkList>>;
    /// Puts keys on a list, and returns for each on which lists it was before, this one among them: then
    /// nothing of it is changed.
    fn add_listed_eks(
        &self,
        list: &str,
        eks: Vec<NewListedEk>,
        by: By,
    ) -> Reply<'_, Vec<Vec<String>>>;
    /// Keys of a list by kind and digest, after `after`; at most `n_max` and [`HISTORY_PAGE_MAX`](crate::HISTORY_PAGE_MAX).
    fn listed_eks(
        &self,
        list: &str,
        joined: JoinedEks,
        after: Option<EkCursor>,
        n_max: u32,
    ) -> Reply<'_, Vec<ListedEk>>;
    /// Removes a list with its keys. Hosts that joined by it stay as they are.
    fn remove_ek_list(&self, list: &str, by: By) -> Reply<'_, ()>;
    /// Enrolled hosts whose keys are on no list, by identifier, after `after`; at most `n_max` and
    /// [`HOSTS_PAGE_MAX`](crate::HOSTS_PAGE_MAX).
    fn unlisted_hosts(&self, after: Option<HostId>, n_max: u32) -> Reply<'_, Vec<Host>>;
}
