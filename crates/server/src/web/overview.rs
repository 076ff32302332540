//! `GET /`.

use std::sync::Arc;

use api::standing::StandingQuery;
use axum::extract::State;
use pages::{Change, FirstSteps, Overview, Place};
use serde::Deserialize;
use store::Role;

use super::{
    answer::{Page, page},
    visitor::Visiting,
};
use crate::app::{App, AppError};

/// When a browser asks again for numbers that were being counted: that takes some hundredths of a second.
const LOOK_AGAIN_MS: u32 = 1_500;

/// Changes on the first page.
const CHANGES: usize = 12;

/// Rows of the audit log among which they are looked for: who signs in, and how hosts enrol step by step,
/// is told on the page of the log.
const LOOKED_AT: u32 = 60;

pub(super) async fn overview(State(app): State<Arc<App>>, visiting: Visiting) -> Page {
    visiting.caller.hosts.require_fleet()?;
    let counted = app.fleet_standing().await?;
    let standing = counted.fleet;
    let standing = pages::Standing {
        n_hosts: standing.n_hosts,
        n_accepted: standing.n_accepted,
        n_not_accepted: standing.n_not_accepted,
        n_not_appraised: standing.n_not_appraised,
        n_not_responding: standing.n_not_responding,
    };
    let changes = changes(&app).await?;
    let alarms = app.alarm_groups().await?;
    let attention = app.attention();
    // Who can do something about it is told what comes first on a new server.
    let is_new = standing.n_accepted == 0 && visiting.caller.role == Role::Admin;
    let first_steps = match is_new {
        true => {
            Some(FirstSteps { n_anchors: app.trusted().await?.len(), n_hosts: standing.n_hosts })
        }
        false => None,
    };
    let hours = app.standing_history(StandingQuery::default()).await?.hours;
    let mut frame = visiting.frame(Place::Overview);
    frame.again_ms = counted.is_old.then_some(LOOK_AGAIN_MS);
    page(&Overview { frame, standing, alarms, hours, attention, first_steps, changes })
}

/// What the audit log says of a new verdict.
#[derive(Deserialize)]
struct VerdictDetail {
    before: Option<String>,
    verdict: String,
}

/// What the audit log calls a host that is not there any more.
#[derive(Deserialize)]
struct NameDetail {
    name: String,
}

/// What changed last, with the names of hosts.
async fn changes(app: &App) -> Result<Vec<Change>, AppError> {
    let mut changes = Vec::new();
    let is_told =
        |action: &str| !action.starts_with("session.") && !action.starts_with("enrolment.");
    let rows = app.audit_before(None, LOOKED_AT).await?;
    for row in rows.into_iter().filter(|row| is_told(&row.action)).take(CHANGES) {
        let host = row.subject.strip_prefix("host:").map(str::to_owned);
        let name = match &host {
            Some(id) => app.host_name(id).await?,
            None => None,
        };
        let was_called = || {
            let detail =
                host.as_ref().map(|_| serde_json::from_str::<NameDetail>(&row.detail_json));
            detail?.ok().map(|detail| detail.name)
        };
        let subject = name.clone().or_else(was_called).unwrap_or_else(|| kind_of(&row.subject));
        let verdict = (row.action == "host.verdict")
            .then(|| serde_json::from_str::<VerdictDetail>(&row.detail_json).ok())
            .flatten();
        let (before, verdict) = match verdict {
            Some(detail) => (detail.before, Some(detail.verdict)),
            None => (None, None),
        };
        changes.push(Change {
            at_ms: row.at_ms,
            by: row.actor,
            what: row.action,
            // A host that was removed has no page.
            host: host.filter(|_| name.is_some()),
            subject,
            before,
            verdict,
        });
    }
    Ok(changes)
}

/// What something is, where its number says nothing to people.
fn kind_of(subject: &str) -> String {
    match subject.split_once(':') {
        Some(("policy", number)) => return format!("Version {number} of the policy"),
        Some(("host-view", name)) => return format!("The view {name}"),
        Some(("channel", name)) => return format!("Channel {name}"),
        Some(("api-token", name)) => return format!("Token {name}"),
        Some(("report", kind)) => return format!("A report ({kind})"),
        Some(("ek-list", name)) => return format!("The list of keys {name}"),
        _ => {}
    }
    let word = match subject.split_once(':') {
        Some(("join-token", _)) => "A join token",
        Some(("host", _)) => "A host that was removed",
        Some(("trust-root", _)) => "A trust anchor",
        Some(("reference", _)) => "A reference",
        Some(("user", name)) => name,
        Some(("alarms" | "alarm", _)) => "Alarms",
        _ if subject == "policy" => "The policy",
        _ => subject,
    };
    word.to_owned()
}
