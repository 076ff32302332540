//! The audit log, as readers get it.

use serde::{Deserialize, Serialize};

/// `GET /v1/audit`: rows after a number, oldest first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct AuditPage {
    /// The rows.
    pub rows: Vec<AuditRow>,
    /// What to pass as `cursor` for the next page; absent where there was no row more.
    pub next_cursor: Option<String>,
}

/// One change that someone made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct AuditRow {
    /// Its number: 1, 2, 3, … without gaps.
    pub seq: i64,
    /// When, in milliseconds since 1970.
    pub at_ms: i64,
    /// Who.
    pub actor: String,
    /// What: `host.disconnect`.
    pub action: String,
    /// On what: `host:ID`.
    pub subject: String,
    /// More about it: JSON as text, byte for byte as it was sealed.
    pub detail_json: String,
    /// The seal, in hex: SHA-256 over the seal before and this row.
    pub sha256: String,
}

/// `GET /v1/audit/checkpoint`: the log's end, signed. Kept elsewhere it proves later that no row was
/// cut off or rewritten up to there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct SignedCheckpoint {
    /// A JWS of [`Checkpoint`] under a key of `/.well-known/jwks.json`.
    pub jws: String,
}

/// What a checkpoint says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Checkpoint {
    /// The last row's number; 0 before the first.
    pub seq: i64,
    /// Its seal, in hex.
    pub sha256: String,
    /// When it was signed, in seconds since 1970.
    pub iat: i64,
}

/// The type in the header of a signed [`Checkpoint`], so that it is taken for nothing else.
pub const CHECKPOINT_TYPE: &str = "bootproof-audit-checkpoint+jws";
