//! Requests that are done once, however often they are sent: `Idempotency-Key`.
//!
//! A client that lost an answer sends the request again under the same key, and gets the answer of the first.
//! What is kept of it is sealed by a key made of the client's credential and its `Idempotency-Key`: answers may
//! hold secrets, and the database alone opens none. A request whose server was killed before it could
//! keep the answer is not done again: nobody knows whether it was done.

use std::sync::Arc;

use aws_lc_rs::{
    aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey},
    digest::{Context, SHA256},
    hmac,
};
use axum::{
    body::{Body, Bytes},
    extract::{FromRequestParts as _, MatchedPath, Request},
    http::{HeaderName, HeaderValue, Method, StatusCode, header, request::Parts},
    middleware::Next,
    response::{IntoResponse as _, Response},
};
use http_body_util::BodyExt as _;
use store::{Begun, IdempotentRequest, Sha256};
use tracing::Instrument as _;

use super::{
    auth::Known,
    body,
    operation::{Contract, Description, HeaderParameter, Needs, codes},
    problem::Failure,
};
use crate::app::{App, AppError, RefusalKind};

/// The header that names a request.
pub(super) const KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// The header that says that an answer was given before.
const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");

/// Characters of a key: UUIDs have 36, names of jobs with their numbers below a hundred.
pub(super) const KEY_CHARS_MAX: usize = 128;

/// Milliseconds for which an answer is kept: a script that failed at night is run again in the morning.
const KEPT_MS: i64 = 24 * 3_600_000;

/// Milliseconds after which a request that was not answered is not under way any more: twice as long as the
/// slowest takes, a policy that is tried on a page of hosts.
const UNDER_WAY_MS: i64 = 120_000;

/// Bytes of an answer that is kept: one about 500 hosts, each with a problem, has 200 KiB.
const ANSWER_BYTES_MAX: usize = 256 * 1024;

/// Says of an operation that it can be done once.
pub(super) fn describe(operation: &mut Description) {
    if !operation.is_of_person() {
        operation.refuses(&["idempotency-key-invalid"]);
        return;
    }
    operation.headers.push(HeaderParameter {
        name: "Idempotency-Key",
        about: "names this request: sent again under the same key within a day it is not done again, \
                and answered the same",
        required: false,
        schema: serde_json::json!({
            "type": "string",
            "minLength": 1,
            "maxLength": KEY_CHARS_MAX,
            "pattern": "^[!-~]+$",
        }),
    });
    operation.refuses(codes::WITH_KEY);
}

/// Does a request with a key once.
pub(super) async fn once(
    app: &Arc<App>,
    contract: &Contract,
    request: Request,
    next: Next,
) -> Response {
    // The other methods are the same when they are done twice.
    if request.method() != Method::POST || !request.headers().contains_key(KEY) {
        return next.run(request).await;
    }
    let path = request.extensions().get::<MatchedPath>();
    let operation = path.and_then(|path| contract.operation(path.as_str(), request.method()));
    match operation.map(|operation| operation.needs) {
        None => next.run(request).await,
        Some(Needs::Nobody | Needs::Host) => {
            let title = "requests of this address are told apart by what they say";
            let hint = "leave out the header Idempotency-Key";
            let err = refused(RefusalKind::Invalid, "idempotency-key-invalid", title, hint);
            Failure::from(err).into_response()
        }
        Some(_) => match begin(app, request).await {
            Ok(Beginning::First(request, once)) => {
                // It goes on where the client leaves, so that there is an answer when it comes again.
                let doing = once.do_it(Arc::clone(app), request, next).in_current_span();
                match tokio::spawn(doing).await {
                    Ok(response) => response,
                    Err(err) => Failure::from(AppError::Bug(err.into())).into_response(),
                }
            }
            Ok(Beginning::Done(response)) => response,
            Err(failure) => failure.into_response(),
        },
    }
}

fn refused(kind: RefusalKind, code: &'static str, title: &str, hint: &str) -> AppError {
    AppError::refused(kind, code, title, hint)
}

