//! Requests and answers.

use std::{error::Error as StdError, time::Duration};

use api::{RESPONSE_BYTES_MAX, problem::Problem};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::{
    Method, Request, Response, StatusCode,
    body::{Bytes, Incoming},
    header::{self, HeaderName},
};
use hyper_rustls::HttpsConnector;
use hyper_util::{
    client::legacy::{self, connect::HttpConnector},
    rt::TokioExecutor,
};
use rustls::CertificateError;
use serde::{Serialize, de::DeserializeOwned};

use crate::{ClientError, Trust, patience::Patience};

/// How long a request may take, where the caller does not say otherwise.
const REQUEST_S_MAX: u64 = 30;

/// The longest that a server may ask us to wait and is understood: what is longer is longer than anybody waits.
const RETRY_AFTER_S_MAX: u64 = 24 * 3600;

/// How long a connection may take to come up: one retransmission of the first packet and some.
const CONNECT_S_MAX: u64 = 10;

/// A client of one server. Cheap to clone; connections are kept and shared.
#[derive(Clone)]
pub struct Client {
    base: String,
    token: Option<String>,
    http: legacy::Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Client").field("base", &self.base).finish_non_exhaustive()
    }
}

impl Client {
    /// A client of the server at `url` (`https://HOST[:PORT]`), which must be one of `trust`.
    pub fn new(url: &str, trust: &Trust) -> Result<Self, ClientError> {
        let base = url.trim_end_matches('/');
        let address = || ClientError::Address { url: url.to_owned() };
        let uri: hyper::Uri = base.parse().map_err(|_| address())?;
        if uri.scheme_str() != Some("https") || uri.host().is_none() || uri.path() != "/" {
            return Err(address());
        }
        let config = trust.client_config().map_err(|err| ClientError::Untrusted(err.into()))?;
        let mut tcp = HttpConnector::new();
        tcp.enforce_http(false);
        tcp.set_nodelay(true);
        tcp.set_connect_timeout(Some(Duration::from_secs(CONNECT_S_MAX)));
        let connector = hyper_rustls::HttpsConnectorBuilder::new()
            .with_tls_config(config)
            .https_only()
            .enable_http1()
            .wrap_connector(tcp);
        let http = legacy::Client::builder(TokioExecutor::new()).build(connector);
        Ok(Self { base: base.to_owned(), token: None, http })
    }

    /// The same client, showing this token.
    #[must_use]
    pub fn with_token(&self, token: impl Into<String>) -> Self {
        Self { token: Some(token.into()), ..self.clone() }
    }

    /// The server's address.
    pub fn base(&self) -> &str {
        &self.base
    }

    /// Asks for `path`.
    pub async fn get<R: DeserializeOwned>(&self, path: &str) -> Result<R, ClientError> {
        self.send(Method::GET, path, Bytes::new(), REQUEST_S_MAX).await
    }

    /// Asks for `path` with the fields of `query`.
    pub async fn get_with<Q: Serialize, R: DeserializeOwned>(
        &self,
        path: &str,
        query: &Q,
    ) -> Result<R, ClientError> {
        let query = serde_urlencoded::to_string(query).map_err(|_| ClientError::Query)?;
        self.get(&format!("{path}?{query}")).await
    }

    /// Asks for what is no JSON at `path`.
    pub async fn get_bytes(&self, path: &str) -> Result<Vec<u8>, ClientError> {
        let answer = self.answer(Method::GET, path, Bytes::new(), REQUEST_S_MAX, None).await?;
        answer.body().map(|body| body.to_vec())
    }

    /// Asks for `path` and waits up to `wait_s` more than usual, for a long poll.
    pub async fn get_waiting<R: DeserializeOwned>(
        &self,
        path: &str,
        wait_s: u64,
    ) -> Result<R, ClientError> {
        self.send(Method::GET, path, Bytes::new(), REQUEST_S_MAX + wait_s).await
    }

    /// Posts `request` to `path`.
    pub async fn post<Q: Serialize, R: DeserializeOwned>(
        &self,
        path: &str,
        request: &Q,
    ) -> Result<R, ClientError> {
        self.send(Method::POST, path, to_json(request)?, REQUEST_S_MAX).await
    }

