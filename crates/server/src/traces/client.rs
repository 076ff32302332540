//! How spans are sent: HTTP with this program's own TLS and trust.

use std::{sync::Arc, time::Duration};

use anyhow::Context as _;
use axum::http::{Request, Response, Uri};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Bytes;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::{TokioExecutor, TokioTimer},
};
use opentelemetry_http::{HttpClient, HttpError};
use rustls::{
    ClientConfig, RootCertStore,
    crypto::aws_lc_rs as provider,
    pki_types::{CertificateDer, pem::PemObject as _},
    version::{TLS12, TLS13},
};

/// Where a distribution has the authorities that its programs trust.
const SYSTEM_ROOTS: &str = "/etc/ssl/certs/ca-certificates.crt";

/// To a connection.
const CONNECT_MAX: Duration = Duration::from_secs(5);

/// To an answer: a collector only takes what comes.
const ANSWER_MAX: Duration = Duration::from_secs(10);

/// Bytes of an answer: it says how many spans were refused, and why.
const ANSWER_BYTES_MAX: usize = 16 * 1024;

/// Speaks to a collector.
#[derive(Clone, Debug)]
pub(super) struct Collector {
    client: Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
}

impl Collector {
    /// One whom these authorities vouch for, or those of the system; on a loopback address without TLS.
    pub(super) fn new(endpoint: &str, ca_pem: Option<&[u8]>) -> anyhow::Result<Self> {
        check(endpoint)?;
        let system = || std::fs::read(SYSTEM_ROOTS).unwrap_or_default();
        let pem = ca_pem.map_or_else(system, <[u8]>::to_vec);
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(
            CertificateDer::pem_slice_iter(&pem).filter_map(Result::ok).collect::<Vec<_>>(),
        );
        anyhow::ensure!(
            ca_pem.is_none() || !roots.is_empty(),
            "traces: there is no certificate in `ca_file`"
        );
        let tls = ClientConfig::builder_with_provider(Arc::new(provider::default_provider()))
            .with_protocol_versions(&[&TLS13, &TLS12])?
            .with_root_certificates(roots)
            .with_no_client_auth();
        let mut tcp = HttpConnector::new();
        tcp.enforce_http(false);
        tcp.set_connect_timeout(Some(CONNECT_MAX));
        let https = HttpsConnectorBuilder::new()
            .with_tls_config(tls)
            .https_or_http()
            .enable_http1()
            .wrap_connector(tcp);
        let client = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_max_idle_per_host(1)
            .build(https);
        Ok(Self { client })
    }
}

/// Whether spans may be sent there: they say what is asked of a server, and when.
pub(crate) fn check(endpoint: &str) -> anyhow::Result<()> {
    let uri: Uri = endpoint.parse().context("traces: otlp_endpoint is no address")?;
    let authority = uri.authority().context("traces: otlp_endpoint is no address")?;
    anyhow::ensure!(
        !authority.as_str().contains('@'),
        "traces: no user and no password in otlp_endpoint"
    );
    let host = authority.host().trim_start_matches('[').trim_end_matches(']');
    let is_loopback = host == "localhost"
        || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback());
    match uri.scheme_str() {
        Some("https") => Ok(()),
        Some("http") if is_loopback => Ok(()),
        _ => anyhow::bail!(
            "traces: otlp_endpoint must be https://…, or http:// on a loopback address: {endpoint}"
        ),
    }
}

#[async_trait::async_trait]
impl HttpClient for Collector {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let request = request.map(Full::new);
        let answered = async {
            let (parts, body) = self.client.request(request).await?.into_parts();
            let body = Limited::new(body, ANSWER_BYTES_MAX).collect().await?.to_bytes();
            Ok(Response::from_parts(parts, body))
        };
        tokio::time::timeout(ANSWER_MAX, answered).await?
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_go_over_no_network_in_the_clear() {
        for good in
            ["http://127.0.0.1:4318", "http://[::1]:4318/x", "https://otel.example/v1/traces"]
        {
            assert!(check(good).is_ok(), "{good}");
        }
        for bad in ["http://10.0.0.1:4318", "otel.example", "", "ftp://127.0.0.1", "https://u:p@a"]
        {
            assert!(check(bad).is_err(), "{bad}");
        }
    }
}
