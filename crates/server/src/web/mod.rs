//! Web pages: for each one a handler that asks the application and fills a type of [`pages`].
//!
//! Pages are made on the server, whole, and work without their script; the script keeps them true by
//! the event stream. So a package needs no other tool chain, nothing has to be loaded before a page
//! shows, and each page can be tested as text. What a page does goes through the same methods of
//! [`App`] as the API, with the same checks of role.

mod alarms;
mod answer;
mod approvals;
mod audit;
mod boot_diff;
mod channels;
mod entrance;
mod event_log;
mod export;
mod form;
mod help;
mod host;
mod host_views;
mod hosts;
mod join;
mod oidc;
mod overview;
mod people;
mod policies;
mod references;
mod refused;
mod reports;
mod said;
mod settings;
mod trust;
mod visitor;

use std::sync::Arc;

use axum::{
    Router,
    extract::{Path, Request, State},
    http::{HeaderValue, StatusCode, header},
    middleware::{self, Next},
    response::{IntoResponse as _, Response},
    routing::{get, post},
};

use crate::app::App;
pub(crate) use refused::{is_for_a_person, message};

/// The pages and what they load.
pub(crate) fn router(app: &Arc<App>) -> Router<Arc<App>> {
    Router::new()
        .route("/", get(overview::overview))
        .route("/hosts", get(hosts::hosts))
        .route("/hosts.csv", get(export::hosts))
        .route("/hosts/preview", post(hosts::preview))
        .route("/hosts/act", post(hosts::act))
        .route("/hosts/views", post(host_views::keep))
        .route("/hosts/views/remove", post(host_views::remove))
        .route("/hosts/{id}", get(host::host))
        .route("/hosts/{id}/evidence.json", get(export::evidence))
        .route("/hosts/{id}/diff", get(boot_diff::diff))
        .route("/hosts/{id}/log", get(event_log::event_log))
        .route("/hosts/{id}/{verb}", post(host::act))
        .route("/alarms", get(alarms::alarms))
        .route("/alarms/{code}", get(alarms::hosts))
        .route("/alarms/{code}/acknowledge", post(alarms::acknowledge))
        .route("/alarms/{code}/withdraw", post(alarms::withdraw))
        .route("/approvals", get(approvals::waiting).post(approvals::decide))
        .route("/references", get(references::references))
        .route("/references/{id}/activate", post(references::activate))
        .route("/policies", get(policies::policies))
        .route("/policies/new", get(policies::edit).post(policies::put))
        .route("/policies/{number}", get(policies::policy))
        .route("/policies/{number}/try", post(policies::try_version))
        .route("/policies/{number}/activate", post(policies::activate))
        .route("/reports", get(reports::reports))
        .route("/reports/file", get(reports::file))
        .route("/trust", get(trust::trust))
        .route("/join", get(join::join).post(join::create))
        .route("/join/{id}/revoke", post(join::revoke))
        .route("/people", get(people::people))
        .route("/people/users", post(people::add_user))
        .route("/people/users/{name}/{verb}", post(people::change_user))
        .route("/people/sessions/{id}/end", post(people::end_session))
        .route("/people/tokens", post(people::create_token))
        .route("/people/tokens/{name}/revoke", post(people::revoke_token))
        .route("/channels", get(channels::channels))
        .route("/channels/new", get(channels::new).post(channels::add))
        .route("/channels/{name}", get(channels::channel))
        .route("/channels/{name}/edit", get(channels::edit).post(channels::change))
        .route("/channels/{name}/{verb}", post(channels::act))
        .route("/settings", get(settings::settings))
        .route("/audit", get(audit::audit))
        .route("/help", get(help::help))
        .route("/help/book", get(help::book))
        .route("/help/book/{chapter}", get(help::chapter))
        .route("/login", get(entrance::login).post(entrance::enter))
        .route("/login/provider", post(oidc::begin_held))
        .route("/logout", post(entrance::leave))
        .route("/v1/oidc/login", get(oidc::begin))
        .route("/v1/oidc/callback", get(oidc::callback))
        .route("/v1/oidc/logout", get(oidc::logout))
        .route("/v1/oidc/backchannel-logout", post(oidc::logout_by_provider))
        .route("/setup", get(entrance::setup).post(entrance::make_first))
        .route("/password", get(entrance::password).post(entrance::change_password))
        .layer(middleware::from_fn_with_state(Arc::clone(app), guarded))
        .route("/assets/{name}", get(asset))
}

/// What each page passes: one that cannot be shown becomes one that says so, and browsers are told what holds for all.
async fn guarded(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    guard(refused::told(&app, request, next).await)
}

/// What browsers are told of each page: to load nothing but the server's own files, to show it in no
/// frame, to keep no copy, and to tell no other site where one was.
pub(crate) fn guard(mut response: Response) -> Response {
    let headers = response.headers_mut();
    let told = [
        (header::CONTENT_SECURITY_POLICY, pages::CONTENT_SECURITY_POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "same-origin"),
        (header::CACHE_CONTROL, "no-store"),
    ];
    for (name, value) in told {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}

/// A file of the pages. Its name has its digest, so it never changes.
async fn asset(Path(name): Path<String>) -> Response {
    let Some(asset) = pages::asset(&name) else { return StatusCode::NOT_FOUND.into_response() };
    let headers = [
        (header::CONTENT_TYPE, asset.media_type),
        (header::CACHE_CONTROL, "public, max-age=31536000, immutable"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    (headers, asset.bytes).into_response()
}
