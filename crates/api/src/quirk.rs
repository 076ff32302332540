//! A row of the table of known deviations, for `bootproof quirks`.

use serde::{Deserialize, Serialize};

/// A known deviation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct QuirkEntry {
    /// The stable name.
    pub name: String,
    /// Who does so.
    pub who: String,
    /// The machines, where what a host says of itself is part of the match: what its texts begin
    /// with. Empty: known by what it does.
    pub machines: Vec<MachineTexts>,
    /// What deviates.
    pub deviates: String,
    /// What is permitted because of it.
    pub permits: String,
    /// What the match rests on.
    pub rests_on: String,
    /// `listed`, `accepted`, `eased`, `named`, `refused, explained` or `refused, unless permitted`.
    pub effect: String,
    /// The finding in which it is told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finding: Option<String>,
    /// `recorded` or `described`.
    pub known: String,
    /// Whether a policy can refuse it by its name.
    pub refusable: bool,
    /// Whether a policy can permit it by its name, which is refused else.
    #[serde(default)]
    pub permissible: bool,
}

/// What the texts of a machine begin with; empty fits all.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct MachineTexts {
    /// Who made it.
    pub system_vendor: String,
    /// The model.
    pub product_name: String,
    /// Who made the firmware.
    pub firmware_vendor: String,
    /// The firmware's version.
    pub firmware_version: String,
}