/// What becomes of a request with a key.
enum Beginning {
    /// It is done now.
    First(Request, Once),
    /// It was done.
    Done(Response),
}

/// A request that is done now.
struct Once {
    id: Sha256,
    seal: [u8; 32],
}

async fn begin(app: &Arc<App>, request: Request) -> Result<Beginning, Failure> {
    let (mut parts, body) = request.into_parts();
    let key = key(&parts)?;
    // Only who is known fills the store.
    Known::from_request_parts(&mut parts, app).await?;
    let credential = credential(&parts);
    let body = body::read_in_time(body).await?;
    let derived = |of: &[u8]| -> Sha256 {
        let secret = hmac::Key::new(hmac::HMAC_SHA256, &credential);
        let mut context = hmac::Context::with_key(&secret);
        context.update(of);
        context.update(key.as_bytes());
        context.sign().as_ref().try_into().unwrap_or_default()
    };
    let once = Once {
        id: derived(b"bootproof idempotent request v1\0"),
        seal: derived(b"bootproof idempotent answer v1\0"),
    };
    let at_ms = app.store_now_ms().await?;
    let begun = app.begin_idempotent(IdempotentRequest {
        id: once.id,
        caller: sha256(&[b"bootproof caller v1\0", &credential]),
        request_sha256: sha256(&[
            parts.method.as_str().as_bytes(),
            b"\0",
            parts.uri.path_and_query().map_or("", |path| path.as_str()).as_bytes(),
            b"\0",
            &body,
        ]),
        at_ms,
        expires_at_ms: at_ms.saturating_add(KEPT_MS),
    });
    match begun.await? {
        Begun::First => Ok(Beginning::First(Request::from_parts(parts, Body::from(body)), once)),
        Begun::Answered { sealed } => Ok(Beginning::Done(once.open(sealed)?)),
        Begun::Other => {
            let title = "this key was used for another request";
            let hint = "each request has a key of its own, a random one for example";
            let kind = RefusalKind::Unprocessable;
            Err(refused(kind, "idempotency-key-reused", title, hint).into())
        }
        Begun::Unanswered { begun_at_ms } if begun_at_ms.saturating_add(UNDER_WAY_MS) > at_ms => {
            let title = "the same request is being done";
            let hint = "send it again in some seconds, under the same key";
            Err(refused(RefusalKind::Conflict, "idempotency-in-progress", title, hint).into())
        }
        Begun::Unanswered { .. } => {
            let title = "the same request began before, and nobody knows how it ended";
            let hint = "look whether it was done; if it was not, send it under another key";
            Err(refused(RefusalKind::Conflict, "idempotency-outcome-unknown", title, hint).into())
        }
    }
}

/// The key, where there is one of a sensible form.
fn key(parts: &Parts) -> Result<String, AppError> {
    let mut all = parts.headers.get_all(KEY).iter();
    let key = all.next().and_then(|key| key.to_str().ok()).unwrap_or_default();
    let fits = !key.is_empty()
        && key.len() <= KEY_CHARS_MAX
        && key.bytes().all(|byte| byte.is_ascii_graphic())
        && all.next().is_none();
    if fits {
        return Ok(key.to_owned());
    }
    let title = format!("a key has 1 to {KEY_CHARS_MAX} letters, digits and signs of ASCII");
    let hint = "a random UUID is one";
    Err(AppError::refused(RefusalKind::Invalid, "idempotency-key-invalid", title, hint))
}

/// What the caller shows. Another one of the same person has keys of its own.
fn credential(parts: &Parts) -> Vec<u8> {
    let shown = parts.headers.get(header::AUTHORIZATION);
    let shown = shown.or_else(|| parts.headers.get(header::COOKIE));
    shown.map(|shown| shown.as_bytes().to_vec()).unwrap_or_default()
}

fn sha256(parts: &[&[u8]]) -> Sha256 {
    let mut context = Context::new(&SHA256);
    parts.iter().for_each(|part| context.update(part));
    context.finish().as_ref().try_into().unwrap_or_default()
}

