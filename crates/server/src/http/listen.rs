//! The accept loop: TLS from the first byte, limits on time and number, a graceful end.

use std::{
    future::Future,
    net::IpAddr,
    sync::Arc,
    time::{Duration, Instant},
};

use axum::Router;
use hyper::{
    Request,
    body::Incoming,
    service::{Service as _, service_fn},
};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpStream},
    sync::{Semaphore, watch},
    time::timeout,
};
use tokio_rustls::TlsAcceptor;

use crate::metrics::{Handshake, Metrics};

/// Seconds for a TLS handshake: three round trips over a bad line, and a busy machine.
const HANDSHAKE_S_MAX: u64 = 10;

/// Seconds for the head of a request, also the longest that a kept connection may be silent: more
/// than the pause between two polls of an agent.
const HEAD_S_MAX: u64 = 75;

/// Bytes of a request's head: no client of ours sends a tenth.
const HEAD_BYTES_MAX: usize = 16 * 1024;

/// The address at the other end of the connection on which a request came.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Peer(pub(crate) IpAddr);

/// How it is spoken.
#[derive(Clone)]
pub enum Transport {
    /// TLS from the first byte.
    Tls(Arc<rustls::ServerConfig>),
    /// Nothing hidden: for a loopback address.
    Plain,
}

/// What a listener allows.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Connections at one time.
    pub connections_max: usize,
    /// How long running requests have at the end.
    pub grace: Duration,
}

/// Serves until `end` resolves; then takes no more connections, and gives requests that run their
/// grace.
pub async fn serve(
    listener: TcpListener,
    transport: Transport,
    router: Router,
    limits: Limits,
    metrics: Arc<Metrics>,
    end: impl Future<Output = ()>,
) {
    let places = Arc::new(Semaphore::new(limits.connections_max));
    let (ending, _) = watch::channel(());
    let mut end = std::pin::pin!(end);
    loop {
        let stream = tokio::select! {
            () = &mut end => break,
            stream = accept(&listener, &places) => stream,
        };
        let Some((stream, peer, place)) = stream else { continue };
        let (transport, router, metrics) =
            (transport.clone(), router.clone(), Arc::clone(&metrics));
        let ended = ending.subscribe();
        tokio::spawn(async move {
            let _counted = metrics.connects();
            converse(stream, peer, transport, router, &metrics, ended).await;
            drop(place);
        });
    }
    drop(listener);
    // Each connection holds a receiver; the sender learns when the last one is gone.
    let _ = ending.send(());
    if timeout(limits.grace, ending.closed()).await.is_err() {
        let n = ending.receiver_count();
        tracing::warn!(n, "connections were cut: their requests took longer than shutdown_grace_s");
    }
}

type Place = tokio::sync::OwnedSemaphorePermit;

async fn accept(
    listener: &TcpListener,
    places: &Arc<Semaphore>,
) -> Option<(TcpStream, Peer, Place)> {
    // The semaphore is never closed. Without a place the kernel's backlog holds who comes.
    let place = Arc::clone(places).acquire_owned().await.ok()?;
    match listener.accept().await {
        Ok((stream, address)) => Some((stream, Peer(address.ip()), place)),
        Err(err) => {
            // Out of file descriptors: wait for some to come back instead of spinning.
            tracing::warn!(%err, "a connection could not be accepted");
            tokio::time::sleep(Duration::from_millis(100)).await;
            None
        }
    }
}

async fn converse(
    stream: TcpStream,
    peer: Peer,
    transport: Transport,
    router: Router,
    metrics: &Metrics,
    ended: watch::Receiver<()>,
) {
    // Without this, small answers wait for acknowledgements; where it fails they only wait.
    let _ = stream.set_nodelay(true);
    let tls = match transport {
        Transport::Plain => return speak(stream, peer, router, ended).await,
        Transport::Tls(tls) => tls,
    };
    let begun = Instant::now();
    let handshake = TlsAcceptor::from(tls).accept(stream);
    let handshake = timeout(Duration::from_secs(HANDSHAKE_S_MAX), handshake).await;
    let outcome = match &handshake {
        Ok(Ok(_)) => Handshake::Done,
        Ok(Err(_)) => Handshake::Failed,
        Err(_) => Handshake::TimedOut,
    };
    metrics.shook_hands(outcome, begun.elapsed());
    match handshake {
        Ok(Ok(stream)) => speak(stream, peer, router, ended).await,
        Ok(Err(err)) => tracing::debug!(%err, "TLS handshake failed"),
        Err(_) => tracing::debug!("TLS handshake took too long"),
    }
}

async fn speak(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    peer: Peer,
    router: Router,
    mut ended: watch::Receiver<()>,
) {
    let routes = TowerToHyperService::new(router);
    let service = service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(peer);
        routes.call(request)
    });
    let connection = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(Duration::from_secs(HEAD_S_MAX))
        .max_buf_size(HEAD_BYTES_MAX)
        .serve_connection(TokioIo::new(stream), service);
    let mut connection = std::pin::pin!(connection);
    let result = tokio::select! {
        result = &mut connection => result,
        _ = ended.changed() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(err) = result {
        tracing::debug!(%err, "connection ended");
    }
}
