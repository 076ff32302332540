//! The page in place of one that cannot be shown: what is wrong, what to do, and the menu to go on with.
//!
//! Handlers say why there is no page ([`NoPage`](super::answer::NoPage)) and know of nobody who looks; so the page
//! is made around them, where the request is still at hand.

use std::sync::Arc;

use api::problem::Problem;
use axum::{
    extract::Request,
    http::{HeaderMap, HeaderName, StatusCode, header, request::Parts},
    middleware::Next,
    response::{Html, IntoResponse as _, Response},
};
use pages::{Frame, Message};

use super::{
    answer::{bare, first_upper},
    visitor::frame_of,
};
use crate::{
    app::App,
    http::{RequestId, address, problem, session_cookie},
};

/// Whether a person in a browser asks: programs take anything, or say JSON.
pub(crate) fn is_for_a_person(parts: &Parts) -> bool {
    let is_of_the_api = parts.uri.path().starts_with("/v1/");
    let mut accepted = parts.headers.get_all(header::ACCEPT).iter();
    !is_of_the_api && accepted.any(|value| value.to_str().is_ok_and(|v| v.contains("text/html")))
}

/// Makes a page of what a handler could not show.
pub(super) async fn told(app: &Arc<App>, request: Request, next: Next) -> Response {
    let (parts, body) = request.into_parts();
    let asked = parts.clone();
    let response = next.run(Request::from_parts(parts, body)).await;
    let told = response.extensions().get::<Problem>().cloned();
    match told.or_else(|| unread(&asked, &response)) {
        Some(problem) => {
            let mut page = message(app, &asked, problem).await;
            carry(response.headers(), header::SET_COOKIE, &mut page);
            page
        }
        None => response,
    }
}

/// What an address was refused for before its handler was asked: the library says so in a line for programs.
fn unread(asked: &Parts, response: &Response) -> Option<Problem> {
    let kind = response.headers().get(header::CONTENT_TYPE)?;
    let is_line = kind.as_bytes().starts_with(b"text/plain");
    let is_page = !asked.uri.path().starts_with("/v1/");
    (is_page && is_line && response.status().is_client_error()).then(|| Problem {
        code: "query-invalid".to_owned(),
        status: response.status().as_u16(),
        title: "no page has this address".to_owned(),
        hint: Some("it was cut or changed on its way: go on by the menu".to_owned()),
        request_id: None,
    })
}

/// The page that says this problem, for who looks. What is known of it goes on to the request's line in the log.
pub(crate) async fn message(app: &Arc<App>, asked: &Parts, problem: Problem) -> Response {
    let status = StatusCode::from_u16(problem.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let message = Message {
        frame: frame(app, asked).await,
        title: first_upper(&problem.title),
        next_step: problem.hint.as_deref().map(first_upper).unwrap_or_default(),
        request: asked.extensions.get::<RequestId>().map(|RequestId(id)| id.clone()),
    };
    let mut response = (status, Html(pages::html(&message).unwrap_or_default())).into_response();
    problem::say_when_again(&mut response);
    response.extensions_mut().insert(problem);
    response
}

/// What stands around it. A message is of one moment: no stream keeps it true.
async fn frame(app: &Arc<App>, asked: &Parts) -> Frame {
    let place = pages::place_of(asked.uri.path());
    let Some(secret) = session_cookie(asked) else { return bare(place) };
    let Ok(caller) = app.authenticate(secret, address(asked)).await else { return bare(place) };
    match caller.session.as_ref().filter(|session| !session.password.must_change()) {
        Some(session) => {
            let role = caller.role.to_string();
            let framed = frame_of(&caller.by.actor, &role, &session.csrf_token, place);
            Frame { stream: None, ..framed }
        }
        None => bare(place),
    }
}

fn carry(from: &HeaderMap, name: HeaderName, to: &mut Response) {
    for value in from.get_all(&name) {
        to.headers_mut().append(&name, value.clone());
    }
}
