//! Addresses of what waits for a person.

use std::sync::Arc;

use api::approval::{ApprovalPage, ApprovalQuery, DecideReply, DecideRequest};
use axum::{Json, extract::State};

use super::{
    admin::Answer,
    auth::{Admin, Viewer},
    body::Body,
    operation::Operations,
    query::Query,
};
use crate::app::App;

/// The operations of this module.
pub(super) fn operations(all: &mut Operations) {
    all.get("/v1/approvals", "list-approvals", "What waits for a person", waiting)
        .refuses(&["cursor-invalid"]);
    all.post("/v1/approvals", "decide-approvals", "Decides what waits for a person", decide)
        .refuses(&["approval-invalid", "reason-invalid", "too-many-decisions"]);
}

/// `GET /v1/approvals`.
pub(super) async fn waiting(
    State(app): State<Arc<App>>,
    _: Viewer,
    Query(query): Query<ApprovalQuery>,
) -> Answer<ApprovalPage> {
    Ok(Json(app.waiting(query).await?))
}

/// `POST /v1/approvals`.
pub(super) async fn decide(
    State(app): State<Arc<App>>,
    Admin(by): Admin,
    Body(request): Body<DecideRequest>,
) -> Answer<DecideReply> {
    Ok(Json(app.decide(request, by).await?))
}
