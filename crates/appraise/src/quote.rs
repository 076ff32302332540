//! Identity and quote -> findings.

use std::error::Error as _;

use findings::{Argument, Code, Finding};
use tpm_wire::{PcrSelection, PcrSet, TpmAlgId};
use verify::{Name, QuoteProblem, SelectionProblem};

use crate::Policy;
use crate::claims::{ClockState, IdentityStatus, QuoteStatus};

fn name(name: &Name) -> Argument {
    Argument::Text(name.to_string())
}

pub(crate) fn identity_findings(identity: &IdentityStatus) -> Option<Finding> {
    match identity {
        IdentityStatus::NoIdentityKey => Some(Finding::new(Code::NoIdentityKey)),
        IdentityStatus::AkNotEnrolled { enrolled, presented } => {
            let finding = Finding::new(Code::AkNotEnrolled).with("enrolled", name(enrolled));
            Some(match presented {
                Some(presented) => finding.with("presented", name(presented)),
                None => finding.because("the host sent no attestation key"),
            })
        }
        IdentityStatus::AkUnfit(err) => Some(Finding::new(Code::AkUnfit).because(err.to_string())),
        IdentityStatus::Bound { .. } => None,
    }
}

/// `untrusted_banks` tells an inactive bank from one that was not quoted: both are refused.
pub(crate) fn quote_findings(quote: &QuoteStatus, untrusted_banks: &[TpmAlgId]) -> Vec<Finding> {
    match quote {
        QuoteStatus::Absent { untrusted_error: None } => vec![Finding::new(Code::NoQuote)],
        QuoteStatus::Absent { untrusted_error: Some(error) } => {
            let mut findings = vec![
                Finding::new(Code::TpmFault).because(error.clone()),
                Finding::new(Code::NoQuote),
            ];
            if !untrusted_banks.is_empty()
                && !untrusted_banks.iter().any(|alg| alg.is_strong_hash())
            {
                findings.push(
                    Finding::new(Code::Sha256BankInactive).with("active", banks(untrusted_banks)),
                );
            }
            findings
        }
        QuoteStatus::NoKey { untrusted_attest: Err(err) } => {
            let offset = u64::try_from(err.at).unwrap_or(u64::MAX);
            vec![Finding::new(Code::QuoteParse).at_offset(offset).because(err.to_string())]
        }
        QuoteStatus::NoKey { untrusted_attest: Ok(attest) } => {
            weak_selection(attest.selection, untrusted_banks).into_iter().collect()
        }
        QuoteStatus::Refused { problems, untrusted_attest } => {
            let selection = untrusted_attest.as_ref().and_then(|attest| attest.selection);
            problems.iter().map(|problem| finding(problem, selection, untrusted_banks)).collect()
        }
        QuoteStatus::Verified(_) => Vec::new(),
    }
}

fn banks(algs: &[TpmAlgId]) -> Argument {
    Argument::Text(algs.iter().map(TpmAlgId::to_string).collect::<Vec<_>>().join(" "))
}

/// Where nobody's key is known, the one thing of the selection that helps a person: the bank.
fn weak_selection(
    selection: Option<PcrSelection>,
    untrusted_banks: &[TpmAlgId],
) -> Option<Finding> {
    let selection = selection?;
    let strong =
        selection.banks().iter().any(|(alg, pcrs)| alg.is_strong_hash() && !pcrs.is_empty());
    (!strong).then(|| no_strong_bank(Some(selection), untrusted_banks))
}

fn no_strong_bank(selection: Option<PcrSelection>, untrusted_banks: &[TpmAlgId]) -> Finding {
    let active = untrusted_banks.iter().any(|alg| alg.is_strong_hash());
    if active {
        let finding = Finding::new(Code::Sha256NotQuoted);
        return match selection {
            Some(selection) if !selection.is_empty() => {
                finding.with("quoted", Argument::Text(selection.to_string()))
            }
            _ => finding,
        };
    }
    Finding::new(Code::Sha256BankInactive).with("active", banks(untrusted_banks))
}

fn finding(
    problem: &QuoteProblem,
    selection: Option<PcrSelection>,
    untrusted_banks: &[TpmAlgId],
) -> Finding {
    match problem {
        QuoteProblem::Parse(err) => {
            let offset = u64::try_from(err.at).unwrap_or(u64::MAX);
            Finding::new(Code::QuoteParse).at_offset(offset).because(err.to_string())
        }
        QuoteProblem::Signature(err) => {
            let reason = match err.source() {
                Some(source) => format!("{err}: {source}"),
                None => err.to_string(),
            };
            Finding::new(Code::QuoteSignature).because(reason)
        }
        QuoteProblem::Magic { have } => {
            Finding::new(Code::QuoteMagic).with("magic", Argument::Text(format!("{have:#010x}")))
        }
        QuoteProblem::Type { have } => {
            Finding::new(Code::QuoteType).with("type", Argument::Text(format!("{have:#06x}")))
        }
        QuoteProblem::NonceMismatch => Finding::new(Code::NonceMismatch),
        QuoteProblem::Selection(SelectionProblem::NoStrongBank) => {
            no_strong_bank(selection, untrusted_banks)
        }
        QuoteProblem::Selection(SelectionProblem::PcrsMissing { bank, missing }) => {
            Finding::new(Code::PcrSelection)
                .with("bank", Argument::Bank(*bank))
                .with("missing", Argument::Pcrs(*missing))
        }
        QuoteProblem::Selection(err) => Finding::new(Code::PcrSelection).because(err.to_string()),
        QuoteProblem::ValuesMissing { bank, missing } => Finding::new(Code::PcrValues)
            .with("bank", Argument::Bank(*bank))
            .with("missing", Argument::Pcrs(*missing)),
        QuoteProblem::PcrDigest => Finding::new(Code::PcrDigest),
        // A problem that this crate does not know yet is a quote that is not accepted.
        other => Finding::new(Code::QuoteSignature).because(other.to_string()),
    }
}

