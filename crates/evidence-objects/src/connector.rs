//! How the client of objects speaks HTTP: by the connector of this workspace, with one trust and one TLS.

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use http_body_util::BodyExt as _;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector as Tcp;
use hyper_util::rt::TokioExecutor;
use object_store::ClientOptions;
use object_store::client::{
    HttpClient, HttpConnector, HttpError, HttpErrorKind, HttpRequest, HttpRequestBody,
    HttpResponse, HttpResponseBody, HttpService,
};
use rustls::crypto::aws_lc_rs as provider;
use rustls::pki_types::{CertificateDer, pem::PemObject as _};
use rustls::version::{TLS12, TLS13};
use rustls::{ClientConfig, RootCertStore};

/// Where a distribution has the authorities that its programs trust.
const SYSTEM_ROOTS: &str = "/etc/ssl/certs/ca-certificates.crt";

/// To a connection: one retransmission of the first packet and some.
const CONNECT_MAX: Duration = Duration::from_secs(5);

/// To an answer's head: an object of 6 MiB over a slow line, and the store's disks.
const ANSWER_MAX: Duration = Duration::from_secs(10);

/// Kept connections: as many parts as are written or read at one time.
const IDLE_MAX: usize = 16;

/// Seconds for which one that is not used is kept; stores close theirs after some tens.
const IDLE_FOR: Duration = Duration::from_secs(20);

/// Who vouches for the store.
#[derive(Debug, Clone)]
pub(crate) enum Roots {
    /// These authorities.
    Pem(String),
    /// Those of the system: a store of a provider, no host and no server of ours.
    OfTheSystem,
}

/// Makes clients.
#[derive(Debug)]
pub(crate) struct Connector {
    tls: ClientConfig,
}

impl Connector {
    pub(crate) fn new(roots: &Roots) -> Result<Self, Box<dyn Error + Send + Sync>> {
        let pem = match roots {
            Roots::Pem(pem) => pem.clone().into_bytes(),
            // None at all where a store has no TLS, or is refused with each connection.
            Roots::OfTheSystem => std::fs::read(SYSTEM_ROOTS).unwrap_or_default(),
        };
        let mut known = RootCertStore::empty();
        known.add_parsable_certificates(
            CertificateDer::pem_slice_iter(&pem).filter_map(Result::ok).collect::<Vec<_>>(),
        );
        if known.is_empty() && matches!(roots, Roots::Pem(_)) {
            return Err("there is no certificate in its authorities".into());
        }
        let tls = ClientConfig::builder_with_provider(Arc::new(provider::default_provider()))
            .with_protocol_versions(&[&TLS13, &TLS12])?
            .with_root_certificates(known)
            .with_no_client_auth();
        Ok(Self { tls })
    }
}

impl HttpConnector for Connector {
    fn connect(&self, _: &ClientOptions) -> object_store::Result<HttpClient> {
        let mut tcp = Tcp::new();
        tcp.enforce_http(false);
        tcp.set_nodelay(true);
        tcp.set_connect_timeout(Some(CONNECT_MAX));
        // What may be without TLS was decided by who named the store.
        let https = HttpsConnectorBuilder::new()
            .with_tls_config(self.tls.clone())
            .https_or_http()
            .enable_http1()
            .wrap_connector(tcp);
        let client = Client::builder(TokioExecutor::new())
            .pool_idle_timeout(IDLE_FOR)
            .pool_timer(hyper_util::rt::TokioTimer::new())
            .pool_max_idle_per_host(IDLE_MAX)
            .build(https);
        Ok(HttpClient::new(Service { client }))
    }
}

#[derive(Debug)]
struct Service {
    client: Client<HttpsConnector<Tcp>, HttpRequestBody>,
}

#[async_trait]
impl HttpService for Service {
    async fn call(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let answered = tokio::time::timeout(ANSWER_MAX, self.client.request(request)).await;
        let response = match answered {
            Ok(Ok(response)) => response,
            Ok(Err(error)) if error.is_connect() => {
                return Err(HttpError::new(HttpErrorKind::Connect, error));
            }
            // Writing an object twice is as writing it once, and so are reading and removing.
            Ok(Err(error)) => return Err(HttpError::new(HttpErrorKind::Request, error)),
            Err(late) => return Err(HttpError::new(HttpErrorKind::Timeout, late)),
        };
        let (parts, body) = response.into_parts();
        let body = body.map_err(|error| HttpError::new(HttpErrorKind::Interrupted, error));
        Ok(HttpResponse::from_parts(parts, HttpResponseBody::new(body)))
    }
}
