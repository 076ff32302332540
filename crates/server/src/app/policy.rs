//! Trying a policy: the last evidence of each host, judged again under it. No host is asked, and
//! nothing is stored.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use api::{
    finding::Finding,
    policy::{PolicyChange, PolicyTryPage, PolicyTryRequest},
};
use appraise::{
    Appraisal, ClockState, Context, HashedLog, LogMemo, Policy, appraise, appraise_unchanged,
};
use store::{EvidencePart, Host, Sha256, StoreError, StoredPart};
use verify::{CheckedSignature, RootStore, UnixTime};

use super::{
    App, AppError, RefusalKind,
    attest::{Inputs, Judgeable, reset_count},
    evidence_parts::{IMA_PART, LOG_PART, from_parts},
    identity::LoadedIdentity,
    memo::Memo,
    reference::HeldTo,
    standing,
};
use crate::config::Config;

/// Hosts on a page, where the client does not say.
const PAGE_LEN: u32 = 100;

/// Hosts whose evidence lies in memory at one time, but for their logs: some KiB each, and 6 MiB where
/// one sends as much as it can.
const AT_ONCE: usize = 32;

/// Bytes of a part that is read with all others. Larger are logs above all.
const SMALL_BYTES_MAX: u32 = 8 * 1024;

/// Logs that lie in memory at one time: 64 MiB at most.
const LOGS_AT_ONCE: usize = 16;

/// A host with its last evidence, ready to be judged.
pub(super) struct Stored {
    host: Host,
    pub(super) evidence: Judgeable,
    pub(super) identity: Option<Arc<LoadedIdentity>>,
    pub(super) held_to: HeldTo,
}

/// The same without its log, and what was found in that before.
struct Tried {
    stored: Stored,
    /// The log that was left out.
    log: Option<Sha256>,
    memo: Option<Arc<Memo>>,
    /// The signature of the host's last verified quote.
    checked: Option<CheckedSignature>,
}

/// What is tried, with the times that it sets, and when.
struct Under {
    policy: Arc<Policy>,
    config: Config,
    now_ms: i64,
}

/// Logs of several hosts of a page, and what was found in them.
type Shared = HashMap<Sha256, Option<LogMemo>>;

/// What became of a host that was tried.
enum Outcome {
    Judged(Option<PolicyChange>),
    NeedsLog(Box<Tried>),
}

impl Tried {
    /// The judgement under `policy`; where its log must be read and is not in `logs`, itself.
    fn appraisal(
        mut self,
        shared: &mut Shared,
        logs: &HashMap<Sha256, Vec<u8>>,
        policy: &Arc<Policy>,
        now: UnixTime,
    ) -> Result<Appraisal, Box<Self>> {
        let previous = self.stored.host.last_quote_clock.map(clock_state);
        let previous = previous.as_ref();
        if let Some(sha256) = self.log {
            let known = shared.get(&sha256).and_then(Option::as_ref);
            if let Some(judged) = self.unchanged(sha256, known, previous, policy, now) {
                return Ok(judged);
            }
            match logs.get(&sha256) {
                Some(bytes) => self.stored.evidence.with_log(bytes.clone()),
                None => return Err(Box::new(self)),
            }
        }
        let Stored { evidence, identity, held_to, .. } = &self.stored;
        let inputs = Inputs::new(evidence, identity.as_deref());
        let claims = inputs.claims(policy, now);
        let references = held_to.applied(reset_count(&claims));
        let context = Context { previous, references: &references };
        if let Some(sha256) = self.log
            && let Some(kept) = shared.get_mut(&sha256)
        {
            let log = HashedLog::stored(sha256, inputs.evidence.event_log);
            *kept = LogMemo::of(&log, &inputs.evidence, &claims, &context, policy, now);
        }
        Ok(appraise(&claims, &context, policy, now))
    }

    /// The same by what was found in its log before: for this host, or `known` for another.
    fn unchanged(
        &self,
        sha256: Sha256,
        known: Option<&LogMemo>,
        previous: Option<&ClockState>,
        policy: &Policy,
        now: UnixTime,
    ) -> Option<Appraisal> {
        let Stored { evidence, identity, held_to, .. } = &self.stored;
        let inputs = Inputs::new(evidence, identity.as_deref());
        let references = held_to.applied(None);
        let context = Context { previous, references: &references };
        let log = HashedLog::stored(sha256, None);
        let of_host = self.memo.as_deref().map(|memo| &memo.log);
        let mut memos = of_host.into_iter().chain(known);
        memos.find_map(|memo| {
            let unchanged = inputs.unchanged(memo, &log, self.checked, &context, policy, now)?;
            Some(appraise_unchanged(&unchanged, &context, now))
        })
    }
}

