//! One host: what it booted, what is wrong, what to do.

use api::{
    admin::{Host, HostDetail},
    appraisal::{Appraisal, BootStep, Facts, KeyFacts},
    finding::Finding,
};
use askama::Template;

use crate::{
    frame::Frame,
    pcr_table::{PcrBank, pcr_banks},
    words::{self, Badge},
};

/// One judgement of the past.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Past {
    /// The judgement's number.
    pub id: i64,
    /// When, in milliseconds since 1970.
    pub at_ms: i64,
    /// The verdict's word.
    pub verdict: String,
    /// What decided it, or nothing.
    pub cause: String,
}

/// The page.
#[derive(Debug, Template)]
#[template(path = "host.html")]
pub struct HostPage {
    /// What stands around it.
    pub frame: Frame,
    /// All about the host.
    pub detail: HostDetail,
    /// Its judgements, newest first.
    pub history: Vec<Past>,
}

/// The time of a host's last judgement, where what it booted can be accepted as a change: only its references speak
/// against it. All else is mended on the host, not by a word.
#[must_use]
pub fn change_of(host: &Host) -> Option<i64> {
    let is_of_references = |finding: &Finding| {
        ["reference-change", "reference-missing", "reference-expired"]
            .contains(&finding.code.as_str())
    };
    let mut against = host.findings.iter().filter(|finding| finding.severity == "fail").peekable();
    let can_be = against.peek().is_some() && against.all(is_of_references);
    host.appraised_at_ms.filter(|_| can_be && host.verdict == "not accepted")
}

impl HostPage {
    fn verdict(&self) -> Badge {
        words::verdict(&self.detail.host.verdict)
    }

    /// What decides the verdict, where something stands against the host.
    fn deciding(&self) -> Option<&Finding> {
        let decides = |finding: &&Finding| matches!(finding.severity.as_str(), "fail" | "hold");
        self.detail.host.findings.iter().find(decides)
    }

    fn change_of(&self) -> Option<i64> {
        change_of(&self.detail.host)
    }

    /// What was found of an event and stands against the host, or is to be looked at.
    fn found_at(&self, event: &u32) -> Vec<&Finding> {
        let of_event = |finding: &&Finding| {
            finding.event.as_ref() == Some(event)
                && matches!(finding.severity.as_str(), "fail" | "hold" | "warn")
        };
        self.detail.host.findings.iter().filter(of_event).collect()
    }

    /// The reference that the boot fits: its name.
    fn reference(&self) -> Option<&str> {
        let appraisal: &Appraisal = self.detail.appraisal.as_ref()?;
        appraisal.facts.reference.as_ref().map(|reference| reference.name.as_str())
    }

    /// All that was found beside it.
    fn others(&self) -> Vec<&Finding> {
        let deciding = self.deciding();
        let is_other = |finding: &&Finding| deciding.is_none_or(|one| !std::ptr::eq(one, *finding));
        self.detail.host.findings.iter().filter(is_other).collect()
    }

    fn facts(&self) -> Option<&Facts> {
        self.detail.appraisal.as_ref().map(|appraisal: &Appraisal| &appraisal.facts)
    }

    fn banks(&self) -> Vec<PcrBank> {
        pcr_banks(&self.detail)
    }

    fn waits_for_evidence(&self) -> bool {
        self.detail.next_due_s.is_some_and(|due_s| due_s <= 0)
            && self.detail.host.connection == "connected"
    }
}

pub(crate) fn severity(finding: &Finding) -> Badge {
    words::severity(&finding.severity)
}

/// Whether Secure Boot was on, as the log says.
pub(crate) fn secure_boot(value: impl std::borrow::Borrow<Option<bool>>) -> Badge {
    match value.borrow() {
        Some(true) => Badge { word: "On", look: "good" },
        Some(false) => Badge { word: "Off", look: "bad" },
        None => Badge { word: "Not known", look: "hold" },
    }
}

pub(crate) fn known(value: impl std::borrow::Borrow<Option<bool>>) -> &'static str {
    words::known(*value.borrow())
}

/// What a step of the boot is, by the log's own words.
pub(crate) fn step_kind(step: &BootStep) -> &str {
    match (step.untrusted_role.as_deref(), step.kind.as_str()) {
        (Some(role), _) => role,
        (None, "driver") => "option ROM or driver",
        (None, "runtime-driver") => "runtime driver",
        (None, "application") => "application",
        (None, "command-line") => "command line",
        (None, "entry-called") => "the firmware starts a boot entry",
        (None, "entry-returned") => "the boot entry came back",
        (None, "attempts-omitted") => "the firmware does not say which entries it tries",
        (None, "uki-section") => "section of a unified kernel image",
        (None, "stub-file") => "file beside a unified kernel image",
        (None, kind) => kind,
    }
}

/// How long one of Microsoft's certificates counts for new images: those of 2011 end in 2026.
pub(crate) fn generation(key: &KeyFacts) -> &'static str {
    match key.known.as_deref() {
        Some(known) if known.contains("2011") => "2011",
        Some(known) if known.contains("2023") => "2023",
        _ => "",
    }
}
