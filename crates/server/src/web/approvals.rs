//! `GET /approvals`, and a person's decision.

use std::sync::Arc;

use api::approval::{ApprovalQuery, DecideRequest, Decision};
use axum::{
    extract::{Query, State},
    http::StatusCode,
    response::IntoResponse as _,
};
use pages::{Approvals, Message, Place};
use serde::Deserialize;
use store::Role;

use super::{
    answer::{Page, back, page},
    said::said,
    visitor::{Acting, Visiting},
};
use crate::app::{App, AppError, RefusalKind};

#[derive(Deserialize)]
pub(super) struct WaitingQuery {
    cursor: Option<String>,
    done: Option<String>,
}

pub(super) async fn waiting(
    State(app): State<Arc<App>>,
    visiting: Visiting,
    Query(query): Query<WaitingQuery>,
) -> Page {
    visiting.caller.hosts.require_fleet()?;
    let found = app.waiting(ApprovalQuery { cursor: query.cursor, limit: None }).await?;
    let mut frame = visiting.frame(Place::Approvals);
    frame.said = said(query.done.as_deref());
    page(&Approvals { frame, waiting: found.waiting, next_cursor: found.next_cursor })
}

pub(super) async fn decide(State(app): State<Arc<App>>, acting: Acting) -> Page {
    let Acting { visiting, form } = acting;
    visiting.caller.require(Role::Admin)?;
    visiting.caller.hosts.require_fleet()?;
    let decision = match form.text("decision") {
        "approve" => Decision::Approve,
        "refuse" => Decision::Refuse,
        _ => {
            let title = "the form does not say whether to approve or to refuse";
            return Err(AppError::plain(RefusalKind::Invalid, "form-invalid", title).into());
        }
    };
    let ids = form.all("id");
    if ids.is_empty() {
        let hint = "go back and mark what is meant";
        let refusal =
            AppError::refused(RefusalKind::Invalid, "nothing-marked", "nothing is marked", hint);
        return Err(refusal.into());
    }
    let reason = form.text("reason").to_owned();
    let request = DecideRequest { ids, decision, reason };
    let reply = app.decide(request, visiting.caller.by.clone()).await?;
    let problems = reply.outcomes.iter().filter_map(|outcome| outcome.problem.as_ref());
    let refused: Vec<&str> = problems.map(|problem| problem.title.as_str()).collect();
    if refused.is_empty() {
        return back("/approvals?done=decided");
    }
    let n_done = reply.outcomes.len().saturating_sub(refused.len());
    let message = Message {
        frame: visiting.frame(Place::Approvals),
        title: format!("{n_done} done, {} not", refused.len()),
        next_step: refused.join("; "),
        request: None,
    };
    Ok((StatusCode::CONFLICT, page(&message)?).into_response())
}
