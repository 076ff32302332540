//! The address of how the fleet stood over time.

use std::sync::Arc;

use api::standing::{StandingHistory, StandingQuery};
use axum::{Json, extract::State};

use super::{admin::Answer, auth::Viewer, operation::Operations, query::Query};
use crate::app::App;

/// The operations of this module.
pub(super) fn operations(all: &mut Operations) {
    let about = "How many hosts stood how, hour by hour";
    all.get("/v1/standing", "get-standing", about, standing);
}

/// `GET /v1/standing`.
pub(super) async fn standing(
    State(app): State<Arc<App>>,
    _: Viewer,
    Query(query): Query<StandingQuery>,
) -> Answer<StandingHistory> {
    Ok(Json(app.standing_history(query).await?))
}
