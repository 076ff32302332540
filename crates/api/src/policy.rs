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
