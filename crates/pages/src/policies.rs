//! Policies: those that are kept, one of them, writing another, and what one would change.

use api::policy::{
    DiffLine, LineChange, PolicyDiff, PolicyDocument, PolicyFault, PolicyInForce, PolicySource,
    PolicyTryPage, PolicyVersion,
};
use askama::Template;

use crate::{
    frame::Frame,
    words::{self, Badge},
};

/// The policies that are kept, and the one that counts.
#[derive(Debug, Template)]
#[template(path = "policies.html")]
pub struct Policies {
    /// What stands around it.
    pub frame: Frame,
    /// What counts now.
    pub in_force: PolicyInForce,
    /// Policies that are kept, the newest first.
    pub versions: Vec<PolicyVersion>,
    /// What to pass as `cursor` for the next page.
    pub next_cursor: Option<String>,
}

/// What hosts are judged by, in a sentence.
pub(crate) fn counts(in_force: &PolicyInForce) -> String {
    let kept =
        in_force.number.map_or_else(String::new, |number| format!(", which is version {number}"));
    match (in_force.source, &in_force.file) {
        (PolicySource::Default, _) => {
            "Hosts are judged by the default policy: nobody said another.".to_owned()
        }
        (PolicySource::File, Some(file)) => format!(
            "Hosts are judged by the file {file}{kept}. The server's configuration names it, so it counts \
             before any version here; who wants to activate one takes `policy` out of the configuration first."
        ),
        (PolicySource::File, None) => "Hosts are judged by a file of the server.".to_owned(),
        (PolicySource::Version, _) => match &in_force.activated {
            Some(active) => format!(
                "Hosts are judged by version {}, which {} activated: {}",
                active.number,
                words::person(&active.by),
                active.reason
            ),
            None => "Hosts are judged by a version that was activated.".to_owned(),
        },
    }
}

/// One policy that is kept.
#[derive(Debug, Template)]
#[template(path = "policy.html")]
pub struct Policy {
    /// What stands around it.
    pub frame: Frame,
    /// The policy.
    pub document: PolicyDocument,
    /// What counts now.
    pub in_force: PolicyInForce,
    /// How it differs from what counts.
    pub diff: PolicyDiff,
}

/// How a line of a diff looks, and the sign before it, for who sees no colours.
pub(crate) const fn sign(line: &DiffLine) -> (&'static str, &'static str) {
    match line.change {
        LineChange::Same => ("same", " "),
        LineChange::Removed => ("removed", "−"),
        LineChange::Added => ("added", "+"),
    }
}

/// Writing another policy.
#[derive(Debug, Template)]
#[template(path = "policy_edit.html")]
pub struct PolicyEdit {
    /// What stands around it.
    pub frame: Frame,
    /// The text as it is now, whatever is wrong with it.
    pub policy: String,
    /// What it is for.
    pub note: String,
    /// The version that it began as; files that it names are those of this one.
    pub based_on: Option<i64>,
    /// What is wrong with it; `None`: nothing, or it was not looked at.
    pub fault: Option<PolicyFault>,
}

impl PolicyEdit {
    /// The line that is at fault.
    fn line(&self, fault: &PolicyFault) -> String {
        let n = usize::try_from(fault.line.saturating_sub(1)).unwrap_or(usize::MAX);
        self.policy.lines().nth(n).unwrap_or_default().to_owned()
    }
}

/// What a policy would change.
#[derive(Debug, Template)]
#[template(path = "policy_try.html")]
pub struct PolicyTrial {
    /// What stands around it.
    pub frame: Frame,
    /// The version that was tried.
    pub version: PolicyVersion,
    /// What counts now.
    pub in_force: PolicyInForce,
    /// Hosts that were tried, and those that would change.
    pub tried: PolicyTryPage,
    /// Whether these are the first hosts.
    pub is_begin: bool,
}

impl PolicyTrial {
    /// How many hosts would have this verdict that do not have it now.
    fn n_to(&self, verdict: &str) -> usize {
        self.tried.changes.iter().filter(|change| change.to == verdict).count()
    }

    /// Whether it can be activated here.
    fn may_activate(&self) -> bool {
        self.frame.may_administer()
            && self.in_force.source != PolicySource::File
            && !self.version.in_force
    }
}

/// A policy's state in a list.
pub(crate) const fn state(version: &PolicyVersion) -> Option<Badge> {
    if version.in_force { Some(Badge { word: "In force", look: "good" }) } else { None }
}
