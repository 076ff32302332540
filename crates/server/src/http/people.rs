//! Addresses of people and programs: who they are, and what they show.

use std::sync::Arc;

use api::people::{ApiToken, ApiTokenRequest, NewApiToken, WhoAmI};
use axum::{
    Json,
    extract::{Path, State},
};

use super::{
    admin::Answer,
    auth::{Admin, Known},
    body::Body,
};
use crate::app::App;

/// `GET /v1/whoami`.
pub(super) async fn who_am_i(State(app): State<Arc<App>>, Known(caller): Known) -> Json<WhoAmI> {
    Json(app.who_am_i(&caller))
}

/// `GET /v1/api-tokens`.
pub(super) async fn api_tokens(State(app): State<Arc<App>>, _: Admin) -> Answer<Vec<ApiToken>> {
    Ok(Json(app.api_tokens().await?))
}

/// `POST /v1/api-tokens`.
pub(super) async fn create_api_token(
    State(app): State<Arc<App>>,
    Admin(by): Admin,
    Body(request): Body<ApiTokenRequest>,
) -> Answer<NewApiToken> {
    Ok(Json(app.create_api_token(request, by).await?))
}

/// `DELETE /v1/api-tokens/{name}`.
pub(super) async fn revoke_api_token(
    State(app): State<Arc<App>>,
    Admin(by): Admin,
    Path(name): Path<String>,
) -> Answer<()> {
    Ok(Json(app.revoke_api_token(&name, by).await?))
}
