//! Events: what changed, as CloudEvents 1.0 in their JSON format.

use serde::{Deserialize, Serialize};

use crate::inventory::Labels;

/// Before the kind of each type.
const TYPE_PREFIX: &str = "org.bootproof.";

/// Behind the kind of each type: the version of its data. Fields may come to it; where one goes or means
/// something else, the version is another one.
const TYPE_SUFFIX: &str = ".v1";

/// The type of events of a kind: `alarm.raised` is `org.bootproof.alarm.raised.v1`.
pub fn type_of(kind: &str) -> String {
    format!("{TYPE_PREFIX}{kind}{TYPE_SUFFIX}")
}

/// The kind that a type names; what is no type of ours is taken for a kind.
pub fn kind_of(name: &str) -> &str {
    let kind = name.strip_prefix(TYPE_PREFIX).and_then(|rest| rest.strip_suffix(TYPE_SUFFIX));
    kind.unwrap_or(name)
}

/// One event. [CloudEvents-1.0.2, JSON Event Format 1.0.2]
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct CloudEvent {
    /// `1.0`.
    pub specversion: String,
    /// Its cursor. With `source` it names the event for ever: the same event that comes twice has the
    /// same.
    pub id: String,
    /// The servers of one store, `urn:bootproof:` and the SHA-256 of their authority's certificate.
    pub source: String,
    /// Its type: see [`type_of`].
    #[serde(rename = "type")]
    pub event_type: String,
    /// `hosts/` and the host's identifier.
    pub subject: String,
    /// When it happened, by the store's clock. [RFC 3339]
    pub time: String,
    /// `application/json`.
    pub datacontenttype: String,
    /// What it tells.
    pub data: EventData,
}

/// What an event tells: of its parts those that its type has.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct EventData {
    /// The host, as it was then.
    pub host: EventHost,
    /// The alarm, as it was then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alarm: Option<EventAlarm>,
    /// The verdict.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verdict: Option<EventVerdict>,
    /// What the host is now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<EventState>,
    /// Who did it: the name of a person's or program's token, a host, or the server where it ended by
    /// time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
}

/// The host of an event. Its name is its own word.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct EventHost {
    /// Its identifier.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its labels.
    #[serde(default)]
    pub labels: Labels,
}

/// The alarm of an event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct EventAlarm {
    /// Its number.
    pub id: i64,
    /// The finding's code.
    pub code: String,
    /// A line that names it.
    #[serde(default)]
    pub title: String,
    /// `fail` or `hold`.
    pub severity: String,
    /// What was found, in a sentence.
    pub cause: String,
    /// What to do.
    #[serde(default)]
    pub next_step: String,
    /// When it was raised, in milliseconds since 1970.
    pub raised_at_ms: i64,
    /// When its cause was gone, in milliseconds since 1970.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cleared_at_ms: Option<i64>,
    /// That a person knows of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub acknowledgement: Option<crate::alarm::Acknowledgement>,
    /// Somebody works on the host: channels are silent. If it still stands when nobody does any more,
    /// `alarm.unmuted` says so.
    pub muted: bool,
}

/// The verdict of an event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct EventVerdict {
    /// The verdict.
    pub verdict: String,
    /// The one before; absent: the first.
    #[serde(default)]
    pub before: Option<String>,
    /// The number of the judgement.
    pub appraisal: i64,
}

/// What a host is, of its parts those that changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct EventState {
    /// `connection`, `approval`, `maintenance`, `identity` or `labels`; absent where the host is new.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub changed: Option<String>,
    /// Its connection.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connection: Option<String>,
    /// Its approval.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approval: Option<String>,
    /// That somebody works on it; where `changed` is `maintenance` and this is absent, nobody does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub maintenance: Option<crate::inventory::Maintenance>,
}

/// The query of `GET /v1/events`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct EventQuery {
    /// Behind which event it begins: the `id` of one, `first` for the oldest that is kept, or `now`. A
    /// page begins with the oldest by default, a stream now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
    /// Events on the page at most; a stream has no pages.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
    /// Types, or kinds such as `alarm.raised`, with commas between; all by default.
    #[serde(default, rename = "type", skip_serializing_if = "Option::is_none")]
    pub types: Option<String>,
    /// Identifiers or names of hosts, with commas between; all by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host: Option<String>,
    /// Labels of hosts: [`crate::inventory::selector`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub labels: Option<String>,
}

/// `GET /v1/events`: one page, oldest first. With `Accept: text/event-stream` it is a stream instead:
/// an event a message, its `id` as the message's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct EventPage {
    /// The events.
    pub events: Vec<CloudEvent>,
    /// What to pass as `cursor` for what comes next, also where the page is empty.
    pub next_cursor: String,
    /// Whether there was more when it was asked for.
    pub more: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_type_names_its_kind() {
        assert_eq!(type_of("alarm.raised"), "org.bootproof.alarm.raised.v1");
        assert_eq!(kind_of("org.bootproof.alarm.raised.v1"), "alarm.raised");
        assert_eq!(kind_of("alarm.raised"), "alarm.raised");
        assert_eq!(kind_of("org.bootproof.alarm.raised.v2"), "org.bootproof.alarm.raised.v2");
    }
}
