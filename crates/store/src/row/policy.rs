//! Policies that are kept, and which of them counts.

use super::appraisal::sha256;
use crate::Sha256;
use crate::{By, PolicyInForce, Reply};

/// Versions that are kept. Most sites change their policy some times a month; of those above, the oldest goes that
/// does not count.
pub const POLICY_VERSIONS_MAX: u32 = 500;

/// A file that a policy names: an allow list, a certificate, rules.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyFile {
    /// Its name, as the policy has it.
    pub name: String,
    /// What is in it.
    pub bytes: Vec<u8>,
}

/// A policy to keep.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewPolicyVersion {
    /// Its text (TOML).
    pub text: String,
    /// The files that it names, each name once.
    pub files: Vec<PolicyFile>,
    /// What it is for, in somebody's words.
    pub note: String,
}

impl NewPolicyVersion {
    /// The digest of the text and of the files in the order of their names.
    pub(crate) fn sha256(&self) -> Sha256 {
        let mut files: Vec<_> = self.files.iter().collect();
        files.sort_by(|a, b| a.name.cmp(&b.name));
        let mut all = Vec::new();
        let mut put = |bytes: &[u8]| {
            all.extend_from_slice(&u64::try_from(bytes.len()).unwrap_or(u64::MAX).to_be_bytes());
            all.extend_from_slice(bytes);
        };
        put(self.text.as_bytes());
        for file in files {
            put(file.name.as_bytes());
            put(&sha256(&file.bytes));
        }
        sha256(&all)
    }
}

/// A policy that is kept. It never changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyVersion {
    /// Its number, from 1. Numbers go up, and may leave some out.
    pub number: i64,
    /// Over its text and the files that it names.
    pub sha256: Sha256,
    /// What it is for.
    pub note: String,
    /// When it was put here first.
    pub created_at_ms: i64,
    /// By whom.
    pub created_by: String,
}

/// A policy that is kept, all of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyDocument {
    /// Which.
    pub version: PolicyVersion,
    /// Its text.
    pub text: String,
    /// The files that it names, by name.
    pub files: Vec<PolicyFile>,
}

/// The version that somebody made count last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ActivePolicy {
    /// Which.
    pub number: i64,
    /// Since when.
    pub at_ms: i64,
    /// Who said so.
    pub actor: String,
    /// Why.
    pub reason: String,
}

/// What is to count instead of what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyActivation {
    /// The version that is to count.
    pub number: i64,
    /// The one that counted when somebody decided so; `None`: none did.
    pub before: Option<i64>,
    /// Why.
    pub reason: String,
}

/// What the audit log says of one that is put into the store.
pub(crate) fn put_detail(version: &PolicyVersion) -> serde_json::Value {
    serde_json::json!({ "sha256": hex::encode(version.sha256), "note": version.note })
}

/// What it says of one that is to count from now on.
pub(crate) fn activate_detail(activation: &PolicyActivation) -> serde_json::Value {
    serde_json::json!({ "before": activation.before, "reason": activation.reason })
}

/// A version, as the audit log names it.
pub(crate) fn subject(number: i64) -> String {
    format!("policy:{number}")
}

/// What a store does with policies: a part of
/// [`crate::Store`].
pub trait Policies {
    /// The policy that a server on this store began to judge by last.
    fn policy_in_force(&self) -> Reply<'_, Option<PolicyInForce>>;
    /// A server begins to judge by this policy. Audited where it is another than before, which is what
    /// this returns; of servers that begin at once, one changes it.
    fn put_policy_in_force(&self, sha256: Sha256, by: By) -> Reply<'_, Option<PolicyInForce>>;
    /// Keeps a policy; where the same text with the same files is kept already, returns that. Of more than
    /// [`POLICY_VERSIONS_MAX`](crate::POLICY_VERSIONS_MAX) the oldest goes that does not count.
    fn add_policy_version(&self, new: NewPolicyVersion, by: By) -> Reply<'_, PolicyVersion>;
    /// Policies that are kept, the newest first: those with a number below `before`, at most `n_max` and
    /// [`HISTORY_PAGE_MAX`](crate::HISTORY_PAGE_MAX).
    fn policy_versions(&self, before: Option<i64>, n_max: u32) -> Reply<'_, Vec<PolicyVersion>>;
    /// All of one.
    fn policy_document(&self, number: i64) -> Reply<'_, PolicyDocument>;
    /// The one that somebody made count.
    fn active_policy(&self) -> Reply<'_, Option<ActivePolicy>>;
    /// Makes one count. [`Conflict::OtherPolicyCounts`](crate::Conflict::OtherPolicyCounts) where another than `before` counts by now: of two who
    /// decide at once, the second is told.
    fn activate_policy(&self, activation: PolicyActivation, by: By) -> Reply<'_, ActivePolicy>;
}
