//! The inventory as people order it: labels, maintenance, lists, and actions on many hosts.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::problem::Problem;

/// Labels: a value to each key.
pub type Labels = BTreeMap<String, String>;

/// Characters of a label's key.
pub const LABEL_KEY_CHARS_MAX: usize = 63;

/// Characters of a label's value.
pub const LABEL_VALUE_CHARS_MAX: usize = 128;

/// Hosts of one [`ActionRequest`]: each is a change of its own in the store.
pub const ACTION_HOSTS_MAX: usize = 500;

/// What is wrong with a label; `None`: nothing. Keys are words of letters, digits, `.`, `_`, `-` and
/// `/`. Values are lines without commas and equals signs, which separate labels in a selector.
pub fn label_fault(key: &str, value: &str) -> Option<&'static str> {
    let of_key = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-' | '/');
    let of_value = |c: char| !c.is_control() && !matches!(c, ',' | '=');
    if key.is_empty() || key.len() > LABEL_KEY_CHARS_MAX || !key.chars().all(of_key) {
        Some("a label's key has 1 to 63 letters, digits, dots, dashes, slashes and underscores")
    } else if value.chars().count() > LABEL_VALUE_CHARS_MAX
        || value.trim().is_empty()
        || !value.chars().all(of_value)
    {
        Some("a label's value has 1 to 128 characters, no comma and no equals sign")
    } else {
        None
    }
}

/// A label as people write it: `site=muc`.
pub fn label(text: &str) -> Result<(String, String), &'static str> {
    let (key, value) = text.split_once('=').ok_or("a label is written as site=muc")?;
    match label_fault(key, value) {
        None => Ok((key.to_owned(), value.to_owned())),
        Some(fault) => Err(fault),
    }
}

/// The labels that a selector names: `site=muc,rack` are hosts of that site that have a rack.
pub fn selector(text: &str) -> Result<Vec<(String, Option<String>)>, &'static str> {
    let one = |term: &str| {
        let (key, value) = match term.split_once('=') {
            Some((key, value)) => (key.trim(), Some(value.trim())),
            None => (term.trim(), None),
        };
        match label_fault(key, value.unwrap_or("any")) {
            Some(fault) => Err(fault),
            None => Ok((key.to_owned(), value.map(str::to_owned))),
        }
    };
    text.split(',').map(one).collect()
}

/// `POST /v1/hosts/{id}/labels`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct LabelsRequest {
    /// Labels to put on, or to give another value.
    #[serde(default)]
    pub set: Labels,
    /// Keys of labels to take off.
    #[serde(default)]
    pub remove: Vec<String>,
}

/// `POST /v1/hosts/{id}/maintenance`: somebody works on the host.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct MaintenanceRequest {
    /// Why.
    #[cfg_attr(feature = "schema", schemars(length(min = 1, max = 500)))]
    pub reason: String,
    /// When it ends by itself, in milliseconds since 1970; absent: a person ends it.
    #[serde(default)]
    pub until_ms: Option<i64>,
}

/// That somebody works on a host.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Maintenance {
    /// When it began, in milliseconds since 1970.
    pub since_ms: i64,
    /// When it ends by itself, in milliseconds since 1970.
    pub until_ms: Option<i64>,
    /// Why.
    pub reason: String,
    /// Who began it.
    pub by: String,
}

/// `GET /v1/labels`: how many hosts have a label.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct LabelCount {
    /// Its key.
    pub key: String,
    /// Its value.
    pub value: String,
    /// The hosts.
    pub n_hosts: u64,
}

/// What lists of hosts are sorted by.
pub const HOST_SORTS: [&str; 6] = ["name", "verdict", "model", "judged", "seen", "joined"];

/// The query of `GET /v1/hosts`: hosts that fit all of it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct HostQuery {
    /// Where the page begins: [`crate::admin::HostPage::next_cursor`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
    /// Hosts on the page at most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
    /// The whole name; then nothing else counts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// A part of the name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(length(max = 100)))]
    pub search: Option<String>,
    /// Labels: [`selector`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub labels: Option<String>,
    /// `accepted`, `not accepted` or `not appraised`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verdict: Option<String>,
    /// `connected`, `not responding` or `disconnected`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connection: Option<String>,
    /// The code of a finding.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// Whether somebody works on it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub maintenance: Option<bool>,
    /// What the list is sorted by: one of [`HOST_SORTS`], with `-` before it from the other end; absent: by name.
    /// `verdict` has first what needs a person, by what counted within the last moments; `model` those that
    /// name none; `judged` those that never were; `seen` the longest silent, and last those that a person
    /// disconnected. A cursor goes on in the order that it is of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sort: Option<String>,
}

/// `POST /v1/hosts/actions`: the same to each of these hosts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct ActionRequest {
    /// Identifiers; [`ACTION_HOSTS_MAX`] at most.
    #[cfg_attr(feature = "schema", schemars(length(max = ACTION_HOSTS_MAX)))]
    pub hosts: Vec<String>,
    /// What to do.
    pub action: Action,
}

/// What can be done to many hosts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(tag = "verb", rename_all = "kebab-case")]
pub enum Action {
    /// Ask for evidence now.
    Attest,
    /// Take it out of attestation.
    Disconnect,
    /// Take it back, and store its identity key anew.
    Reconnect,
    /// Have its agent make a new attestation key.
    RotateKey,
    /// Change its labels.
    Label(LabelsRequest),
    /// Somebody works on it.
    EnterMaintenance(MaintenanceRequest),
    /// Nobody does any more.
    LeaveMaintenance,
    /// Vouch for it. For administrators.
    Approve,
    /// Remove it. For administrators.
    Remove,
}

/// The answer to [`ActionRequest`], in its order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ActionReply {
    /// What became of each host.
    pub outcomes: Vec<ActionOutcome>,
}

/// What became of one host.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ActionOutcome {
    /// Its identifier.
    pub host: String,
    /// Why nothing was done; absent: it was done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub problem: Option<Problem>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_selector_names_labels() {
        let owned = |key: &str, value: Option<&str>| (key.to_owned(), value.map(str::to_owned));
        let site = owned("site", Some("muc"));
        assert_eq!(selector("site=muc"), Ok(vec![site.clone()]));
        assert_eq!(selector(" site = muc , rack"), Ok(vec![site, owned("rack", None)]));
        for wrong in ["", "=", "site=", "site=a=b", "a b=c", "site=muc,", "s\u{e9}=x"] {
            assert!(selector(wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn a_label_is_a_word_and_a_line() {
        assert_eq!(label_fault("example.org/site", "M\u{fc}nchen 3"), None);
        assert_eq!(label_fault(&"k".repeat(LABEL_KEY_CHARS_MAX), "v"), None);
        assert!(label_fault(&"k".repeat(LABEL_KEY_CHARS_MAX + 1), "v").is_some());
        assert_eq!(label_fault("k", &"\u{fc}".repeat(LABEL_VALUE_CHARS_MAX)), None);
        assert!(label_fault("k", &"v".repeat(LABEL_VALUE_CHARS_MAX + 1)).is_some());
        for value in ["", " ", "a\nb", "a,b", "a=b", "\u{1b}[31m"] {
            assert!(label_fault("k", value).is_some(), "{value:?}");
        }
    }
}
