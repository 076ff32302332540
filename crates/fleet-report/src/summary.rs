//! How the hosts of a report stand, counted.

use std::collections::BTreeMap;

use api::fleet_report::{Answers, CauseCount, ReadinessItem, ReportedHost, Summary};
use findings::Code;

/// Counts `hosts`.
pub fn summarise(hosts: &[ReportedHost]) -> Summary {
    let mut summary = Summary { n_hosts: hosts.len(), ..Summary::default() };
    let mut causes: BTreeMap<&str, CauseCount> = BTreeMap::new();
    let mut readiness: BTreeMap<ReadinessItem, Answers> =
        ReadinessItem::ALL.into_iter().map(|item| (item, Answers::default())).collect();
    for host in hosts {
        let n = match host.verdict.as_str() {
            "accepted" => &mut summary.n_accepted,
            "not accepted" => &mut summary.n_not_accepted,
            _ => &mut summary.n_not_appraised,
        };
        *n += 1;
        summary.n_not_responding += usize::from(host.connection == "not responding");
        let mut seen: Vec<&str> = Vec::new();
        let deciding =
            host.findings.iter().filter(|it| matches!(it.severity.as_str(), "fail" | "hold"));
        for finding in deciding {
            // Some are raised once for each PCR or event.
            if seen.contains(&finding.code.as_str()) {
                continue;
            }
            seen.push(&finding.code);
            let cause = causes.entry(&finding.code).or_insert_with(|| CauseCount {
                code: finding.code.clone(),
                title: title(&finding.code).unwrap_or(&finding.cause).to_owned(),
                severity: finding.severity.clone(),
                n_hosts: 0,
                next_step: finding.next_step.clone(),
            });
            cause.n_hosts += 1;
        }
        for (item, answer) in &host.readiness {
            readiness.entry(*item).or_default().count(*answer);
        }
    }
    summary.causes = causes.into_values().collect();
    summary.causes.sort_by(|a, b| b.n_hosts.cmp(&a.n_hosts).then_with(|| a.code.cmp(&b.code)));
    summary.readiness = readiness;
    summary
}

fn title(code: &str) -> Option<&'static str> {
    Code::from_name(code).map(|code| code.entry().title)
}
