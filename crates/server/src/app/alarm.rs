//! Alarms: raised and cleared by who looks at hosts after each change, and read by people.
//!
//! What stands against a host is worked out in one place, [`standing`]; alarms are its edges. A host is
//! due for a look after each change of what its standing rests on, which the store notes in the change's
//! own transaction, and when age alone changes it. So no edge is lost by a crash between the two.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use api::alarm::{
    AcknowledgeRequest, Alarm, AlarmGroup, AlarmPage, AlarmQuery, Alarms, AlarmsChanged,
    WithdrawRequest,
};
use findings::Code;
use store::{
    AlarmCause, AlarmFilter, AlarmId, AlarmSelection, By, Connection, DueLook, HISTORY_PAGE_MAX,
    Host, HostId, Settlement, Stood,
};
use tokio::time::sleep;

use super::{
    App, AppError, HostScope, RefusalKind, cursor,
    paging::{cut, one_more},
    standing,
    words::check_lasting,
};
use crate::{config::Config, http::problem::Chain};

/// Hosts that are looked at in one go.
const LOOKS: u32 = 200;

/// Milliseconds for which hosts are one server's to look at: some thousand times what a look takes. So much
/// later their alarms come where a server is killed while it looks.
const LOOK_LEASE_MS: i64 = 5_000;

/// The longest between two looks where nothing was heard of: verdicts also end by age, and another server
/// on the same store may have changed something.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// The shortest: what comes in a burst is looked at together.
const REST: Duration = Duration::from_millis(50);

/// Alarms on a page, where the client does not say.
const PAGE_LEN: u32 = 100;

/// Alarms that one request names by number.
const IDS_MAX: usize = 1_000;

/// What a look at a host found.
struct Look {
    /// All that stands against it.
    causes: Vec<AlarmCause>,
    /// What counts of it.
    stands: Stood,
    /// When age alone changes it.
    again_ms: Option<i64>,
}

/// What counts of a host at `now_ms`.
fn looked_at(host: &Host, config: &Config, now_ms: i64) -> Look {
    let (verdict, findings) = standing::standing(host, config, now_ms);
    let stands = Stood::of_verdict(&verdict);
    let again_ms = standing::changes_at(host, config, now_ms);
    // A person took it out: nothing is expected of it.
    if host.connection == Connection::Disconnected {
        return Look { causes: Vec::new(), stands, again_ms };
    }
    // A host that has just joined is judged within moments.
    let young_until_ms = host.created_at_ms.saturating_add(standing::good_for_ms(host, config));
    let is_young = now_ms <= young_until_ms;
    let mut known = BTreeSet::new();
    let mut causes = Vec::new();
    let mut passed_over = false;
    for finding in findings {
        if !matches!(finding.severity.as_str(), "fail" | "hold") {
            continue;
        }
        if is_young && finding.code == Code::NeverAppraised.as_str() {
            passed_over = true;
        } else if known.insert(finding.code.clone()) {
            let api::finding::Finding { code, severity, cause, .. } = finding;
            causes.push(AlarmCause { code, severity, cause });
        }
    }
    let young = passed_over.then_some(young_until_ms.saturating_add(1));
    Look { causes, stands, again_ms: again_ms.into_iter().chain(young).min() }
}

impl App {
    /// Looks at hosts as they become due, for as long as the program runs.
    pub async fn watch(self: Arc<Self>) {
        // Other rules may hold since this program ran last.
        if let Err(err) = self.store.look_at_all().await {
            tracing::error!(error = %Chain(&err), "alarms may come late");
        }
        loop {
            match self.look().await {
                Ok(0) => {
                    sleep(REST).await;
                    self.hub.any_change_or(LOOK_AGAIN).await;
                }
                Ok(_) => {}
                Err(err) => {
                    tracing::error!(error = %Chain(&err), "alarms cannot be worked out now");
                    sleep(LOOK_AGAIN).await;
                }
            }
        }
    }

