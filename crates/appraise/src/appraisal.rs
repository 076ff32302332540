//! Claims -> verdict.

use findings::{Argument, CATALOGUE, Code, Finding, Severity};

use verify::UnixTime;

use crate::claims::{Claims, LogStatus};
use crate::reference::{Context, Matched};
use crate::{
    Interface, Policy, boot_facts, ek, ima, log, quirk, quote, reference, secure_boot, tpm,
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
    let mut findings = Vec::new();
    findings.extend(quote::identity_findings(&claims.identity));
    findings.extend(ek::findings(&claims.ek));
    findings.extend(quirk::of_ek(&claims.ek));
    findings.extend(quote::quote_findings(&claims.quote, &claims.untrusted_banks));
    findings.extend(quote::clock_findings(&claims.quote, context.previous));
    findings.extend(quote::bank_finding(&claims.quote, policy));
    findings.extend(tpm::findings(claims, policy));
    findings.extend(log::findings(&claims.log));
    findings.extend(log::area_finding(claims));
    findings.extend(
        claims
            .later_problem
            .map(|problem| Finding::new(Code::UserspaceLog).because(problem.to_string())),
    );
    if let LogStatus::Read(read) = &claims.log {
        findings.extend(secure_boot::findings(read));
        findings.extend(boot_facts::findings(read, &policy.secure_boot));
    }
    let (changed, reference) =
        reference::findings(claims, context.references, &policy.references, now);
    findings.extend(changed);
    let ima_mode = policy.ima.as_ref().map(|rules| rules.mode);
    findings.extend(ima::findings(&claims.ima, ima_mode));
    if claims.untrusted_interface == Some(Interface::Crb) {
        findings.push(
            Finding::new(Code::InterfaceNotFifo)
                .with("interface", Argument::Text("crb".to_owned())),
        );
    }
    quirk::tell(&mut findings, claims.untrusted_machine, policy.refused_quirks());
    let judged = Appraisal { reference, ..concluded(claims, findings, policy, now) };
    match &policy.site_rules {
        None => judged,
        Some(rules) => {
            let mut findings = rules.evaluate(claims, &judged);
            findings.iter_mut().for_each(|finding| policy.judge(finding, now));
            findings.extend(judged.findings);
            Appraisal { reference: judged.reference, ..sorted(claims, findings) }
        }
    }
}

fn concluded(
    claims: &Claims<'_>,
    mut findings: Vec<Finding>,
    policy: &Policy,
    now: UnixTime,
) -> Appraisal {
    findings.iter_mut().for_each(|finding| policy.judge(finding, now));
    sorted(claims, findings)
}

fn sorted(claims: &Claims<'_>, mut findings: Vec<Finding>) -> Appraisal {
    findings.sort_by_key(|finding| CATALOGUE.iter().position(|entry| entry.code == finding.code()));
    Appraisal { verdict: verdict(claims, &findings), findings, reference: None }
}

/// Accepted takes more than the absence of findings: a verified quote and a log that was read.
/// Each of them missing has a finding, so this holds off only a fault of our own.
fn verdict(claims: &Claims<'_>, findings: &[Finding]) -> Verdict {
    let any = |severity| findings.iter().any(|finding| finding.severity() == severity);
    let proved = claims.quote.verified().is_some() && matches!(claims.log, LogStatus::Read(_));
    match (any(Severity::Fail), any(Severity::Hold), proved) {
        (true, _, _) | (false, false, false) => Verdict::NotAccepted,
        (false, true, _) => Verdict::NotAppraised,
        (false, false, true) => Verdict::Accepted,
    }
}
