//! A receiver of webhooks over TLS that does what it is told.

use std::{
    collections::{BTreeMap, VecDeque},
    convert::Infallible,
    path::PathBuf,
    sync::{Arc, Mutex},
};

use http_body_util::{BodyExt as _, Full};
use hyper::{Request, Response, body::Bytes, body::Incoming, service::service_fn};
use hyper_util::rt::TokioIo;
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::{
    ServerConfig,
    crypto::aws_lc_rs as provider,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
};
use testkit::wait;
use tokio::{net::TcpListener, sync::mpsc, time::timeout};
use tokio_rustls::TlsAcceptor;

/// An authority, and a certificate of it for this machine's loopback.
pub(crate) struct Pki {
    pub(crate) ca_pem: String,
    pub(crate) cert_pem: String,
    pub(crate) key_pem: String,
}

impl Pki {
    pub(crate) fn new() -> Self {
        let ca_key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let ca_pem = params.self_signed(&ca_key).unwrap().pem();
        let issuer = Issuer::new(params, ca_key);
        let key = KeyPair::generate().unwrap();
        let names = vec!["localhost".to_owned(), "127.0.0.1".to_owned()];
        let leaf = CertificateParams::new(names).unwrap().signed_by(&key, &issuer).unwrap();
        Self { ca_pem, cert_pem: leaf.pem(), key_pem: key.serialize_pem() }
    }

    /// Writes certificate and key into a folder, for programs that want files.
    pub(crate) fn write(&self, folder: &std::path::Path) -> (PathBuf, PathBuf) {
        let (cert, key) = (folder.join("cert.pem"), folder.join("key.pem"));
        std::fs::write(&cert, &self.cert_pem).unwrap();
        std::fs::write(&key, &self.key_pem).unwrap();
        (cert, key)
    }
}

/// What a request had.
#[derive(Debug, Clone)]
pub(super) struct Received {
    pub(super) path: String,
    pub(super) headers: BTreeMap<String, String>,
    pub(super) body: String,
}

/// What is done with a request.
#[derive(Debug, Clone, Copy)]
pub(super) enum Reaction {
    Status(u16),
    /// To where nobody looked whether one may go.
    Redirect,
    /// Never answers.
    Hang,
    /// Well, and 64 MiB of text.
    Huge,
}

pub(super) struct Sink {
    pub(super) url: String,
    pub(super) pki: Pki,
    received: mpsc::UnboundedReceiver<Received>,
    reactions: Arc<Mutex<VecDeque<Reaction>>>,
}

impl Sink {
    pub(super) async fn start() -> Self {
        let pki = Pki::new();
        let chain = vec![CertificateDer::from_pem_slice(pki.cert_pem.as_bytes()).unwrap()];
        let key = PrivateKeyDer::from_pem_slice(pki.key_pem.as_bytes()).unwrap();
        let config = ServerConfig::builder_with_provider(Arc::new(provider::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(chain, key)
            .unwrap();
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("https://{}/hook?x=1", listener.local_addr().unwrap());
        let (sender, received) = mpsc::unbounded_channel();
        let reactions: Arc<Mutex<VecDeque<Reaction>>> = Arc::default();
        let script = Arc::clone(&reactions);
        tokio::spawn(async move {
            while let Ok((tcp, _)) = listener.accept().await {
                let (acceptor, sender, script) =
                    (acceptor.clone(), sender.clone(), Arc::clone(&script));
                tokio::spawn(async move {
                    let Ok(tls) = acceptor.accept(tcp).await else { return };
                    let service = service_fn(|request| take(request, &sender, &script));
                    let connection = hyper::server::conn::http1::Builder::new();
                    let _ = connection.serve_connection(TokioIo::new(tls), service).await;
                });
            }
        });
        Self { url, pki, received, reactions }
    }

    /// What is done with the next requests; with those behind them 204.
    pub(super) fn react(&self, reactions: &[Reaction]) {
        self.reactions.lock().unwrap().extend(reactions);
    }

    /// The next request, which must come.
    pub(super) async fn next(&mut self) -> Received {
        timeout(wait::TIME_MAX, self.received.recv()).await.expect("a request comes").unwrap()
    }

    /// Whether something came that nobody asked for yet.
    pub(super) fn is_empty(&self) -> bool {
        self.received.is_empty()
    }
}

async fn take(
    request: Request<Incoming>,
    sender: &mpsc::UnboundedSender<Received>,
    script: &Mutex<VecDeque<Reaction>>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let path = request.uri().to_string();
    let headers = request
        .headers()
        .iter()
        .map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()))
        .collect();
    let body = request.into_body().collect().await.unwrap().to_bytes();
    let reaction = script.lock().unwrap().pop_front();
    let body = String::from_utf8(body.to_vec()).unwrap();
    let _ = sender.send(Received { path, headers, body });
    let response = Response::builder();
    let empty = Full::default();
    Ok(match reaction {
        None => response.status(204).body(empty),
        Some(Reaction::Status(status)) => response.status(status).body("no\r\nX: y".into()),
        Some(Reaction::Redirect) => {
            response.status(307).header("location", "https://169.254.169.254/").body(empty)
        }
        Some(Reaction::Huge) => response.body(Bytes::from(vec![b'x'; 64 << 20]).into()),
        Some(Reaction::Hang) => std::future::pending().await,
    }
    .unwrap())
}