    /// Looks at the hosts that are due, and says how many they were.
    async fn look(self: &Arc<Self>) -> Result<usize, AppError> {
        let now_ms = self.store.now_ms().await?;
        let due = self.store.claim_looks(now_ms, now_ms + LOOK_LEASE_MS, LOOKS).await?;
        let n_due = due.len();
        // Together: what waits for the store is written in one go.
        let looks: Vec<_> =
            due.into_iter().map(|due| tokio::spawn(Arc::clone(self).settle(due, now_ms))).collect();
        for look in looks {
            look.await.map_err(|err| AppError::Bug(err.into()))??;
        }
        Ok(n_due)
    }

    async fn settle(self: Arc<Self>, due: DueLook, now_ms: i64) -> Result<(), AppError> {
        let DueLook { host, change } = due;
        // Before the look is settled: else one that fails here would be forgotten.
        self.end_client_certificates(&host, now_ms).await?;
        let Look { causes, stands, again_ms: look_again_at_ms } =
            looked_at(&host, &self.rules().config, now_ms);
        let (host, at_ms) = (host.id, now_ms);
        let settlement = Settlement { host, change, causes, look_again_at_ms, stands, at_ms };
        let edges = self.store.settle_alarms(settlement).await?;
        if !edges.raised.is_empty() || !edges.cleared.is_empty() {
            self.hub.news();
        }
        for alarm in edges.raised {
            let (host, name) = (alarm.host, alarm.host_name);
            tracing::warn!(%host, name, code = alarm.code, "alarm raised: {}", alarm.cause);
        }
        for alarm in edges.cleared {
            let (host, name) = (alarm.host, alarm.host_name);
            tracing::info!(%host, name, code = alarm.code, "alarm cleared");
        }
        Ok(())
    }

    /// All alarms that stand, by cause, the worst first.
    pub async fn alarm_groups(&self) -> Result<Vec<AlarmGroup>, AppError> {
        let now_ms = self.store.now_ms().await?;
        let mut groups: Vec<_> =
            self.store.alarm_groups(now_ms).await?.into_iter().map(group_view).collect();
        groups.sort_by_key(|group| {
            (standing::rank(&group.severity), std::cmp::Reverse(group.n_hosts))
        });
        Ok(groups)
    }

    /// One page of alarms, newest first. Who may know of some hosts only has to name one.
    pub async fn alarms(
        &self,
        query: AlarmQuery,
        within: &HostScope,
    ) -> Result<AlarmPage, AppError> {
        match &query.host {
            Some(host) => self.require_host(within, host).await?,
            None => within.require_fleet()?,
        }
        let now_ms = self.store.now_ms().await?;
        let limit = query.limit.unwrap_or(PAGE_LEN).clamp(1, HISTORY_PAGE_MAX);
        let filter = AlarmFilter {
            code: query.code,
            host: query.host.map(HostId::from),
            with_cleared: query.cleared,
        };
        let after = cursor::number(query.cursor.as_deref())?.map(AlarmId);
        let alarms = self.store.alarms(filter, after, one_more(limit)).await?;
        let (alarms, follows) = cut(alarms, limit, HISTORY_PAGE_MAX);
        let next_cursor = alarms.last().filter(|_| follows).map(|last| cursor::to_text(last.id.0));
        let alarms = alarms.into_iter().map(|alarm| view(alarm, now_ms)).collect();
        Ok(AlarmPage { alarms, next_cursor })
    }

    /// A person knows of these.
    pub async fn acknowledge(
        &self,
        request: AcknowledgeRequest,
        by: By,
    ) -> Result<AlarmsChanged, AppError> {
        let AcknowledgeRequest { alarms, reason, until_ms } = request;
        check_lasting("acknowledgement-invalid", &reason, until_ms, by.at_ms)?;
        let selection = selection(alarms)?;
        let n = self.store.acknowledge_alarms(selection, &reason, until_ms, by).await?;
        self.hub.news();
        Ok(AlarmsChanged { n })
    }

    /// What was acknowledged of these is not any more.
    pub async fn withdraw(
        &self,
        request: WithdrawRequest,
        by: By,
    ) -> Result<AlarmsChanged, AppError> {
        let n = self.store.withdraw_acknowledgements(selection(request.alarms)?, by).await?;
        self.hub.news();
        Ok(AlarmsChanged { n })
    }
}

