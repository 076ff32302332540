//! One request and its answer, bounded in time and length.

use std::{error::Error as StdError, time::Duration};

use firmware::BODY_BYTES_MAX;
use http_body_util::{BodyExt as _, Full, LengthLimitError, Limited};
use hyper::{HeaderMap, Method, Request, StatusCode, body::Bytes, header};
use hyper_rustls::HttpsConnector;
use hyper_util::{
    client::legacy::{self, connect::HttpConnector},
    rt::TokioExecutor,
};
use rustls::CertificateError;
use zeroize::Zeroizing;

use crate::{Address, RedfishError, Tls};

/// How long a connection may take to come up: one retransmission of the first packet and some.
const CONNECT_S_MAX: u64 = 10;

/// Bytes that are read ahead of a connection: heads of BMCs have below 2 KiB.
const BUFFER_BYTES_MAX: usize = 64 * 1024;

/// What came.
#[derive(Clone)]
pub struct Reply {
    /// The status.
    pub status: u16,
    /// The `ETag` header.
    pub etag: Option<String>,
    /// The `Location` header, as it came: untrusted.
    pub untrusted_location: Option<String>,
    pub(crate) token: Option<Zeroizing<String>>,
    /// The body: [`BODY_BYTES_MAX`] at most.
    pub body: Bytes,
}

impl std::fmt::Debug for Reply {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Reply").field("status", &self.status).finish_non_exhaustive()
    }
}

impl Reply {
    /// Whether the status is a success.
    pub fn is_success(&self) -> bool {
        StatusCode::from_u16(self.status).is_ok_and(|status| status.is_success())
    }
}

/// A connection to one BMC, which is kept.
#[derive(Clone)]
pub(crate) struct Wire {
    pub(crate) address: Address,
    http: legacy::Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
    limit: Duration,
}

impl Wire {
    pub(crate) fn new(address: Address, tls: &Tls, limit: Duration) -> Self {
        let mut tcp = HttpConnector::new();
        tcp.enforce_http(false);
        tcp.set_nodelay(true);
        tcp.set_connect_timeout(Some(limit.min(Duration::from_secs(CONNECT_S_MAX))));
        let connector = hyper_rustls::HttpsConnectorBuilder::new()
            .with_tls_config((*tls.0).clone())
            .https_only()
            .enable_http1()
            .wrap_connector(tcp);
        let http = legacy::Client::builder(TokioExecutor::new())
            .http1_max_buf_size(BUFFER_BYTES_MAX)
            .build(connector);
        Self { address, http, limit }
    }

    pub(crate) async fn exchange(
        &self,
        method: Method,
        uri: &str,
        headers: HeaderMap,
        body: Bytes,
    ) -> Result<Reply, RedfishError> {
        match tokio::time::timeout(self.limit, self.unbounded(method, uri, headers, body)).await {
            Ok(reply) => reply,
            Err(_) => Err(RedfishError::Timeout {
                address: self.address.clone(),
                seconds: self.limit.as_secs(),
            }),
        }
    }

    async fn unbounded(
        &self,
        method: Method,
        uri: &str,
        headers: HeaderMap,
        body: Bytes,
    ) -> Result<Reply, RedfishError> {
        let address = || self.address.clone();
        let mut request = Request::builder()
            .method(method)
            .uri(format!("{}{uri}", self.address))
            .body(Full::new(body))
            .map_err(|_| RedfishError::Redirected {
                address: address(),
                path: crate::clean(uri),
            })?;
        *request.headers_mut() = headers;
        let response = self.http.request(request).await.map_err(|err| self.failed(err))?;
        let (head, body) = response.into_parts();
        let text = |name: &str| {
            head.headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned)
        };
        let body = Limited::new(body, BODY_BYTES_MAX).collect().await.map_err(|source| {
            if source.is::<LengthLimitError>() {
                let (path, bytes_max) = (crate::clean(uri), BODY_BYTES_MAX);
                return RedfishError::TooLarge { address: address(), path, bytes_max };
            }
            RedfishError::Unreachable { address: address(), source }
        })?;
        Ok(Reply {
            status: head.status.as_u16(),
            etag: text(header::ETAG.as_str()),
            untrusted_location: text(header::LOCATION.as_str()),
            token: text("x-auth-token").map(Zeroizing::new),
            body: body.to_bytes(),
        })
    }

    /// A certificate that is refused is another thing than a BMC that is away: the one asks for a
    /// person, the other for patience.
    fn failed(&self, err: legacy::Error) -> RedfishError {
        let address = self.address.clone();
        match tls_error(&err) {
            // Ours: it says what a person compares.
            Some(rustls::Error::InvalidCertificate(CertificateError::Other(other))) => {
                RedfishError::Untrusted { address, source: other.to_string().into() }
            }
            Some(tls @ rustls::Error::InvalidCertificate(_)) => {
                RedfishError::Untrusted { address, source: tls.clone().into() }
            }
            _ => RedfishError::Unreachable { address, source: err.into() },
        }
    }
}

/// The TLS error inside. An I/O error gives out the source of what it wraps, not that itself, so it
/// is asked first; they are wrapped several times.
fn tls_error<'a>(err: &'a (dyn StdError + 'static)) -> Option<&'a rustls::Error> {
    if let Some(tls) = err.downcast_ref() {
        return Some(tls);
    }
    match err.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref) {
        Some(wrapped) => tls_error(wrapped),
        None => tls_error(err.source()?),
    }
}
