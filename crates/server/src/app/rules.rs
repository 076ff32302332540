//! The rules by which hosts are judged now: the policy, and the times that it and the configuration set.
//! Both can be read anew while the server runs; who judges takes them once and keeps to them.

use std::sync::{Arc, Mutex, OnceLock, PoisonError, RwLock};

use appraise::Policy;
use store::{By, HOSTS_PAGE_MAX, HostFilter, HostOrder, NewPolicyVersion, Sha256};

use super::{App, AppError, reference::Anew};
use crate::config::{Config, LoadedPolicy, PolicySource};

/// What counts at one moment.
pub(super) struct Rules {
    pub(super) policy: Arc<Policy>,
    /// Over all that the policy was read from.
    pub(super) policy_sha256: Sha256,
    /// With the times that the policy sets.
    pub(super) config: Config,
    /// Where the policy comes from.
    pub(super) source: PolicySource,
    /// Its text; empty for the default one.
    pub(super) policy_text: String,
    /// The version of the store that is the same, as soon as that is known.
    pub(super) kept_as: OnceLock<i64>,
    /// What is to be kept in the store, where it came from a file.
    to_keep: Mutex<Option<NewPolicyVersion>>,
    /// What the configuration itself says, for policies that say nothing of it.
    configured_verdict_good_for_s: u64,
}

impl Rules {
    fn new(config: Config, policy: LoadedPolicy) -> Self {
        let LoadedPolicy { policy, sha256, source, text, to_keep } = policy;
        let configured_verdict_good_for_s = config.verdict_good_for_s;
        // Who logs in how is no rule of judging: a change of it judges nothing anew.
        let config = Config { oidc: None, ..config };
        let config = times(config, configured_verdict_good_for_s, &policy);
        let kept_as = match source {
            PolicySource::Version(number) => OnceLock::from(number),
            PolicySource::Default | PolicySource::File(_) => OnceLock::new(),
        };
        Self {
            policy: Arc::new(policy),
            policy_sha256: sha256,
            config,
            source,
            policy_text: text,
            kept_as,
            to_keep: Mutex::new(to_keep),
            configured_verdict_good_for_s,
        }
    }

    /// The configuration without the times of the policy.
    pub(super) fn configured(&self) -> Config {
        Config {
            verdict_good_for_s: self.configured_verdict_good_for_s,
            schedules: Vec::new(),
            ..self.config.clone()
        }
    }

    /// The configuration with the times that another `policy` sets.
    pub(super) fn times_under(&self, policy: &Policy) -> Config {
        times(self.config.clone(), self.configured_verdict_good_for_s, policy)
    }
}

fn times(config: Config, configured_verdict_good_for_s: u64, policy: &Policy) -> Config {
    Config {
        verdict_good_for_s: policy.verdict_good_for_s.unwrap_or(configured_verdict_good_for_s),
        schedules: policy.schedules.clone(),
        ..config
    }
}

/// The rules that count.
pub(super) struct InForce(RwLock<Arc<Rules>>);

impl InForce {
    pub(super) fn new(config: Config, policy: LoadedPolicy) -> Self {
        Self(RwLock::new(Arc::new(Rules::new(config, policy))))
    }
}

/// What became of rules that were read anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RulesChange {
    /// They are those that counted before.
    Same,
    /// Hosts are judged by others from now on.
    Changed,
}

impl App {
    /// The rules that count now.
    pub(super) fn rules(&self) -> Arc<Rules> {
        Arc::clone(&self.rules.0.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Judges by these from now on. What hosts sent before is judged anew by [`App::begin_policy`].
    pub fn set_rules(&self, config: Config, policy: LoadedPolicy) -> RulesChange {
        let new = Arc::new(Rules::new(config, policy));
        let mut rules = self.rules.0.write().unwrap_or_else(PoisonError::into_inner);
        let before = std::mem::replace(&mut *rules, Arc::clone(&new));
        drop(rules);
        // Who waits in a poll may be due earlier now.
        self.hub.wake_all_here();
        match before.policy_sha256 == new.policy_sha256 && before.config == new.config {
            true => RulesChange::Same,
            false => RulesChange::Changed,
        }
    }

    /// Tells the store by which policy this server judges. The one that changes what the store knows
    /// judges all hosts anew by what they sent last, in the background: no host is asked. `actor` is this
    /// server, for the audit log.
    pub async fn begin_policy(self: &Arc<Self>, actor: &str) -> Result<(), AppError> {
        let rules = self.rules();
        let sha256 = rules.policy_sha256;
        let by = By::new(actor, self.store.now_ms().await?);
        let to_keep = rules.to_keep.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(new) = to_keep.filter(super::policy_version::is_kept) {
            let version = self.store.add_policy_version(new, by.clone()).await?;
            let _ = rules.kept_as.set(version.number);
        }
        let before = self.store.put_policy_in_force(sha256, by.clone()).await?;
        // Times that changed raise and clear alarms.
        self.store.look_at_all().await?;
        if before.is_some_and(|before| before.sha256 != sha256) {
            let app = Arc::clone(self);
            tokio::spawn(async move { app.judge_all_anew(&by).await });
        }
        Ok(())
    }

    /// Judges the last evidence of each host anew.
    async fn judge_all_anew(self: Arc<Self>, by: &By) {
        // One at a time, as with cohorts.
        let _turn = self.judging_anew.lock().await;
        let (mut n_hosts, mut n_changed) = (0_u64, 0_u64);
        let mut after = None;
        loop {
            let page =
                match self.store.hosts(HostFilter::default(), after.take(), HOSTS_PAGE_MAX).await {
                    Ok(page) => page,
                    Err(err) => {
                        tracing::error!(%err, "not all hosts were judged anew by the new policy");
                        return;
                    }
                };
            let Some(last) = page.last() else { break };
            after = Some(last.cursor(HostOrder::default()));
            for host in &page {
                n_hosts += 1;
                n_changed += u64::from(self.judge_counted(&host.id, by).await == Anew::Changed);
            }
        }
        tracing::info!(n_hosts, n_changed, "all hosts were judged anew by the new policy");
    }
}