fn selection(alarms: Alarms) -> Result<AlarmSelection, AppError> {
    match alarms {
        Alarms::Code(code) => Ok(AlarmSelection::Code(code)),
        Alarms::Ids(ids) if ids.len() > IDS_MAX => {
            let title = format!("one request names {IDS_MAX} alarms at most");
            Err(AppError::plain(RefusalKind::Invalid, "too-many-alarms", title))
        }
        Alarms::Ids(ids) => Ok(AlarmSelection::Ids(ids.into_iter().map(AlarmId).collect())),
    }
}

/// Title and next step of a code; a code of a version before has none.
pub(super) fn words(code: &str) -> (String, String) {
    match Code::from_name(code) {
        Some(code) => (code.entry().title.to_owned(), code.entry().next_step.to_owned()),
        None => (code.to_owned(), String::new()),
    }
}

fn group_view(group: store::AlarmGroup) -> AlarmGroup {
    let (title, next_step) = words(&group.code);
    AlarmGroup {
        code: group.code,
        title,
        severity: group.severity,
        cause: group.cause,
        next_step,
        n_hosts: group.n_hosts,
        n_acknowledged: group.n_acknowledged,
        n_muted: group.n_muted,
        since_ms: group.since_ms,
        latest_ms: group.latest_ms,
    }
}

fn view(alarm: store::Alarm, now_ms: i64) -> Alarm {
    let acknowledgement = alarm.acknowledged_at(now_ms).map(|ack| api::alarm::Acknowledgement {
        at_ms: ack.at_ms,
        by: ack.by.clone(),
        reason: ack.reason.clone(),
        until_ms: ack.until_ms,
    });
    let muted = alarm.is_muted_at(now_ms);
    let (_, next_step) = words(&alarm.code);
    Alarm {
        id: alarm.id.0,
        host_id: alarm.host.to_string(),
        host: alarm.host_name,
        code: alarm.code,
        severity: alarm.severity,
        cause: alarm.cause,
        next_step,
        raised_at_ms: alarm.raised_at_ms,
        cleared_at_ms: alarm.cleared_at_ms,
        acknowledgement,
        muted,
    }
}

#[cfg(test)]
mod tests {
    use store::{Approval, TpmPresence};

    use super::*;
    use crate::app::standing::sample::host;

    fn looked(host: &Host, now_ms: i64) -> (Vec<String>, Option<i64>) {
        let config = Config { attest_interval_s: 10, ..Config::default() };
        let Look { causes, again_ms, .. } = looked_at(host, &config, now_ms);
        (causes.into_iter().map(|cause| cause.code).collect(), again_ms)
    }

    #[test]
    fn a_verdict_that_ends_raises_an_alarm_when_it_does() {
        assert_eq!(looked(&host(), 20_000), (vec![], Some(20_001)));
        assert_eq!(looked(&host(), 20_001), (vec!["verdict-expired".to_owned()], None));
    }

    #[test]
    fn what_fails_or_holds_is_an_alarm_and_what_warns_is_none() {
        let mut refused = host();
        let last = refused.last.as_mut().unwrap();
        last.verdict = "not accepted".to_owned();
        let finding = |code: &str, severity: &str| serde_json::json!({ "code": code, "severity": severity, "cause": "", "next_step": "" });
        last.findings_json = serde_json::json!([
            finding("secure-boot-off", "fail"),
            finding("secure-boot-off", "fail"),
            finding("dbx-outdated", "warn"),
            finding("tpm-virtual", "info"),
        ])
        .to_string();
        assert_eq!(looked(&refused, 1).0, ["secure-boot-off"]);
        refused.connection = Connection::Disconnected;
        // Lists say how it stands, which ends by age here, too.
        assert_eq!(looked(&refused, 1), (vec![], Some(20_001)), "nothing is expected of it");
        let absent = Host { tpm: TpmPresence::Absent, ..host() };
        assert_eq!(looked(&absent, 1).0, ["no-tpm"]);
        let waiting = Host { approval: Approval::Waiting, ..host() };
        assert_eq!(looked(&waiting, 1).0, ["awaiting-approval"]);
    }

    #[test]
    fn a_host_has_some_time_for_its_first_verdict() {
        let young = Host { last: None, created_at_ms: 1_000, ..host() };
        assert_eq!(looked(&young, 21_000), (vec![], Some(21_001)));
        assert_eq!(looked(&young, 21_001), (vec!["never-appraised".to_owned()], None));
    }
}
