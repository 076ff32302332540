//! References in the inventory, and how hosts of a cohort compare.

use serde::{Deserialize, Serialize};

use crate::{Bytes, finding::Finding, machine::Cohort};

/// `GET /v1/hosts/{id}/peers`: how a host's last verified quote compares with its cohort's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Peers {
    /// The cohort, as the host named it with that quote.
    pub cohort: Cohort,
    /// The bank's hash name.
    pub bank: String,
    /// By PCR.
    pub pcrs: Vec<PeerPcr>,
}

/// One PCR of a host, among those of its cohort.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct PeerPcr {
    /// The PCR.
    pub pcr: u32,
    /// The host's value, in hex.
    pub value: String,
    /// Hosts that have this value, this one among them.
    pub n_same: u64,
    /// Hosts of the cohort that quoted this PCR in this bank.
    pub n_hosts: u64,
    /// A value that no other has more hosts of, in hex.
    pub most_common: String,
    /// Hosts that have that one.
    pub n_most_common: u64,
}

impl PeerPcr {
    /// In words: `211 of 212 hosts of this model share this PCR 0`.
    pub fn sentence(&self) -> String {
        let Self { pcr, n_same, n_hosts, n_most_common, .. } = self;
        let others = n_hosts.saturating_sub(*n_same);
        match (n_same, n_hosts) {
            (_, 1) => format!("no other host of this model has quoted PCR {pcr}"),
            (1, _) if *n_most_common > 1 => format!(
                "this host alone has this PCR {pcr}; {n_most_common} of {n_hosts} hosts of this \
                 model share another"
            ),
            (1, _) => format!("each of the {n_hosts} hosts of this model has its own PCR {pcr}"),
            _ if n_same < n_most_common => format!(
                "{n_same} of {n_hosts} hosts of this model share this PCR {pcr}; {n_most_common} \
                 share another"
            ),
            _ if others == 0 => format!("all {n_hosts} hosts of this model share this PCR {pcr}"),
            _ => format!("{n_same} of {n_hosts} hosts of this model share this PCR {pcr}"),
        }
    }
}

/// For whom a reference counts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum ReferenceScope {
    /// One host, by its identifier.
    Host(String),
    /// All hosts that say they are of this cohort.
    Cohort(Cohort),
}

/// Whether something is for a host alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Breadth {
    /// For the host alone.
    Host,
    /// For all hosts of its cohort.
    Cohort,
}

/// Where a reference is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum ReferenceState {
    /// Nobody has put it in force yet.
    Pending,
    /// Hosts are held to it.
    Active,
    /// It still counts, and is told.
    Obsolete,
    /// It counts no more.
    Retired,
    /// What boots like it fails, for ever.
    Revoked,
}

impl ReferenceState {
    /// The word in JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Active => "active",
            Self::Obsolete => "obsolete",
            Self::Retired => "retired",
            Self::Revoked => "revoked",
        }
    }
}

/// The state that a reference begins in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum BeginsAs {
    /// Somebody else puts it in force.
    Pending,
    /// It counts at once.
    Active,
}

/// For how many boots of a host a reference counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum ReferenceUses {
    /// Any number.
    #[default]
    Any,
    /// One of each host: the first that was accepted by it.
    OneBoot,
}

/// A reference of the inventory, without its content.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct KeptReference {
    /// Its identifier.
    pub id: String,
    /// What people call it.
    pub name: String,
    /// For whom it counts.
    pub scope: ReferenceScope,
    /// `learnt`, `accepted-change` or `imported`.
    pub origin: String,
    /// Where it is in its life.
    pub state: ReferenceState,
    /// For how many boots.
    pub uses: ReferenceUses,
    /// From when on it counts no more, in milliseconds since 1970.
    pub until_ms: Option<i64>,
    /// SHA-256 of its content, in hex.
    pub sha256: String,
    /// When it was made, in milliseconds since 1970.
    pub created_at_ms: i64,
    /// By whom.
    pub created_by: String,
    /// Why, in that person's words.
    pub reason: String,
}

