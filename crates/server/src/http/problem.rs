//! Errors as answers.

use api::problem::Problem;
use axum::{
    Json,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};

use crate::app::{AppError, RefusalKind};

/// Seconds after which the same request may succeed: what is short of something now has it again soon.
const RETRY_AFTER_S: u16 = 5;

/// The code that an answer carries, beside it: nobody reads a body to know.
#[derive(Clone, Debug)]
pub(super) struct RefusalCode(pub(super) String);

/// What a handler returns where it fails.
pub(super) struct Failure(AppError);

impl From<AppError> for Failure {
    fn from(err: AppError) -> Self {
        Self(err)
    }
}

impl From<store::StoreError> for Failure {
    fn from(err: store::StoreError) -> Self {
        Self(err.into())
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let problem = of(self.0);
        let status =
            StatusCode::from_u16(problem.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let kind = [(header::CONTENT_TYPE, "application/problem+json")];
        let code = RefusalCode(problem.code.clone());
        let mut response = (status, kind, Json(problem.clone())).into_response();
        if status == StatusCode::UNAUTHORIZED {
            let bearer = HeaderValue::from_static("Bearer");
            response.headers_mut().insert(header::WWW_AUTHENTICATE, bearer);
        }
        say_when_again(&mut response);
        response.extensions_mut().insert(code);
        // For whoever knows the request's identifier, and counts.
        response.extensions_mut().insert(problem);
        response
    }
}

/// Says when what cannot be done now may be asked for again.
pub(crate) fn say_when_again(response: &mut Response) {
    let status = response.status();
    if matches!(status, StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE) {
        response.headers_mut().entry(header::RETRY_AFTER).or_insert(RETRY_AFTER_S.into());
    }
}

/// What the client hears of an error: 4xx for what it did, 503 for "again later", 500 for a bug. What is
/// inside goes to the log with its whole chain, and only what is for the client goes out.
pub(crate) fn of(err: AppError) -> Problem {
    let (status, code, title, hint) = match err {
        AppError::Refused(refusal) => {
            // Said once, in the request's own line.
            (status_of(refusal.kind), refusal.code, refusal.title, refusal.hint)
        }
        AppError::Unavailable(source) => {
            tracing::error!(error = %Chain(&*source), "request not served");
            let title = "the server cannot do this now".to_owned();
            let hint = Some("try again in a minute; the server's log says more".to_owned());
            (StatusCode::SERVICE_UNAVAILABLE, "unavailable", title, hint)
        }
        AppError::Bug(source) => {
            tracing::error!(error = %Chain(&*source), "internal error");
            let title = "the server failed at this request".to_owned();
            let hint = Some("the server's log says more; please report it".to_owned());
            (StatusCode::INTERNAL_SERVER_ERROR, "internal", title, hint)
        }
    };
    Problem { code: code.to_owned(), status: status.as_u16(), title, hint, request_id: None }
}

fn status_of(kind: RefusalKind) -> StatusCode {
    match kind {
        RefusalKind::Invalid => StatusCode::BAD_REQUEST,
        RefusalKind::Unauthenticated => StatusCode::UNAUTHORIZED,
        RefusalKind::Forbidden => StatusCode::FORBIDDEN,
        RefusalKind::NotFound => StatusCode::NOT_FOUND,
        RefusalKind::Conflict => StatusCode::CONFLICT,
        RefusalKind::Method => StatusCode::METHOD_NOT_ALLOWED,
        RefusalKind::NotAcceptable => StatusCode::NOT_ACCEPTABLE,
        RefusalKind::Kind => StatusCode::UNSUPPORTED_MEDIA_TYPE,
        RefusalKind::Gone => StatusCode::GONE,
        RefusalKind::Precondition => StatusCode::PRECONDITION_FAILED,
        RefusalKind::PreconditionRequired => StatusCode::PRECONDITION_REQUIRED,
        RefusalKind::Unprocessable => StatusCode::UNPROCESSABLE_ENTITY,
        RefusalKind::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        RefusalKind::TooMany => StatusCode::TOO_MANY_REQUESTS,
        RefusalKind::TooSlow => StatusCode::REQUEST_TIMEOUT,
        RefusalKind::Upstream => StatusCode::BAD_GATEWAY,
    }
}

/// An error and all its sources, for the log.
pub(crate) struct Chain<'a>(pub(crate) &'a (dyn std::error::Error + 'static));

impl std::fmt::Display for Chain<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.0)?;
        let mut source = self.0.source();
        while let Some(err) = source {
            write!(f, ": {err}")?;
            source = err.source();
        }
        Ok(())
    }
}
