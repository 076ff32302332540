//! Who did what.

use askama::Template;

use crate::frame::Frame;

/// A row of the audit log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditLine {
    /// Its number.
    pub seq: i64,
    /// When, in milliseconds since 1970.
    pub at_ms: i64,
    /// Who.
    pub by: String,
    /// What: `host.disconnect`.
    pub what: String,
    /// On what.
    pub subject: String,
    /// More about it.
    pub details: Vec<AuditDetail>,
}

/// Something that the log says of a row, by its name there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditDetail {
    /// What it is.
    pub name: String,
    /// Its value.
    pub value: AuditValue,
}

/// A value in the audit log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AuditValue {
    /// A time, in milliseconds since 1970.
    Time(i64),
    /// Anything else, as the log has it.
    Text(String),
}

/// Something that changed, in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// When, in milliseconds since 1970.
    pub at_ms: i64,
    /// Who.
    pub by: String,
    /// What: `host.disconnect`.
    pub what: String,
    /// The identifier of the host that it is about, where it is about one.
    pub host: Option<String>,
    /// What it is about: the host's name, or the log's own word.
    pub subject: String,
    /// The verdict before, where the verdict changed.
    pub before: Option<String>,
    /// The verdict then.
    pub verdict: Option<String>,
}

impl Change {
    /// The action as people say it.
    pub(crate) fn words(&self) -> String {
        match self.what.as_str() {
            "host.join" => "joined".to_owned(),
            "host.enrol" => "had its identity key stored".to_owned(),
            "host.label" => "labelled".to_owned(),
            "host.candidate" => "showed another TPM".to_owned(),
            "host.disconnect" => "disconnected".to_owned(),
            "host.reconnect" => "reconnected".to_owned(),
            "host.remove" => "removed".to_owned(),
            "host.attest" => "asked for evidence".to_owned(),
            "host.enter-maintenance" => "went into maintenance".to_owned(),
            "host.leave-maintenance" => "came out of maintenance".to_owned(),
            "host.approval" => "was decided about".to_owned(),
            "host.replace" => "may get another TPM".to_owned(),
            "host.refuse-tpm" => "gets no other TPM".to_owned(),
            "host.rotate-key" => "is to make another attestation key".to_owned(),
            "alarm.acknowledge" => "were acknowledged".to_owned(),
            "alarm.withdraw" => "are not acknowledged any more".to_owned(),
            "join-token.revoke" => "was taken back".to_owned(),
            "reference.state" => "came into another state".to_owned(),
            "reference.use" => "was used for a boot".to_owned(),
            "report.make" => "was made".to_owned(),
            "report.send" | "report.send-now" => "was sent".to_owned(),
            "join-token.add" | "trust-root.add" | "api-token.add" | "user.add" | "channel.add"
            | "reference.add" | "ek-list.add" => "was added".to_owned(),
            "host-view.keep" => "is kept for everybody".to_owned(),
            "api-token.remove" | "user.remove" | "channel.remove" | "host-view.remove"
            | "trust-root.remove" | "ek-list.remove" => "was removed".to_owned(),
            "user.change" | "channel.change" | "user.password" => "was changed".to_owned(),
            "policy.put" => "is kept".to_owned(),
            "policy.activate" => "was activated".to_owned(),
            "policy.begin" => "counts from then on".to_owned(),
            other => other.replace(['.', '_', '-'], " "),
        }
    }
}

/// The page.
#[derive(Debug, Template)]
#[template(path = "audit.html")]
pub struct Audit {
    /// What stands around it.
    pub frame: Frame,
    /// Rows, newest first.
    pub lines: Vec<AuditLine>,
    /// What to pass as `before` for older rows.
    pub older: Option<i64>,
}
