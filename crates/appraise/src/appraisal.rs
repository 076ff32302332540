//! Claims -> verdict.

use findings::{Argument, Code, Finding, Severity};
use quirks::UntrustedMachine;
use tpm_wire::TpmAlgId;
use verify::UnixTime;

use crate::claims::{
    Claims, ClockState, EkStatus, IdentityStatus, KeyRole, LogStatus, QuoteStatus, SignerStatus,
};
use crate::ima::ImaStatus;
use crate::policy::LogRules;
use crate::reference::{Context, Matched};
use crate::{
    Interface, Policy, TpmSaid, boot_facts, boot_path, dynamic_launch, ek, ima, log, quirk, quote,
    reference, secure_boot, tpm,
};

/// The answer. No order and no default: what is not known is not a little better than refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Everything that must hold was proved.
    Accepted,
    /// Something that must hold was not proved.
    NotAccepted,
    /// There was nothing to judge.
    NotAppraised,
}

impl Verdict {
    /// The words in JSON and on the command line.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::NotAccepted => "not accepted",
            Self::NotAppraised => "not appraised",
        }
    }
}

/// A verdict and all that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Appraisal {
    /// The verdict.
    pub verdict: Verdict,
    /// What was found, in the catalogue's order.
    pub findings: Vec<Finding>,
    /// The reference that the boot fits, where one applies.
    pub reference: Option<Matched>,
}

impl Appraisal {
    /// Whether there is a finding of this code.
    pub fn has(&self, code: Code) -> bool {
        self.findings.iter().any(|finding| finding.code() == code)
    }
}

/// Judges `claims`: identity, endorsement certificate, quote, counters against the previous ones of
/// `context`, event log, Secure Boot, references of `context`, platform. One finding
/// that fails makes the host not accepted; none hides another, and what `policy` waives at `now`
/// stays in the result. Rules of the site come last, and see the judgement without them.
pub fn appraise(
    claims: &Claims<'_>,
    context: &Context<'_>,
    policy: &Policy,
    now: UnixTime,
) -> Appraisal {
    let beside = claims.beside_log();
    let (of_log, reference) = log_findings(claims, context, policy.log_rules(), now);
    let findings = beside.findings(context.previous, of_log, policy);
    let proved = Proved::of_claims(claims);
    let judged = Appraisal { reference, ..concluded(proved, findings, policy, now) };
    match &policy.site_rules {
        None => judged,
        Some(rules) => {
            let mut findings = rules.evaluate(claims, &judged);
            findings.iter_mut().for_each(|finding| policy.judge(finding, now));
            findings.extend(judged.findings);
            Appraisal { reference: judged.reference, ..sorted(proved, findings) }
        }
    }
}

/// What evidence says beside its log: that which is judged anew each time, whether or not the log is
/// the one of last time. A finding that needs the log belongs to [`log_findings`].
#[derive(Clone, Copy, Debug)]
pub struct BesideLog<'c, 'a> {
    /// Whose evidence it is.
    pub identity: &'c IdentityStatus,
    /// The endorsement certificate.
    pub ek: &'c EkStatus,
    /// The quote.
    pub quote: &'c QuoteStatus,
    /// FIFO or CRB, as the host says.
    pub untrusted_interface: Option<Interface>,
    /// What the TPM says of itself, as the host says.
    pub untrusted_tpm: Option<TpmSaid<'a>>,
    /// Whether the key that the quote names as its signer is the enrolled one.
    pub signer: &'c SignerStatus,
    pub(crate) untrusted_machine: Option<UntrustedMachine<'a>>,
    pub(crate) weak_keys: &'c [KeyRole],
    pub(crate) untrusted_banks: &'c [TpmAlgId],
    pub(crate) ima: &'c ImaStatus,
}

impl<'a> Claims<'a> {
    /// All but what is said of the log.
    pub fn beside_log(&self) -> BesideLog<'_, 'a> {
        BesideLog {
            identity: &self.identity,
            ek: &self.ek,
            quote: &self.quote,
            untrusted_interface: self.untrusted_interface,
            untrusted_tpm: self.untrusted_tpm,
            signer: &self.signer,
            untrusted_machine: self.untrusted_machine,
            weak_keys: &self.weak_keys,
            untrusted_banks: &self.untrusted_banks,
            ima: &self.ima,
        }
    }
}

