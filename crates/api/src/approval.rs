//! What waits for a person: hosts, other TPMs in the place of enrolled ones, references.

use serde::{Deserialize, Serialize};

use crate::{finding::Finding, inventory::Labels, problem::Problem};

/// Decisions of one [`DecideRequest`]: each is a change of its own in the store.
pub const DECISIONS_MAX: usize = 500;

/// What kind of thing waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "ApprovalKind"))]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// A host whose join token asks for a person.
    Host,
    /// Another TPM that was shown for an enrolled host.
    Tpm,
    /// A reference that nobody has put in force.
    Reference,
}

impl Kind {
    /// The word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Host => "host",
            Self::Tpm => "tpm",
            Self::Reference => "reference",
        }
    }
}

/// The query of `GET /v1/approvals`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct ApprovalQuery {
    /// Where the page begins: [`ApprovalPage::next_cursor`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
    /// Things on the page at most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
}

/// `GET /v1/approvals`: one page of what waits; first hosts, then TPMs, then references.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ApprovalPage {
    /// What waits.
    pub waiting: Vec<Waiting>,
    /// What to pass as `cursor` for the next page; absent on the last. A page may be empty before it.
    pub next_cursor: Option<String>,
}

/// One thing that waits, with what is to be compared. All of it is the host's word, but for an endorsement
/// key that its TPM proved to have.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Waiting {
    /// What a decision names: exactly this, and nothing that comes in its place.
    pub id: String,
    /// What it is.
    pub kind: Kind,
    /// Since when, in milliseconds since 1970.
    pub since_ms: i64,
    /// The host's identifier; absent for a reference of a whole cohort.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host_id: Option<String>,
    /// The host's name, or that of the reference.
    pub name: String,
    /// The host's labels.
    #[serde(default, skip_serializing_if = "Labels::is_empty")]
    pub labels: Labels,
    /// SHA-256 of the endorsement key's SubjectPublicKeyInfo, in hex.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ek_sha256: Option<String>,
    /// That of the TPM that is enrolled, where another one waits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enrolled_ek_sha256: Option<String>,
    /// Whether its TPM proved that it has this endorsement key.
    pub ek_proved: bool,
    /// Serial number of the endorsement certificate, in hex.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub certificate_serial: Option<String>,
    /// Who issued that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub certificate_issuer: Option<String>,
    /// What speaks against its keys.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub problems: Vec<Finding>,
    /// Who brought it, where that was a person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// Why, in that person's words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// `POST /v1/approvals`: the same decision about each.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct DecideRequest {
    /// What it is about: [`Waiting::id`]; [`DECISIONS_MAX`] at most.
    pub ids: Vec<String>,
    /// The decision.
    pub decision: Decision,
    /// Why, for the audit log.
    pub reason: String,
}

/// A person's decision.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Decision {
    /// The host may be judged, the TPM takes the enrolled one's place, hosts are held to the reference.
    Approve,
    /// The host is not judged, the TPM stays out, the reference is retired.
    Refuse,
}

/// The answer to [`DecideRequest`], in its order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct DecideReply {
    /// What became of each.
    pub outcomes: Vec<DecisionOutcome>,
}

/// What became of one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct DecisionOutcome {
    /// What it was about.
    pub id: String,
    /// Why nothing was done; absent: it was done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub problem: Option<Problem>,
}
