//! Two boots of a host beside each other.

use serde::{Deserialize, Serialize};

/// The query of `GET /v1/hosts/{id}/boots/diff`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct BootDiffQuery {
    /// The judgement whose boot is compared with ([`crate::admin::PastAppraisal::id`]); absent: the last of
    /// another boot than `to`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<i64>,
    /// The judgement whose boot is compared; absent: the last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<i64>,
}

/// `GET /v1/hosts/{id}/boots/diff`: what is another measurement, in words. Only boots are compared whose quotes
/// a key of the host signed; names and paths in the words are what the host's log says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct BootDiff {
    /// The host's name.
    pub host: String,
    /// The boot that is compared with.
    pub from: ComparedBoot,
    /// The boot that is compared.
    pub to: ComparedBoot,
    /// PCRs that are equal: `0,2-7`.
    pub equal_pcrs: String,
    /// What is different; none: nothing that is measured.
    pub changes: Vec<BootChange>,
    /// Changes beyond those.
    pub n_more: u32,
}

/// One of two boots.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ComparedBoot {
    /// The judgement.
    pub id: i64,
    /// When it was made, in milliseconds since 1970.
    pub at_ms: i64,
    /// Its verdict.
    pub verdict: String,
    /// The TPM's resets then: one more for each boot.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reset_count: Option<u32>,
}

/// One difference.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct BootChange {
    /// `added`, `removed`, `replaced`, `moved`, `value`, or `incomparable`.
    pub kind: String,
    /// The PCRs in which it shows.
    pub pcrs: String,
    /// The event of the later boot's log, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event: Option<u32>,
    /// All of that in words.
    pub words: String,
}
