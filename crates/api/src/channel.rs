//! Channels: who is told of alarms and other events.

use serde::{Deserialize, Serialize};

/// `POST /v1/channels`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct ChannelRequest {
    /// Its name: letters, digits, `.`, `_` and `-`, 64 at most.
    pub name: String,
    /// Where and how.
    pub settings: ChannelSettings,
    /// What is secret: of a webhook the signing secret (`whsec_…`; one is made where there is none), of
    /// mail the password, of Alertmanager a bearer token. It is sealed, and never shown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret: Option<String>,
    /// Which events.
    #[serde(default)]
    pub filter: ChannelFilter,
}

/// `POST /v1/channels/{name}/change`: what is not named stays.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct ChannelChange {
    /// Other settings, of the same kind.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub settings: Option<ChannelSettings>,
    /// Another secret.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret: Option<String>,
    /// Another filter.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub filter: Option<ChannelFilter>,
}

/// Where and how a channel tells.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum ChannelSettings {
    /// CloudEvents, each a POST, signed as Standard Webhooks have it.
    Webhook {
        /// The `https` address.
        url: String,
        /// Authorities that vouch for it, PEM; absent: those of the server's system.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        ca_pem: Option<String>,
    },
    /// Alerts, for Prometheus' Alertmanager.
    Alertmanager {
        /// The `https` address, without `/api/v2`.
        url: String,
        /// As of a webhook.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        ca_pem: Option<String>,
    },
    /// Mail, one for a cause.
    Smtp {
        /// `HOST:PORT` of the relay.
        server: String,
        /// How TLS begins.
        security: SmtpSecurity,
        /// The sender's address.
        from: String,
        /// The receivers' addresses.
        to: Vec<String>,
        /// The name that goes with the password, where the relay wants both.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        username: Option<String>,
        /// Seconds for which events of one cause are gathered into one mail; absent: 30.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        gather_s: Option<u32>,
        /// As of a webhook.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        ca_pem: Option<String>,
    },
    /// Records of RFC 5424 over TLS.
    Syslog {
        /// `HOST:PORT` of the receiver.
        server: String,
        /// As of a webhook.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        ca_pem: Option<String>,
    },
}

/// How TLS begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum SmtpSecurity {
    /// With the connection.
    Tls,
    /// After a word; without TLS nothing is sent.
    Starttls,
}

/// Which events a channel tells: those that fit all of it. Alarms of hosts in maintenance are told when
/// that ends, if they still stand.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct ChannelFilter {
    /// Types, whole or as `alarm.raised`; empty: alarms that are raised, cleared, or told again.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub types: Vec<String>,
    /// Of alarms: `fail`, `hold`; empty: both.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub severities: Vec<String>,
    /// Labels of hosts: [`crate::inventory::selector`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub labels: Option<String>,
}

/// A channel, and how it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Channel {
    /// Its name.
    pub name: String,
    /// Where and how, without what is secret.
    pub settings: ChannelSettings,
    /// Which events.
    pub filter: ChannelFilter,
    /// `active`, `paused`, or `failing`.
    pub state: String,
    /// When it was made, in milliseconds since 1970.
    pub created_at_ms: i64,
    /// The event up to which all is told.
    pub cursor: String,
    /// When something was told last, in milliseconds since 1970.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delivered_at_ms: Option<i64>,
    /// Tries since the last that was well.
    pub n_failed: u32,
    /// Why the last try failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_error: Option<String>,
    /// When it is tried again, in milliseconds since 1970.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_try_at_ms: Option<i64>,
    /// Dead letters that are kept.
    pub n_dead: u64,
}

/// A channel that was just made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct NewChannel {
    /// Its name.
    pub name: String,
    /// Of a webhook, where the server made the signing secret: that. It is shown this once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret: Option<String>,
}

/// `POST /v1/channels/{name}/test`: what happened, step by step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ChannelTest {
    /// Whether the receiver took it.
    pub delivered: bool,
    /// The steps that were gone, the last one the one that failed.
    pub steps: Vec<ChannelStep>,
}

/// One step of a test.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ChannelStep {
    /// `resolved`, `connected`, `STARTTLS`, `certificate`, `answered`, `sent`.
    pub step: String,
    /// Whether it went well.
    pub well: bool,
    /// What was found, or why not. Parts of it are the receiver's words.
    pub said: String,
}

/// `GET /v1/channels/{name}/dead-letters`: one page, oldest first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct DeadLetterPage {
    /// The dead letters.
    pub dead_letters: Vec<DeadLetter>,
    /// What to pass as `cursor` for the next page; absent on the last.
    pub next_cursor: Option<String>,
}

/// An event that could not be told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct DeadLetter {
    /// Its number.
    pub id: i64,
    /// The event, or what is known of events that were forgotten before they could be told.
    pub event: serde_json::Value,
    /// Why.
    pub error: String,
    /// When it was given up, in milliseconds since 1970.
    pub died_at_ms: i64,
    /// A person wants it told; it was not tried since.
    pub due: bool,
}

/// The query of `GET /v1/channels/{name}/dead-letters`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct DeadLetterQuery {
    /// Where the page begins: [`DeadLetterPage::next_cursor`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
    /// Dead letters on the page at most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
}

/// `POST /v1/channels/{name}/redeliver`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct RedeliverRequest {
    /// Dead letters by number; absent: all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ids: Option<Vec<i64>>,
}

/// How many dead letters will be told again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Redelivered {
    /// So many.
    pub n: u32,
}
