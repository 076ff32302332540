//! What an administrator's client and the server say to each other.

use serde::{Deserialize, Serialize};

use crate::{
    Bytes,
    appraisal::Appraisal,
    finding::Finding,
    fleet::Peers,
    inventory::{Labels, Maintenance},
    machine::Cohort,
};

/// `GET /v1/server`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Server {
    /// The server's version.
    pub version: String,
    /// SHA-256 of its certificate authority's certificate, in hex: what agents pin.
    pub ca_sha256: String,
    /// The authority's certificate, PEM.
    pub ca_pem: String,
}

/// A host of the inventory, as lists show it.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Host {
    /// The identifier.
    pub id: String,
    /// The name that it said.
    pub name: String,
    /// `connected`, `not responding` or `disconnected`.
    pub connection: String,
    /// `accepted`, `not accepted` or `not appraised`: what counts now.
    pub verdict: String,
    /// Why: the findings that decide the verdict first.
    pub findings: Vec<Finding>,
    /// Maker, model and firmware, as it says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cohort: Option<Cohort>,
    /// When it was judged last, in milliseconds since 1970.
    pub appraised_at_ms: Option<i64>,
    /// When it last spoke, in milliseconds since 1970.
    pub last_seen_ms: Option<i64>,
    /// Whether an identity key is stored.
    pub has_identity_key: bool,
    /// `present`, `absent` or `unknown`, as the agent says.
    pub tpm: String,
    /// How people order it.
    #[serde(default)]
    pub labels: Labels,
    /// That somebody works on it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub maintenance: Option<Maintenance>,
}

/// `GET /v1/hosts`: one page.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct HostPage {
    /// The hosts, in the order that was asked for.
    pub hosts: Vec<Host>,
    /// What to pass as `cursor` for the next page; absent on the last.
    pub next_cursor: Option<String>,
}

/// `GET /v1/hosts/{id}`: all about one host.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct HostDetail {
    /// What lists show.
    #[serde(flatten)]
    pub host: Host,
    /// When it joined, in milliseconds since 1970.
    pub joined_at_ms: i64,
    /// The identity key.
    pub identity: Option<Identity>,
    /// The identity key that the last evidence was judged by, where that is one of before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub evidence_identity: Option<Identity>,
    /// Another TPM that was shown for this host and waits for a person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub candidate: Option<Candidate>,
    /// Whether the agent was asked to make a new attestation key and has not yet.
    #[serde(default)]
    pub rotation_wanted: bool,
    /// The last judgement in full.
    pub appraisal: Option<Appraisal>,
    /// Seconds until the next attestation is due.
    pub next_due_s: Option<i64>,
    /// Up to when the last judgement counts, if nothing ends it before: milliseconds since 1970.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verdict_good_until_ms: Option<i64>,
    /// Up to when its newest client certificate counts, where it has one: milliseconds since 1970.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_certificate_until_ms: Option<i64>,
    /// How often it is judged, and why so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schedule: Option<Schedule>,
    /// How its last verified quote compares with those of its cohort, where there is one.
    #[serde(default)]
    pub peers: Option<Peers>,
}

/// How often a host is judged.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Schedule {
    /// Seconds between two judgements.
    pub interval_s: u64,
    /// How much less or more, in hundredths of the interval.
    pub jitter_pct: u8,
    /// Seconds for which a verdict counts.
    pub verdict_good_for_s: u64,
    /// What says so.
    pub because: String,
}

/// Another TPM than the enrolled one.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Candidate {
    /// SHA-256 of its endorsement key's SubjectPublicKeyInfo, in hex.
    pub ek_sha256: String,
    /// What is wrong with its endorsement certificate; absent where its chain leads to a trusted root.
    pub certificate: Option<Finding>,
    /// When it was shown first, in milliseconds since 1970.
    pub first_seen_ms: i64,
    /// When it was shown last, in milliseconds since 1970.
    pub last_seen_ms: i64,
    /// From when on it counts no more, in milliseconds since 1970.
    pub expires_at_ms: i64,
    /// Whether a person said that it takes the place of the enrolled one.
    pub approved: bool,
    /// Whether a person said that it does not.
    #[serde(default)]
    pub refused: bool,
}

