//! What holds for each request: its identifier, its line in the log, its counts.

use std::{borrow::Cow, time::Instant};

use api::problem::Problem;
use axum::{
    Json,
    body::HttpBody as _,
    extract::{MatchedPath, Request},
    http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header},
    response::{IntoResponse as _, Response},
};
use opentelemetry::KeyValue;
use tracing::Instrument as _;
use uuid::Uuid;

use crate::{
    app::App,
    traces::{self, RemoteParent, Sampling},
};

/// Characters of an identifier that a client brings: those of others are shorter.
const ID_CHARS_MAX: usize = 64;

/// Characters of a path that are logged: ours are below it.
const PATH_CHARS_MAX: usize = 200;

/// The header with the identifier of a request.
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// By what a request's lines in the log are found, for what answers it.
#[derive(Clone, Debug)]
pub(crate) struct RequestId(pub(crate) String);

/// Where agents ask.
const OF_AGENTS: &str = "/v1/agent/";

/// The method, where it is one that anybody knows: a client may say any word.
fn known_method(method: &Method) -> &str {
    let known = [
        Method::GET,
        Method::HEAD,
        Method::POST,
        Method::PUT,
        Method::PATCH,
        Method::DELETE,
        Method::OPTIONS,
    ];
    if known.contains(method) { method.as_str() } else { "_OTHER" }
}

/// The path as it is logged.
fn shown_path(request: &Request) -> Cow<'_, str> {
    match request.uri().path() {
        path if path.len() <= PATH_CHARS_MAX => path.into(),
        path => path.chars().take(PATH_CHARS_MAX).collect(),
    }
}

/// Gives each request an identifier, which stands in its lines of the log and in its answer; says in one
/// line what became of it; and counts it.
pub(super) async fn observe<R: Future<Output = Response>>(
    app: &App,
    mut request: Request,
    rest: impl FnOnce(Request) -> R,
) -> Response {
    let begun = Instant::now();
    let id = identifier(request.headers());
    request.extensions_mut().insert(RequestId(id.clone()));
    let method = request.method().clone();
    let matched = request.extensions().get::<MatchedPath>().cloned();
    let route = matched.as_ref().map_or("none", MatchedPath::as_str);
    let has_body = !request.body().is_end_stream();
    let span = tracing::info_span!("request", id, %method, path = &*shown_path(&request));
    let traced = traces::request(remote_parent(&request), || {
        let attribute = |key, value: &str| KeyValue::new(key, value.to_owned());
        vec![
            attribute("http.request.method", known_method(&method)),
            attribute("http.route", route),
            attribute("bootproof.request_id", &id),
        ]
    });
    let noted = traced.clone();
    let answered = async {
        let response = rest(request).await;
        let problem = response.extensions().get::<Problem>();
        let took = begun.elapsed();
        let status = response.status().as_u16();
        app.metrics().answered(method.as_str(), route, status, took);
        if let Some(problem) = problem {
            app.metrics().refused(&problem.code);
        }
        log(route, status, took.as_millis(), problem);
        noted.note("http.response.status_code", i64::from(status));
        if let Some(problem) = problem {
            noted.fails(problem.code.clone());
        }
        response
    }
    .instrument(span);
    let mut response = traced.run(answered).await;
    // A page says it already.
    let is_page = has_html(response.headers());
    if let Some(problem) = response.extensions_mut().remove::<Problem>().filter(|_| !is_page) {
        response = with_id(response, Problem { request_id: Some(id.clone()), ..problem });
    }
    if let Ok(id) = HeaderValue::try_from(id) {
        response.headers_mut().insert(REQUEST_ID, id);
    }
    let is_unread = has_body && is_refused_unread(response.status());
    // At the end whoever comes again had better come to another server.
    if is_unread || app.is_ending() {
        response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    response
}

/// One line. Those who watch the server ask every few seconds, and are told of at `debug`; so are hosts, of whose
/// attestation a line of its own tells.
fn log(route: &str, status: u16, took_ms: u128, problem: Option<&Problem>) {
    let took_ms = u64::try_from(took_ms).unwrap_or(u64::MAX);
    match problem {
        Some(Problem { code, title, .. }) => {
            tracing::info!(route, status, took_ms, code, "request refused: {title}");
        }
        None if is_routine(route) => {
            tracing::debug!(route, status, took_ms, "request answered");
        }
        None => tracing::info!(route, status, took_ms, "request answered"),
    }
}

fn is_routine(route: &str) -> bool {
    matches!(route, "/healthz" | "/readyz" | "/metrics" | "/v1/agent/poll" | "/v1/agent/evidence")
}

fn has_html(headers: &HeaderMap) -> bool {
    headers.get(header::CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"text/html"))
}

