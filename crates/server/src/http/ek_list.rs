//! Addresses of lists of endorsement keys.

use std::sync::Arc;

use api::ek_list::{
    AddEksRequest, AddedEks, EkList, EkListRequest, EkPage, EksQuery, UnlistedPage,
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
    all.get("/v1/ek-lists", "list-ek-lists", "Lists of endorsement keys of purchases", lists);
    all.post("/v1/ek-lists", "create-ek-list", "Makes a list without keys", add).refuses(&[
        "ek-list-invalid",
        "label-invalid",
        "name-taken",
    ]);
    let about = "Removes a list; hosts that joined by it stay as they are";
    all.delete("/v1/ek-lists/{name}", "remove-ek-list", about, remove)
        .refuses(&["ek-list-not-found"]);
    let about = "The keys of a list, and which host has each";
    all.get("/v1/ek-lists/{name}/keys", "list-listed-eks", about, keys)
        .refuses(&["cursor-invalid", "ek-list-not-found"]);
    let about = "Puts keys on a list, and says which were on one before";
    all.post("/v1/ek-lists/{name}/keys", "add-listed-eks", about, add_keys)
        .refuses(&["ek-list-invalid", "ek-list-not-found"]);
    let about = "Enrolled hosts whose endorsement keys are on no list";
    all.get("/v1/unlisted-hosts", "list-unlisted-hosts", about, unlisted)
        .refuses(&["cursor-invalid"]);
}

/// `GET /v1/ek-lists`.
pub(super) async fn lists(State(app): State<Arc<App>>, _: Viewer) -> Answer<Vec<EkList>> {
    Ok(Json(app.ek_lists().await?))
}

/// `POST /v1/ek-lists`.
pub(super) async fn add(
    State(app): State<Arc<App>>,
    Admin(by): Admin,
    Body(request): Body<EkListRequest>,
) -> Answer<()> {
    Ok(Json(app.add_ek_list(request, by).await?))
}

/// `DELETE /v1/ek-lists/{name}`.
pub(super) async fn remove(
    State(app): State<Arc<App>>,
    Admin(by): Admin,
    Path(name): Path<String>,
) -> Answer<()> {
    Ok(Json(app.remove_ek_list(&name, by).await?))
}

/// `GET /v1/ek-lists/{name}/keys`.
pub(super) async fn keys(
    State(app): State<Arc<App>>,
    _: Viewer,
    Path(name): Path<String>,
    Query(query): Query<EksQuery>,
) -> Answer<EkPage> {
    Ok(Json(app.eks(&name, query).await?))
}

/// `POST /v1/ek-lists/{name}/keys`.
pub(super) async fn add_keys(
    State(app): State<Arc<App>>,
    Admin(by): Admin,
    Path(name): Path<String>,
    Body(request): Body<AddEksRequest>,
) -> Answer<AddedEks> {
    Ok(Json(app.add_eks(&name, request, by).await?))
}

/// `GET /v1/unlisted-hosts`.
pub(super) async fn unlisted(
    State(app): State<Arc<App>>,
    _: Viewer,
    Query(query): Query<PageQuery>,
) -> Answer<UnlistedPage> {
    Ok(Json(app.unlisted_hosts(query.cursor.as_deref(), query.limit).await?))
}
