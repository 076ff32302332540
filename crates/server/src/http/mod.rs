//! HTTP: routes, tokens, bodies, errors. No rules and no SQL here.

mod admin;
mod agent;
mod alarm;
mod approval;
mod attention;
mod auth;
mod body;
mod boot_diff;
mod channel;
mod client_certificate;
mod contract;
mod ek_list;
mod event;
mod health;
mod host_view;
mod idempotency;
mod in_turn;
mod inventory;
mod listen;
mod oidc;
mod operation;
mod path;
mod people;
mod policy;
pub(crate) mod problem;
mod query;
mod reference;
mod report;
mod request;
mod result;
mod session;
mod settings;
mod standing;
mod validators;
mod written;

use std::sync::Arc;

use axum::{
    Router,
    extract::{Request, State},
    middleware::{self, Next},
    response::{IntoResponse as _, Response},
};

pub(crate) use auth::{Unsaid, address, cookie_value, require_own_page, session_cookie};
pub use contract::{document, roles};
pub use health::operating;
pub(crate) use listen::Peer;
pub use listen::{Limits, Transport, serve};
pub(crate) use report::kind as report_kind;
pub(crate) use request::RequestId;
pub(crate) use session::cookie;

use operation::{Contract, Operations};

use crate::app::{App, AppError, RefusalKind};

/// The operations of each module.
fn add_operations(all: &mut Operations) {
    health::operations(all);
    contract::operations(all);
    admin::operations(all);
    agent::operations(all);
    alarm::operations(all);
    approval::operations(all);
    attention::operations(all);
    boot_diff::operations(all);
    channel::operations(all);
    client_certificate::operations(all);
    event::operations(all);
    ek_list::operations(all);
    inventory::operations(all);
    host_view::operations(all);
    oidc::operations(all);
    people::operations(all);
    policy::operations(all);
    reference::operations(all);
    report::operations(all);
    result::operations(all);
    session::operations(all);
    settings::operations(all);
    standing::operations(all);
}

/// All routes.
pub fn router(app: Arc<App>) -> Router {
    let (routes, contract) = Operations::all().into_parts();
    let around = (Arc::clone(&app), Arc::new(contract));
    routes
        .merge(crate::web::router(&app))
        .fallback(no_such_address)
        .method_not_allowed_fallback(no_such_method)
        .layer(middleware::from_fn_with_state(around, pass))
        .with_state(app)
}

/// What each request passes before its handler. All in one layer, since each has its service cloned, and all that is
/// under way put into a box of its own.
async fn pass(
    State((app, contract)): State<(Arc<App>, Arc<Contract>)>,
    request: Request,
    next: Next,
) -> Response {
    // Each in a box, as what wraps it has room twice for what it moves: a poll that waits for a minute would have that
    // room for as long.
    let once = |request| Box::pin(idempotency::once(&app, &contract, request, next));
    let kept = |request| Box::pin(contract::keep(&contract, request, once));
    request::observe(&app, request, kept).await
}

async fn no_such_address(State(app): State<Arc<App>>, request: Request) -> Response {
    let title = "there is no such address";
    let hint = "the menu names the pages, `/v1/openapi.json` the addresses for programs";
    let err = AppError::refused(RefusalKind::NotFound, "address-not-found", title, hint);
    refused(&app, request, err).await
}

async fn no_such_method(State(app): State<Arc<App>>, request: Request) -> Response {
    let title = "this address does not take this method";
    let hint =
        "what comes of a form is asked for by its form; the header `Allow` says what is taken";
    let err = AppError::refused(RefusalKind::Method, "method-not-allowed", title, hint);
    refused(&app, request, err).await
}

/// What no handler took: a page for people, facts for programs.
async fn refused(app: &Arc<App>, request: Request, err: AppError) -> Response {
    let (parts, _) = request.into_parts();
    if crate::web::is_for_a_person(&parts) {
        let page = crate::web::message(app, &parts, problem::of(err)).await;
        return crate::web::guard(page);
    }
    problem::Failure::from(err).into_response()
}
