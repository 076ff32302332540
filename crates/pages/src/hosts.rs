//! The list of hosts, and what one does to many.

use api::{
    admin::Host,
    host_view::HostView,
    inventory::{HostQuery, LabelCount},
};
use askama::Template;

use crate::{
    frame::Frame,
    text::in_address,
    words::{self, Badge},
};

/// The page.
#[derive(Debug, Template)]
#[template(path = "hosts.html")]
pub struct Hosts {
    /// What stands around it.
    pub frame: Frame,
    /// What was asked for.
    pub query: HostQuery,
    /// The hosts of this page.
    pub hosts: Vec<Host>,
    /// Where the next page begins.
    pub next_cursor: Option<String>,
    /// Labels that hosts have, for the choice.
    pub labels: Vec<LabelCount>,
    /// Lists that are kept under a name.
    pub views: Vec<HostView>,
}

impl Hosts {
    fn is_chosen(&self, field: &Option<String>, value: &str) -> bool {
        field.as_deref() == Some(value)
    }

    fn text(&self, field: &Option<String>) -> String {
        field.clone().unwrap_or_default()
    }

    fn is_filtered(&self) -> bool {
        let HostQuery { name, search, labels, verdict, connection, code, maintenance, .. } =
            &self.query;
        [name, search, labels, verdict, connection, code].into_iter().any(Option::is_some)
            || maintenance.is_some()
    }

    /// The address of the same list, from `cursor` on.
    fn beginning_at(&self, cursor: Option<&str>) -> String {
        address(&HostQuery { cursor: cursor.map(str::to_owned), ..self.query.clone() }, "/hosts")
    }

    fn csv(&self) -> String {
        address(&HostQuery { cursor: None, limit: None, ..self.query.clone() }, "/hosts.csv")
    }
}

/// The address of a list of hosts.
pub(crate) fn address(query: &HostQuery, path: &str) -> String {
    let HostQuery {
        cursor,
        limit,
        name,
        search,
        labels,
        verdict,
        connection,
        code,
        maintenance,
        sort,
    } = query;
    let limit = limit.map(|limit| limit.to_string());
    let maintenance = maintenance.map(|is_so| is_so.to_string());
    let fields = [
        ("name", name),
        ("search", search),
        ("labels", labels),
        ("verdict", verdict),
        ("connection", connection),
        ("code", code),
        ("maintenance", &maintenance),
        ("sort", sort),
        ("limit", &limit),
        ("cursor", cursor),
    ];
    let said: Vec<String> = fields
        .into_iter()
        .filter_map(|(key, value)| Some(format!("{key}={}", in_address(value.as_deref()?))))
        .collect();
    if said.is_empty() { path.to_owned() } else { format!("{path}?{}", said.join("&")) }
}

pub(crate) fn verdict(host: &Host) -> Badge {
    words::verdict(&host.verdict)
}

pub(crate) fn connection(host: &Host) -> Badge {
    words::connection(&host.connection)
}

/// Why the host stands as it does, where it did not pass.
pub(crate) fn reason(host: &Host) -> &str {
    let deciding =
        host.findings.iter().find(|finding| matches!(finding.severity.as_str(), "fail" | "hold"));
    match deciding.or(host.findings.first()) {
        Some(finding) => &finding.cause,
        None => "",
    }
}

/// What can be done to many hosts at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verb {
    /// The word of [`api::inventory::Action`].
    pub verb: &'static str,
    /// On the button.
    pub word: &'static str,
    /// What happens then, in a sentence.
    pub what: &'static str,
    /// Whether only administrators may.
    pub for_administrators: bool,
}

impl Verb {
    /// All of them, in the order in which they are offered.
    pub const ALL: &[Self] = &[
        Self {
            verb: "attest",
            word: "Attest now",
            what: "Each host is asked for evidence at once.",
            for_administrators: false,
        },
        Self {
            verb: "disconnect",
            word: "Disconnect",
            what: "The hosts are not attested until somebody reconnects them.",
            for_administrators: false,
        },
        Self {
            verb: "reconnect",
            word: "Reconnect",
            what: "The hosts are attested again, and their identity keys are stored anew.",
            for_administrators: false,
        },
        Self {
            verb: "rotate-key",
            word: "Rotate key",
            what: "Each host makes a new attestation key in its TPM.",
            for_administrators: false,
        },
        Self {
            verb: "enter-maintenance",
            word: "Enter maintenance",
            what: "Somebody works on the hosts: their alarms are muted.",
            for_administrators: false,
        },
        Self {
            verb: "leave-maintenance",
            word: "Leave maintenance",
            what: "Nobody works on the hosts any more.",
            for_administrators: false,
        },
        Self {
            verb: "approve",
            word: "Approve",
            what: "You vouch for these hosts, which waited for it.",
            for_administrators: true,
        },
        Self {
            verb: "remove",
            word: "Remove",
            what: "The hosts, their verdicts and their evidence are deleted. The audit log stays.",
            for_administrators: true,
        },
    ];

    /// The one of this word.
    pub fn of(verb: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|known| known.verb == verb)
    }
}

impl Hosts {
    fn verbs(&self) -> impl Iterator<Item = &'static Verb> + use<> {
        let administers = self.frame.may_administer();
        Verb::ALL.iter().filter(move |verb| administers || !verb.for_administrators)
    }
}

/// What would be done to many hosts, before it is done.
#[derive(Debug, Template)]
#[template(path = "bulk.html")]
pub struct Bulk {
    /// What stands around it.
    pub frame: Frame,
    /// What would be done.
    pub verb: Verb,
    /// To these.
    pub hosts: Vec<Host>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_says_what_was_asked_for() {
        let query = HostQuery {
            labels: Some("site=muc,rack".to_owned()),
            verdict: Some("not accepted".to_owned()),
            cursor: Some("ab".to_owned()),
            ..HostQuery::default()
        };
        let expected = "/hosts?labels=site%3Dmuc%2Crack&verdict=not%20accepted&cursor=ab";
        assert_eq!(address(&query, "/hosts"), expected);
        assert_eq!(address(&HostQuery::default(), "/hosts"), "/hosts");
    }
}