impl App {
    /// Judges one page of hosts under the policy of `request`. Only what would change is told.
    pub async fn try_policy(
        self: &Arc<Self>,
        request: PolicyTryRequest,
    ) -> Result<PolicyTryPage, AppError> {
        let files: HashMap<String, Vec<u8>> =
            request.files.into_iter().map(|(name, bytes)| (name, bytes.0)).collect();
        let policy = policy::read_with(&request.policy, &files).map_err(no_policy)?;
        self.try_read(policy, request.cursor.as_deref(), request.limit).await
    }

    /// The same under a policy that was read.
    pub(super) async fn try_read(
        self: &Arc<Self>,
        mut policy: Policy,
        cursor: Option<&str>,
        limit: Option<u32>,
    ) -> Result<PolicyTryPage, AppError> {
        policy.secure_boot.revocations = Arc::clone(&self.rules().policy.secure_boot.revocations);
        let policy = Arc::new(policy);
        let limit = limit.unwrap_or(PAGE_LEN);
        let (hosts, next_cursor) = self.page(cursor, limit).await?;
        let n_hosts = u32::try_from(hosts.len()).unwrap_or(u32::MAX);
        let now_ms = self.store.now_ms().await?;
        let anchors = self.anchors().await?;
        let mut n_judged = 0;
        let mut changes = Vec::new();
        let mut shared = Shared::new();
        let under = Arc::new(Under { config: self.rules().times_under(&policy), policy, now_ms });
        for hosts in hosts.chunks(AT_ONCE) {
            let (tried, lost) = self.tried(hosts, &under.policy, &anchors, now_ms).await?;
            n_judged += u32::try_from(tried.len()).unwrap_or(u32::MAX);
            changes.extend(lost.iter().filter_map(|host| self.change_of_lost(host, &under)));
            changes.extend(self.changes(tried, &mut shared, &under).await?);
        }
        Ok(PolicyTryPage { n_hosts, n_judged, changes, next_cursor })
    }

