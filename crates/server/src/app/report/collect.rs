//! The facts of a report, out of the store: page by page, so that of a large fleet only what is told lies in
//! memory.

use std::collections::HashMap;

use api::{
    fleet_report::{
        AcknowledgedAlarm, ApprovedKey, Exceptions, JudgedBy, Made, PastVerdict, REPORT_SCHEMA,
        Report, ReportFormat, ReportKind, ReportQuery, ReportedHost, Selection, Waiver,
    },
    inventory::selector,
};
use fleet_report::{Standing, controls, reported, summarise};
use store::{AlarmFilter, HISTORY_PAGE_MAX, HOSTS_PAGE_MAX, Host, HostFilter, HostId, LabelFilter};

use super::{Covers, HOSTS_MAX, invalid, too_large};
use crate::app::{App, AppError, Caller, rules::Rules, standing};

/// Judgements of the one host that its report tells.
const HISTORY_LEN: u32 = 200;

/// Acknowledged alarms that are told. A person reads the first pages; the list of alarms has them all.
const ACKNOWLEDGED_MAX: usize = 1_000;

/// When a host's alarms were raised, by their codes.
type Since = HashMap<String, HashMap<String, i64>>;

impl App {
    /// What counts now of the hosts that are meant.
    pub(super) async fn collect_report(
        &self,
        kind: ReportKind,
        query: &ReportQuery,
        caller: &Caller,
    ) -> Result<Report, AppError> {
        check(kind, query)?;
        let rules = self.rules();
        let now_ms = self.store.now_ms().await?;
        let (audit_seq, audit_sha256) = self.store.audit_head().await?;
        let one = match &query.host {
            Some(id) => {
                self.require_host(&caller.hosts, id).await?;
                Some(self.find(&HostId::from(id.as_str())).await?)
            }
            None => None,
        };
        let (since, mut exceptions) = self.standing_alarms(one.as_ref(), now_ms).await?;
        let (hosts, history) = match &one {
            Some(host) => (
                vec![self.reported_host(host, kind, &since, &rules, now_ms).await?],
                self.past_verdicts(&host.id).await?,
            ),
            None => (
                self.reported_hosts(kind, query, caller, &since, &rules, now_ms).await?,
                Vec::new(),
            ),
        };
        let covers = match (&one, &query.labels) {
            (None, None) if caller.hosts.is_fleet() => Covers::All,
            _ => Covers::Some,
        };
        if covers == Covers::Some {
            let known: HashMap<_, _> = hosts.iter().map(|host| (host.id.as_str(), ())).collect();
            exceptions.acknowledged.retain(|alarm| known.contains_key(alarm.host_id.as_str()));
        }
        of_policy(&mut exceptions, &rules, &hosts, covers, now_ms);
        let (decisions, more_decisions) = self.decisions(&hosts, covers, now_ms).await?;
        Ok(Report {
            schema: REPORT_SCHEMA.to_owned(),
            kind,
            made: Made {
                at_ms: now_ms,
                by: caller.by.actor.clone(),
                server: self.address.clone(),
                version: env!("CARGO_PKG_VERSION").to_owned(),
                authority_sha256: self.authority.pin().trim_start_matches("sha256:").to_owned(),
                audit_seq,
                audit_sha256: hex::encode(audit_sha256),
            },
            selection: Selection {
                labels: query.labels.clone(),
                scope: caller.hosts.labels().clone(),
                host: one.as_ref().map(|host| host.name.clone()),
            },
            policy: JudgedBy { sha256: hex::encode(rules.policy_sha256) },
            summary: summarise(&hosts),
            controls: controls(&hosts),
            exceptions,
            decisions,
            more_decisions,
            hosts,
            history,
        })
    }

    async fn reported_hosts(
        &self,
        kind: ReportKind,
        query: &ReportQuery,
        caller: &Caller,
        since: &Since,
        rules: &Rules,
        now_ms: i64,
    ) -> Result<Vec<ReportedHost>, AppError> {
        let mut labels = match &query.labels {
            None => Vec::new(),
            Some(text) => selector(text).map_err(|fault| {
                invalid(fault, "`--labels site=muc,rack` are hosts of that site that have a rack")
            })?,
        };
        let scope = caller.hosts.labels().iter();
        labels.extend(scope.map(|(key, value)| (key.clone(), Some(value.clone()))));
        let filter = HostFilter {
            labels: labels.into_iter().map(|(key, value)| LabelFilter { key, value }).collect(),
            ..HostFilter::default()
        };
        let mut hosts = Vec::new();
        let mut after = None;
        loop {
            let page = self.store.hosts(filter.clone(), after.take(), HOSTS_PAGE_MAX).await?;
            for host in &page {
                hosts.push(self.reported_host(host, kind, since, rules, now_ms).await?);
            }
            if hosts.len() > HOSTS_MAX {
                return Err(too_large(hosts.len(), ReportFormat::Json, HOSTS_MAX));
            }
            match page.last() {
                Some(last) if page.len() >= usize::try_from(HOSTS_PAGE_MAX).unwrap_or(0) => {
                    after = Some(last.cursor(filter.order));
                }
                _ => return Ok(hosts),
            }
        }
    }

