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
    validators::{IfMatch, etag_of},
};
use crate::app::App;

/// The operations of this module.
pub(super) fn operations(all: &mut Operations) {
    all.post("/v1/hosts/actions", "act-on-hosts", "Does the same to many hosts", act)
        .refuses(&["too-many-hosts"])
        .notes("To approve and to remove are for administrators.")
        .example(
            r#"{"hosts":["7b0c3f6e-0000-4000-8000-000000000001"],"action":{"verb":"attest"}}"#,
        );
    all.post("/v1/hosts/{id}/labels", "label-host", "Changes a host's labels", label)
        .refuses(&["host-not-found", "label-invalid", "too-many"])
        .example(r#"{"set":{"site":"muc"},"remove":["rack"]}"#);
    all.get("/v1/hosts/{id}/labels", "get-labels", "A host's labels", host_labels)
        .refuses(&["host-not-found"])
        .etag();
    let about = "Puts these in the place of all labels of a host";
    all.put("/v1/hosts/{id}/labels", "replace-labels", about, replace_labels)
        .refuses(&["host-not-found", "label-invalid", "too-many"])
        .example(r#"{"site":"muc","rack":"7"}"#);
    let about = "Says that somebody works on a host";
    all.post("/v1/hosts/{id}/maintenance", "enter-maintenance", about, enter_maintenance)
        .refuses(&["host-not-found", "maintenance-invalid"])
        .example(r#"{"reason":"new firmware, ticket 4711","until_ms":4102444800000}"#);
    let about = "Says that nobody works on a host any more";
    all.delete("/v1/hosts/{id}/maintenance", "leave-maintenance", about, leave_maintenance)
        .refuses(&["host-not-found"]);
    all.get("/v1/labels", "list-labels", "How many hosts have each label", labels).etag();
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

/// `GET /v1/hosts/{id}/labels`.
pub(super) async fn host_labels(
    State(app): State<Arc<App>>,
    _: Viewer,
    Path(id): Path<String>,
) -> Answer<Labels> {
    Ok(Json(app.labels(&id).await?))
}

/// `PUT /v1/hosts/{id}/labels`: what another person changed meanwhile is not lost.
pub(super) async fn replace_labels(
    State(app): State<Arc<App>>,
    OperatorWithin(caller): OperatorWithin,
    Path(id): Path<String>,
    if_match: IfMatch,
    Body(labels): Body<Labels>,
) -> Answer<Labels> {
    let is_it = |labels: &Labels| if_match.require(&etag_of(labels)?);
    Ok(Json(app.replace_labels(&id, labels, is_it, &caller).await?))
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
