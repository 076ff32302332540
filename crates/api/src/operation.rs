//! What those who run a server ask it.

use serde::{Deserialize, Serialize};

/// `GET /readyz`, where JSON is accepted. 200 where it is ready, else 503.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Readiness {
    /// Whether the server can do its work.
    pub ready: bool,
    /// Each check by itself.
    pub checks: Vec<ReadinessCheck>,
}

/// One check.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReadinessCheck {
    /// `store`, `schema`, `clock`, `signer`, `ending`; of what was read anew `configuration`, `policy`,
    /// `certificate`, `log`, `restart`.
    pub name: String,
    /// How it ended.
    pub state: CheckState,
    /// Why it is not `ok`, for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// How a check ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CheckState {
    /// As it should be.
    Ok,
    /// Not as it should be, but the server does its work.
    Warn,
    /// The server is not ready because of this.
    Failed,
}
