//! Addresses of people and programs: who they are, and what they show.

use std::sync::Arc;

use api::people::{ApiToken, ApiTokenRequest, NewApiToken, WhoAmI};
use axum::{Json, extract::State};

use super::{
    admin::Answer,
    auth::{Admin, Known},
    body::Body,
    operation::Operations,
    path::Path,
};
use crate::app::App;

/// The operations of this module.
pub(super) fn operations(all: &mut Operations) {
    all.get("/v1/whoami", "who-am-i", "Whose token this is, and what it may do", who_am_i);
    let about = "API tokens, without their secrets";
    all.get("/v1/api-tokens", "list-api-tokens", about, api_tokens);
    all.post("/v1/api-tokens", "create-api-token", "Makes an API token", create_api_token)
        .refuses(&["token-invalid", "label-invalid", "name-taken"])
        .example(r#"{"name":"ci","role":"viewer","hosts":{"site":"muc"},"expires_in_s":86400}"#);
    let about = "Ends an API token";
    all.delete("/v1/api-tokens/{name}", "revoke-api-token", about, revoke_api_token)
        .refuses(&["api-token-not-found"]);
}

/// `GET /v1/whoami`.
pub(super) async fn who_am_i(State(app): State<Arc<App>>, Known(caller, _): Known) -> Json<WhoAmI> {
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
