//! `GET /hosts/{id}`, and what is done to one.

use std::sync::Arc;

use api::{
    admin::{AttestRequested, ReplaceRequest},
    fleet::{AcceptChangeRequest, Breadth, ReferenceUses},
    inventory::MaintenanceRequest,
};
use axum::extract::{Path, Query, State};
use pages::{HostPage, Past, Place};
use store::Role;

use super::{
    answer::{Page, back, page},
    said::{Done, said},
    visitor::{Acting, Visiting},
};
use crate::app::{App, AppError, JudgementLine, RefusalKind};

pub(super) async fn host(
    State(app): State<Arc<App>>,
    visiting: Visiting,
    Path(id): Path<String>,
    Query(query): Query<Done>,
) -> Page {
    app.require_host(&visiting.caller.hosts, &id).await?;
    let detail = app.host(&id, None).await?;
    let history = app.history(&id).await?.iter().map(past).collect();
    let mut frame = visiting.frame(Place::Hosts);
    frame.said = said(query.done.as_deref());
    page(&HostPage { frame, detail, history })
}

/// A judgement in the strip of a host's history.
pub(super) fn past(line: &JudgementLine) -> Past {
    Past {
        id: line.id.0,
        at_ms: line.at_ms,
        verdict: line.verdict.clone(),
        cause: line.deciding.as_ref().map(|deciding| deciding.cause.clone()).unwrap_or_default(),
    }
}

pub(super) async fn act(
    State(app): State<Arc<App>>,
    Path((id, verb)): Path<(String, String)>,
    acting: Acting,
) -> Page {
    let Acting { visiting, form } = acting;
    let caller = &visiting.caller;
    let needed = match verb.as_str() {
        "approve" | "replace" | "accept-change" | "remove" => Role::Admin,
        _ => Role::Operator,
    };
    caller.require(needed)?;
    app.require_host(&caller.hosts, &id).await?;
    let by = caller.by.clone();
    let reason = || form.text("reason").to_owned();
    match verb.as_str() {
        "attest" => {
            let _: AttestRequested = app.request_attestation(&id, by).await?;
        }
        "disconnect" => app.disconnect(&id, by).await?,
        "reconnect" => app.reconnect(&id, by).await?,
        "rotate-key" => app.rotate_key(&id, by).await?,
        "enter-maintenance" => {
            let request = MaintenanceRequest { reason: reason(), until_ms: None };
            app.enter_maintenance(&id, request, by).await?;
        }
        "leave-maintenance" => app.leave_maintenance(&id, by).await?,
        "approve" => app.approve(&id, by).await?,
        "replace" => {
            let ek_sha256 = form.text("ek_sha256").to_owned();
            let request = ReplaceRequest { ek_sha256, reason: reason() };
            drop(app.replace(&id, request, by).await?);
        }
        "accept-change" => {
            let request = AcceptChangeRequest {
                scope: Breadth::Host,
                reason: reason(),
                until_ms: None,
                uses: ReferenceUses::Any,
                appraised_at_ms: form.number("appraised_at_ms")?,
            };
            drop(app.accept_change(&id, request, by).await?);
        }
        "remove" => {
            app.remove_host(&id, by).await?;
            return back("/hosts?done=remove");
        }
        _ => {
            let title = "this cannot be done to a host";
            return Err(AppError::plain(RefusalKind::NotFound, "verb-unknown", title).into());
        }
    }
    back(&format!("/hosts/{id}?done={verb}"))
}
