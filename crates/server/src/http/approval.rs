//! Addresses of what waits for a person.

use std::sync::Arc;

use api::approval::{ApprovalPage, ApprovalQuery, DecideReply, DecideRequest};
use axum::{
    Json,
    extract::{Query, State},
};

use super::{
    admin::Answer,
    auth::{Admin, Viewer},
    body::Body,
};
use crate::app::App;

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