/// `GET /v1/references`: one page.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ReferencePage {
    /// References in every state, oldest first.
    pub references: Vec<KeptReference>,
    /// What to pass as `cursor` for the next page; absent on the last.
    pub next_cursor: Option<String>,
}

/// `GET /v1/references/{id}`: all about one reference.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ReferenceDetail {
    /// What lists show.
    #[serde(flatten)]
    pub reference: KeptReference,
    /// Its life so far, oldest first.
    pub life: Vec<ReferenceStep>,
    /// Its content: a document of [`crate::reference::Reference`], byte for byte.
    pub document: Bytes,
}

/// A step in a reference's life.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ReferenceStep {
    /// When, in milliseconds since 1970.
    pub at_ms: i64,
    /// By whom.
    pub by: String,
    /// What it became.
    pub state: ReferenceState,
    /// Why, in that person's words.
    pub reason: String,
}

/// `POST /v1/references`: a document to keep.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct ImportReference {
    /// The document, byte for byte.
    pub document: Bytes,
    /// For whom it shall count.
    pub scope: ReferenceScope,
    /// What people call it.
    pub name: String,
    /// Why.
    pub reason: String,
    /// The state that it begins in.
    pub state: BeginsAs,
    /// From when on it counts no more, in milliseconds since 1970.
    #[serde(default)]
    pub until_ms: Option<i64>,
}

/// `POST /v1/references/{id}/state`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct ReferenceStateRequest {
    /// What it shall become.
    pub state: ReferenceState,
    /// Why.
    pub reason: String,
}

/// `POST /v1/hosts/{id}/reference`: keep what the host booted as what is expected from now on.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct LearnRequest {
    /// For whom it shall count.
    pub scope: Breadth,
    /// What people call it.
    pub name: String,
    /// Why.
    pub reason: String,
    /// The state that it begins in.
    pub state: BeginsAs,
}

/// `POST /v1/hosts/{id}/accept-change`: what the host booted is as it should be, although its
/// references say otherwise.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct AcceptChangeRequest {
    /// For whom.
    pub scope: Breadth,
    /// Why.
    pub reason: String,
    /// From when on it counts no more, in milliseconds since 1970.
    #[serde(default)]
    pub until_ms: Option<i64>,
    /// For how many boots.
    #[serde(default)]
    pub uses: ReferenceUses,
    /// [`crate::admin::Host::appraised_at_ms`] of what the person looked at: refused where newer
    /// evidence was judged since.
    #[serde(default)]
    pub appraised_at_ms: Option<i64>,
}

/// The answer to [`AcceptChangeRequest`].
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct AcceptedChange {
    /// The new reference.
    pub reference: KeptReference,
    /// The host's verdict by its stored evidence, judged anew.
    pub verdict: String,
    /// What was found.
    pub findings: Vec<Finding>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pcr(n_same: u64, n_hosts: u64, n_most_common: u64) -> String {
        let value = String::new;
        PeerPcr { pcr: 0, value: value(), n_same, n_hosts, most_common: value(), n_most_common }
            .sentence()
    }

    #[test]
    fn a_majority_is_told_in_words() {
        assert_eq!(pcr(211, 212, 211), "211 of 212 hosts of this model share this PCR 0");
        assert_eq!(pcr(212, 212, 212), "all 212 hosts of this model share this PCR 0");
        assert_eq!(
            pcr(1, 212, 211),
            "this host alone has this PCR 0; 211 of 212 hosts of this model share another"
        );
        assert_eq!(
            pcr(2, 212, 210),
            "2 of 212 hosts of this model share this PCR 0; 210 share another"
        );
        assert_eq!(pcr(1, 3, 1), "each of the 3 hosts of this model has its own PCR 0");
        assert_eq!(pcr(1, 1, 1), "no other host of this model has quoted PCR 0");
    }
}
