//! The judgement, and its core.

use std::hint::black_box;

use appraise::{
    Appraisal, Challenge, Context, EkEvidence, Evidence, Known, LogStatus, Policy, QuoteEvidence,
    Verdict, appraise, examine,
};
use event_log::{Rules, check_data, compare, parse, replay};
use tpm_wire::{PcrBank, PcrSet};
use verify::{BankRule, RawQuote, SelectionRule, verify_quote};

use crate::evidence::{Case, NOW};

/// Raw bytes -> signature, challenge, PCR digest, replay, digests of event data.
pub(crate) fn core(case: &Case) {
    let quote = RawQuote { attest: black_box(&case.attest), signature: &case.signature };
    let rule = SelectionRule::AtLeast { pcrs: PcrSet::FIRMWARE, banks: BankRule::Strong };
    let check = verify_quote(&case.bound, quote, &case.pcrs, &case.nonce, &rule);
    let values = check.verified().unwrap().values();
    let parsed = parse(black_box(&case.log));
    let replay = replay(&parsed.log, values.iter().map(PcrBank::alg));
    let comparison = compare(&parsed.log, &replay, values, &Rules::default());
    assert!(comparison.mismatches.is_empty());
    for event in parsed.log.events() {
        let is_quoted = |alg| values.iter().any(|bank| bank.alg() == alg);
        black_box(check_data(event, is_quoted));
    }
}

fn appraisal(case: &Case) -> Appraisal {
    let quote = QuoteEvidence { attest: black_box(&case.attest), signature: &case.signature };
    let evidence = Evidence {
        quote: Some(quote),
        pcrs: &case.pcrs,
        event_log: Some(black_box(&case.log)),
        ak_public: Some(case.bound.ak().raw()),
        ..Evidence::default()
    };
    let policy = Policy::default();
    let known = Known::Key(&case.bound);
    let challenge = Challenge::Nonce(&case.nonce);
    let ek = EkEvidence::Judged(&case.ek);
    let claims = examine(&evidence, &known, &ek, &challenge, &policy, NOW);
    assert!(claims.quote.verified().is_some());
    appraise(&claims, &Context::default(), &policy, NOW)
}

/// Raw bytes -> verdict and findings; the log's own claims among them.
pub(crate) fn full(case: &Case) {
    black_box(appraisal(case));
}

/// That the work was done: a boot of ours is accepted, and of no log a PCR differs.
pub(crate) fn check(case: &Case) {
    let appraisal = appraisal(case);
    let codes: Vec<_> = appraisal.findings.iter().map(|finding| finding.code()).collect();
    assert!(!codes.contains(&findings::Code::LogReplay), "{}: {codes:?}", case.name);
    if case.is_ours {
        assert_eq!(appraisal.verdict, Verdict::Accepted, "{}: {codes:?}", case.name);
    }
}

/// A log judged by itself: no quote, so no signature, and compared with values that fit.
pub(crate) fn log_alone(log: &[u8], pcrs: &[PcrBank]) {
    let evidence = Evidence { pcrs, event_log: Some(black_box(log)), ..Evidence::default() };
    let policy = Policy::default();
    let ek = EkEvidence::NotAsked;
    let claims = examine(&evidence, &Known::Nothing, &ek, &Challenge::Absent, &policy, NOW);
    assert!(matches!(claims.log, LogStatus::Read(_)));
    black_box(appraise(&claims, &Context::default(), &policy, NOW));
}
