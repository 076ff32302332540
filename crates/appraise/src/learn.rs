//! An accepted judgement -> what is expected from now on.

use findings::{Code, Severity};
use references::{Baseline, ContentFault};
use verify::UnixTime;

use crate::reference::{Context, boot};
use crate::{Claims, Policy, Verdict, appraise};

/// From which judgement is learnt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Learning {
    /// From an accepted one only.
    Accepted,
    /// Also from one that only differs from its references, or has none where one is required: a
    /// person accepts the change.
    Change,
}

/// Why nothing was learnt.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LearnError {
    /// The evidence does not prove what booted.
    #[error("nothing is learnt from a boot that is not accepted: {}", names(codes))]
    NotAccepted {
        /// The findings that say so; none where nothing was proved.
        codes: Vec<Code>,
    },
    /// What was measured makes no baseline.
    #[error("the boot makes no reference")]
    Content(#[source] ContentFault),
}

fn names(codes: &[Code]) -> String {
    match codes {
        [] => "no quote proves it".to_owned(),
        codes => codes.iter().map(|code| code.as_str()).collect::<Vec<_>>().join(", "),
    }
}

/// What `claims` show, as what is expected from now on; judged here, so that nothing is ever learnt
/// from what `policy` does not accept at `now`. A reference that was revoked is never learnt anew.
pub fn learn(
    claims: &Claims<'_>,
    context: &Context<'_>,
    policy: &Policy,
    now: UnixTime,
    learning: Learning,
) -> Result<Baseline, LearnError> {
    let judged = appraise(claims, context, policy, now);
    let about_references = |code: Code| {
        matches!(code, Code::ReferenceChange | Code::ReferenceMissing | Code::ReferenceExpired)
    };
    let stops = |severity: Severity| matches!(severity, Severity::Fail | Severity::Hold);
    let against = judged.findings.iter().filter(|finding| stops(finding.severity()));
    let mut codes: Vec<Code> = against.map(findings::Finding::code).collect();
    codes.dedup();
    let is_accepted = match learning {
        Learning::Accepted => judged.verdict == Verdict::Accepted,
        Learning::Change => codes.iter().all(|code| about_references(*code)),
    };
    match boot(claims).filter(|_| is_accepted) {
        Some(boot) => Baseline::learn(&boot).map_err(LearnError::Content),
        None => Err(LearnError::NotAccepted { codes }),
    }
}
