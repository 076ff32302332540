//! Stored evidence, judged anew after references or the policy changed. No host is asked.

use std::sync::Arc;

use report::BootSection;
use store::{
    By, Conflict, Host, HostId, JudgedBy, LastAppraisal, ReferenceScope, Rejudgement, StoreError,
};
use verify::UnixTime;

use crate::app::{
    App, AppError,
    attest::{LastTime, judge},
    document,
    policy::clock_state,
    standing,
};

/// Hosts that are read at one time.
const PAGE_LEN: u32 = 100;

/// References that change while evidence is judged by them: once more is rare already.
const ATTEMPTS_MAX: u32 = 5;

/// What judging anew did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::app) enum Anew {
    /// Verdict or findings changed, and were recorded.
    Changed,
    /// Nothing to record: the same again, no evidence, or newer evidence came in the meantime.
    Same,
}

impl App {
    /// Judges anew whom `scope` names: one host at once, a cohort in the background. A cohort that is
    /// not done when the server ends is done by the next attestation of each host.
    pub(super) async fn judge_scope_anew(
        self: &Arc<Self>,
        scope: ReferenceScope,
        by: By,
    ) -> Result<(), AppError> {
        match scope {
            ReferenceScope::Host(id) => self.judge_anew(&id, &by).await.map(|_| ()),
            ReferenceScope::Cohort(cohort) => {
                let app = Arc::clone(self);
                tokio::spawn(async move { app.judge_cohort_anew(&cohort, &by).await });
                Ok(())
            }
        }
    }

    async fn judge_cohort_anew(self: Arc<Self>, cohort: &str, by: &By) {
        // One at a time: what changes references often must not take the processors from hosts.
        let _turn = self.judging_anew.lock().await;
        let (mut n_hosts, mut n_changed) = (0_u64, 0_u64);
        let mut after: Option<HostId> = None;
        loop {
            let page = match self.store.hosts_of_cohort(cohort, after.take(), PAGE_LEN).await {
                Ok(page) => page,
                Err(err) => {
                    tracing::error!(%err, "a cohort could not be judged anew");
                    return;
                }
            };
            let Some(last) = page.last() else { break };
            after = Some(last.id.clone());
            for host in &page {
                n_hosts += 1;
                n_changed += u64::from(self.judge_counted(&host.id, by).await == Anew::Changed);
            }
        }
        tracing::info!(cohort, n_hosts, n_changed, "a cohort was judged anew");
    }

    /// Judges the last evidence of one of many hosts. One that cannot be judged is told, and stays as it is.
    pub(in crate::app) async fn judge_counted(self: &Arc<Self>, id: &HostId, by: &By) -> Anew {
        self.judge_anew(id, by).await.unwrap_or_else(|err| {
            tracing::error!(host = %id, %err, "not judged anew");
            Anew::Same
        })
    }

    /// Judges the last evidence of a host by the references and the policy that count now.
    pub(super) async fn judge_anew(
        self: &Arc<Self>,
        id: &HostId,
        by: &By,
    ) -> Result<Anew, AppError> {
        for _ in 0..ATTEMPTS_MAX {
            let host = self.find(id).await?;
            match self.judge_once_anew(host, by).await {
                Err(StoreOrApp::Store(StoreError::Conflict(Conflict::ReferencesChanged))) => {}
                Err(StoreOrApp::Store(StoreError::Conflict(
                    Conflict::NewerEvidence { .. } | Conflict::IdentityChanged { .. },
                ))) => return Ok(Anew::Same),
                Err(StoreOrApp::Store(err)) => return Err(err.into()),
                Err(StoreOrApp::App(err)) => return Err(err),
                Ok(anew) => return Ok(anew),
            }
        }
        Err(AppError::Unavailable("references change faster than evidence is judged".into()))
    }