/// The same answer, with the identifier by which a person finds its line in the log.
fn with_id(response: Response, problem: Problem) -> Response {
    let (mut parts, _) = response.into_parts();
    let (json, body) = Json(problem).into_response().into_parts();
    parts.headers.remove(header::CONTENT_LENGTH);
    if let Some(length) = json.headers.get(header::CONTENT_LENGTH) {
        parts.headers.insert(header::CONTENT_LENGTH, length.clone());
    }
    Response::from_parts(parts, body)
}

/// The identifier that the client brings, where it is one; that of its trace; else one of our own, which
/// could be that of a trace.
fn identifier(headers: &HeaderMap) -> String {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let of_client = text("x-request-id").filter(|id| is_identifier(id)).map(str::to_owned);
    let of_trace = || text("traceparent").and_then(TraceParent::read).map(|parent| parent.trace);
    of_client.or_else(of_trace).unwrap_or_else(|| Uuid::new_v4().simple().to_string())
}

/// What goes into a log as it is.
fn is_identifier(id: &str) -> bool {
    let is_plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.');
    (1..=ID_CHARS_MAX).contains(&id.len()) && id.bytes().all(is_plain)
}

/// Where a request stands in its caller's trace. Hosts are not asked: they would choose what is kept.
fn remote_parent(request: &Request) -> Option<RemoteParent> {
    if request.uri().path().starts_with(OF_AGENTS) {
        return None;
    }
    let header = request.headers().get("traceparent")?.to_str().ok()?;
    let TraceParent { trace, span, is_sampled } = TraceParent::read(header)?;
    let sampling = if is_sampled { Sampling::Kept } else { Sampling::NotKept };
    Some(RemoteParent { trace, span, sampling })
}

/// Where a request stands in a trace. [Trace Context, W3C, §3.2]
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct TraceParent {
    /// 32 digits.
    pub(super) trace: String,
    /// The caller's span, 16 digits.
    pub(super) span: String,
    /// Whether the caller keeps what it recorded.
    pub(super) is_sampled: bool,
}

impl TraceParent {
    fn read(text: &str) -> Option<Self> {
        let mut parts = text.split('-');
        let (version, trace, span, flags) =
            (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
        let is_hex = |text: &str, n: usize| {
            text.len() == n && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
        };
        let is_some = |text: &str, n: usize| is_hex(text, n) && text.bytes().any(|b| b != b'0');
        // Later versions may have more at the end, version 0 has not; ff is no version.
        let is_version = is_hex(version, 2) && version != "ff";
        let is_whole = is_version && (version != "00" || parts.next().is_none());
        let is_parent = is_whole && is_some(trace, 32) && is_some(span, 16) && is_hex(flags, 2);
        let flags = u8::from_str_radix(flags, 16).unwrap_or(0);
        is_parent.then(|| Self {
            trace: trace.to_owned(),
            span: span.to_owned(),
            is_sampled: flags & 1 == 1,
        })
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    fn of(pairs: &[(&'static str, &str)]) -> String {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.insert(*name, HeaderValue::from_bytes(value.as_bytes()).unwrap());
        }
        identifier(&headers)
    }

    const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

    #[test]
    fn an_identifier_of_the_client_counts_where_it_is_plain() {
        assert_eq!(of(&[("x-request-id", "a-1_b.C")]), "a-1_b.C");
        let longest = "x".repeat(ID_CHARS_MAX);
        assert_eq!(of(&[("x-request-id", &longest)]), longest);
        for wrong in ["", "a b", "a\"b", "ü", &"x".repeat(ID_CHARS_MAX + 1)] {
            let own = of(&[("x-request-id", wrong)]);
            assert_eq!(own.len(), 32, "{wrong}: {own}");
        }
    }

    #[test]
    fn the_identifier_of_a_trace_counts_where_it_is_one() {
        let parent = |version: &str, trace: &str, rest: &str| format!("{version}-{trace}-{rest}");
        let sound = "00f067aa0ba902b7-01";
        for (version, rest) in [("00", sound), ("01", &format!("{sound}-more"))] {
            assert_eq!(of(&[("traceparent", &parent(version, TRACE, rest))]), TRACE);
        }
        for wrong in [
            parent("00", TRACE, &format!("{sound}-more")),
            parent("ff", TRACE, sound),
            parent("0", TRACE, sound),
            parent("00", &"0".repeat(32), sound),
            parent("00", &TRACE.to_uppercase(), sound),
            parent("00", &TRACE[1..], sound),
            parent("00", TRACE, "0000000000000000-01"),
            parent("00", TRACE, "00f067aa0ba902b7"),
            parent("00", TRACE, "00f067aa0ba902b7-1"),
        ] {
            assert_ne!(of(&[("traceparent", &wrong)]), TRACE, "{wrong}");
        }
        let both = [("traceparent", &*parent("00", TRACE, sound)), ("x-request-id", "mine")];
        assert_eq!(of(&both), "mine", "what a person gave");
    }
}
