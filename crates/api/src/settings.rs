//! How a server is set up and how it is, for administrators.

use serde::{Deserialize, Serialize};

/// `GET /v1/settings`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Settings {
    /// The server's version.
    pub version: String,
    /// Where agents reach it.
    pub address: String,
    /// SHA-256 of the authority that agents pin.
    pub ca_sha256: String,
    /// When the server's own certificate ends, in seconds since 1970. It is renewed before.
    pub certificate_ends_s: i64,
    /// When the operator's certificate ends, where there is one, in seconds since 1970.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub given_certificate_ends_s: Option<i64>,
    /// The store.
    pub store: StoreSettings,
    /// Checks whether the server can do its work.
    pub checks: Vec<SettingsCheck>,
    /// The keys of the configuration, in its order.
    pub keys: Vec<Setting>,
}

/// The store of a server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct StoreSettings {
    /// `sqlite` or `postgresql`.
    pub kind: String,
    /// The version of its schema.
    pub schema: i64,
    /// Its size in bytes.
    pub n_bytes: u64,
    /// Rows of the audit log.
    pub n_audit_rows: i64,
}

/// One check.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct SettingsCheck {
    /// What is looked at.
    pub name: String,
    /// `ok`, `warn` or `failed`.
    pub state: String,
    /// Why it is not `ok`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// A key of the configuration. What is secret is not shown.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Setting {
    /// Its name.
    pub name: String,
    /// The value that counts, as TOML; absent: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
    /// The value without a word of the operator's, as TOML; absent: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default: Option<String>,
    /// What it means.
    pub meaning: String,
}
