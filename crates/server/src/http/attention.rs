//! The address of what of a whole fleet wants a look.

use std::sync::Arc;

use api::attention::Attention;
use axum::{Json, extract::State};

use super::{auth::Viewer, operation::Operations};
use crate::app::App;

/// The operations of this module.
pub(super) fn operations(all: &mut Operations) {
    let about = "What will fail hosts one day, and hosts unlike those of their model";
    all.get("/v1/attention", "get-attention", about, attention);
}

/// `GET /v1/attention`.
pub(super) async fn attention(State(app): State<Arc<App>>, _: Viewer) -> Json<Attention> {
    Json(app.attention())
}
