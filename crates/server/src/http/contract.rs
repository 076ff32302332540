//! The document that says what the server does, and that requests and answers are held to.

use std::{collections::BTreeMap, sync::LazyLock};

use axum::{
    extract::{MatchedPath, Request},
    http::{HeaderMap, header},
    response::{IntoResponse, Response},
};
use serde_json::Value;

use super::{
    operation::{self, Answer, Contract, Description, Operations, Output, Schemas, codes},
    problem::{Failure, RefusalCode},
    query, validators,
};
use crate::app::{AppError, RefusalKind};

/// The document, written once.
static DOCUMENT: LazyLock<String> = LazyLock::new(|| document().to_string());

/// The OpenAPI 3.1 document of all operations.
pub fn document() -> Value {
    Operations::all().document()
}

/// The role that each operation needs (`nobody`, `host`, `relying-party`, `viewer`, `operator`, `admin`), by method in
/// small letters and path.
pub fn roles() -> BTreeMap<(String, String), &'static str> {
    operation::roles()
}

/// The operations of this module.
pub(super) fn operations(all: &mut Operations) {
    let about = "This document: OpenAPI 3.1";
    all.get("/v1/openapi.json", "get-openapi", about, openapi).etag();
}

/// The document as an answer.
struct Document;

impl IntoResponse for Document {
    fn into_response(self) -> Response {
        ([(header::CONTENT_TYPE, "application/json")], DOCUMENT.as_str()).into_response()
    }
}

impl Output for Document {
    fn describe(operation: &mut Description, _: &mut Schemas) {
        let schema = serde_json::json!({ "type": "object" });
        operation.answer = Some(Answer { media_type: "application/json", schema });
    }
}

/// `GET /v1/openapi.json`: nothing secret.
async fn openapi() -> Document {
    Document
}

/// Refuses requests that no operation of this path takes, before they reach it. An answer with a code
/// that its operation does not name is a bug of ours: development says so aloud.
pub(super) async fn keep<R: Future<Output = Response>>(
    contract: &Contract,
    request: Request,
    rest: impl FnOnce(Request) -> R,
) -> Response {
    let if_none_match = validators::joined(request.headers(), header::IF_NONE_MATCH);
    let has_if_match = request.headers().contains_key(header::IF_MATCH);
    let has_query = request.uri().query().is_some_and(|query| !query.is_empty());
    let accept = request.headers().contains_key(header::ACCEPT);
    let path = request.extensions().get::<MatchedPath>().cloned();
    let operation =
        path.as_ref().and_then(|path| contract.operation(path.as_str(), request.method()));
    if let Some(operation) = operation {
        if has_query && operation.query.is_none() {
            return query::invalid("this address takes no query").into_response();
        }
        if has_if_match && !operation.takes_if_match {
            let title = "this address does not look at If-Match";
            let hint = "leave it out: nothing would hold the change to that version";
            let err = AppError::refused(RefusalKind::Invalid, "if-match-not-taken", title, hint);
            return Failure::from(err).into_response();
        }
        if accept && !takes(request.headers(), operation) {
            let title = "the client takes nothing that this address gives";
            let hint = "send `Accept: application/json`, or none";
            let err = AppError::refused(RefusalKind::NotAcceptable, "not-acceptable", title, hint);
            return Failure::from(err).into_response();
        }
    }
    let response = rest(request).await;
    if let (Some(RefusalCode(code)), Some(operation)) = (response.extensions().get(), operation)
        && !is_named(code, response.status().as_u16(), operation)
    {
        let id = operation.id;
        tracing::error!(operation = id, code, "the document does not name this answer");
        if cfg!(debug_assertions) {
            let title = format!("operation {id} answers {code}, and does not say so");
            return Failure::from(AppError::Bug(title.into())).into_response();
        }
    }
    match operation {
        Some(operation) if operation.has_etag => {
            validators::validated(response, if_none_match).await
        }
        _ => response,
    }
}

fn is_named(code: &str, status: u16, operation: &Description) -> bool {
    operation.codes.contains(code) && codes::of(code).is_some_and(|known| known.status == status)
}

/// Whether the client takes what the operation gives, or what errors are given in.
fn takes(headers: &HeaderMap, operation: &Description) -> bool {
    let Some(answer) = &operation.answer else { return true };
    if answer.media_type == "*/*" {
        return true;
    }
    let given = answer.media_type.split(';').next().unwrap_or_default();
    let family = given.split('/').next().unwrap_or_default();
    let also = operation.gives_too;
    let fits = |range: &str| {
        let mut parts = range.split(';').map(str::trim);
        let kind = parts.next().unwrap_or_default();
        let refused = parts.any(|part| matches!(part, "q=0" | "q=0.0" | "q=0.00" | "q=0.000"));
        let fits = kind == "*/*"
            || kind.eq_ignore_ascii_case(given)
            || also.is_some_and(|also| kind.eq_ignore_ascii_case(also))
            || kind.strip_suffix("/*").is_some_and(|kind| kind.eq_ignore_ascii_case(family));
        fits && !refused
    };
    let said = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
    said.flat_map(|said| said.split(',')).any(fits)
}