    /// The last evidence of each of `hosts` that has some, without its log; and the hosts whose evidence is lost.
    async fn tried(
        &self,
        hosts: &[Host],
        policy: &Policy,
        anchors: &(i64, Arc<RootStore>),
        now_ms: i64,
    ) -> Result<(Vec<Tried>, Vec<Host>), AppError> {
        let with_last = || hosts.iter().filter_map(|host| Some((host, host.last.as_ref()?.id)));
        let ids = with_last().map(|(_, id)| id).collect();
        let stored = self.store.evidence_of_many(ids, SMALL_BYTES_MAX).await?;
        let (mut read, mut lost) = (Vec::with_capacity(stored.len()), Vec::new());
        'hosts: for ((host, _), stored) in with_last().zip(stored) {
            // Removed in the meantime.
            if stored.is_empty() {
                continue;
            }
            let mut log = None;
            let mut parts = Vec::with_capacity(stored.len());
            for StoredPart { name, sha256, bytes } in stored {
                let bytes = match bytes {
                    Some(bytes) => bytes,
                    None if name == LOG_PART => {
                        log = Some(sha256);
                        continue;
                    }
                    // The largest of all, and nobody looks at it.
                    None if name == IMA_PART && policy.ima.is_none() => continue,
                    None => match self.store.evidence_by_sha256(sha256).await {
                        Ok(Some(bytes)) => bytes,
                        Ok(None) => continue 'hosts,
                        Err(StoreError::EvidenceLost { .. }) => {
                            lost.push(host.clone());
                            continue 'hosts;
                        }
                        Err(err) => return Err(err.into()),
                    },
                };
                parts.push(EvidencePart { name, sha256, bytes });
            }
            read.push((host, Judgeable::of_stored(from_parts(parts)?)?, log));
        }
        let named = read.iter().map(|(host, evidence, _)| (host.id.clone(), evidence.cohort()));
        let held_to = self.held_to_each(named.collect()).await?;
        let mut tried = Vec::with_capacity(read.len());
        for ((host, evidence, log), held_to) in read.into_iter().zip(held_to) {
            let identity = self.identity_of_last(anchors, host, now_ms).await?;
            let (memo, checked) = self.memos.find_signed(&host.id).unzip();
            let stored = Stored { host: host.clone(), evidence, identity, held_to };
            tried.push(Tried { stored, log, memo, checked: checked.flatten() });
        }
        Ok((tried, lost))
    }

    /// What would change. A log is read only where it was not judged yet: for the host, by the
    /// judgement that counts and under a policy that says the same of logs, or here for another host.
    async fn changes(
        self: &Arc<Self>,
        mut tried: Vec<Tried>,
        shared: &mut Shared,
        under: &Arc<Under>,
    ) -> Result<Vec<PolicyChange>, AppError> {
        let mut changes = Vec::new();
        let mut seen = HashSet::new();
        for log in tried.iter().filter_map(|tried| tried.log) {
            if !seen.insert(log) {
                shared.entry(log).or_default();
            }
        }
        let mut logs: HashMap<Sha256, Vec<u8>> = HashMap::new();
        let mut waiting: Vec<Tried> = Vec::new();
        while !tried.is_empty() {
            let (app, judged_under) = (Arc::clone(self), Arc::clone(under));
            let mut found = std::mem::take(shared);
            // Off the threads that serve sockets, as with evidence that comes in.
            let judging = tokio::task::spawn_blocking(move || {
                let (mut judged, mut unread) = (Vec::new(), Vec::new());
                for tried in tried {
                    match app.change(tried, &mut found, &logs, &judged_under) {
                        Outcome::Judged(change) => judged.extend(change),
                        Outcome::NeedsLog(tried) => unread.push(*tried),
                    }
                }
                (judged, unread, found)
            });
            let (judged, unread, found) = judging.await.map_err(|err| AppError::Bug(err.into()))?;
            changes.extend(judged);
            waiting.extend(unread);
            (*shared, tried, logs) = (found, Vec::new(), HashMap::new());
            for one in std::mem::take(&mut waiting) {
                let Some(log) = one.log else { continue };
                if !logs.contains_key(&log) && logs.len() < LOGS_AT_ONCE {
                    match self.store.evidence_by_sha256(log).await {
                        Ok(Some(bytes)) => logs.insert(log, bytes),
                        // Removed in the meantime, with its host.
                        Ok(None) => continue,
                        Err(StoreError::EvidenceLost { .. }) => {
                            changes.extend(self.change_of_lost(&one.stored.host, under));
                            continue;
                        }
                        Err(err) => return Err(err.into()),
                    };
                }
                match logs.contains_key(&log) {
                    true => tried.push(one),
                    false => waiting.push(one),
                }
            }
        }
        Ok(changes)
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
        let identity = self.identity_of_last(anchors, host, now_ms).await?;
        let held_to = self.held_to(&host.id, evidence.cohort().as_deref()).await?;
        Ok(Some(Stored { host: host.clone(), evidence, identity, held_to }))
    }

    fn change(
        &self,
        tried: Tried,
        shared: &mut Shared,
        logs: &HashMap<Sha256, Vec<u8>>,
        under: &Under,
    ) -> Outcome {
        let Under { config, policy, now_ms } = under;
        let now_ms = *now_ms;
        let host = &tried.stored.host;
        let (from, found) = standing::standing(host, &self.rules().config, now_ms);
        let held = standing::held(host, config, now_ms);
        let (id, name) = (host.id.to_string(), host.name.clone());
        let (to, judged) = match held {
            Some(held) => held,
            None => {
                let now = UnixTime(now_ms.div_euclid(1000));
                let appraisal = match tried.appraisal(shared, logs, policy, now) {
                    Ok(appraisal) => appraisal,
                    Err(tried) => return Outcome::NeedsLog(tried),
                };
                let to = appraisal.verdict.as_str();
                if to == from {
                    // Most of a fleet: no document is made for them.
                    return Outcome::Judged(None);
                }
                (to.to_owned(), appraisal.findings.iter().map(Finding::from).collect())
            }
        };
        Outcome::Judged((from != to).then(|| PolicyChange {
            id,
            name,
            because: difference(&judged, &found),
            gone: found.iter().filter(|f| decides(f) && !has(&judged, f)).cloned().collect(),
            from,
            to,
        }))
    }

    /// What would change of a host whose evidence is lost: it cannot be judged by another policy.
    fn change_of_lost(&self, host: &Host, under: &Under) -> Option<PolicyChange> {
        let (from, found) = standing::standing(host, &self.rules().config, under.now_ms);
        let held = standing::held(host, &under.config, under.now_ms);
        let (to, judged) = held.unwrap_or_else(|| standing::evidence_lost(host));
        (from != to).then(|| PolicyChange {
            id: host.id.to_string(),
            name: host.name.clone(),
            because: difference(&judged, &found),
            gone: found.iter().filter(|f| decides(f) && !has(&judged, f)).cloned().collect(),
            from,
            to,
        })
    }
}

/// A text is no policy.
pub(super) fn no_policy(err: policy::PolicyError) -> AppError {
    let title = format!("this is not a policy: {err}");
    let hint = err.hint.unwrap_or_else(|| "`bootproof policy check FILE`".to_owned());
    AppError::refused(RefusalKind::Invalid, "policy-invalid", title, hint)
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
