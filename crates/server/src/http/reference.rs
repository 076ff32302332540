//! Addresses of references, and of what hosts of a cohort share.

use std::sync::Arc;

use api::fleet::Peers;
use axum::{
    Json,
    extract::{Path, State},
};

use super::{admin::Answer, auth::Viewer};
use crate::app::App;

/// `GET /v1/hosts/{id}/peers`.
pub(super) async fn peers(
    State(app): State<Arc<App>>,
    _: Viewer,
    Path(id): Path<String>,
) -> Answer<Peers> {
    Ok(Json(app.peers(&id).await?))
}
