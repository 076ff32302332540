//! Attested results: what relying parties get.

use serde::{Deserialize, Serialize};

/// The type in the header of an attested result. [RFC 9782 §5, EAT as JWT]
pub const RESULT_TYPE: &str = "eat+jwt";

/// The query of `GET /v1/hosts/{id}/result`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct ResultQuery {
    /// Which names the claims have.
    #[serde(default)]
    pub dialect: Dialect,
    /// What the relying party wants to see again, 8 to 88 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(length(min = 8, max = 88)))]
    pub nonce: Option<String>,
}

/// Which names the claims of a result have.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Dialect {
    /// Those of draft-ietf-rats-ear-03.
    #[default]
    Ietf,
    /// Those of the draft before, `tag:github.com,2023:veraison/ear`.
    Veraison,
}

/// `GET /v1/hosts/{id}/result`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct AttestedResult {
    /// A JWT (ES256) under a key of `/.well-known/jwks.json`.
    pub jwt: String,
    /// When it ends, in seconds since 1970.
    pub expires: i64,
}
