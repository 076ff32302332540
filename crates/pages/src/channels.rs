//! Who is told of alarms: channels, how they are, and what could not be told.

use api::channel::{
    Channel, ChannelFilter, ChannelSettings, ChannelTest, DeadLetter, SmtpSecurity,
};
use askama::Template;

use crate::{frame::Frame, words::Badge};

/// All channels.
#[derive(Debug, Template)]
#[template(path = "channels.html")]
pub struct Channels {
    /// What stands around it.
    pub frame: Frame,
    /// The channels.
    pub channels: Vec<Channel>,
}

/// One channel.
#[derive(Debug, Template)]
#[template(path = "channel.html")]
pub struct ChannelPage {
    /// What stands around it.
    pub frame: Frame,
    /// The channel.
    pub channel: Channel,
    /// What came of a test, where one was just made.
    pub test: Option<ChannelTest>,
    /// What could not be told, oldest first.
    pub dead_letters: Vec<DeadLetter>,
    /// What to pass as `cursor` for more of those.
    pub next_cursor: Option<String>,
}

/// A channel that is made or changed.
#[derive(Debug, Template)]
#[template(path = "channel_edit.html")]
pub struct ChannelEdit {
    /// What stands around it.
    pub frame: Frame,
    /// Whether it is there already: its name and kind stay then.
    pub is_known: bool,
    /// What is filled in.
    pub fields: ChannelFields,
}

/// What is filled in for a channel, but for its secret.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ChannelFields {
    /// Its name.
    pub name: String,
    /// `webhook`, `alertmanager`, `smtp` or `syslog`.
    pub kind: String,
    /// Of a webhook and Alertmanager.
    pub url: String,
    /// Of mail and syslog: `HOST:PORT`.
    pub server: String,
    /// Of mail: `tls` or `starttls`.
    pub security: String,
    /// Of mail.
    pub from: String,
    /// Of mail: addresses, separated by commas.
    pub to: String,
    /// Of mail.
    pub username: String,
    /// Of mail: seconds.
    pub gather_s: String,
    /// Authorities, PEM.
    pub ca_pem: String,
    /// Types of events, separated by commas.
    pub types: String,
    /// `fail`, `hold`, or nothing for both.
    pub severity: String,
    /// Labels of hosts.
    pub labels: String,
}

impl ChannelFields {
    /// Those of a channel that is there.
    pub fn of(channel: &Channel) -> Self {
        let ChannelFilter { types, severities, labels } = &channel.filter;
        let severity = match &severities[..] {
            [one] => one.clone(),
            _ => String::new(),
        };
        let mut fields = Self {
            name: channel.name.clone(),
            kind: kind(&channel.settings).to_owned(),
            types: types.join(", "),
            severity,
            labels: labels.clone().unwrap_or_default(),
            ..Self::default()
        };
        let ca = match &channel.settings {
            ChannelSettings::Webhook { url, ca_pem } => {
                fields.url.clone_from(url);
                ca_pem
            }
            ChannelSettings::Alertmanager { url, ca_pem } => {
                fields.url.clone_from(url);
                ca_pem
            }
            ChannelSettings::Smtp { server, security, from, to, username, gather_s, ca_pem } => {
                fields.server.clone_from(server);
                fields.security = security_word(*security).to_owned();
                fields.from.clone_from(from);
                fields.to = to.join(", ");
                fields.username = username.clone().unwrap_or_default();
                fields.gather_s = gather_s.map_or_else(String::new, |s| s.to_string());
                ca_pem
            }
            ChannelSettings::Syslog { server, ca_pem } => {
                fields.server.clone_from(server);
                ca_pem
            }
        };
        fields.ca_pem = ca.clone().unwrap_or_default();
        fields
    }
}

const fn security_word(security: SmtpSecurity) -> &'static str {
    match security {
        SmtpSecurity::Tls => "tls",
        SmtpSecurity::Starttls => "starttls",
    }
}

/// The word for a kind.
pub(crate) const fn kind(settings: &ChannelSettings) -> &'static str {
    match settings {
        ChannelSettings::Webhook { .. } => "webhook",
        ChannelSettings::Alertmanager { .. } => "alertmanager",
        ChannelSettings::Smtp { .. } => "smtp",
        ChannelSettings::Syslog { .. } => "syslog",
    }
}

/// The same as people call it.
pub(crate) fn kind_word(kind: &str) -> &'static str {
    match kind {
        "webhook" => "Webhook",
        "alertmanager" => "Alertmanager",
        "smtp" => "Mail",
        _ => "Syslog",
    }
}

/// Where a channel tells.
pub(crate) fn place(channel: &Channel) -> String {
    match &channel.settings {
        ChannelSettings::Webhook { url, .. } | ChannelSettings::Alertmanager { url, .. } => {
            url.clone()
        }
        ChannelSettings::Smtp { server, to, .. } => format!("{} by {server}", to.join(", ")),
        ChannelSettings::Syslog { server, .. } => server.clone(),
    }
}

/// What it tells.
pub(crate) fn told(channel: &Channel) -> String {
    let ChannelFilter { types, severities, labels } = &channel.filter;
    let mut words = if types.is_empty() {
        "alarms that are raised and cleared".to_owned()
    } else {
        types.join(", ")
    };
    if let [severity] = &severities[..] {
        words.push_str(&format!(", where they {severity}"));
    }
    if let Some(labels) = labels {
        words.push_str(&format!(", of hosts with {labels}"));
    }
    words
}

pub(crate) fn state(channel: &Channel) -> Badge {
    match channel.state.as_str() {
        "active" => Badge { word: "Active", look: "good" },
        "paused" => Badge { word: "Paused", look: "hold" },
        _ => Badge { word: "Failing", look: "bad" },
    }
}

/// What an event is about, in short.
pub(crate) fn about(letter: &DeadLetter) -> String {
    let words = ["type", "subject"]
        .map(|name| letter.event.get(name).and_then(|word| word.as_str()).unwrap_or_default());
    words.join(" ").trim().to_owned()
}

/// A webhook whose secret the server made: the only time that it is shown.
#[derive(Debug, Template)]
#[template(path = "channel_added.html")]
pub struct ChannelAdded {
    /// What stands around it.
    pub frame: Frame,
    /// The channel's name.
    pub name: String,
    /// The secret.
    pub secret: String,
}
