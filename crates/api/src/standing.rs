//! How the fleet stood over time.

use serde::{Deserialize, Serialize};

/// Days that `GET /v1/standing` tells at most: so many are kept.
pub const STANDING_DAYS_MAX: u32 = 92;

/// The query of `GET /v1/standing`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct StandingQuery {
    /// The last so many days, 1 to [`STANDING_DAYS_MAX`]; absent: 7.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub days: Option<u32>,
}

/// `GET /v1/standing`: how many hosts stood how, hour by hour.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct StandingHistory {
    /// Hours, oldest first. One in which no server counted is not there.
    pub hours: Vec<StandingHour>,
}

/// The last count of one hour.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct StandingHour {
    /// When the hour began, in milliseconds since 1970.
    pub hour_ms: i64,
    /// Hosts whose boot was as it should be.
    pub n_accepted: u64,
    /// Hosts whose was not.
    pub n_not_accepted: u64,
    /// Hosts of which nothing counted.
    pub n_not_appraised: u64,
    /// Hosts that should have spoken and did not, whatever their verdict.
    pub n_not_responding: u64,
}