    /// Posts `request` to `path`, and again where no answer came or the server could not do it now: under
    /// a key of its own, so that the server does it once.
    pub async fn post_once<Q: Serialize, R: DeserializeOwned>(
        &self,
        path: &str,
        request: &Q,
    ) -> Result<R, ClientError> {
        self.post_once_waiting(path, request, 0).await
    }

    /// As [`Self::post_once`], with up to `wait_s` more than usual for each answer.
    pub async fn post_once_waiting<Q: Serialize, R: DeserializeOwned>(
        &self,
        path: &str,
        request: &Q,
        wait_s: u64,
    ) -> Result<R, ClientError> {
        let (body, key) = (to_json(request)?, Condition::once()?);
        self.again(Method::POST, path, body, REQUEST_S_MAX + wait_s, Some(&key)).await
    }

    /// Asks for `path`, and again where no answer came or the server could not answer now.
    pub async fn get_patiently<R: DeserializeOwned>(&self, path: &str) -> Result<R, ClientError> {
        self.again(Method::GET, path, Bytes::new(), REQUEST_S_MAX, None).await
    }

    /// Posts what changes nothing to `path`, and again where no answer came or the server could not answer now.
    pub(crate) async fn post_patiently<Q: Serialize, R: DeserializeOwned>(
        &self,
        path: &str,
        request: &Q,
        wait_s: u64,
    ) -> Result<R, ClientError> {
        self.again(Method::POST, path, to_json(request)?, REQUEST_S_MAX + wait_s, None).await
    }