/// Where the policy asks for a better bank than SHA-256, and no such bank covers the required PCRs.
/// Of a verified quote only: another one has a finding that fails already.
pub(crate) fn bank_finding(quote: &QuoteStatus, policy: &Policy) -> Option<Finding> {
    let minimum = policy.minimum_bank();
    let selection = quote.verified()?.selection();
    let covers = |(alg, pcrs): &(TpmAlgId, PcrSet)| {
        minimum.allows(*alg) && pcrs.contains_all(policy.required_pcrs())
    };
    if selection.banks().iter().any(covers) {
        return None;
    }
    Some(
        Finding::new(Code::PcrSelection)
            .with("minimum", Argument::Text(minimum.as_str().to_owned()))
            .with("quoted", Argument::Text(selection.to_string()))
            .because("the policy asks for a better bank"),
    )
}

/// What the TPM's counters and its firmware say against the last accepted quote of the same key.
pub(crate) fn clock_findings(quote: &QuoteStatus, previous: Option<&ClockState>) -> Vec<Finding> {
    match (quote.verified(), previous) {
        (Some(quote), Some(last)) => against(&ClockState::from(quote), last),
        _ => Vec::new(),
    }
}

fn against(now: &ClockState, last: &ClockState) -> Vec<Finding> {
    let changed = now.firmware_version != last.firmware_version;
    let changed = changed.then(|| Finding::new(Code::TpmFirmwareChanged));
    went_back(now, last).into_iter().chain(changed).collect()
}

/// Whether a counter of 32 bits that only grows went back. A TPM adds a secret number to those that
/// it quotes for keys of the owner hierarchy, so that they may pass zero; no TPM is reset two
/// thousand million times between two quotes. [TPM2-P1-1.59 §36.7]
const fn is_before(now: u32, last: u32) -> bool {
    now.wrapping_sub(last) > u32::MAX / 2
}

/// Counters never go back, but for a TPM clear, after which the key would be another too.
/// [TPM2-P1-1.59 §36.6] resetCount only grows; within one reset so does restartCount, and within
/// one power cycle the clock.
fn went_back(now: &ClockState, last: &ClockState) -> Option<Finding> {
    let (name, have, before) = if is_before(now.reset_count, last.reset_count) {
        ("reset_count", u64::from(now.reset_count), u64::from(last.reset_count))
    } else if now.reset_count != last.reset_count {
        return None;
    } else if is_before(now.restart_count, last.restart_count) {
        ("restart_count", u64::from(now.restart_count), u64::from(last.restart_count))
    } else if now.restart_count == last.restart_count && now.clock_ms < last.clock_ms {
        ("clock_ms", now.clock_ms, last.clock_ms)
    } else {
        return None;
    };
    Some(
        Finding::new(Code::ClockWentBack)
            .with(name, Argument::Number(have))
            .with("before", Argument::Number(before)),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counters_may_stand_and_grow_and_never_go_back() {
        let state = |reset_count, restart_count, clock_ms| ClockState {
            clock_ms,
            reset_count,
            restart_count,
            firmware_version: 0,
        };
        let last = state(5, 2, 1000);
        for fine in [
            state(5, 2, 1000),
            state(5, 2, 1001),
            state(5, 3, 900),
            state(6, 0, 0),
            // A new boot begins to count anew.
            state(7, 0, 10),
        ] {
            assert_eq!(went_back(&fine, &last), None, "{fine:?}");
        }
        for back in [state(4, 9, 9000), state(5, 1, 9000), state(5, 2, 999)] {
            let finding = went_back(&back, &last).unwrap();
            assert_eq!(finding.code(), Code::ClockWentBack, "{back:?}");
        }
        // The secret number that is added to what is quoted may carry a counter past zero.
        assert_eq!(went_back(&state(1, 0, 0), &state(u32::MAX, 2, 1000)), None);
        assert_eq!(went_back(&state(5, 1, 0), &state(5, u32::MAX, 1000)), None);
        let back = went_back(&state(u32::MAX, 0, 0), &state(1, 2, 1000)).unwrap();
        assert_eq!(back.code(), Code::ClockWentBack);
    }

    #[test]
    fn firmware_that_changed_between_two_quotes_is_told() {
        let state = |firmware_version| ClockState {
            clock_ms: 1,
            reset_count: 1,
            restart_count: 1,
            firmware_version,
        };
        let codes = |now: &ClockState, last: &ClockState| {
            against(now, last).iter().map(Finding::code).collect::<Vec<_>>()
        };
        assert_eq!(codes(&state(7), &state(7)), []);
        assert_eq!(codes(&state(8), &state(7)), [Code::TpmFirmwareChanged]);
        assert_eq!(codes(&state(7), &state(8)), [Code::TpmFirmwareChanged]);
        let older = ClockState { reset_count: 0, ..state(8) };
        let both = [Code::ClockWentBack, Code::TpmFirmwareChanged];
        assert_eq!(codes(&older, &state(7)), both, "none hides another");
    }
}
