//! Alarms: what stands against hosts, by cause and one by one.

use serde::{Deserialize, Serialize};

/// `GET /v1/alarm-groups`: all that stand, by cause, the worst first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct AlarmGroup {
    /// The finding's code.
    pub code: String,
    /// A line that names it.
    pub title: String,
    /// `fail` or `hold`.
    pub severity: String,
    /// What was found at the latest of its hosts.
    pub cause: String,
    /// What to do.
    pub next_step: String,
    /// Hosts that have it.
    pub n_hosts: u64,
    /// Those of which a person knows.
    pub n_acknowledged: u64,
    /// Those on which somebody works, and of which no person knows.
    pub n_muted: u64,
    /// When the first that stands was raised, in milliseconds since 1970.
    pub since_ms: i64,
    /// When the latest was, in milliseconds since 1970.
    pub latest_ms: i64,
}

/// `GET /v1/alarms`: one page, newest first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct AlarmPage {
    /// The alarms.
    pub alarms: Vec<Alarm>,
    /// What to pass as `cursor` for the next page; absent on the last.
    pub next_cursor: Option<String>,
}

/// One alarm.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Alarm {
    /// Its number: grows with time.
    pub id: i64,
    /// The host's identifier.
    pub host_id: String,
    /// The host's name.
    pub host: String,
    /// The finding's code.
    pub code: String,
    /// `fail` or `hold`.
    pub severity: String,
    /// What was found, in a sentence.
    pub cause: String,
    /// What to do.
    pub next_step: String,
    /// When it was raised, in milliseconds since 1970.
    pub raised_at_ms: i64,
    /// When its cause was gone, in milliseconds since 1970; absent: it stands.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cleared_at_ms: Option<i64>,
    /// That a person knows of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub acknowledgement: Option<Acknowledgement>,
    /// Whether somebody works on the host.
    pub muted: bool,
}

/// That a person knows of an alarm.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Acknowledgement {
    /// When it was said, in milliseconds since 1970.
    pub at_ms: i64,
    /// Who said it.
    pub by: String,
    /// Why nothing else is to be done now.
    pub reason: String,
    /// When it ends by itself, in milliseconds since 1970; absent: with the alarm.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until_ms: Option<i64>,
}

/// The query of `GET /v1/alarms`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct AlarmQuery {
    /// Where the page begins: [`AlarmPage::next_cursor`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
    /// Alarms on the page at most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
    /// Of this code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// Of the host of this identifier.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host: Option<String>,
    /// Those whose cause is gone, too.
    #[serde(default)]
    pub cleared: bool,
}

/// Which alarms are meant: all that stand for a cause, or some by number.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Alarms {
    /// All of this code.
    Code(String),
    /// These.
    Ids(#[cfg_attr(feature = "schema", schemars(length(max = 1_000)))] Vec<i64>),
}

/// `POST /v1/alarms/acknowledge`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct AcknowledgeRequest {
    /// Which.
    pub alarms: Alarms,
    /// Why nothing else is to be done now.
    #[cfg_attr(feature = "schema", schemars(length(min = 1, max = 500)))]
    pub reason: String,
    /// When it ends by itself, in milliseconds since 1970; absent: with the alarm.
    #[serde(default)]
    pub until_ms: Option<i64>,
}

/// `POST /v1/alarms/withdraw`: what was acknowledged is not any more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct WithdrawRequest {
    /// Which.
    pub alarms: Alarms,
}

/// How many alarms a request changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct AlarmsChanged {
    /// So many.
    pub n: u32,
}
