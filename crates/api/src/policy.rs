//! Trying a policy over the evidence that is stored.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use crate::{Bytes, finding::Finding};

/// `POST /v1/policy/try`: one page of hosts, re-judged under a policy that is not in force.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct PolicyTryRequest {
    /// The policy file's text.
    pub policy: String,
    /// The files that it names, by the names that it has for them.
    #[serde(default)]
    pub files: HashMap<String, Bytes>,
    /// Where to go on, as the page before said; absent for the first.
    #[serde(default)]
    pub cursor: Option<String>,
    /// Hosts on the page, at most.
    #[serde(default)]
    pub limit: Option<u32>,
}

/// The answer to [`PolicyTryRequest`].
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct PolicyTryPage {
    /// Hosts on this page.
    pub n_hosts: u32,
    /// Those of which evidence is stored, and was judged again.
    pub n_judged: u32,
    /// Those whose verdict would change.
    pub changes: Vec<PolicyChange>,
    /// What to pass as `cursor` for the next page; absent on the last.
    pub next_cursor: Option<String>,
}

/// A host whose verdict would change.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct PolicyChange {
    /// The host's identifier.
    pub id: String,
    /// Its name.
    pub name: String,
    /// The verdict that counts now.
    pub from: String,
    /// The verdict under the policy that is tried.
    pub to: String,
    /// The findings that make the difference, as severe as the tried policy has them.
    pub because: Vec<Finding>,
    /// Findings that make the difference by being there now and not under the tried policy.
    pub gone: Vec<Finding>,
}

/// Files that a policy may name come with it by these names: allow lists, certificates, rules.
pub type PolicyFiles = HashMap<String, Bytes>;

/// `POST /v1/policy/check`: whether a text is a policy.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct PolicyCheckRequest {
    /// The policy file's text.
    pub policy: String,
    /// The files that it names, by the names that it has for them.
    #[serde(default)]
    pub files: PolicyFiles,
    /// Files that it names and that do not come along are those of this version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub based_on: Option<i64>,
}

/// The answer to [`PolicyCheckRequest`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct PolicyCheck {
    /// Whether it is a policy.
    pub valid: bool,
    /// What is wrong first, where it is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fault: Option<PolicyFault>,
}

/// What is wrong with a text that is no policy, and where.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct PolicyFault {
    /// The line, from 1.
    pub line: u32,
    /// The column in characters, from 1.
    pub column: u32,
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
}

/// `POST /v1/policy/versions`: keep a policy. It does not count before it is activated.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct PolicyPutRequest {
    /// The policy file's text.
    pub policy: String,
    /// The files that it names, by the names that it has for them.
    #[serde(default)]
    pub files: PolicyFiles,
    /// Files that it names and that do not come along are those of this version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub based_on: Option<i64>,
    /// What it is for: a line, or nothing.
    #[serde(default)]
    pub note: String,
}

/// A policy that is kept. It never changes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct PolicyVersion {
    /// Its number. Numbers go up, and may leave some out.
    pub number: i64,
    /// SHA-256 over its text and the files that it names.
    pub sha256: String,
    /// What it is for.
    pub note: String,
    /// When it was put here first, in milliseconds since 1970.
    pub created_at_ms: i64,
    /// Who did.
    pub created_by: String,
    /// Whether hosts are judged by it now.
    pub in_force: bool,
}

/// Where the policy comes from by which a server judges.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum PolicySource {
    /// Nobody said another: the default one.
    Default,
    /// A file that the server's configuration names. It counts before what was activated.
    File,
    /// A version that was activated.
    Version,
}

/// The policy by which this server judges now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct PolicyInForce {
    /// Where it comes from.
    pub source: PolicySource,
    /// The version that has its text and its files; absent where none has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub number: Option<i64>,
    /// The file, where it comes from one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// The version that was activated last: it counts where the configuration names no file. It is what
    /// [`PolicyActivateRequest::before`] says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub activated: Option<PolicyActivated>,
}

/// That somebody made a version count.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct PolicyActivated {
    /// Which.
    pub number: i64,
    /// When, in milliseconds since 1970.
    pub at_ms: i64,
    /// Who did.
    pub by: String,
    /// Why.
    pub reason: String,
}

/// The query of `GET /v1/policy/versions`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct PolicyVersionsQuery {
    /// Where the page begins: [`PolicyVersionPage::next_cursor`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
    /// Versions on the page at most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
}

/// `GET /v1/policy/versions`: one page, the newest first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct PolicyVersionPage {
    /// What counts now.
    pub in_force: PolicyInForce,
    /// Policies that are kept.
    pub versions: Vec<PolicyVersion>,
    /// What to pass as `cursor` for the next page; absent on the last.
    pub next_cursor: Option<String>,
}

/// `GET /v1/policy/versions/{number}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct PolicyDocument {
    /// Which.
    pub version: PolicyVersion,
    /// Its text.
    pub policy: String,
    /// The files that it names, by name.
    pub files: Vec<PolicyNamedFile>,
}

/// A file that a policy names.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct PolicyNamedFile {
    /// Its name, as the policy has it.
    pub name: String,
    /// SHA-256 of it.
    pub sha256: String,
    /// Its size in bytes.
    pub n_bytes: u64,
}

/// `POST /v1/policy/versions/{number}/try`: one page of hosts, judged again under a version.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct PolicyVersionTryRequest {
    /// Where to go on, as the page before said; absent for the first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
    /// Hosts on the page, at most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
}

/// `POST /v1/policy/versions/{number}/activate`: hosts are judged by this version from now on, and what they
/// sent last is judged anew.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct PolicyActivateRequest {
    /// The version that was activated when one decided so ([`PolicyInForce::activated`]); `null`: none was.
    /// Where it is another one by now, nothing is done.
    pub before: Option<i64>,
    /// Why: a line.
    pub reason: String,
}

/// The query of `GET /v1/policy/versions/{number}/diff`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct PolicyDiffQuery {
    /// The version that it is compared with; absent: what counts now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<i64>,
}

/// `GET /v1/policy/versions/{number}/diff`: what is another line, with three that are the same around it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct PolicyDiff {
    /// Pieces of the text, from top to bottom; none: it is the same.
    pub pieces: Vec<Vec<DiffLine>>,
    /// Files that are named and differ, by name.
    pub files: Vec<String>,
}

/// One line of a [`PolicyDiff`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct DiffLine {
    /// What became of it.
    pub change: LineChange,
    /// Its number in the text that is compared, from 1; absent where it is gone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub number: Option<u32>,
    /// The line, without its end.
    pub text: String,
}

/// What became of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum LineChange {
    /// It is in both.
    Same,
    /// It is gone.
    Removed,
    /// It is new.
    Added,
}
