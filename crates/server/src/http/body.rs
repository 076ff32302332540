//! JSON bodies: limited in size and in time, and refused with a text that helps.

use std::time::Duration;

use api::BODY_BYTES_MAX;
use axum::{
    body::{self, HttpBody as _},
    extract::{FromRequest, Request},
    http::{HeaderMap, header},
};
use http_body_util::BodyExt as _;
use schemars::JsonSchema;
use serde::de::DeserializeOwned;

use super::{
    operation::{Description, Input, Schemas, codes},
    problem::Failure,
};
use crate::app::{AppError, RefusalKind};

/// Seconds for which a body may trickle in: the largest one over a line of 2 Mbit/s.
const BODY_S_MAX: u64 = 30;

/// Bytes for which room is made because a client announces them: evidence of most hosts. More room comes as it fills.
const ANNOUNCED_BYTES_MAX: usize = 128 << 10;

/// Bytes that are read of a body that is too large, and thrown away: a client that is still sending
/// hears the refusal only after it has sent. What is larger still finds the connection closed.
const DISCARDED_BYTES_MAX: usize = 4 * BODY_BYTES_MAX;

/// The request's body, read as JSON.
pub(super) struct Body<T>(pub(super) T);

impl<S: Sync, T: DeserializeOwned> FromRequest<S> for Body<T> {
    type Rejection = Failure;

    async fn from_request(request: Request, _state: &S) -> Result<Self, Failure> {
        check_kind(request.headers())?;
        let bytes = read_in_time(request.into_body()).await?;
        Ok(Self(parse(&bytes)?))
    }
}

/// Refuses a request that does not say that it sends JSON.
pub(super) fn check_kind(headers: &HeaderMap) -> Result<(), AppError> {
    match is_json(headers) {
        true => Ok(()),
        false => Err(AppError::refused(
            RefusalKind::Kind,
            "media-type-unsupported",
            "this address takes JSON",
            "send it with `Content-Type: application/json`",
        )),
    }
}

/// A body as JSON.
pub(super) fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, AppError> {
    serde_json::from_slice(bytes).map_err(|err| {
        // The error names the place and the field, never the value: it may be a secret.
        let title = format!(
            "the body is not what this address takes, at line {} column {}: {}",
            err.line(),
            err.column(),
            reason(&err)
        );
        let hint = "client and server may have different versions";
        AppError::refused(RefusalKind::Invalid, "body-invalid", title, hint)
    })
}

impl<T: JsonSchema> Input for Body<T> {
    fn describe(operation: &mut Description, schemas: &mut Schemas) {
        operation.body = Some(schemas.of_request::<T>());
        operation.refuses(codes::WITH_BODY);
    }
}

/// Whether the client says that it sends JSON, with or without parameters.
fn is_json(headers: &HeaderMap) -> bool {
    let said = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let kind = said.and_then(|said| said.split(';').next()).unwrap_or_default();
    kind.trim().eq_ignore_ascii_case("application/json")
}

/// The body to its end, where it comes in time.
pub(super) async fn read_in_time(body: body::Body) -> Result<Vec<u8>, AppError> {
    let whole = tokio::time::timeout(Duration::from_secs(BODY_S_MAX), read(body));
    whole.await.map_err(|_| {
        let title = format!("the body did not come within {BODY_S_MAX} s");
        AppError::plain(RefusalKind::TooSlow, "body-too-slow", title)
    })?
}

/// The body to its end; [`BODY_BYTES_MAX`] of it are kept at most.
async fn read(mut body: body::Body) -> Result<Vec<u8>, AppError> {
    let announced = usize::try_from(body.size_hint().lower()).unwrap_or(usize::MAX);
    let mut bytes = Vec::with_capacity(announced.min(ANNOUNCED_BYTES_MAX));
    let mut n_bytes = 0_usize;
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| {
            AppError::plain(RefusalKind::Invalid, "body-cut", "the body was cut short")
        })?;
        let Ok(data) = frame.into_data() else { continue };
        n_bytes = n_bytes.saturating_add(data.len());
        if n_bytes <= BODY_BYTES_MAX {
            bytes.extend_from_slice(&data);
        } else if n_bytes > DISCARDED_BYTES_MAX {
            break;
        }
    }
    if n_bytes > BODY_BYTES_MAX {
        let title = format!("the body is larger than {BODY_BYTES_MAX} bytes");
        let hint = "an event log has 4 MiB at most";
        return Err(AppError::refused(RefusalKind::TooLarge, "body-too-large", title, hint));
    }
    Ok(bytes)
}

fn reason(err: &serde_json::Error) -> String {
    let text = err.to_string();
    match err.classify() {
        // "missing field `x`", "unknown field `x`": names of ours, and one the client invented.
        serde_json::error::Category::Data
            if text.starts_with("missing field") || text.starts_with("unknown field") =>
        {
            text.split(" at line").next().unwrap_or_default().chars().take(120).collect()
        }
        serde_json::error::Category::Data => "a value has the wrong type".to_owned(),
        _ => "not JSON".to_owned(),
    }
}