/// Whether the same request again would be answered the same. What the server could not do, and what rests
/// on who asked and when, is tried anew.
fn is_kept(status: StatusCode) -> bool {
    !status.is_server_error()
        && !matches!(
            status,
            StatusCode::UNAUTHORIZED
                | StatusCode::FORBIDDEN
                | StatusCode::REQUEST_TIMEOUT
                | StatusCode::TOO_MANY_REQUESTS
        )
}

impl Once {
    async fn do_it(self, app: Arc<App>, request: Request, next: Next) -> Response {
        let (parts, body) = next.run(request).await.into_parts();
        // Answers of ours are whole already.
        let body = body.collect().await.map(|body| body.to_bytes()).unwrap_or_default();
        let kept = if is_kept(parts.status) {
            let sealed = self.sealed(parts.status, parts.headers.get(header::CONTENT_TYPE), &body);
            match sealed {
                Ok(sealed) => app.answer_idempotent(self.id, sealed).await,
                Err(err) => Err(err),
            }
        } else {
            app.forget_idempotent(self.id).await
        };
        if let Err(err) = kept {
            // It is done: its answer goes out. Once more under this key it is told as unknown.
            tracing::warn!(?err, "the answer to a request with a key could not be kept");
        }
        Response::from_parts(parts, Body::from(body))
    }

    /// Status, the length of the media type and itself, and the body; none of the latter where it is too
    /// large to be kept.
    fn sealed(
        &self,
        status: StatusCode,
        kind: Option<&HeaderValue>,
        body: &Bytes,
    ) -> Result<Vec<u8>, AppError> {
        let kind = kind.map(HeaderValue::as_bytes).unwrap_or_default();
        let (kind_len, body) = match u8::try_from(kind.len()) {
            Ok(kind_len) if body.len() <= ANSWER_BYTES_MAX => (kind_len, &body[..]),
            _ => (0, &[][..]),
        };
        let kind = kind.get(..usize::from(kind_len)).unwrap_or_default();
        let mut bytes = [&status.as_u16().to_be_bytes()[..], &[kind_len], kind, body].concat();
        let nonce = self
            .key()?
            .seal_in_place_append_tag(Aad::from(&self.id), &mut bytes)
            .map_err(|err| AppError::Bug(err.into()))?;
        Ok([&nonce.as_ref()[..], &bytes].concat())
    }

    fn key(&self) -> Result<RandomizedNonceKey, AppError> {
        RandomizedNonceKey::new(&AES_256_GCM, &self.seal).map_err(|err| AppError::Bug(err.into()))
    }

    fn open(&self, mut sealed: Vec<u8>) -> Result<Response, AppError> {
        let broken = || AppError::Bug("a kept answer cannot be opened".into());
        if sealed.len() < NONCE_LEN {
            return Err(broken());
        }
        let (nonce, sealed) = sealed.split_at_mut(NONCE_LEN);
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| broken())?;
        let opened =
            self.key()?.open_in_place(nonce, Aad::from(&self.id), sealed).map_err(|_| broken())?;
        let [high, low, kind_len, rest @ ..] = &*opened else { return Err(broken()) };
        let status =
            StatusCode::from_u16(u16::from_be_bytes([*high, *low])).map_err(|_| broken())?;
        let (kind, body) = rest.split_at_checked(usize::from(*kind_len)).ok_or_else(broken)?;
        if kind.is_empty() {
            let title = "the request was done; its answer was too large to be kept";
            let hint = "look at what it changed";
            let kind = RefusalKind::Conflict;
            return Err(refused(kind, "idempotency-answer-not-kept", title, hint));
        }
        let mut response = (status, body.to_vec()).into_response();
        let kind = HeaderValue::from_bytes(kind).map_err(|_| broken())?;
        response.headers_mut().insert(header::CONTENT_TYPE, kind);
        response.headers_mut().insert(REPLAYED, HeaderValue::from_static("true"));
        Ok(response)
    }
}
