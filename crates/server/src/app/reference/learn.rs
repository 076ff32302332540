//! References out of what hosts booted: of an accepted judgement, or of a change that a person
//! accepts.

use std::sync::Arc;

use api::fleet::{AcceptChangeRequest, AcceptedChange, Breadth, KeptReference, LearnRequest};
use appraise::{Context, LearnError, Learning, appraise, learn};
use findings::Code;
use store::{
    By, Conflict, Host, HostId, NewReference, ReferenceOrigin, ReferenceScope, StoreError,
};
use verify::UnixTime;

use super::keep::{begins, new_id, uses};
use crate::app::{
    App, AppError, RefusalKind,
    attest::{claims, reset_count},
    policy::clock_state,
    standing,
};

/// What a person may accept, where nothing else stands against the host.
const ACCEPTABLE: [Code; 3] =
    [Code::ReferenceChange, Code::ReferenceMissing, Code::ReferenceExpired];

/// What a host's stored evidence gives.
struct Learnt {
    document: Vec<u8>,
    cohort: Option<String>,
}

impl App {
    /// Keeps what the host booted as what is expected of it, or of its cohort, from now on. Only
    /// from a last judgement that is accepted, judged here once more.
    pub async fn learn_reference(
        self: &Arc<Self>,
        id: &str,
        request: LearnRequest,
        by: By,
    ) -> Result<KeptReference, AppError> {
        let host = self.find(&HostId::from(id)).await?;
        let learnt = self.learn(&host, Learning::Accepted).await?;
        let new = NewReference {
            id: new_id()?,
            scope: scope(&host, request.scope, learnt.cohort)?,
            name: request.name,
            origin: ReferenceOrigin::Learnt,
            state: begins(request.state),
            uses: store::ReferenceUses::Any,
            until_ms: None,
            document: learnt.document,
            reason: request.reason,
        };
        self.keep_reference(new, by).await
    }

    /// A person accepts what the host booted although its references say otherwise. Nothing else
    /// may speak against it: a host whose quote, log or keys are not in order is not accepted by
    /// anybody's word. Its stored evidence is judged anew at once.
    pub async fn accept_change(
        self: &Arc<Self>,
        id: &str,
        request: AcceptChangeRequest,
        by: By,
    ) -> Result<AcceptedChange, AppError> {
        let host = self.find(&HostId::from(id)).await?;
        let looked_at = request.appraised_at_ms;
        if looked_at.is_some_and(|at_ms| host.last.as_ref().is_none_or(|l| l.at_ms != at_ms)) {
            return Err(StoreError::from(Conflict::NewerEvidence { host: host.id }).into());
        }
        let learnt = self.learn(&host, Learning::Change).await?;
        let new = NewReference {
            id: new_id()?,
            scope: scope(&host, request.scope, learnt.cohort)?,
            name: format!("change of {}", host.name).chars().take(100).collect(),
            origin: ReferenceOrigin::AcceptedChange,
            state: store::ReferenceState::Active,
            uses: uses(request.uses),
            until_ms: request.until_ms,
            document: learnt.document,
            reason: request.reason,
        };
        let reference = self.keep_reference(new, by.clone()).await?;
        // The host that was looked at at once, also where its cohort takes longer.
        self.judge_anew(&host.id, &by).await?;
        let host = self.find(&host.id).await?;
        let now_ms = self.store.now_ms().await?;
        let (verdict, findings) = standing::standing(&host, &self.rules().config, now_ms);
        Ok(AcceptedChange { reference, verdict, findings })
    }

    async fn learn(self: &Arc<Self>, host: &Host, learning: Learning) -> Result<Learnt, AppError> {
        let now_ms = self.store.now_ms().await?;
        let refused = |code, title: String, hint: String| {
            AppError::refused(RefusalKind::Conflict, code, title, hint)
        };
        if let Some((verdict, findings)) = standing::held(host, &self.rules().config, now_ms) {
            let cause = findings.first();
            return Err(refused(
                "host-not-judged",
                cause.map_or(verdict, |finding| finding.cause.clone()),
                cause.map_or_else(String::new, |finding| finding.next_step.clone()),
            ));
        }
        let anchors = self.anchors().await?;
        let stored = self.stored(host, &anchors, now_ms).await?.ok_or_else(|| {
            let hint = "`bootproof host attest HOST`".to_owned();
            let title = "no evidence of this host is stored";
            AppError::refused(RefusalKind::NotFound, "no-evidence", title, hint)
        })?;
        let cohort = stored.evidence.cohort();
        let previous = host.last_quote_clock.map(clock_state);
        let app = Arc::clone(self);
        let judging = tokio::task::spawn_blocking(move || {
            let now = UnixTime(now_ms.div_euclid(1000));
            let policy = &app.rules().policy;
            let claims = claims(policy, &stored.evidence, stored.identity.as_deref(), now);
            let references = stored.held_to.applied(reset_count(&claims));
            let context = Context { previous: previous.as_ref(), references: &references };
            if learning == Learning::Change {
                let judged = appraise(&claims, &context, policy, now);
                let fails = |finding: &findings::Finding| {
                    matches!(finding.severity(), findings::Severity::Fail)
                };
                let is_changed = ACCEPTABLE.into_iter().any(|code| judged.has(code));
                if !is_changed && !judged.findings.iter().any(fails) {
                    return Ok(None);
                }
            }
            learn(&claims, &context, policy, now, learning).map(Some)
        });
        let learnt = judging.await.map_err(|err| AppError::Bug(err.into()))?;
        let baseline = match learnt {
            Ok(Some(baseline)) => baseline,
            Ok(None) => {
                return Err(refused(
                    "nothing-changed",
                    "what this host booted is accepted as it is".to_owned(),
                    "`bootproof host learn HOST` holds it to that from now on".to_owned(),
                ));
            }
            Err(LearnError::NotAccepted { mut codes }) => {
                if learning == Learning::Change {
                    // What could be accepted is not what stands against it.
                    codes.retain(|code| !ACCEPTABLE.contains(code));
                }
                let err = LearnError::NotAccepted { codes };
                let hint = match learning {
                    Learning::Accepted => {
                        "`bootproof host show HOST` says what to do; where only references are \
                         against it, `bootproof host accept-change HOST`"
                    }
                    Learning::Change => {
                        "a change can be accepted, these cannot: `bootproof host show HOST` says \
                         what to do"
                    }
                };
                return Err(refused("host-not-accepted", err.to_string(), hint.to_owned()));
            }
            Err(err @ LearnError::Content(_)) => {
                let hint = "`bootproof eventlog FILE` shows the log of the boot".to_owned();
                return Err(AppError::refused(
                    RefusalKind::Invalid,
                    "reference-invalid",
                    err.to_string(),
                    hint,
                ));
            }
        };
        let document =
            report::reference::write(&baseline).map_err(|err| AppError::Bug(err.into()))?;
        Ok(Learnt { document, cohort })
    }
}

fn scope(
    host: &Host,
    breadth: Breadth,
    cohort: Option<String>,
) -> Result<ReferenceScope, AppError> {
    match breadth {
        Breadth::Host => Ok(ReferenceScope::Host(host.id.clone())),
        Breadth::Cohort => cohort.map(ReferenceScope::Cohort).ok_or_else(|| {
            AppError::refused(
                RefusalKind::Conflict,
                "no-cohort",
                "the agent of this host does not say vendor, model and firmware of its machine",
                "do it for the host alone, or see that its agent is up to date",
            )
        }),
    }
}
