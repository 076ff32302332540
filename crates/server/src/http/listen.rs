//! The accept loop: TLS from the first byte, limits on time and number, a graceful end.

use std::{future::Future, net::IpAddr, sync::Arc, time::Duration};

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
    net::{TcpListener, TcpStream},
    sync::{Semaphore, watch},
    time::timeout,
};
use tokio_rustls::TlsAcceptor;

/// Seconds for a TLS handshake: three round trips over a bad line, and a busy machine.
const HANDSHAKE_S_MAX: u64 = 10;

/// Seconds for the head of a request, also the longest that a kept connection may be silent: more
/// than the pause between two polls of an agent.
const HEAD_S_MAX: u64 = 75;

/// Seconds that running requests get at the end.
const GRACE_S_MAX: u64 = 10;

/// Bytes of a request's head: no client of ours sends a tenth.
const HEAD_BYTES_MAX: usize = 16 * 1024;

/// The address at the other end of the connection on which a request came.
#[derive(Clone, Copy, Debug)]
pub(super) struct Peer(pub(super) IpAddr);

/// Serves until `end` resolves; then takes no more connections, and gives requests that run a
/// grace of some seconds.
pub async fn serve(
    listener: TcpListener,
    tls: rustls::ServerConfig,
    router: Router,
    connections_max: usize,
    end: impl Future<Output = ()>,
) {
    let acceptor = TlsAcceptor::from(Arc::new(tls));
    let places = Arc::new(Semaphore::new(connections_max));
    let (ending, _) = watch::channel(());
    let mut end = std::pin::pin!(end);
    loop {
        let stream = tokio::select! {
            () = &mut end => break,
            stream = accept(&listener, &places) => stream,
        };
        let Some((stream, peer, place)) = stream else { continue };
        let (acceptor, router) = (acceptor.clone(), router.clone());
        let ended = ending.subscribe();
        tokio::spawn(async move {
            converse(stream, peer, &acceptor, router, ended).await;
            drop(place);
        });
    }
    drop(listener);
    // Each connection holds a receiver; the sender learns when the last one is gone.
    let _ = ending.send(());
    let _ = timeout(Duration::from_secs(GRACE_S_MAX), ending.closed()).await;
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
    acceptor: &TlsAcceptor,
    router: Router,
    mut ended: watch::Receiver<()>,
) {
    // Without this, small answers wait for acknowledgements; where it fails they only wait.
    let _ = stream.set_nodelay(true);
    let handshake = timeout(Duration::from_secs(HANDSHAKE_S_MAX), acceptor.accept(stream)).await;
    let stream = match handshake {
        Ok(Ok(stream)) => stream,
        Ok(Err(err)) => return tracing::debug!(%err, "TLS handshake failed"),
        Err(_) => return tracing::debug!("TLS handshake took too long"),
    };
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
