//! Trying a policy: the last evidence of each host, judged again under it. No host is asked, and
//! nothing is stored.

use std::{collections::HashMap, sync::Arc};

use api::{
    finding::Finding,
    policy::{PolicyChange, PolicyTryPage, PolicyTryRequest},
};
use appraise::{ClockState, Context, Policy, appraise};
use store::Host;
use verify::{RootStore, UnixTime};

use super::{
    App, AppError, RefusalKind,
    attest::{Judgeable, claims, from_parts, reset_count},
    identity::LoadedIdentity,
    reference::HeldTo,
    standing,
};
use crate::config::Config;

/// Hosts on a page, where the client does not say.
const PAGE_LEN: u32 = 100;

/// Evidence that lies in memory at one time: 16 logs of 4 MiB at most.
const AT_ONCE: usize = 16;

/// A host with its last evidence, ready to be judged.
pub(super) struct Stored {
    host: Host,
    pub(super) evidence: Judgeable,
    pub(super) identity: Option<Arc<LoadedIdentity>>,
    pub(super) held_to: HeldTo,
}

impl App {
    /// Judges one page of hosts under the policy of `request`. Only what would change is told.
    pub async fn try_policy(
        self: &Arc<Self>,
        request: PolicyTryRequest,
    ) -> Result<PolicyTryPage, AppError> {
        let files: HashMap<String, Vec<u8>> =
            request.files.into_iter().map(|(name, bytes)| (name, bytes.0)).collect();
        let mut policy = policy::read_with(&request.policy, &files).map_err(|err| {
            let title = format!("this is not a policy: {err}");
            let hint = err.hint.unwrap_or_else(|| "`bootproof policy check FILE`".to_owned());
            AppError::refused(RefusalKind::Invalid, "policy-invalid", title, hint)
        })?;
        policy.secure_boot.revocations = Arc::clone(&self.policy.secure_boot.revocations);
        let policy = Arc::new(policy);
        let limit = request.limit.unwrap_or(PAGE_LEN);
        let (hosts, next_cursor) = self.page(request.cursor.as_deref(), limit).await?;
        let n_hosts = u32::try_from(hosts.len()).unwrap_or(u32::MAX);
        let now_ms = self.store.now_ms().await?;
        let anchors = self.anchors().await?;
        let mut n_judged = 0;
        let mut changes = Vec::new();
        for hosts in hosts.chunks(AT_ONCE) {
            let mut stored = Vec::with_capacity(hosts.len());
            for host in hosts {
                stored.extend(self.stored(host, &anchors, now_ms).await?);
            }
            n_judged += u32::try_from(stored.len()).unwrap_or(u32::MAX);
            let (app, policy) = (Arc::clone(self), Arc::clone(&policy));
            // Off the threads that serve sockets, as with evidence that comes in.
            let judging = tokio::task::spawn_blocking(move || {
                let change = |stored: &Stored| app.change(stored, &policy, now_ms);
                stored.iter().filter_map(change).collect::<Vec<_>>()
            });
            changes.extend(judging.await.map_err(|err| AppError::Bug(err.into()))?);
        }
        Ok(PolicyTryPage { n_hosts, n_judged, changes, next_cursor })
    }

    /// The last evidence of `host`; `None` where none was judged yet, or where the host was removed
    /// in the meantime.
    pub(super) async fn stored(
        &self,
        host: &Host,
        anchors: &(i64, Arc<RootStore>),
        now_ms: i64,
    ) -> Result<Option<Stored>, AppError> {
        let Some(last) = &host.last else { return Ok(None) };
        let parts = self.store.evidence(last.id).await?;
        if parts.is_empty() {
            return Ok(None);
        }
        let evidence = Judgeable::of_stored(from_parts(parts)?)?;
        let identity = self.identity_under(anchors, host, now_ms)?;
        let held_to = self.held_to(&host.id, evidence.cohort().as_deref()).await?;
        Ok(Some(Stored { host: host.clone(), evidence, identity, held_to }))
    }

    fn change(&self, stored: &Stored, policy: &Policy, now_ms: i64) -> Option<PolicyChange> {
        let Stored { host, evidence, identity, held_to } = stored;
        let (from, found) = standing::standing(host, &self.config, now_ms);
        let config = self.config_under(policy);
        let (to, judged) = match standing::held(host, &config, now_ms) {
            Some(held) => held,
            None => {
                let previous = host.last_quote_clock.map(clock_state);
                let now = UnixTime(now_ms.div_euclid(1000));
                let claims = claims(policy, evidence, identity.as_deref(), now);
                let references = held_to.applied(reset_count(&claims));
                let context = Context { previous: previous.as_ref(), references: &references };
                let appraisal = appraise(&claims, &context, policy, now);
                let to = appraisal.verdict.as_str();
                if to == from {
                    // Most of a fleet: no document is made for them.
                    return None;
                }
                (to.to_owned(), appraisal.findings.iter().map(Finding::from).collect())
            }
        };
        (from != to).then(|| PolicyChange {
            id: host.id.to_string(),
            name: host.name.clone(),
            because: difference(&judged, &found),
            gone: found.iter().filter(|f| decides(f) && !has(&judged, f)).cloned().collect(),
            from,
            to,
        })
    }

    /// The configuration with the times that `policy` sets.
    fn config_under(&self, policy: &Policy) -> Config {
        let verdict_good_for_s =
            policy.verdict_good_for_s.unwrap_or(self.configured_verdict_good_for_s);
        Config { verdict_good_for_s, ..self.config.clone() }
    }
}

/// The TPM's counters as they are stored.
pub(super) fn clock_state(clock: store::QuoteClock) -> ClockState {
    ClockState {
        clock_ms: clock.clock_ms,
        reset_count: clock.reset_count,
        restart_count: clock.restart_count,
        firmware_version: clock.firmware_version,
    }
}

fn decides(finding: &Finding) -> bool {
    matches!(finding.severity.as_str(), "fail" | "hold")
}

fn has(findings: &[Finding], wanted: &Finding) -> bool {
    findings.iter().any(|finding| finding.code == wanted.code)
}

/// The findings of `judged` that decide a verdict where those of `found` do not, or the other way
/// round.
fn difference(judged: &[Finding], found: &[Finding]) -> Vec<Finding> {
    let decided = |code: &str| found.iter().any(|f| f.code == code && decides(f));
    judged.iter().filter(|f| decides(f) != decided(&f.code)).cloned().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finding(code: findings::Code, severity: findings::Severity) -> Finding {
        Finding::from(&findings::Finding::new(code).with_severity(severity))
    }

    #[test]
    fn only_what_decides_otherwise_is_a_reason() {
        use findings::{Code, Severity};
        let off = |severity| finding(Code::SecureBootOff, severity);
        let padding = || finding(Code::LogPadding, Severity::Info);
        let codes = |findings: Vec<Finding>| {
            findings.into_iter().map(|finding| finding.code).collect::<Vec<_>>()
        };
        let now = [off(Severity::Fail), padding()];
        let waived = [off(Severity::Warn), padding()];
        assert_eq!(codes(difference(&waived, &now)), ["secure-boot-off"]);
        assert_eq!(codes(difference(&now, &waived)), ["secure-boot-off"]);
        assert_eq!(codes(difference(&now, &now)), Vec::<String>::new());
        assert!(!has(&[padding()], &off(Severity::Fail)));
    }
}
