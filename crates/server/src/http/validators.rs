//! Validators of what is answered: `ETag`, and the conditions that name one. [RFC 9110 §8.8, §13]

use std::sync::Arc;

use aws_lc_rs::digest::{SHA256, digest};
use axum::{
    body::{Body, Bytes},
    extract::FromRequestParts,
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header, request::Parts},
    response::{IntoResponse, Response},
};
use http_body_util::BodyExt as _;
use serde::Serialize;

use super::{
    operation::{Description, HeaderParameter, Input, Schemas},
    problem::Failure,
};
use crate::app::{App, AppError, RefusalKind};

/// The validator of these bytes: equal where they are.
pub(super) fn etag(bytes: &[u8]) -> String {
    let digest = digest(&SHA256, bytes);
    // Half of it tells versions of one answer apart, and is short enough to be typed.
    format!("\"{}\"", hex::encode(digest.as_ref().get(..16).unwrap_or_default()))
}

/// The validator of a value, as its answer has it.
pub(super) fn etag_of<T: Serialize>(value: &T) -> Result<String, AppError> {
    Ok(etag(&serde_json::to_vec(value).map_err(|err| AppError::Bug(err.into()))?))
}

/// Gives an answer its validator, and leaves out the body where the client has it already.
pub(super) async fn validated(response: Response, if_none_match: Option<HeaderValue>) -> Response {
    if response.status() != StatusCode::OK {
        return response;
    }
    let (mut parts, body) = response.into_parts();
    // Answers of ours are whole already.
    let bytes: Bytes = body.collect().await.map(|body| body.to_bytes()).unwrap_or_default();
    let etag = etag(&bytes);
    let is_known = if_none_match.is_some_and(|known| names(&known, &etag, Strength::Weak));
    if let Ok(etag) = HeaderValue::from_str(&etag) {
        parts.headers.insert(header::ETAG, etag);
    }
    if !is_known {
        return Response::from_parts(parts, Body::from(bytes));
    }
    parts.status = StatusCode::NOT_MODIFIED;
    parts.headers.remove(header::CONTENT_TYPE);
    parts.headers.remove(header::CONTENT_LENGTH);
    (parts, ()).into_response()
}

/// How validators are compared.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Strength {
    /// Proxies may have marked one as weak.
    Weak,
    /// Not so where something is changed by it.
    Strong,
}

/// Whether a list of validators names this one.
fn names(list: &HeaderValue, etag: &str, strength: Strength) -> bool {
    let Ok(list) = list.to_str() else { return false };
    list.split(',').map(str::trim).any(|one| {
        one == "*"
            || one == etag
            || (strength == Strength::Weak && one.strip_prefix("W/").is_some_and(|one| one == etag))
    })
}

/// The version that a change is meant for: `If-Match`, which must be there.
pub(super) struct IfMatch(HeaderValue);

impl IfMatch {
    /// Refuses where it is not this version.
    pub(super) fn require(&self, etag: &str) -> Result<(), AppError> {
        if names(&self.0, etag, Strength::Strong) {
            return Ok(());
        }
        Err(changed())
    }
}

fn changed() -> AppError {
    AppError::refused(
        RefusalKind::Precondition,
        "changed-since",
        "it was changed since the version that If-Match names",
        "get it again, look at what changed, and send the change with the new ETag",
    )
}

impl FromRequestParts<Arc<App>> for IfMatch {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, _: &Arc<App>) -> Result<Self, Failure> {
        let all = joined(&parts.headers, header::IF_MATCH);
        all.map(Self).ok_or_else(|| {
            AppError::refused(
                RefusalKind::PreconditionRequired,
                "if-match-required",
                "this replaces all of it, so it has to say which version it is meant for",
                "send the ETag of its GET as If-Match, or `*` for whatever is there",
            )
            .into()
        })
    }
}

impl Input for IfMatch {
    fn describe(operation: &mut Description, _: &mut Schemas) {
        operation.takes_if_match = true;
        operation.headers.push(HeaderParameter {
            name: "If-Match",
            about: "the ETag of the version that is to be changed, or `*`",
            required: true,
            schema: serde_json::json!({ "type": "string" }),
        });
        operation.refuses(&["changed-since", "if-match-required"]);
    }
}

/// The values of a header as one list.
pub(super) fn joined(headers: &HeaderMap, name: HeaderName) -> Option<HeaderValue> {
    let mut all = headers.get_all(name).iter();
    let first = all.next()?.clone();
    let rest: Vec<_> = all.map(HeaderValue::as_bytes).collect();
    if rest.is_empty() {
        return Some(first);
    }
    HeaderValue::from_bytes(&[&[first.as_bytes()], &rest[..]].concat().join(&b","[..])).ok()
}