    async fn judge_once_anew(self: &Arc<Self>, host: Host, by: &By) -> Result<Anew, StoreOrApp> {
        let now_ms = self.store.now_ms().await?;
        let anchors = self.anchors().await?;
        let Some(last) = host.last.clone() else { return Ok(Anew::Same) };
        let stored = match self.stored(&host, &anchors, now_ms).await {
            Ok(Some(stored)) => stored,
            Ok(None) => return Ok(Anew::Same),
            Err(err) if err.is_evidence_lost() => {
                return self.note_evidence_lost(&host, last, by, now_ms).await;
            }
            Err(err) => return Err(err.into()),
        };
        let policy = Arc::clone(&self.rules().policy);
        let previous = host.last_quote_clock.map(clock_state);
        let judging = tokio::task::spawn_blocking(move || {
            let now = UnixTime(now_ms.div_euclid(1000));
            let identity = stored.identity.as_deref();
            let evidence = &stored.evidence;
            let judged = judge(
                &policy,
                evidence,
                identity,
                LastTime::default(),
                previous.as_ref(),
                &stored.held_to,
                now,
            )?;
            let is_first_use = (judged.judged_by.one_boot.as_ref())
                .is_some_and(|(id, _)| !stored.held_to.is_used(id));
            Ok::<_, AppError>((judged, is_first_use))
        });
        let (judged, is_first_use) = judging.await.map_err(|err| AppError::Bug(err.into()))??;
        let to_json = |err: serde_json::Error| AppError::Bug(err.into());
        let whole = BootSection::put_back(judged.appraisal, judged.boot.as_bytes());
        let mut appraisal = whole.map_err(to_json)?;
        appraisal.judged_anew = true;
        let findings_json = serde_json::to_string(&appraisal.findings).map_err(to_json)?;
        let is_same = appraisal.verdict == last.verdict && findings_json == last.findings_json;
        if is_same && !is_first_use {
            return Ok(Anew::Same);
        }
        tracing::info!(host = %host.id, verdict = appraisal.verdict, "judged anew");
        let rejudgement = Rejudgement {
            host: host.id.clone(),
            identity_version: host.identity_version,
            of: last.id,
            at_ms: now_ms,
            verdict: appraisal.verdict.clone(),
            findings_json,
            document_json: serde_json::to_string(&appraisal).map_err(to_json)?,
            deciding: document::deciding(&appraisal.findings),
            judged_by: judged.judged_by,
        };
        let by = By::new(by.actor.clone(), now_ms);
        self.store.record_rejudgement(rejudgement, by).await?;
        self.hub.wake(&host.id);
        Ok(if is_same { Anew::Same } else { Anew::Changed })
    }
}

impl App {
    /// What cannot be judged by what counts now counts no more, and the host is asked for evidence again.
    async fn note_evidence_lost(
        &self,
        host: &Host,
        last: LastAppraisal,
        by: &By,
        now_ms: i64,
    ) -> Result<Anew, StoreOrApp> {
        let (verdict, findings) = standing::evidence_lost(host);
        let to_json = |err: serde_json::Error| AppError::Bug(err.into());
        let findings_json = serde_json::to_string(&findings).map_err(to_json)?;
        if verdict == last.verdict && findings_json == last.findings_json {
            return Ok(Anew::Same);
        }
        tracing::error!(host = %host.id, "the evidence of the last judgement is lost");
        let document = api::appraisal::Appraisal {
            verdict,
            findings,
            facts: api::appraisal::Facts::default(),
            judged_anew: true,
        };
        let by = By::new(by.actor.clone(), now_ms);
        let rejudgement = Rejudgement {
            host: host.id.clone(),
            identity_version: host.identity_version,
            of: last.id,
            at_ms: now_ms,
            verdict: document.verdict.clone(),
            findings_json,
            document_json: serde_json::to_string(&document).map_err(to_json)?,
            deciding: document::deciding(&document.findings),
            // By none: whichever references there are.
            judged_by: JudgedBy::default(),
        };
        self.store.record_rejudgement(rejudgement, by.clone()).await?;
        match self.store.request_attestation(&host.id, by).await {
            // Nobody would answer; whoever connects it again asks it.
            Ok(()) | Err(StoreError::Conflict(Conflict::HostDisconnected { .. })) => {}
            Err(err) => return Err(err.into()),
        }
        self.hub.wake(&host.id);
        Ok(Anew::Changed)
    }
}

/// The store's conflicts are told apart before they become refusals.
enum StoreOrApp {
    Store(StoreError),
    App(AppError),
}

impl From<StoreError> for StoreOrApp {
    fn from(err: StoreError) -> Self {
        Self::Store(err)
    }
}

impl From<AppError> for StoreOrApp {
    fn from(err: AppError) -> Self {
        Self::App(err)
    }
}
