//! What people decided lately, out of the audit log.

use std::collections::HashMap;

use api::{
    audit::AuditRow,
    fleet_report::{Decision, ReportedHost},
};
use serde::Deserialize;

use super::Covers;
use crate::app::{App, AppError};

/// How far back is looked: a quarter, which is what auditors ask for.
const LOOKED_BACK_MS: i64 = 92 * 24 * 3_600_000;

/// Rows of the audit log that are looked at: most tell of verdicts, and a report must end.
const ROWS_MAX: usize = 50_000;

/// Decisions that are told.
const DECISIONS_MAX: usize = 500;

/// Rows that are read in one go.
const PAGE_LEN: u32 = 1_000;

/// What counts as a decision: what a person lets count, or counts no more.
const DECISIONS: &[&str] = &[
    "host.approval",
    "host.disconnect",
    "host.reconnect",
    "host.refuse-tpm",
    "host.remove",
    "host.replace",
    "reference.add",
    "reference.state",
    "trust-root.add",
    "trust-root.remove",
    "policy.begin",
];

#[derive(Deserialize)]
struct Detail {
    reason: Option<String>,
}

impl App {
    /// Decisions about `hosts`, and of a report of all also about what concerns no host, the newest first; and
    /// whether there are more.
    pub(super) async fn decisions(
        &self,
        hosts: &[ReportedHost],
        covers: Covers,
        now_ms: i64,
    ) -> Result<(Vec<Decision>, bool), AppError> {
        let names: HashMap<&str, &str> =
            hosts.iter().map(|host| (host.id.as_str(), host.name.as_str())).collect();
        let mut decisions = Vec::new();
        let (mut before, mut n_rows) = (None, 0_usize);
        loop {
            let rows = self.audit_before(before, PAGE_LEN).await?;
            let Some(last) = rows.last().map(|last| last.seq) else {
                return Ok((decisions, false));
            };
            for row in rows {
                if now_ms.saturating_sub(row.at_ms) > LOOKED_BACK_MS {
                    return Ok((decisions, false));
                }
                n_rows += 1;
                let Some(decision) = decision(row, &names, covers) else { continue };
                if decisions.len() >= DECISIONS_MAX {
                    return Ok((decisions, true));
                }
                decisions.push(decision);
            }
            if n_rows >= ROWS_MAX {
                return Ok((decisions, true));
            }
            before = Some(last);
        }
    }
}

fn decision(row: AuditRow, names: &HashMap<&str, &str>, covers: Covers) -> Option<Decision> {
    if !DECISIONS.contains(&row.action.as_str()) {
        return None;
    }
    let subject = match row.subject.split_once(':') {
        Some(("host", id)) => match names.get(id) {
            Some(name) => (*name).to_owned(),
            None if covers == Covers::All => format!("host {id}"),
            None => return None,
        },
        _ if covers == Covers::Some => return None,
        Some((kind, name)) => format!("{kind} {name}"),
        None => row.subject.clone(),
    };
    let detail = serde_json::from_str::<Detail>(&row.detail_json).ok();
    Some(Decision {
        audit_seq: row.seq,
        at_ms: row.at_ms,
        by: row.actor,
        action: row.action,
        subject,
        reason: detail.and_then(|detail| detail.reason),
    })
}
