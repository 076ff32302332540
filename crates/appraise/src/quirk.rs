//! Known deviations -> findings. Each is told by its name; none decides anything that was not decided
//! without it.

use findings::{Argument, Code, Finding, Severity};
use quirks::{Effect, Quirk, UntrustedMachine, explaining_replay, in_certificate, of_crtm_version};

use crate::claims::{EkStatus, ReadLog};

/// The argument that names a quirk.
const ARGUMENT: &str = "quirk";

/// Those that a log shows, each with how many events have it. What is only listed is no finding.
pub(crate) fn of_log(log: &ReadLog<'_>) -> impl Iterator<Item = Finding> {
    log.quirks.iter().filter_map(|seen| {
        let finding = match seen.is_permitted {
            true => accepted(seen.quirk),
            false => told(seen.quirk)?,
        };
        let finding = finding.in_event(seen.first_event);
        let finding = match seen.pcr_index {
            Some(pcr_index) => finding.in_pcr(pcr_index),
            None => finding,
        };
        Some(finding.with("n_events", Argument::Number(seen.n_events.into())))
    })
}

/// Those of a certificate that counts, and that it is a trust anchor itself.
pub(crate) fn of_ek(ek: &EkStatus) -> impl Iterator<Item = Finding> {
    let endorsed = ek.endorsed().into_iter();
    endorsed.flat_map(|ek| {
        let pinned = ek.is_pinned().then(|| Finding::new(Code::EkCertPinned));
        in_certificate(ek).filter_map(told).chain(pinned)
    })
}

/// A finding of a row that is told by a finding of its own.
fn told(quirk: Quirk) -> Option<Finding> {
    match quirk.row().effect {
        Effect::Accepted => Some(accepted(quirk)),
        Effect::Explains | Effect::Permissible => Some(of_row(Code::QuirkExplains, quirk)),
        Effect::Listed | Effect::Eases(_) | Effect::Names(_) => None,
    }
}

fn accepted(quirk: Quirk) -> Finding {
    of_row(Code::QuirkAccepted, quirk)
}

fn of_row(code: Code, quirk: Quirk) -> Finding {
    named(Finding::new(code).because(quirk.row().deviates), quirk)
}

/// `finding` with the name of the quirk that it is about.
pub(crate) fn named(finding: Finding, quirk: Quirk) -> Finding {
    finding.with(ARGUMENT, Argument::text(quirk.as_str()))
}

/// Adds what is known of such machines as the host says it is, and what is refused by name.
///
/// A host's word on its machine eases a warning about a text that nobody believes, and explains
/// what fails; it lets nothing pass. What a policy raises stays raised: this comes before it.
pub(crate) fn tell(
    findings: &mut Vec<Finding>,
    untrusted_machine: Option<UntrustedMachine<'_>>,
    refused: &[Quirk],
) {
    if let Some(machine) = untrusted_machine {
        if let Some(quirk) = of_crtm_version(&machine) {
            let versions = findings.iter_mut().filter(|f| f.code() == Code::CrtmVersionData);
            versions.for_each(|finding| {
                *finding = named(finding.clone().with_severity(Severity::Info), quirk);
            });
        }
        explain(findings, machine);
    }
    let of = |quirk: &&Quirk| {
        let name = Argument::text(quirk.as_str());
        findings.iter().any(|finding| finding.argument(ARGUMENT) == Some(&name))
    };
    let refused: Vec<_> = refused.iter().filter(of).collect();
    findings.extend(refused.into_iter().map(|quirk| {
        named(Finding::new(Code::QuirkRefused).because(quirk.row().deviates), *quirk)
    }));
}

fn explain(findings: &mut Vec<Finding>, machine: UntrustedMachine<'_>) {
    let mut explaining: Vec<(u32, Quirk)> = Vec::new();
    let failed = findings.iter().filter(|finding| finding.code() == Code::LogReplay);
    for pcr_index in failed.filter_map(|finding| finding.at().pcr) {
        for quirk in explaining_replay(machine, pcr_index) {
            if explaining.iter().all(|(_, known)| *known != quirk) {
                explaining.push((pcr_index, quirk));
            }
        }
    }
    let finding = |(pcr_index, quirk)| Some(told(quirk)?.in_pcr(pcr_index));
    findings.extend(explaining.into_iter().filter_map(finding));
}
