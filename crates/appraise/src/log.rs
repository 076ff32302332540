//! The event log -> findings.

use boot_claims::LookAlikeKind;
use event_log::{Contradiction, Mismatch, MismatchKind};
use findings::{Argument, Code, Finding};
use tpm_wire::{Digest, PcrSet, TpmAlgId};

use crate::claims::{Claims, LogStatus, ReadLog};
use crate::quirk;

/// Findings of one kind that are listed one by one; past that one line says how many more. A log
/// of somebody who wants to flood a page has 100,000 of them.
const LISTED_MAX: usize = 24;

pub(crate) fn findings(log: &LogStatus<'_>) -> Vec<Finding> {
    match log {
        LogStatus::Absent => vec![Finding::new(Code::NoEventLog)],
        LogStatus::Empty => vec![Finding::new(Code::NoEventLog).because("the log has no byte")],
        LogStatus::Read(log) => read_findings(log),
    }
}

/// A part of the log's area that is left below which an event of usual size finds no room: a sixteenth,
/// 4 KiB of the least area that there is.
const ROOM: u32 = 16;

/// A log that does not replay, and that fills the area which the firmware has for it: events that did
/// not fit were extended all the same. Whether that is the cause nobody can prove.
pub(crate) fn area_finding(claims: &Claims<'_>) -> Option<Finding> {
    let LogStatus::Read(log) = &claims.log else { return None };
    let area = claims.untrusted_log_area_bytes?;
    let n_bytes = u32::try_from(log.n_bytes).ok()?;
    let least_full = area.saturating_sub(area.checked_div(ROOM).unwrap_or(0));
    let is_full = (least_full..=area).contains(&n_bytes);
    (is_full && !log.mismatches.is_empty()).then(|| {
        Finding::new(Code::LogFull)
            .with("n_bytes", Argument::Number(n_bytes.into()))
            .with("area", Argument::Number(area.into()))
    })
}

fn read_findings(log: &ReadLog<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for problem in &log.problems {
        let offset = u64::try_from(problem.offset).unwrap_or(u64::MAX);
        let finding = Finding::new(Code::LogParse).at_offset(offset);
        let finding = match problem.event {
            Some(event) => finding.in_event(event),
            None => finding,
        };
        findings.push(finding.because(problem.kind.to_string()));
    }
    listed(&mut findings, &log.startup_problems, |problem| {
        Finding::new(Code::LogReplay).in_pcr(0).in_event(problem.event).because(problem.to_string())
    });
    for bank in &log.banks_not_in_log {
        findings.push(
            Finding::new(Code::LogReplay)
                .with("bank", Argument::Bank(*bank))
                .because("the log has no digests of this bank"),
        );
    }
    listed(&mut findings, &log.mismatches, mismatch);
    listed(&mut findings, &log.boot.contradicted, |found| {
        let code = match found.kind {
            Contradiction::CrtmVersion => Code::CrtmVersionData,
            Contradiction::Other => Code::EventData,
        };
        at_event(log, Finding::new(code), found.event)
    });
    // A separator under another type is a problem of its separator already.
    let lookalikes = log.boot.lookalikes.iter();
    let others: Vec<_> = lookalikes.filter(|l| l.kind != LookAlikeKind::Separator).collect();
    listed(&mut findings, &others, |found| {
        at_event(log, Finding::new(Code::EventType), found.event).because(found.to_string())
    });
    findings.extend(continued(&log.continued));
    findings.extend(quirk::of_log(log));
    if log.n_earlier_logs > 0 {
        let n = u64::try_from(log.n_earlier_logs).unwrap_or(u64::MAX);
        findings.push(Finding::new(Code::LogEarlierBoots).with("n_logs", Argument::Number(n)));
    }
    if log.log().padding_len() > 0 {
        let n = u64::try_from(log.log().padding_len()).unwrap_or(u64::MAX);
        findings.push(Finding::new(Code::LogPadding).with("n_bytes", Argument::Number(n)));
    }
    findings
}

/// `finding`, pointing to the event of this number, with what was measured.
fn at_event(log: &ReadLog<'_>, finding: Finding, number: u32) -> Finding {
    let finding = finding.in_event(number);
    let Some(event) = log.log().event(number) else { return finding };
    let finding =
        finding.in_pcr(event.pcr_index).at_offset(u64::try_from(event.offset).unwrap_or(u64::MAX));
    let digests = event.digests.iter();
    // The last bank of a log is its strongest in all that firmware writes.
    match digests.last().and_then(|(_, bytes)| Digest::new(bytes)) {
        Some(digest) => finding.with("measured", Argument::Digest(digest)),
        None => finding,
    }
}

pub(crate) fn listed<T>(findings: &mut Vec<Finding>, found: &[T], finding: impl Fn(&T) -> Finding) {
    findings.extend(found.iter().take(LISTED_MAX).map(&finding));
    if let Some(next) = found.get(LISTED_MAX) {
        let more = found.len().saturating_sub(LISTED_MAX);
        findings.push(Finding::new(finding(next).code()).because(format!("and {more} more")));
    }
}

fn mismatch(mismatch: &Mismatch) -> Finding {
    Finding::new(Code::LogReplay)
        .in_pcr(mismatch.pcr_index)
        .with("bank", Argument::Bank(mismatch.alg))
        .because(match mismatch.kind {
            MismatchKind::Differs => "its events add up to another value",
            MismatchKind::NotInLog => "the log has no event for it, but it was extended",
            MismatchKind::NotExtended => "the log has events for it, but it was never extended",
        })
        .with("quoted", Argument::Digest(mismatch.quoted))
        .with("replayed", Argument::Digest(mismatch.replayed))
}

/// One finding a bank: that these PCRs go on elsewhere is normal.
fn continued(continued: &[Mismatch]) -> Vec<Finding> {
    let mut banks: Vec<(TpmAlgId, PcrSet)> = Vec::new();
    for found in continued {
        match banks.iter_mut().find(|(alg, _)| *alg == found.alg) {
            Some((_, pcrs)) => *pcrs = pcrs.with(found.pcr_index),
            None => banks.push((found.alg, PcrSet::EMPTY.with(found.pcr_index))),
        }
    }
    let finding = |(alg, pcrs)| {
        Finding::new(Code::LogContinued)
            .with("bank", Argument::Bank(alg))
            .with("pcrs", Argument::Pcrs(pcrs))
    };
    banks.into_iter().map(finding).collect()
}