/// `POST /v1/hosts/{id}/replace`: a person puts the candidate in the place of the enrolled TPM.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct ReplaceRequest {
    /// The candidate that the person means: [`Candidate::ek_sha256`].
    #[cfg_attr(feature = "schema", schemars(regex(pattern = r"^[0-9a-fA-F]{64}$")))]
    pub ek_sha256: String,
    /// Why, for the audit log.
    #[cfg_attr(feature = "schema", schemars(length(min = 1, max = 500)))]
    pub reason: String,
}

/// The answer to [`ReplaceRequest`].
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Replaced {
    /// The host's identifier.
    pub host_id: String,
    /// The endorsement key before, where there was one.
    pub ek_sha256_before: Option<String>,
    /// The endorsement key that may enrol now.
    pub ek_sha256: String,
    /// Until when it may, in milliseconds since 1970.
    pub expires_at_ms: i64,
}

/// A stored identity key.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Identity {
    /// SHA-256 of the endorsement key's SubjectPublicKeyInfo, in hex.
    pub ek_spki_sha256: String,
    /// The attestation key's name, in hex.
    pub ak_name: String,
    /// When it was bound, in milliseconds since 1970.
    pub enrolled_at_ms: i64,
    /// The endorsement certificate as it was read, where there is one.
    pub ek_certificate: Option<Bytes>,
    /// The certificates that came with it, DER.
    #[serde(default)]
    pub ek_chain: Vec<Bytes>,
}

/// `POST /v1/hosts/{id}/attest`: when the request was taken.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct AttestRequested {
    /// In milliseconds since 1970, on the server's clock.
    pub requested_at_ms: i64,
}

/// `GET /v1/hosts/{id}/appraisals`: one judgement of the history.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct PastAppraisal {
    /// Its number: two are compared by theirs (`GET /v1/hosts/{id}/boots/diff`).
    #[serde(default)]
    pub id: i64,
    /// When, in milliseconds since 1970.
    pub at_ms: i64,
    /// The judgement.
    pub appraisal: Appraisal,
}

/// `POST /v1/tokens`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct TokenRequest {
    /// Seconds for which it is good.
    #[cfg_attr(feature = "schema", schemars(range(min = 1, max = 31_622_400)))]
    pub expires_in_s: u64,
    /// How many hosts may join with it; absent: any number.
    #[cfg_attr(feature = "schema", schemars(range(min = 1)))]
    pub uses_max: Option<u32>,
    /// Whether a person must approve each host.
    pub approval: Approval,
    /// What hosts are labelled with that join with it.
    #[serde(default)]
    pub labels: Labels,
    /// The list on which a host's endorsement key must be; `*` is any list, absent: on none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub listed_on: Option<String>,
    /// What it is for.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(length(max = 200)))]
    pub note: String,
}

/// Whether a person must approve a host.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Approval {
    /// Hosts are judged at once.
    NotRequired,
    /// Hosts wait for `bootproof host approve`.
    Required,
}

/// The answer to [`TokenRequest`]: the only time that the token itself is shown.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct NewToken {
    /// The token.
    pub token: String,
    /// Its identifier.
    pub id: String,
    /// When it ends, in milliseconds since 1970.
    pub expires_at_ms: i64,
    /// What agents pin.
    pub ca_sha256: String,
    /// Where agents reach the server.
    pub server: String,
}

/// `GET /v1/tokens`: one join token, without its secret.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Token {
    /// Its identifier.
    pub id: String,
    /// When it ends, in milliseconds since 1970.
    pub expires_at_ms: i64,
    /// How many hosts joined with it.
    pub uses: u32,
    /// How many may.
    pub uses_max: Option<u32>,
    /// Whether a person must approve each host.
    pub approval: Approval,
    /// What hosts are labelled with that join with it.
    #[serde(default)]
    pub labels: Labels,
    /// The list on which a host's endorsement key must be; `*` is any list, absent: on none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub listed_on: Option<String>,
    /// What it is for.
    pub note: String,
    /// Whether it was taken back.
    pub revoked: bool,
}

/// `POST /v1/trust`: certificates to trust: roots of vendors, or intermediates to stop at.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct TrustRequest {
    /// A PEM file with one or more certificates, or one in DER.
    pub certificates: Bytes,
    /// Where they come from.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(length(max = 200)))]
    pub source: String,
}

/// One certificate of the trust store.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct TrustedCertificate {
    /// SHA-256 of the certificate, in hex.
    pub sha256: String,
    /// Its subject.
    pub subject: String,
    /// Where it comes from.
    pub source: String,
    /// When it was imported, in milliseconds since 1970.
    pub added_at_ms: i64,
}