    /// Sends what may be sent more than once.
    async fn again<R: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        body: Bytes,
        seconds: u64,
        condition: Option<&Condition>,
    ) -> Result<R, ClientError> {
        let mut patience = Patience::default();
        loop {
            let sent = self.answer(method.clone(), path, body.clone(), seconds, condition).await;
            let (err, asked) = match sent {
                Ok(answer) => match answer.read() {
                    Ok(read) => return Ok(read),
                    Err(err) => (err, answer.retry_after),
                },
                Err(err) => (err, None),
            };
            match patience.after(&err, asked) {
                Some(pause) => tokio::time::sleep(pause).await,
                None => return Err(err),
            }
        }
    }

    /// Asks for the text at `path`.
    pub(crate) async fn text(&self, path: &str) -> Result<String, ClientError> {
        let answer = self.answer(Method::GET, path, Bytes::new(), REQUEST_S_MAX, None).await?;
        String::from_utf8(answer.body()?.to_vec())
            .map_err(|err| ClientError::Answer(err.to_string()))
    }

    /// Asks for `path`, whose answer is one whatever its status.
    pub(crate) async fn get_whatever_status<R: DeserializeOwned>(
        &self,
        path: &str,
    ) -> Result<R, ClientError> {
        let exchange = async {
            let json = Some("application/json");
            Answer::of(self.begin(Method::GET, path, Bytes::new(), None, json).await?).await
        };
        let answer = tokio::time::timeout(Duration::from_secs(REQUEST_S_MAX), exchange)
            .await
            .map_err(|_| ClientError::Timeout { seconds: REQUEST_S_MAX })??;
        serde_json::from_slice(&answer.body).map_err(|_| problem(answer.status, &answer.body))
    }

    /// Puts `request` at `path`, where that is still the version that `etag` names (`*`: any).
    pub async fn put<Q: Serialize, R: DeserializeOwned>(
        &self,
        path: &str,
        request: &Q,
        etag: &str,
    ) -> Result<R, ClientError> {
        let condition = Condition { name: header::IF_MATCH, value: etag.to_owned() };
        self.send_on(Method::PUT, path, to_json(request)?, REQUEST_S_MAX, Some(&condition)).await
    }

    /// Posts `request` to `path` and waits up to `wait_s` more than usual, for a long poll.
    pub async fn post_waiting<Q: Serialize, R: DeserializeOwned>(
        &self,
        path: &str,
        request: &Q,
        wait_s: u64,
    ) -> Result<R, ClientError> {
        self.send(Method::POST, path, to_json(request)?, REQUEST_S_MAX + wait_s).await
    }

    /// Asks for a document at `path`: its bytes, up to `bytes_max`, and the headers of the answer. It may
    /// take `wait_s` more than usual.
    pub async fn document<Q: Serialize>(
        &self,
        path: &str,
        query: &Q,
        bytes_max: usize,
        wait_s: u64,
    ) -> Result<(Bytes, hyper::HeaderMap), ClientError> {
        let query = serde_urlencoded::to_string(query).map_err(|_| ClientError::Query)?;
        let path = format!("{path}?{query}");
        let asked = async {
            let response = self.begin(Method::GET, &path, Bytes::new(), None, None).await?;
            let (head, body) = response.into_parts();
            let limit = if head.status.is_success() { bytes_max } else { RESPONSE_BYTES_MAX };
            let body =
                Limited::new(body, limit).collect().await.map_err(ClientError::Unreachable)?;
            Ok((head, body.to_bytes()))
        };
        let seconds = REQUEST_S_MAX + wait_s;
        let (head, body) = tokio::time::timeout(Duration::from_secs(seconds), asked)
            .await
            .map_err(|_| ClientError::Timeout { seconds })??;
        match head.status.is_success() {
            true => Ok((body, head.headers)),
            false => Err(problem(head.status, &body)),
        }
    }

    /// Deletes `path`.
    pub async fn delete<R: DeserializeOwned>(&self, path: &str) -> Result<R, ClientError> {
        self.send(Method::DELETE, path, Bytes::new(), REQUEST_S_MAX).await
    }

    async fn send<R: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        body: Bytes,
        seconds: u64,
    ) -> Result<R, ClientError> {
        self.send_on(method, path, body, seconds, None).await
    }

    async fn send_on<R: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        body: Bytes,
        seconds: u64,
        condition: Option<&Condition>,
    ) -> Result<R, ClientError> {
        self.answer(method, path, body, seconds, condition).await?.read()
    }

    async fn answer(
        &self,
        method: Method,
        path: &str,
        body: Bytes,
        seconds: u64,
        condition: Option<&Condition>,
    ) -> Result<Answer, ClientError> {
        let exchange = self.exchange(method, path, body, condition);
        tokio::time::timeout(Duration::from_secs(seconds), exchange)
            .await
            .map_err(|_| ClientError::Timeout { seconds })?
    }

    /// Asks for `path`, and leaves the body of the answer to be read as it comes.
    pub(crate) async fn stream(&self, path: &str, accept: &str) -> Result<Incoming, ClientError> {
        let asked = self.begin(Method::GET, path, Bytes::new(), None, Some(accept));
        let response = tokio::time::timeout(Duration::from_secs(REQUEST_S_MAX), asked)
            .await
            .map_err(|_| ClientError::Timeout { seconds: REQUEST_S_MAX })??;
        let status = response.status();
        if status.is_success() {
            return Ok(response.into_body());
        }
        let body = Limited::new(response.into_body(), RESPONSE_BYTES_MAX).collect();
        let body = tokio::time::timeout(Duration::from_secs(REQUEST_S_MAX), body)
            .await
            .map_err(|_| ClientError::Timeout { seconds: REQUEST_S_MAX })?
            .map_err(ClientError::Unreachable)?;
        Err(problem(status, &body.to_bytes()))
    }

    async fn exchange(
        &self,
        method: Method,
        path: &str,
        body: Bytes,
        condition: Option<&Condition>,
    ) -> Result<Answer, ClientError> {
        Answer::of(self.begin(method, path, body, condition, None).await?).await
    }

    /// Sends a request, and waits for the head of its answer.
    async fn begin(
        &self,
        method: Method,
        path: &str,
        body: Bytes,
        condition: Option<&Condition>,
        accept: Option<&str>,
    ) -> Result<Response<Incoming>, ClientError> {
        let mut request = Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.base))
            .header(header::USER_AGENT, concat!("bootproof/", env!("CARGO_PKG_VERSION")));
        if let Some(token) = &self.token {
            request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
        }
        if let Some(Condition { name, value }) = condition {
            request = request.header(name, value);
        }
        if let Some(accept) = accept {
            request = request.header(header::ACCEPT, accept);
        }
        if !body.is_empty() {
            request = request.header(header::CONTENT_TYPE, "application/json");
        }
        let request = request
            .body(Full::new(body))
            .map_err(|_| ClientError::Address { url: format!("{}{path}", self.base) })?;
        self.http.request(request).await.map_err(connection_error)
    }
}

