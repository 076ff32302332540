//! The address of two boots of a host beside each other.

use std::sync::Arc;

use api::boot_diff::{BootDiff, BootDiffQuery};
use axum::{Json, extract::State};

use super::{admin::Answer, auth::Viewer, operation::Operations, path::Path, query::Query};
use crate::app::App;

/// The operations of this module.
pub(super) fn operations(all: &mut Operations) {
    let about = "What is another measurement in one boot of a host than in another, in words";
    all.get("/v1/hosts/{id}/boots/diff", "diff-boots", about, diff).refuses(&[
        "host-not-found",
        "judgement-not-found",
        "boot-not-proved",
    ]);
}

/// `GET /v1/hosts/{id}/boots/diff`.
pub(super) async fn diff(
    State(app): State<Arc<App>>,
    _: Viewer,
    Path(id): Path<String>,
    Query(query): Query<BootDiffQuery>,
) -> Answer<BootDiff> {
    Ok(Json(app.boot_diff(&id, query).await?))
}
