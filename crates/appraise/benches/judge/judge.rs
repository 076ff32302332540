//! The judgement, and its core.

use std::hint::black_box;
use std::sync::Arc;

use appraise::{
    Appraisal, Challenge, Context, CoreLog, EkEvidence, Evidence, HashedLog, Known, LogMemo,
    LogStatus, Policy, QuoteEvidence, Verdict, appraise, appraise_unchanged, examine, examine_core,
};
use tpm_wire::PcrBank;

use crate::evidence::{Case, NOW};

fn evidence(case: &Case) -> Evidence<'_> {
    let quote = QuoteEvidence { attest: black_box(&case.attest), signature: &case.signature };
    Evidence {
        quote: Some(quote),
        pcrs: &case.pcrs,
        event_log: Some(black_box(&case.log)),
        ak_public: Some(case.bound.ak().raw()),
        ..Evidence::default()
    }
}

/// Raw bytes -> signature, challenge, PCR digest, replay, digests of event data: what the product
/// begins each judgement with.
pub(crate) fn core(case: &Case) {
    let challenge = Challenge::Nonce(&case.nonce);
    let known = Known::Key(&case.bound);
    let core = examine_core(&evidence(case), &known, &challenge, &Policy::default());
    assert!(core.quote.verified().is_some());
    let CoreLog::Compared(log) = black_box(core.log) else { panic!("no log") };
    assert!(log.compared.mismatches.is_empty());
}

fn appraisal(case: &Case) -> Appraisal {
    let evidence = evidence(case);
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

/// What is kept of a case for its next judgement, and under which policy.
pub(crate) struct Kept {
    memo: LogMemo,
    policy: Arc<Policy>,
}

impl Kept {
    pub(crate) fn of(case: &Case) -> Self {
        let policy = Arc::new(Policy::default());
        let evidence = evidence(case);
        let (known, challenge) = (Known::Key(&case.bound), Challenge::Nonce(&case.nonce));
        let ek = EkEvidence::Judged(&case.ek);
        let claims = examine(&evidence, &known, &ek, &challenge, &policy, NOW);
        let log = HashedLog::new(&case.log);
        let memo =
            LogMemo::of(&log, &evidence, &claims, &Context::default(), &policy, NOW).unwrap();
        let kept = Self { memo, policy };
        assert_eq!(kept.appraisal(case), appraisal(case), "{}", case.name);
        kept
    }

    fn appraisal(&self, case: &Case) -> Appraisal {
        let evidence = evidence(case);
        let (known, challenge) = (Known::Key(&case.bound), Challenge::Nonce(&case.nonce));
        let log = HashedLog::new(black_box(&case.log));
        let same = self.memo.fits(&log, &evidence, &Context::default(), &self.policy).unwrap();
        let ek = EkEvidence::Judged(&case.ek);
        let unchanged = same.examine(&known, &ek, &challenge, NOW).unwrap();
        appraise_unchanged(&unchanged, &Context::default(), NOW)
    }

    /// Raw bytes -> verdict and findings, where the log is the one of last time.
    pub(crate) fn unchanged(&self, case: &Case) {
        black_box(self.appraisal(case));
    }
}

/// A log judged by itself: no quote, so no signature, and compared with values that fit. Gives how
/// many events were kept.
pub(crate) fn log_alone(log: &[u8], pcrs: &[PcrBank]) -> usize {
    let evidence = Evidence { pcrs, event_log: Some(black_box(log)), ..Evidence::default() };
    let policy = Policy::default();
    let ek = EkEvidence::NotAsked;
    let claims = examine(&evidence, &Known::Nothing, &ek, &Challenge::Absent, &policy, NOW);
    let LogStatus::Read(read) = &claims.log else { panic!("{:?}", claims.log) };
    black_box(appraise(&claims, &Context::default(), &policy, NOW));
    read.log().events().len()
}
