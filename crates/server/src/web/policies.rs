//! Policies: `GET /policies`, and what is done to them.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use api::policy::{
    PolicyActivateRequest, PolicyCheckRequest, PolicyPutRequest, PolicyTryPage,
    PolicyVersionTryRequest, PolicyVersionsQuery,
};
use axum::{
    extract::{Path, Query, State},
    http::StatusCode,
    response::IntoResponse as _,
};
use pages::{Place, Policies, Policy, PolicyEdit, PolicyTrial};
use serde::Deserialize;
use store::Role;

use super::{
    answer::{Page, back, page},
    form::Form,
    said::said,
    visitor::{Acting, Visiting},
};
use crate::app::{App, AppError};

/// Hosts that are tried in one go.
const TRY_HOSTS: u32 = 500;

/// For how long hosts are tried for one page: a person waits for it.
const TRY_MAX: Duration = Duration::from_secs(3);

/// Hosts that would turn on one page: nobody reads more.
const CHANGES_MAX: usize = 500;

#[derive(Deserialize)]
pub(super) struct PoliciesQuery {
    cursor: Option<String>,
    done: Option<String>,
}

pub(super) async fn policies(
    State(app): State<Arc<App>>,
    visiting: Visiting,
    Query(query): Query<PoliciesQuery>,
) -> Page {
    visiting.caller.hosts.require_fleet()?;
    let wanted = PolicyVersionsQuery { cursor: query.cursor, limit: None };
    let found = app.policy_versions(wanted).await?;
    let mut frame = visiting.frame(Place::Policies);
    frame.said = said(query.done.as_deref());
    page(&Policies {
        frame,
        in_force: found.in_force,
        versions: found.versions,
        next_cursor: found.next_cursor,
    })
}

#[derive(Deserialize)]
pub(super) struct PolicyQuery {
    done: Option<String>,
}

pub(super) async fn policy(
    State(app): State<Arc<App>>,
    visiting: Visiting,
    Path(number): Path<String>,
    Query(query): Query<PolicyQuery>,
) -> Page {
    visiting.caller.hosts.require_fleet()?;
    let document = app.policy_version(&number).await?;
    let in_force = app.policy_now().await?;
    let diff = app.policy_diff(&number, None).await?;
    let mut frame = visiting.frame(Place::Policies);
    frame.said = said(query.done.as_deref());
    page(&Policy { frame, document, in_force, diff })
}

#[derive(Deserialize)]
pub(super) struct EditQuery {
    from: Option<i64>,
}

/// A text to begin with: that of a version, or of what counts.
pub(super) async fn edit(
    State(app): State<Arc<App>>,
    visiting: Visiting,
    Query(query): Query<EditQuery>,
) -> Page {
    visiting.caller.require(Role::Admin)?;
    visiting.caller.hosts.require_fleet()?;
    let from = match query.from {
        Some(number) => Some(number),
        None => app.policy_now().await?.number,
    };
    let (policy, based_on) = match from {
        Some(number) => (app.policy_version(&number.to_string()).await?.policy, Some(number)),
        None => (app.policy_text(), None),
    };
    let frame = visiting.frame(Place::Policies);
    page(&PolicyEdit { frame, policy, note: String::new(), based_on, fault: None })
}

/// What was written, checked; kept where that is wanted and nothing is wrong. What was written comes back in
/// any case.
pub(super) async fn put(State(app): State<Arc<App>>, acting: Acting) -> Page {
    let Acting { visiting, form } = acting;
    visiting.caller.require(Role::Admin)?;
    visiting.caller.hosts.require_fleet()?;
    let based_on: Option<i64> = form.number("based_on")?;
    let (policy, note) = (form.lines("policy"), form.text("note").to_owned());
    let checked = PolicyCheckRequest { policy: policy.clone(), based_on, ..Default::default() };
    let fault = app.check_policy(checked).await?.fault;
    let is_kept = fault.is_none() && form.text("then") == "keep";
    if is_kept {
        let request = PolicyPutRequest { policy, based_on, note, ..Default::default() };
        let version = app.put_policy(request, visiting.caller.by).await?;
        return back(&format!("/policies/{}?done=policy-kept", version.number));
    }
    let status = if fault.is_some() { StatusCode::BAD_REQUEST } else { StatusCode::OK };
    let mut frame = visiting.frame(Place::Policies);
    frame.said = if fault.is_none() { said(Some("policy-sound")) } else { None };
    Ok((status, page(&PolicyEdit { frame, policy, note, based_on, fault })?).into_response())
}

/// Tries a version on hosts: a `POST`, so that nothing asks for it by itself.
pub(super) async fn try_version(
    State(app): State<Arc<App>>,
    Path(number): Path<String>,
    acting: Acting,
) -> Page {
    let Acting { visiting, form } = acting;
    visiting.caller.require(Role::Operator)?;
    visiting.caller.hosts.require_fleet()?;
    let cursor = form.maybe("cursor");
    let is_begin = cursor.is_none();
    let version = app.policy_version(&number).await?.version;
    let in_force = app.policy_now().await?;
    let tried = tried(&app, &number, cursor).await?;
    let mut frame = visiting.frame(Place::Policies);
    // What was tried is of this moment, and is not asked for again.
    frame.stream = None;
    page(&PolicyTrial { frame, version, in_force, tried, is_begin })
}

/// So many hosts as a person waits for.
async fn tried(
    app: &Arc<App>,
    number: &str,
    cursor: Option<String>,
) -> Result<PolicyTryPage, AppError> {
    let begun = Instant::now();
    let mut all =
        PolicyTryPage { n_hosts: 0, n_judged: 0, changes: Vec::new(), next_cursor: cursor };
    loop {
        let cursor = all.next_cursor.take();
        let request = PolicyVersionTryRequest { cursor, limit: Some(TRY_HOSTS) };
        let some = app.try_version(number, request).await?;
        all.n_hosts = all.n_hosts.saturating_add(some.n_hosts);
        all.n_judged = all.n_judged.saturating_add(some.n_judged);
        all.changes.extend(some.changes);
        all.next_cursor = some.next_cursor;
        let is_enough = begun.elapsed() > TRY_MAX || all.changes.len() >= CHANGES_MAX;
        if is_enough || all.next_cursor.is_none() {
            return Ok(all);
        }
    }
}

pub(super) async fn activate(
    State(app): State<Arc<App>>,
    Path(number): Path<String>,
    acting: Acting,
) -> Page {
    let Acting { visiting, form } = acting;
    visiting.caller.require(Role::Admin)?;
    visiting.caller.hosts.require_fleet()?;
    let request = activation(&form)?;
    if let Err(err) = app.activate_policy(&number, request, visiting.caller.by).await {
        let is_changed =
            matches!(&err, AppError::Refused(refusal) if refusal.code == "policy-changed");
        // After a second click it is this one that counts by now.
        if !(is_changed && counts(&app, &number).await?) {
            return Err(err.into());
        }
    }
    back("/policies?done=policy-activated")
}

/// Whether this version is the one that was activated last.
async fn counts(app: &Arc<App>, number: &str) -> Result<bool, AppError> {
    let activated = app.policy_now().await?.activated;
    Ok(activated.is_some_and(|activated| activated.number.to_string() == number))
}

fn activation(form: &Form) -> Result<PolicyActivateRequest, AppError> {
    Ok(PolicyActivateRequest {
        before: form.number("before")?,
        reason: form.text("reason").to_owned(),
    })
}