/// What came back.
struct Answer {
    status: StatusCode,
    /// For how long the server asks us to wait.
    retry_after: Option<Duration>,
    body: Bytes,
}

impl Answer {
    async fn of(response: Response<Incoming>) -> Result<Self, ClientError> {
        let status = response.status();
        // A date is possible there, too; our servers say seconds. [RFC 9110 §10.2.3]
        let retry_after = response.headers().get(header::RETRY_AFTER);
        let retry_after = retry_after.and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
        let retry_after = retry_after.map(|s| Duration::from_secs(s.min(RETRY_AFTER_S_MAX)));
        let body = Limited::new(response.into_body(), RESPONSE_BYTES_MAX)
            .collect()
            .await
            .map_err(ClientError::Unreachable)?
            .to_bytes();
        Ok(Self { status, retry_after, body })
    }

    /// What it carries; an error where the server refused.
    fn body(&self) -> Result<&[u8], ClientError> {
        match self.status.is_success() {
            true => Ok(&self.body),
            false => Err(problem(self.status, &self.body)),
        }
    }

    fn read<R: DeserializeOwned>(&self) -> Result<R, ClientError> {
        let body = self.body()?;
        // An empty answer reads as null: `()` and `Option` take it.
        let body = if body.is_empty() { b"null" } else { body };
        serde_json::from_slice(body).map_err(|err| ClientError::Answer(err.to_string()))
    }
}

/// What the server refused, or what can be said of an answer that does not tell.
fn problem(status: StatusCode, body: &[u8]) -> ClientError {
    ClientError::Problem(serde_json::from_slice(body).unwrap_or_else(|_| Problem {
        code: "http-status".to_owned(),
        status: status.as_u16(),
        title: format!("the server answered with status {status}"),
        hint: None,
        request_id: None,
    }))
}

/// A header on which it depends what a request does.
struct Condition {
    name: HeaderName,
    value: String,
}

impl Condition {
    /// That it is done once: a key that nobody else makes.
    fn once() -> Result<Self, ClientError> {
        let mut bytes = [0; 16];
        aws_lc_rs::rand::fill(&mut bytes)
            .map_err(|_| ClientError::Answer("no random numbers".to_owned()))?;
        let name = HeaderName::from_static("idempotency-key");
        Ok(Self { name, value: hex::encode(bytes) })
    }
}

fn to_json<Q: Serialize>(request: &Q) -> Result<Bytes, ClientError> {
    serde_json::to_vec(request).map(Bytes::from).map_err(|err| ClientError::Answer(err.to_string()))
}

/// A certificate that is refused is another thing than a server that is away: the one asks for a
/// person, the other for patience. One of another time asks for patience too: this machine's clock
/// may not be set yet.
fn connection_error(err: legacy::Error) -> ClientError {
    match tls_error(&err) {
        Some(
            tls @ rustls::Error::InvalidCertificate(
                CertificateError::NotValidYet
                | CertificateError::NotValidYetContext { .. }
                | CertificateError::Expired
                | CertificateError::ExpiredContext { .. },
            ),
        ) => ClientError::Untimely(tls.clone().into()),
        Some(tls @ rustls::Error::InvalidCertificate(_)) => {
            ClientError::Untrusted(tls.clone().into())
        }
        _ => ClientError::Unreachable(err.into()),
    }
}

/// The TLS error inside. An I/O error gives out the source of what it wraps, not that itself, so
/// it is asked first; they are wrapped several times.
fn tls_error<'a>(err: &'a (dyn StdError + 'static)) -> Option<&'a rustls::Error> {
    if let Some(tls) = err.downcast_ref() {
        return Some(tls);
    }
    match err.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref) {
        Some(wrapped) => tls_error(wrapped),
        None => tls_error(err.source()?),
    }
}
