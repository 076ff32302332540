//! Addresses for how people order hosts, and for what they do to many.

use std::sync::Arc;

use api::inventory::{
    ActionReply, ActionRequest, LabelCount, Labels, LabelsRequest, MaintenanceRequest,
};
use axum::{Json, extract::State};
use schemars::JsonSchema;
use serde::Deserialize;

use super::{
    admin::Answer,
    auth::{Operator, OperatorWithin, Viewer},
    body::Body,
    operation::Operations,
    path::Path,
    query::Query,
};
use crate::app::App;

/// The operations of this module.
pub(super) fn operations(all: &mut Operations) {
    all.post("/v1/hosts/actions", "act-on-hosts", "Does the same to many hosts", act)
        .refuses(&["too-many-hosts"])
        .notes("To approve and to remove are for administrators.");
    all.post("/v1/hosts/{id}/labels", "label-host", "Changes a host's labels", label).refuses(&[
        "host-not-found",
        "label-invalid",
        "too-many",
    ]);
    let about = "Says that somebody works on a host";
    all.post("/v1/hosts/{id}/maintenance", "enter-maintenance", about, enter_maintenance)
        .refuses(&["host-not-found", "maintenance-invalid"]);
    let about = "Says that nobody works on a host any more";
    all.delete("/v1/hosts/{id}/maintenance", "leave-maintenance", about, leave_maintenance)
        .refuses(&["host-not-found"]);
    all.get("/v1/labels", "list-labels", "How many hosts have each label", labels);
}

/// `POST /v1/hosts/actions`.
pub(super) async fn act(
    State(app): State<Arc<App>>,
    OperatorWithin(caller): OperatorWithin,
    Body(request): Body<ActionRequest>,
) -> Answer<ActionReply> {
    Ok(Json(app.act(request, &caller).await?))
}

/// `POST /v1/hosts/{id}/labels`.
pub(super) async fn label(
    State(app): State<Arc<App>>,
    OperatorWithin(caller): OperatorWithin,
    Path(id): Path<String>,
    Body(request): Body<LabelsRequest>,
) -> Answer<Labels> {
    Ok(Json(app.label(&id, request, &caller).await?))
}

/// `POST /v1/hosts/{id}/maintenance`.
pub(super) async fn enter_maintenance(
    State(app): State<Arc<App>>,
    Operator(by): Operator,
    Path(id): Path<String>,
    Body(request): Body<MaintenanceRequest>,
) -> Answer<()> {
    Ok(Json(app.enter_maintenance(&id, request, by).await?))
}

/// `DELETE /v1/hosts/{id}/maintenance`.
pub(super) async fn leave_maintenance(
    State(app): State<Arc<App>>,
    Operator(by): Operator,
    Path(id): Path<String>,
) -> Answer<()> {
    Ok(Json(app.leave_maintenance(&id, by).await?))
}

/// The query of `GET /v1/labels`.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct LabelsQuery {
    key: Option<String>,
}

/// `GET /v1/labels`.
pub(super) async fn labels(
    State(app): State<Arc<App>>,
    _: Viewer,
    Query(query): Query<LabelsQuery>,
) -> Answer<Vec<LabelCount>> {
    Ok(Json(app.label_counts(query.key.as_deref()).await?))
}
