//! Addresses of references, and of what hosts of a cohort share.

use std::sync::Arc;

use api::fleet::{
    AcceptChangeRequest, AcceptedChange, ImportReference, KeptReference, LearnRequest, Peers,
    ReferenceDetail, ReferencePage, ReferenceStateRequest,
};
use axum::{Json, extract::State};

use super::{
    admin::Answer,
    auth::{Admin, Viewer},
    body::Body,
    operation::Operations,
    path::Path,
    query::{PageQuery, Query},
};
use crate::app::App;

/// The operations of this module.
pub(super) fn operations(all: &mut Operations) {
    let about = "How a host's last quote compares with those of its cohort";
    all.get("/v1/hosts/{id}/peers", "get-peers", about, peers)
        .refuses(&["host-not-found", "no-peers"])
        .etag();
    let learning = [
        "host-not-found",
        "host-not-accepted",
        "host-not-judged",
        "evidence-lost",
        "newer-evidence",
        "no-cohort",
        "no-evidence",
        "reference-invalid",
        "reference-known",
        "references-changed",
        "too-many",
    ];
    let about = "Holds a host, or its cohort, to what it booted";
    all.post("/v1/hosts/{id}/reference", "learn-reference", about, learn).refuses(&learning);
    let about = "Accepts what changed in a host's boot";
    all.post("/v1/hosts/{id}/accept-change", "accept-change", about, accept_change)
        .refuses(&learning)
        .refuses(&["nothing-changed"]);
    let about = "References in every state, oldest first";
    all.get("/v1/references", "list-references", about, references)
        .refuses(&["cursor-invalid"])
        .etag();
    all.post("/v1/references", "import-reference", "Adds a reference", import).refuses(&[
        "host-not-found",
        "reference-invalid",
        "reference-known",
        "references-changed",
        "too-many",
    ]);
    all.get("/v1/references/{id}", "get-reference", "All about one reference", reference)
        .refuses(&["reference-not-found"])
        .etag();
    let about = "Moves a reference on in its life";
    all.post("/v1/references/{id}/state", "set-reference-state", about, set_state).refuses(&[
        "reference-not-found",
        "reference-invalid",
        "reference-state",
        "reference-known",
        "references-changed",
        "too-many",
    ]);
}

/// `GET /v1/hosts/{id}/peers`.
pub(super) async fn peers(
    State(app): State<Arc<App>>,
    _: Viewer,
    Path(id): Path<String>,
) -> Answer<Peers> {
    Ok(Json(app.peers(&id).await?))
}

/// `POST /v1/hosts/{id}/reference`.
pub(super) async fn learn(
    State(app): State<Arc<App>>,
    Admin(by): Admin,
    Path(id): Path<String>,
    Body(request): Body<LearnRequest>,
) -> Answer<KeptReference> {
    Ok(Json(app.learn_reference(&id, request, by).await?))
}

/// `POST /v1/hosts/{id}/accept-change`.
pub(super) async fn accept_change(
    State(app): State<Arc<App>>,
    Admin(by): Admin,
    Path(id): Path<String>,
    Body(request): Body<AcceptChangeRequest>,
) -> Answer<AcceptedChange> {
    Ok(Json(app.accept_change(&id, request, by).await?))
}

/// `GET /v1/references`.
pub(super) async fn references(
    State(app): State<Arc<App>>,
    _: Viewer,
    Query(query): Query<PageQuery>,
) -> Answer<ReferencePage> {
    Ok(Json(app.references(query.cursor.as_deref(), query.limit).await?))
}

/// `POST /v1/references`.
pub(super) async fn import(
    State(app): State<Arc<App>>,
    Admin(by): Admin,
    Body(request): Body<ImportReference>,
) -> Answer<KeptReference> {
    Ok(Json(app.import_reference(request, by).await?))
}

/// `GET /v1/references/{id}`.
pub(super) async fn reference(
    State(app): State<Arc<App>>,
    _: Viewer,
    Path(id): Path<String>,
) -> Answer<ReferenceDetail> {
    Ok(Json(app.reference(&id).await?))
}

/// `POST /v1/references/{id}/state`.
pub(super) async fn set_state(
    State(app): State<Arc<App>>,
    Admin(by): Admin,
    Path(id): Path<String>,
    Body(request): Body<ReferenceStateRequest>,
) -> Answer<KeptReference> {
    Ok(Json(app.set_reference_state(&id, request, by).await?))
}
