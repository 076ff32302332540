//! Addresses of views: lists of hosts that somebody keeps under a name.

use std::sync::Arc;

use api::host_view::{HostView, ViewQuery};
use axum::{Json, extract::State};

use super::{
    admin::Answer,
    auth::{Admin, ViewerWithin},
    body::Body,
    operation::Operations,
    path::Path,
};
use crate::app::App;

const EXAMPLE: &str =
    r#"{"verdict":"not accepted","labels":"site=muc","sort":"-judged","maintenance":false}"#;

/// The operations of this module.
pub(super) fn operations(all: &mut Operations) {
    let about = "Lists of hosts that are kept under a name: everybody's, and those of who asks";
    all.get("/v1/host-views", "list-host-views", about, views);
    let about = "Keeps a list of hosts under a name, for who asks";
    let invalid = &["host-view-invalid", "query-invalid"];
    all.post("/v1/host-views/own/{name}", "keep-host-view", about, keep_own)
        .refuses(invalid)
        .refuses(&["host-view-of-nobody", "too-many"])
        .example(EXAMPLE);
    let about = "Removes a list of hosts of who asks";
    all.delete("/v1/host-views/own/{name}", "remove-host-view", about, remove_own)
        .refuses(&["host-view-of-nobody", "host-view-not-found"]);
    let about = "Keeps a list of hosts under a name, for everybody";
    all.post("/v1/host-views/shared/{name}", "share-host-view", about, keep_shared)
        .refuses(invalid)
        .refuses(&["too-many"])
        .example(EXAMPLE);
    let about = "Removes a list of hosts that is everybody's";
    all.delete("/v1/host-views/shared/{name}", "unshare-host-view", about, remove_shared)
        .refuses(&["host-view-not-found"]);
}

/// `GET /v1/host-views`.
pub(super) async fn views(
    State(app): State<Arc<App>>,
    ViewerWithin(caller): ViewerWithin,
) -> Answer<Vec<HostView>> {
    Ok(Json(app.host_views(&caller).await?))
}

/// `POST /v1/host-views/own/{name}`.
pub(super) async fn keep_own(
    State(app): State<Arc<App>>,
    ViewerWithin(caller): ViewerWithin,
    Path(name): Path<String>,
    Body(query): Body<ViewQuery>,
) -> Answer<()> {
    Ok(Json(app.keep_own_view(&name, query, &caller).await?))
}

/// `DELETE /v1/host-views/own/{name}`.
pub(super) async fn remove_own(
    State(app): State<Arc<App>>,
    ViewerWithin(caller): ViewerWithin,
    Path(name): Path<String>,
) -> Answer<()> {
    Ok(Json(app.remove_own_view(&name, &caller).await?))
}

/// `POST /v1/host-views/shared/{name}`.
pub(super) async fn keep_shared(
    State(app): State<Arc<App>>,
    Admin(by): Admin,
    Path(name): Path<String>,
    Body(query): Body<ViewQuery>,
) -> Answer<()> {
    Ok(Json(app.keep_shared_view(&name, query, by).await?))
}

/// `DELETE /v1/host-views/shared/{name}`.
pub(super) async fn remove_shared(
    State(app): State<Arc<App>>,
    Admin(by): Admin,
    Path(name): Path<String>,
) -> Answer<()> {
    Ok(Json(app.remove_shared_view(&name, by).await?))
}
