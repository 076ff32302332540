//! HTTP: routes, tokens, bodies, errors. No rules and no SQL here.

mod admin;
mod agent;
mod alarm;
mod approval;
mod auth;
mod body;
mod channel;
mod contract;
mod event;
mod inventory;
mod listen;
mod operation;
mod path;
mod people;
pub(crate) mod problem;
mod query;
mod reference;
mod result;
mod session;

use std::sync::Arc;

use axum::{
    Router,
    body::HttpBody as _,
    extract::Request,
    http::{HeaderValue, StatusCode, header},
    middleware::{self, Next},
    response::{IntoResponse as _, Response},
};
use tracing::Instrument as _;
use uuid::Uuid;

pub use contract::{document, roles};
pub use listen::serve;

use operation::Operations;

use crate::app::{App, AppError, RefusalKind};

/// The operations of each module.
fn add_operations(all: &mut Operations) {
    all.get("/healthz", "get-health", "Says that the process lives", async || "ok\n");
    contract::operations(all);
    admin::operations(all);
    agent::operations(all);
    alarm::operations(all);
    approval::operations(all);
    channel::operations(all);
    event::operations(all);
    inventory::operations(all);
    people::operations(all);
    reference::operations(all);
    result::operations(all);
    session::operations(all);
}

/// All routes.
pub fn router(app: Arc<App>) -> Router {
    let (routes, contract) = Operations::all().into_parts();
    routes
        .fallback(no_such_address)
        .method_not_allowed_fallback(no_such_method)
        .layer(middleware::from_fn_with_state(Arc::new(contract), contract::keep))
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
    let err = AppError::plain(RefusalKind::Method, "method-not-allowed", title);
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
            | StatusCode::NOT_ACCEPTABLE
            | StatusCode::UNSUPPORTED_MEDIA_TYPE
            | StatusCode::BAD_REQUEST
            | StatusCode::PAYLOAD_TOO_LARGE
    )
}