    async fn reported_host(
        &self,
        host: &Host,
        kind: ReportKind,
        since: &Since,
        rules: &Rules,
        now_ms: i64,
    ) -> Result<ReportedHost, AppError> {
        let appraisal = self.last_appraisal(host).await?;
        let view = standing::view(host, &rules.config, now_ms);
        let raised = since.get(host.id.as_str());
        let since_ms = view
            .findings
            .first()
            .and_then(|finding| raised.and_then(|raised| raised.get(&finding.code)).copied());
        let good_for_ms = standing::good_for_ms(host, &rules.config);
        let standing = Standing {
            host: view,
            since_ms,
            good_until_ms: host.last.as_ref().map(|last| last.at_ms.saturating_add(good_for_ms)),
            joined_at_ms: host.created_at_ms,
            ek_sha256: host.identity.as_ref().map(|identity| hex::encode(identity.ek_spki_sha256)),
        };
        Ok(reported(standing, appraisal.as_ref(), kind))
    }

    /// Since when alarms stand, and of which of them a person knows.
    async fn standing_alarms(
        &self,
        host: Option<&Host>,
        now_ms: i64,
    ) -> Result<(Since, Exceptions), AppError> {
        let mut since = Since::new();
        let mut exceptions = Exceptions::default();
        let filter =
            AlarmFilter { code: None, host: host.map(|host| host.id.clone()), with_cleared: false };
        let mut before = None;
        loop {
            let page = self.store.alarms(filter.clone(), before.take(), HISTORY_PAGE_MAX).await?;
            for alarm in &page {
                let of_host = since.entry(alarm.host.to_string()).or_default();
                of_host.insert(alarm.code.clone(), alarm.raised_at_ms);
                let Some(known) = alarm.acknowledged_at(now_ms) else { continue };
                if exceptions.acknowledged.len() >= ACKNOWLEDGED_MAX {
                    exceptions.more_acknowledged = true;
                    continue;
                }
                exceptions.acknowledged.push(AcknowledgedAlarm {
                    host_id: alarm.host.to_string(),
                    host: alarm.host_name.clone(),
                    code: alarm.code.clone(),
                    by: known.by.clone(),
                    at_ms: known.at_ms,
                    reason: known.reason.clone(),
                    until_ms: known.until_ms,
                });
            }
            match page.last() {
                Some(last) if page.len() >= usize::try_from(HISTORY_PAGE_MAX).unwrap_or(0) => {
                    before = Some(last.id);
                }
                _ => return Ok((since, exceptions)),
            }
        }
    }

    async fn past_verdicts(&self, host: &HostId) -> Result<Vec<PastVerdict>, AppError> {
        let rows = self.store.appraisals(host, HISTORY_LEN).await?;
        let heads = self.document_heads(&rows).await?;
        let past = |(row, appraisal): (store::AppraisalRow, api::appraisal::Appraisal)| {
            let deciding = appraisal
                .findings
                .iter()
                .filter(|finding| matches!(finding.severity.as_str(), "fail" | "hold"));
            let mut codes: Vec<_> = deciding.map(|finding| finding.code.clone()).collect();
            codes.dedup();
            PastVerdict {
                at_ms: row.at_ms,
                verdict: row.verdict,
                codes,
                reset_count: appraisal.facts.quote.map(|quote| quote.reset_count),
            }
        };
        Ok(rows.into_iter().zip(heads).map(past).collect())
    }
}

fn check(kind: ReportKind, query: &ReportQuery) -> Result<(), AppError> {
    let hint = "`bootproof report host HOST`, or `bootproof report fleet --labels site=muc`";
    match (kind, &query.host, &query.labels) {
        (ReportKind::Host, None, _) => Err(invalid("a report of a host names one", hint)),
        (ReportKind::Host, Some(_), Some(_)) => {
            Err(invalid("a report of a host is about that one, whatever its labels", hint))
        }
        (ReportKind::Host, Some(_), None) => Ok(()),
        (_, Some(_), _) => Err(invalid("only a report of a host names one", hint)),
        (_, None, _) => Ok(()),
    }
}

/// What the policy waives. Who may not know of all hosts learns of keys of theirs alone.
fn of_policy(
    exceptions: &mut Exceptions,
    rules: &Rules,
    hosts: &[ReportedHost],
    covers: Covers,
    now_ms: i64,
) {
    let now_s = now_ms.div_euclid(1000);
    let waivers = rules.policy.waivers().map(|(code, severity, waiver)| Waiver {
        code: code.as_str().to_owned(),
        severity: severity.as_str().to_owned(),
        reason: waiver.reason.clone(),
        until: waiver.until.clone(),
        in_force: now_s < waiver.expires.0,
    });
    exceptions.waivers = waivers.collect();
    let keys = rules.policy.approved_eks().iter().map(|approved| ApprovedKey {
        ek_sha256: hex::encode(approved.ek_sha256),
        reason: approved.waiver.reason.clone(),
        until: approved.waiver.until.clone(),
        in_force: now_s < approved.waiver.expires.0,
    });
    let is_of_them = |key: &ApprovedKey| {
        hosts.iter().any(|host| host.ek_sha256.as_ref() == Some(&key.ek_sha256))
    };
    exceptions.approved_keys =
        keys.filter(|key| covers == Covers::All || is_of_them(key)).collect();
}
