//! HTTP: routes, tokens, bodies, errors. No rules and no SQL here.

mod admin;
mod agent;
mod alarm;
mod approval;
mod auth;
mod body;
mod inventory;
mod listen;
mod people;
pub(crate) mod problem;
mod reference;
mod result;

use std::sync::Arc;

use axum::{
    Router,
    body::HttpBody as _,
    extract::Request,
    http::{HeaderValue, StatusCode, header},
    middleware::{self, Next},
    response::{IntoResponse as _, Response},
    routing::{delete, get, post},
};
use tracing::Instrument as _;
use uuid::Uuid;

pub use listen::serve;

use crate::app::{App, AppError, RefusalKind};

/// All routes.
pub fn router(app: Arc<App>) -> Router {
    Router::new()
        .route("/healthz", get(async || "ok\n"))
        .route("/.well-known/jwks.json", get(result::keys))
        .route("/v1/server", get(admin::server))
        .route("/v1/agent/join", post(agent::join))
        .route("/v1/agent/activate", post(agent::activate))
        .route("/v1/agent/enrol", post(agent::enrol))
        .route("/v1/agent/member", get(agent::member))
        .route("/v1/agent/poll", post(agent::poll))
        .route("/v1/agent/evidence", post(agent::evidence))
        .route("/v1/hosts", get(admin::hosts))
        .route("/v1/hosts/actions", post(inventory::act))
        .route("/v1/hosts/{id}", get(admin::host).delete(admin::remove_host))
        .route("/v1/hosts/{id}/attest", post(admin::attest))
        .route("/v1/hosts/{id}/disconnect", post(admin::disconnect))
        .route("/v1/hosts/{id}/reconnect", post(admin::reconnect))
        .route("/v1/hosts/{id}/rotate-key", post(admin::rotate_key))
        .route("/v1/hosts/{id}/replace", post(admin::replace))
        .route("/v1/hosts/{id}/approve", post(admin::approve))
        .route("/v1/hosts/{id}/appraisals", get(admin::appraisals))
        .route("/v1/hosts/{id}/evidence", get(admin::evidence))
        .route("/v1/hosts/{id}/peers", get(reference::peers))
        .route("/v1/hosts/{id}/reference", post(reference::learn))
        .route("/v1/hosts/{id}/accept-change", post(reference::accept_change))
        .route("/v1/hosts/{id}/labels", post(inventory::label))
        .route(
            "/v1/hosts/{id}/maintenance",
            post(inventory::enter_maintenance).delete(inventory::leave_maintenance),
        )
        .route("/v1/hosts/{id}/result", get(result::result))
        .route("/v1/audit", get(result::audit))
        .route("/v1/audit/checkpoint", get(result::checkpoint))
        .route("/v1/alarm-groups", get(alarm::groups))
        .route("/v1/alarms", get(alarm::alarms))
        .route("/v1/alarms/acknowledge", post(alarm::acknowledge))
        .route("/v1/alarms/withdraw", post(alarm::withdraw))
        .route("/v1/approvals", get(approval::waiting).post(approval::decide))
        .route("/v1/labels", get(inventory::labels))
        .route("/v1/references", get(reference::references).post(reference::import))
        .route("/v1/references/{id}", get(reference::reference))
        .route("/v1/references/{id}/state", post(reference::set_state))
        .route("/v1/whoami", get(people::who_am_i))
        .route("/v1/api-tokens", get(people::api_tokens).post(people::create_api_token))
        .route("/v1/api-tokens/{name}", delete(people::revoke_api_token))
        .route("/v1/tokens", get(admin::tokens).post(admin::create_token))
        .route("/v1/tokens/{id}", delete(admin::revoke_token))
        .route("/v1/trust", get(admin::trusted).post(admin::trust))
        .route("/v1/trust/{sha256}", delete(admin::remove_trust))
        .route("/v1/policy/try", post(admin::try_policy))
        .fallback(no_such_address)
        .method_not_allowed_fallback(no_such_method)
        .layer(middleware::from_fn(with_request_id))
        .with_state(app)
}

async fn no_such_address() -> Response {
    let title = "there is no such address";
    let err = AppError::plain(RefusalKind::NotFound, "address-not-found", title);
    problem::Failure::from(err).into_response()
}

async fn no_such_method() -> Response {
    let title = "this address does not take this method";
    let err = AppError::plain(RefusalKind::Invalid, "method-not-allowed", title);
    problem::Failure::from(err).into_response()
}

/// Gives each request an identifier: in each of its log lines, and in the answer.
async fn with_request_id(request: Request, next: Next) -> Response {
    let id = Uuid::new_v4().simple().to_string();
    let path = request.uri().path().to_owned();
    let span = tracing::info_span!("request", id, method = %request.method(), path);
    let has_body = !request.body().is_end_stream();
    let mut response = async {
        let response = next.run(request).await;
        tracing::debug!(status = response.status().as_u16(), "answered");
        response
    }
    .instrument(span)
    .await;
    if let Ok(id) = id.parse() {
        response.headers_mut().insert("x-request-id", id);
    }
    if has_body && is_refused_unread(response.status()) {
        response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    response
}

/// Whether this answer may come before the body of its request was read. The connection ends then,
/// and a client that is not told would send its next request into it.
fn is_refused_unread(status: StatusCode) -> bool {
    matches!(
        status,
        StatusCode::UNAUTHORIZED
            | StatusCode::FORBIDDEN
            | StatusCode::NOT_FOUND
            | StatusCode::METHOD_NOT_ALLOWED
            | StatusCode::PAYLOAD_TOO_LARGE
    )
}
