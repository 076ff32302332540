//! Lists of endorsement keys that are known from a purchase.

use serde::{Deserialize, Serialize};

use crate::inventory::Labels;

/// Keys of one [`AddEksRequest`]: below 2 MiB as JSON.
pub const EKS_MAX: usize = 5_000;

/// Characters of a list's name.
pub const NAME_CHARS_MAX: usize = 63;

/// Characters of what a list says of one key.
pub const EK_NOTE_CHARS_MAX: usize = 200;

/// Whether `name` can be a list's: what stands in addresses as it is.
pub fn is_list_name(name: &str) -> bool {
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    (1..=NAME_CHARS_MAX).contains(&name.len())
        && name.chars().all(fits)
        && name.starts_with(|c: char| c.is_ascii_alphanumeric())
}

/// `POST /v1/ek-lists`: a list, without keys yet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct EkListRequest {
    /// Its name: [`is_list_name`].
    pub name: String,
    /// What hosts are labelled with whose keys are on it.
    #[serde(default)]
    pub labels: Labels,
    /// Whether they are expected: then no person is asked, whatever their join token says.
    #[serde(default)]
    pub expected: bool,
    /// What it is.
    #[serde(default)]
    pub note: String,
}

/// `GET /v1/ek-lists`: one list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct EkList {
    /// Its name.
    pub name: String,
    /// What hosts are labelled with whose keys are on it.
    pub labels: Labels,
    /// Whether they are expected.
    pub expected: bool,
    /// What it is.
    pub note: String,
    /// When it was made, in milliseconds since 1970.
    pub created_at_ms: i64,
    /// Who made it.
    pub created_by: String,
    /// The keys on it.
    pub n_eks: u64,
    /// Those of them with which a host is enrolled.
    pub n_joined: u64,
}

/// Of what a list knows the SHA-256.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum EkDigestOf {
    /// The key's SubjectPublicKeyInfo.
    Spki,
    /// The key's public area (TPMT_PUBLIC): the digest in its name.
    PublicArea,
}

/// A key on a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Ek {
    /// Of what it is the digest.
    pub of: EkDigestOf,
    /// SHA-256, in hex.
    pub sha256: String,
    /// What the seller says of it.
    #[serde(default)]
    pub note: String,
}

/// `POST /v1/ek-lists/{name}/keys`: keys to put on a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct AddEksRequest {
    /// The keys; [`EKS_MAX`] at most.
    pub eks: Vec<Ek>,
}

/// The answer to [`AddEksRequest`], in its order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct AddedEks {
    /// For each key the lists on which it was before; this list among them: it was not added.
    pub known_on: Vec<Vec<String>>,
}

/// The query of `GET /v1/ek-lists/{name}/keys`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct EksQuery {
    /// Where the page begins: [`EkPage::next_cursor`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
    /// Keys on the page at most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
    /// Those with which a host is enrolled, or those with which none is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub joined: Option<bool>,
}

/// `GET /v1/ek-lists/{name}/keys`: one page.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct EkPage {
    /// The keys.
    pub eks: Vec<ListedEk>,
    /// What to pass as `cursor` for the next page; absent on the last.
    pub next_cursor: Option<String>,
}

/// A key on a list, and its host.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ListedEk {
    /// The key.
    #[serde(flatten)]
    pub ek: ShownEk,
    /// The identifier of the host that is enrolled with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host_id: Option<String>,
    /// That host's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host: Option<String>,
}

/// A key as it is shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ShownEk {
    /// Of what it is the digest.
    pub of: EkDigestOf,
    /// SHA-256, in hex.
    pub sha256: String,
    /// What the seller says of it.
    pub note: String,
}

/// `GET /v1/unlisted-hosts`: one page of enrolled hosts whose keys are on no list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct UnlistedPage {
    /// The hosts.
    pub hosts: Vec<UnlistedHost>,
    /// What to pass as `cursor` for the next page; absent on the last.
    pub next_cursor: Option<String>,
}

/// A host whose key is on no list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct UnlistedHost {
    /// Its identifier.
    pub id: String,
    /// Its name.
    pub name: String,
    /// SHA-256 of its endorsement key's SubjectPublicKeyInfo, in hex.
    pub ek_sha256: String,
}

#[cfg(test)]
mod tests {
    use super::is_list_name;

    #[test]
    fn a_name_stands_in_addresses_as_it_is() {
        for good in ["po-4711", "2026.delivery_1", &"a".repeat(63)] {
            assert!(is_list_name(good), "{good}");
        }
        for wrong in ["", "*", "a b", "a/b", "..", ".a", "-a", "\u{fc}", &"a".repeat(64)] {
            assert!(!is_list_name(wrong), "{wrong}");
        }
    }
}
