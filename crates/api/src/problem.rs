//! Errors as JSON (RFC 9457), with our code and a hint.

use serde::{Deserialize, Serialize};

/// An error answer. `application/problem+json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Problem {
    /// The stable kebab-case code, for programs.
    pub code: String,
    /// The HTTP status.
    pub status: u16,
    /// What was wrong, for people.
    pub title: String,
    /// What to do about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
    /// The request's identifier, to find it in the server's log.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
}
