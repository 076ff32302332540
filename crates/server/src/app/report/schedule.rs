//! Reports that are sent by themselves: when the configuration says, by one of the servers, once.

use std::{sync::Arc, time::Duration};

use api::fleet_report::{ReportQuery, ReportSchedule, ReportSent};
use store::{By, ChannelLease, ReportTry, Role};
use tokio::time::sleep;

use super::Signed;
use crate::{
    app::{App, AppError, Caller, HostScope, RefusalKind, channel, secret::random},
    config::ScheduledReport,
    deliver::Steps,
    http::problem::Chain,
};

/// Between two looks whether something is due. A report that comes so much late is not late.
const LOOK_AGAIN: Duration = Duration::from_secs(10);

/// How long a server has for a report: to wait for its turn, to make it, and to bring it to the relay.
const LEASE_MS: i64 = 5 * 60_000;

/// Between two tries: a minute at first, twice as long each time, an hour at most.
const AGAIN_MS: i64 = 60_000;
const AGAIN_MS_MAX: i64 = 3_600_000;

impl App {
    /// Sends reports as they become due, for as long as the program runs.
    pub async fn send_reports(self: Arc<Self>) {
        if self.rules().config.report.is_empty() {
            return;
        }
        let holder = match random::<8>() {
            Ok(random) => hex::encode(random),
            Err(err) => return tracing::error!(error = %Chain(&err), "reports cannot be sent"),
        };
        loop {
            for scheduled in &self.rules().config.report {
                if let Err(err) = self.send_if_due(scheduled, &holder).await {
                    let report = scheduled.name.as_str();
                    tracing::error!(report, error = %Chain(&err), "a report cannot be sent now");
                }
            }
            sleep(LOOK_AGAIN).await;
        }
    }

    async fn send_if_due(&self, scheduled: &ScheduledReport, holder: &str) -> Result<(), AppError> {
        let now_ms = self.store.now_ms().await?;
        // Of times that were missed the last one is served.
        let Some(due_ms) = scheduled.every.last_until(now_ms) else { return Ok(()) };
        let name = scheduled.name.as_str();
        let until_ms = now_ms.saturating_add(LEASE_MS);
        let lease = ChannelLease { holder: holder.to_owned(), until_ms };
        if !self.store.claim_report(name, due_ms, lease, now_ms).await? {
            return Ok(());
        }
        let sent = self.send(scheduled, due_ms, by_schedule(name, now_ms)).await;
        let now_ms = self.store.now_ms().await?;
        let by = By::new(actor(name), now_ms);
        let became = match sent {
            Ok(sent) if sent.sent => {
                tracing::info!(report = name, sha256 = sent.sha256, "report sent");
                ReportTry::Sent(serde_json::json!({
                    "sha256": sent.sha256,
                    "n_hosts": sent.n_hosts,
                    "channel": scheduled.channel,
                }))
            }
            Ok(sent) => {
                let said = sent.steps.last().map_or("it was not taken", |step| &step.said);
                tracing::warn!(report = name, "a report was not taken: {said}");
                self.report_again(name, said.to_owned(), now_ms).await?
            }
            Err(err) => {
                tracing::warn!(report = name, error = %Chain(&err), "a report was not sent");
                self.report_again(name, err.to_string(), now_ms).await?
            }
        };
        self.store.note_report(name, due_ms, became, holder, by).await?;
        Ok(())
    }

    async fn report_again(
        &self,
        name: &str,
        error: String,
        now_ms: i64,
    ) -> Result<ReportTry, AppError> {
        let runs = self.store.report_runs().await?;
        let n_failed = runs.iter().find(|run| run.name == name).map_or(0, |run| run.n_failed);
        let pause_ms = AGAIN_MS.saturating_mul(1_i64.checked_shl(n_failed.min(16)).unwrap_or(1));
        let again_at_ms = now_ms.saturating_add(pause_ms.min(AGAIN_MS_MAX));
        Ok(ReportTry::Failed { error, again_at_ms })
    }

    /// Makes a report and brings it to the relay of its channel.
    async fn send(
        &self,
        scheduled: &ScheduledReport,
        due_ms: i64,
        caller: Caller,
    ) -> Result<ReportSent, AppError> {
        let query = ReportQuery {
            format: scheduled.format,
            labels: scheduled.labels.clone(),
            host: scheduled.host.clone(),
        };
        let mailer = self.mailer(&scheduled.channel).await?;
        let turn = self.report_turn().await?;
        let signed: Signed = self.signed_report(scheduled.kind, &query, &caller).await?;
        let (sha256, n_hosts) = (signed.sha256.clone(), signed.report.hosts.len());
        let (name, format) = (scheduled.name.clone(), scheduled.format);
        let made =
            tokio::task::spawn_blocking(move || super::mail::mail(&name, due_ms, signed, format));
        let mail = made.await.map_err(|err| AppError::Bug(err.into()))??;
        drop(turn);
        let mut steps = Steps::default();
        let sent = channel::send_mail(&mailer, &mail, &mut steps).await;
        if let Err(err) = &sent
            && steps.0.last().is_none_or(|step| step.is_well)
        {
            steps.failed("answered", err.to_string());
        }
        Ok(ReportSent { sha256, n_hosts, sent: sent.is_ok(), steps: channel::told(steps) })
    }

    /// Sends a report of the configuration now, whatever its times are, and says step by step what came of
    /// it.
    pub async fn send_report(&self, name: &str, caller: Caller) -> Result<ReportSent, AppError> {
        let rules = self.rules();
        let scheduled = rules.config.report.iter().find(|report| report.name == name);
        let scheduled = scheduled.ok_or_else(|| {
            AppError::refused(
                RefusalKind::NotFound,
                "report-schedule-not-found",
                format!("the configuration has no report {name}"),
                "`bootproof report schedules` shows those that it has ([[report]])",
            )
        })?;
        let by = caller.by.clone();
        let sent = self.send(scheduled, by.at_ms, caller).await?;
        let detail = serde_json::json!({
            "sha256": sent.sha256,
            "n_hosts": sent.n_hosts,
            "channel": scheduled.channel,
            "sent": sent.sent,
        });
        let subject = format!("report-schedule:{name}");
        let note = store::AuditNote { action: "report.send-now", subject, detail };
        self.store.note_for_audit(note, by).await?;
        Ok(sent)
    }

    /// Reports that are sent by themselves.
    pub async fn report_schedules(&self) -> Result<Vec<ReportSchedule>, AppError> {
        let now_ms = self.store.now_ms().await?;
        let runs = self.store.report_runs().await?;
        let view = |scheduled: &ScheduledReport| {
            let run = runs.iter().find(|run| run.name == scheduled.name);
            ReportSchedule {
                name: scheduled.name.clone(),
                kind: scheduled.kind,
                format: scheduled.format,
                labels: scheduled.labels.clone(),
                every: scheduled.every.to_string(),
                channel: scheduled.channel.clone(),
                next_ms: scheduled.every.next_after(now_ms).unwrap_or(i64::MAX),
                sent_at_ms: run.and_then(|run| run.sent_at_ms),
                error: run.and_then(|run| run.last_error.clone()),
            }
        };
        Ok(self.rules().config.report.iter().map(view).collect())
    }
}

/// The server itself, as it makes a report: it knows of all hosts.
fn by_schedule(name: &str, now_ms: i64) -> Caller {
    Caller {
        by: By::new(actor(name), now_ms),
        role: Role::Viewer,
        hosts: HostScope::default(),
        expires_at_ms: None,
        session: None,
    }
}

fn actor(name: &str) -> String {
    format!("server:report-schedule:{name}")
}
