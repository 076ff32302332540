//! Pages and errors as answers of HTTP.

use axum::{
    Extension,
    http::{Method, StatusCode, request::Parts},
    response::{Html, IntoResponse, Redirect, Response},
};
use pages::{Frame, Place};

use crate::{app::AppError, http::problem};

/// What a handler of a page returns.
pub(super) type Page = Result<Response, NoPage>;

/// Why there is no page.
pub(super) enum NoPage {
    /// An error, for a person to read.
    Error(AppError),
    /// The person has to sign in first, and goes on there then.
    SignIn { then: String },
    /// The browser was sent here by another site, and so shows no cookie: it is to come once more.
    ComeAgain,
    /// The person has to choose another password first.
    ChoosePassword,
    /// This instead: a form is held until it can be sent again.
    Instead(Box<Response>),
}

impl NoPage {
    /// Who asks shows no session that is good.
    pub(super) fn sign_in(parts: &Parts) -> Self {
        let is_cross = parts.headers.get("sec-fetch-site").is_some_and(|site| site == "cross-site");
        if is_cross && parts.method == Method::GET {
            return Self::ComeAgain;
        }
        let path = parts.uri.path_and_query().filter(|_| parts.method == Method::GET);
        Self::SignIn { then: path.map_or("/", |path| path.as_str()).to_owned() }
    }
}

impl From<AppError> for NoPage {
    fn from(err: AppError) -> Self {
        Self::Error(err)
    }
}

impl From<store::StoreError> for NoPage {
    fn from(err: store::StoreError) -> Self {
        Self::Error(err.into())
    }
}

/// A page.
pub(super) fn page<T: pages::Template>(page: &T) -> Page {
    match pages::html(page) {
        Some(html) => Ok(Html(html).into_response()),
        None => Err(AppError::Bug("a page could not be written".into()).into()),
    }
}

/// Back to a page, after something was done: so that a reload does not do it once more.
pub(super) fn back(to: &str) -> Page {
    Ok(Redirect::to(to).into_response())
}

/// A frame for who is not signed in.
pub(super) fn bare(place: Place) -> Frame {
    Frame {
        place,
        visitor: None,
        said: None,
        stream: None,
        again_ms: None,
        now_ms: now_ms(),
        version: env!("CARGO_PKG_VERSION"),
    }
}

/// This server's clock, for ages on pages alone: what counts is worked out by the store's.
pub(super) fn now_ms() -> i64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since.ok().and_then(|since| i64::try_from(since.as_millis()).ok()).unwrap_or(0)
}

impl IntoResponse for NoPage {
    fn into_response(self) -> Response {
        match self {
            // Who looks is not known here: `refused` makes the page of it.
            Self::Error(err) => {
                let problem = problem::of(err);
                let status = StatusCode::from_u16(problem.status);
                let status = status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
                (status, Extension(problem)).into_response()
            }
            Self::SignIn { then } if then == "/" => Redirect::to("/login").into_response(),
            Self::SignIn { then } => {
                let then = pages::text::in_address(&then);
                Redirect::to(&format!("/login?then={then}")).into_response()
            }
            // The cookie is for this site alone, also of links in a mail; this page is of this site.
            Self::ComeAgain => Html(pages::COME_AGAIN).into_response(),
            Self::Instead(response) => *response,
            Self::ChoosePassword => Redirect::to("/password").into_response(),
        }
    }
}

/// Errors are written as parts of sentences.
pub(super) fn first_upper(text: &str) -> String {
    let mut chars = text.chars();
    let first = chars.next().map(|first| first.to_uppercase().to_string()).unwrap_or_default();
    let end = if text.is_empty() || text.ends_with(['.', '!', '?', '`']) { "" } else { "." };
    format!("{first}{}{end}", chars.as_str())
}
