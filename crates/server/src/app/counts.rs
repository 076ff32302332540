//! What a timer counts: hosts, alarms, the audit log, the database; and whether servers judge alike.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use store::By;

use super::{App, AppError, census::FleetStanding};
use crate::{http::problem::Chain, metrics::CountedNow};

/// Between two counts. One of 100,000 hosts reads each of their rows once.
const PAUSE: Duration = Duration::from_secs(15);

impl App {
    /// Counts now and then, for as long as the program runs.
    pub async fn keep_count(self: Arc<Self>) {
        let mut was_ready = true;
        loop {
            let readiness = self.readiness().await;
            if readiness.ready != was_ready {
                was_ready = readiness.ready;
                let failed = readiness.checks.iter().filter_map(|check| check.reason.as_deref());
                match was_ready {
                    true => tracing::info!("ready again"),
                    false => tracing::error!(
                        reasons = failed.collect::<Vec<_>>().join("; "),
                        "not ready"
                    ),
                }
            }
            if readiness.ready
                && let Err(err) = self.count().await
            {
                tracing::warn!(error = %Chain(&err), "hosts and alarms were not counted");
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    async fn count(&self) -> Result<(), AppError> {
        let now_ms = self.store.now_ms().await?;
        let begun = std::time::Instant::now();
        let census = self.census(now_ms).await?;
        let fleet = FleetStanding::of(&census);
        self.counted.keep(fleet, begun);
        self.keep_standing(fleet, now_ms).await?;
        self.count_attention(now_ms).await?;
        let mut alarms = BTreeMap::new();
        for group in self.store.alarm_groups(now_ms).await? {
            *alarms.entry(group.severity).or_default() += group.n_hosts;
        }
        let (n_audit_rows, _) = self.store.audit_head().await?;
        let n_bytes = self.store.n_bytes().await?;
        #[expect(clippy::cast_precision_loss, reason = "milliseconds of Unix time fit")]
        let at_s = now_ms as f64 / 1000.0;
        let alarms = alarms.into_iter().collect();
        self.metrics.counted(&CountedNow { census, alarms, n_audit_rows, n_bytes, at_s });
        self.compare_policy().await
    }

    /// Servers on one store should judge alike: it is told where they do not.
    async fn compare_policy(&self) -> Result<(), AppError> {
        let ours = self.rules().policy_sha256;
        let in_force = self.store.policy_in_force().await?;
        let Some(other) = in_force.filter(|in_force| in_force.sha256 != ours) else {
            if self.concerns.clear("policy-differs") {
                tracing::info!("all servers on this store judge by one policy again");
            }
            self.metrics.is_ready("policy-differs", true);
            return Ok(());
        };
        self.metrics.is_ready("policy-differs", false);
        let reason = format!(
            "{} judges by another policy, {}, than this server, {}: give all of them the same files",
            other.actor,
            hex::encode(other.sha256),
            hex::encode(ours)
        );
        if self.concerns.raise("policy-differs", reason.clone()) {
            tracing::error!("{reason}");
        }
        Ok(())
    }

    /// A part of the configuration was read anew, and counts from now on.
    pub fn part_used(&self, part: &'static str) {
        self.metrics.reloaded(part, true);
        self.concerns.clear(part);
    }

    /// A part of the configuration cannot be used: what counted before counts on. Said in the log, by
    /// `/readyz`, as a metric and in the audit log.
    pub async fn part_refused(&self, part: &'static str, reason: &str, actor: &str) {
        /// Characters of a reason: a fault with its place is below it.
        const REASON_CHARS_MAX: usize = 500;
        let reason: String = reason.chars().take(REASON_CHARS_MAX).collect();
        self.metrics.reloaded(part, false);
        tracing::error!(part, reason, "cannot be used: what counted before counts on");
        if self.concerns.raise(part, reason.clone()) {
            self.note(actor, "configuration.refuse", part, serde_json::json!({ "reason": reason }))
                .await;
        }
    }

    /// What changed needs a new start of the server.
    pub fn needs_restart(&self, keys: &[&str]) {
        if keys.is_empty() {
            self.concerns.clear("restart");
            return;
        }
        let reason = format!("needs a new start of the server: {}", keys.join(", "));
        if self.concerns.raise("restart", reason.clone()) {
            tracing::warn!("{reason}");
        }
    }

    /// Says something in the audit log. Where the store is away the log alone tells.
    pub async fn note(
        &self,
        actor: &str,
        action: &'static str,
        subject: &str,
        detail: serde_json::Value,
    ) {
        let noted = async {
            let by = By::new(actor, self.store.now_ms().await?);
            let note = store::AuditNote { action, subject: subject.to_owned(), detail };
            self.store.note_for_audit(note, by).await
        };
        if let Err(err) = noted.await {
            tracing::error!(action, subject, error = %Chain(&err), "not noted in the audit log");
        }
    }
}