impl BesideLog<'_, '_> {
    /// All findings of evidence in whose log `of_log` was found.
    pub(crate) fn findings(
        &self,
        previous: Option<&ClockState>,
        of_log: Vec<Finding>,
        policy: &Policy,
    ) -> Vec<Finding> {
        let mut findings = of_log;
        findings.extend(quote::identity_findings(self.identity));
        findings.extend(ek::findings(self.ek));
        findings.extend(quirk::of_ek(self.ek));
        findings.extend(quote::quote_findings(self.quote, self.untrusted_banks));
        findings.extend(quote::clock_findings(self.quote, previous));
        findings.extend(quote::bank_finding(self.quote, policy));
        findings.extend(tpm::findings(self, policy));
        findings.extend(dynamic_launch::finding(self.quote));
        let ima_mode = policy.ima.as_ref().map(|rules| rules.mode);
        findings.extend(ima::findings(self.ima, ima_mode));
        if self.untrusted_interface == Some(Interface::Crb) {
            findings.push(
                Finding::new(Code::InterfaceNotFifo)
                    .with("interface", Argument::Text("crb".to_owned())),
            );
        }
        quirk::tell(&mut findings, self.untrusted_machine, policy.refused_quirks());
        findings
    }
}

/// What is found in the log and by the references of `context`, before the rules of a policy: the
/// part that is the same where log, log of the running system, size of the log's area, quoted values,
/// `rules` and references are.
pub(crate) fn log_findings(
    claims: &Claims<'_>,
    context: &Context<'_>,
    rules: LogRules<'_>,
    now: UnixTime,
) -> (Vec<Finding>, Option<Matched>) {
    let mut findings = log::findings(&claims.log);
    findings.extend(log::area_finding(claims));
    findings.extend(
        claims
            .later_problem
            .map(|problem| Finding::new(Code::UserspaceLog).because(problem.to_string())),
    );
    if let LogStatus::Read(read) = &claims.log {
        findings.extend(secure_boot::findings(read));
        findings.extend(boot_facts::findings(read, rules.secure_boot));
        findings.extend(boot_path::findings(&read.boot));
    }
    let (changed, reference) =
        reference::findings(claims, context.references, rules.references, now);
    findings.extend(changed);
    (findings, reference)
}

/// Whether there is what an acceptance rests on: a verified quote, and a log that was read. Each of
/// them missing has a finding, so this holds off only a fault of our own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Proved {
    /// Both are there.
    QuoteAndLog,
    /// One of them is missing.
    Not,
}

impl Proved {
    fn of_claims(claims: &Claims<'_>) -> Self {
        match (&claims.quote, &claims.log) {
            (QuoteStatus::Verified(_), LogStatus::Read(_)) => Self::QuoteAndLog,
            _ => Self::Not,
        }
    }
}

pub(crate) fn concluded(
    proved: Proved,
    mut findings: Vec<Finding>,
    policy: &Policy,
    now: UnixTime,
) -> Appraisal {
    findings.iter_mut().for_each(|finding| policy.judge(finding, now));
    sorted(proved, findings)
}

fn sorted(proved: Proved, mut findings: Vec<Finding>) -> Appraisal {
    findings.sort_by_key(Finding::code);
    Appraisal { verdict: verdict(proved, &findings), findings, reference: None }
}

/// Accepted takes more than the absence of findings.
fn verdict(proved: Proved, findings: &[Finding]) -> Verdict {
    let any = |severity| findings.iter().any(|finding| finding.severity() == severity);
    match (any(Severity::Fail), any(Severity::Hold), proved) {
        (true, _, _) | (false, false, Proved::Not) => Verdict::NotAccepted,
        (false, true, _) => Verdict::NotAppraised,
        (false, false, Proved::QuoteAndLog) => Verdict::Accepted,
    }
}
