//! Is a host ready to be attested, and if not, why not, who mends it, and with how many restarts?

mod boot;
mod code;
mod keys;
mod seen;
mod settings;
mod tpm;

use secure_boot_facts::Date;

use crate::plan::{By, Goal, Plan, plan};
use crate::system::{Source, System};
use crate::vendor::{Intent, Setting};
pub use code::{CODES, Code, Entry, Severity};
pub use keys::{FactoryKeys, factory_keys};

/// One finding.
#[derive(Clone, Debug, PartialEq)]
pub struct Finding {
    /// What it is.
    pub code: Code,
    /// What it does to readiness, under the profile.
    pub severity: Severity,
    /// What was found in this host.
    pub detail: String,
    /// Who mends it.
    pub by: By,
    /// What to do about it, of this host where the plan knows.
    pub next_step: String,
    /// Where it was read.
    pub source: Option<Source>,
}

/// How ready a host is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Nothing speaks against it.
    Ready,
    /// There is something worth a look.
    Warned,
    /// Nothing fails, and there is something that the BMC does not say.
    Unsure,
    /// Something fails.
    NotReady,
}

impl Outcome {
    /// The word in JSON and on the command line.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ready => "ready",
            Self::Warned => "warned",
            Self::Unsure => "unsure",
            Self::NotReady => "not ready",
        }
    }
}

/// One thing that the BMC says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    /// What it is about.
    pub what: &'static str,
    /// What is said.
    pub value: String,
    /// Where it was read.
    pub source: Source,
}

/// What was found of a host, and what it takes.
#[derive(Clone, Debug, PartialEq)]
pub struct Readiness {
    /// What was looked at, in order.
    pub seen: Vec<Seen>,
    /// The findings: what fails first, and within that the order in which to mend.
    pub findings: Vec<Finding>,
    /// What they add up to.
    pub outcome: Outcome,
    /// The plan for what settings can mend.
    pub plan: Plan,
}

impl Readiness {
    /// Who must do something about what fails, each once.
    pub fn menders(&self) -> Vec<By> {
        let failing = self.findings.iter().filter(|finding| finding.severity == Severity::Fail);
        let mut all: Vec<_> = failing.map(|finding| finding.by).collect();
        all.sort_unstable();
        all.dedup();
        all
    }
}

/// What is gathered while a host is looked at.
pub(crate) struct Looked<'s> {
    pub(crate) system: &'s System,
    pub(crate) settings: &'s [Setting],
    pub(crate) goal: Goal,
    pub(crate) today: Date,
    findings: Vec<Finding>,
}

impl Looked<'_> {
    pub(crate) fn find(&mut self, code: Code, detail: impl Into<String>, source: Option<&Source>) {
        self.find_as(code, code.entry().severity, detail, source);
    }

    pub(crate) fn find_as(
        &mut self,
        code: Code,
        severity: Severity,
        detail: impl Into<String>,
        source: Option<&Source>,
    ) {
        let entry = code.entry();
        self.findings.push(Finding {
            code,
            severity,
            detail: detail.into(),
            by: entry.by,
            next_step: entry.next_step.to_owned(),
            source: source.cloned(),
        });
    }

    pub(crate) fn of(&self, intent: Intent) -> impl Iterator<Item = &Setting> {
        self.settings.iter().filter(move |setting| setting.intent == intent)
    }
}

/// Judges what the BMC says of `system`. `today` is for certificates that have expired.
pub fn assess(system: &System, goal: Goal, today: Date) -> Readiness {
    let settings = system.bios.as_ref().map(crate::vendor::settings).unwrap_or_default();
    let mut looked = Looked { system, settings: &settings, goal, today, findings: Vec::new() };
    boot::look(&mut looked);
    tpm::look(&mut looked);
    keys::look(&mut looked);
    settings::look(&mut looked);
    let seen = seen::seen(&looked);
    let mut findings = looked.findings;
    let plan = plan(system, goal);
    for finding in &mut findings {
        let Some(intent) = intent_of(finding.code) else { continue };
        let mut changes = plan.steps.iter().flat_map(|step| &step.changes);
        if let Some(blocked) = plan.blocked.iter().find(|blocked| blocked.intent == intent) {
            // What the plan cannot do, somebody else must.
            finding.by = blocked.by;
            finding.next_step = format!("{}: {}", capital(&blocked.because), blocked.next_step);
        } else if changes.any(|change| change.intent == intent) {
            finding.by = By::Plan;
        } else if finding.by == By::Plan {
            // What nobody asks for under this profile is told, and left to people.
            finding.by = By::Person;
            finding.next_step = "Set it in the firmware's setup where that is wanted.".to_owned();
        }
    }
    findings.sort_by_key(|finding| (finding.severity, finding.code));
    let has = |severity| findings.iter().any(|finding| finding.severity == severity);
    let outcome = match () {
        () if has(Severity::Fail) => Outcome::NotReady,
        () if has(Severity::Unknown) => Outcome::Unsure,
        () if has(Severity::Warn) => Outcome::Warned,
        () => Outcome::Ready,
    };
    Readiness { seen, findings, outcome, plan }
}

/// What a finding that a setting could mend is about.
const fn intent_of(code: Code) -> Option<Intent> {
    Some(match code {
        Code::LegacyBoot => Intent::UefiBoot,
        Code::LegacyVideo => Intent::NoLegacyVideo,
        Code::TpmHidden => Intent::TpmVisible,
        Code::Tpm12 => Intent::Tpm20,
        Code::Sha256Inactive => Intent::Sha256Bank,
        Code::NotFifo => Intent::Fifo,
        Code::TxtEnabled | Code::TxtDisabled => Intent::Txt,
        Code::SecureBootOff | Code::SetupMode => Intent::SecureBoot,
        Code::HierarchyDisabled => Intent::EndorsementHierarchy,
        _ => return None,
    })
}

fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map(|first| first.to_uppercase().chain(chars).collect()).unwrap_or_default()
}
