//! Secure Boot and the separators -> findings.

use boot_claims::{SeparatorProblemKind, State, UnknownReason};
use findings::{Code, Finding};

use crate::claims::ReadLog;
use crate::log::listed;

pub(crate) fn findings(log: &ReadLog<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    let strong = log.replayed.iter().any(|(alg, _)| alg.is_strong_hash());
    let secure_boot = &log.boot.secure_boot;
    let at = |finding: Finding| match secure_boot.event {
        Some(event) => finding.in_pcr(7).in_event(event),
        None => finding.in_pcr(7),
    };
    match secure_boot.state {
        State::On => {}
        State::Off => findings.push(at(Finding::new(Code::SecureBootOff))),
        // Without a bank of SHA-256 nothing can be known, and the finding of the bank says so.
        State::Unknown(UnknownReason::NotReplayed | UnknownReason::Sha1LogOnly) if !strong => {}
        State::Unknown(reason) => {
            findings.push(at(Finding::new(Code::SecureBootUnknown)).because(reason.to_string()));
        }
    }
    listed(&mut findings, &log.boot.separator_problems, |problem| {
        let finding = Finding::new(Code::Separator).in_pcr(problem.pcr_index);
        let event = match problem.kind {
            SeparatorProblemKind::Missing => None,
            SeparatorProblemKind::Error { event }
            | SeparatorProblemKind::Repeated { event }
            | SeparatorProblemKind::Retyped { event }
            | SeparatorProblemKind::Digest { event } => Some(event),
        };
        let finding = match event {
            Some(event) => finding.in_event(event),
            None => finding,
        };
        finding.because(match problem.kind {
            SeparatorProblemKind::Missing => "there is none",
            SeparatorProblemKind::Error { .. } => "it reports an error of the firmware",
            SeparatorProblemKind::Repeated { .. } => "it is a second one",
            SeparatorProblemKind::Retyped { .. } => "it stands under another event type",
            SeparatorProblemKind::Digest { .. } => "its digest is not one of a separator",
        })
    });
    findings
}
