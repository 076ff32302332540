//! Lists of hosts that somebody keeps under a name.

use serde::{Deserialize, Serialize};

use crate::inventory::HostQuery;

/// Characters of a view's name: it stands in a row of choices.
pub const VIEW_NAME_CHARS_MAX: usize = 60;

/// What a view shows: as [`HostQuery`], without a place in the list.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct ViewQuery {
    /// A part of the name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(length(max = 100)))]
    pub search: Option<String>,
    /// Labels: [`crate::inventory::selector`].
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
    /// What the list is sorted by: [`HostQuery::sort`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sort: Option<String>,
}

impl From<ViewQuery> for HostQuery {
    fn from(view: ViewQuery) -> Self {
        let ViewQuery { search, labels, verdict, connection, code, maintenance, sort } = view;
        Self { search, labels, verdict, connection, code, maintenance, sort, ..Self::default() }
    }
}

impl From<HostQuery> for ViewQuery {
    /// What is sought and in which order; not the place in the list.
    fn from(query: HostQuery) -> Self {
        let HostQuery { search, labels, verdict, connection, code, maintenance, sort, .. } = query;
        Self { search, labels, verdict, connection, code, maintenance, sort }
    }
}

/// Whose a view is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum ViewOf {
    /// The person's who asks; nobody else sees it.
    Own,
    /// Everybody's; administrators keep it.
    Shared,
}

/// `GET /v1/host-views`: one of the views that who asks can use.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct HostView {
    /// Whose it is.
    pub of: ViewOf,
    /// Its name.
    pub name: String,
    /// What it shows.
    pub query: ViewQuery,
    /// When it was kept last, in milliseconds since 1970.
    pub kept_at_ms: i64,
    /// By whom.
    pub kept_by: String,
}

/// What is wrong with a view's name; `None`: nothing.
pub fn view_name_fault(name: &str) -> Option<&'static str> {
    let n_chars = name.chars().count();
    let is_line = !name.chars().any(char::is_control) && name.trim() == name;
    // It stands in an address: what programs on the way take for more than a name leads elsewhere.
    let leads_elsewhere = name.contains(['/', '\\', '%', ';']) || name.chars().all(|c| c == '.');
    if (1..=VIEW_NAME_CHARS_MAX).contains(&n_chars) && is_line && !leads_elsewhere {
        None
    } else {
        Some(
            "a view's name is one line of 1 to 60 characters, no blank at its ends, none of / \\ % ; \
             and not of dots alone",
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_a_short_line() {
        for right in ["Failed in Munich", "\u{fc}", "v1.2", &"x".repeat(VIEW_NAME_CHARS_MAX)] {
            assert_eq!(view_name_fault(right), None, "{right}");
        }
        for wrong in [
            "",
            " ",
            " a",
            "a ",
            "a\nb",
            "a/b",
            "..",
            "100 %",
            &"x".repeat(VIEW_NAME_CHARS_MAX + 1),
        ] {
            assert!(view_name_fault(wrong).is_some(), "{wrong:?}");
        }
    }
}
