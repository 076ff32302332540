//! Sockets: TLS, HTTP, and answers that are none.

use std::{
    convert::Infallible,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll},
};

use http_body_util::{BodyExt as _, Full, combinators::BoxBody};
use hyper::{
    Request, Response,
    body::{Body, Bytes, Frame, Incoming},
    header,
    service::service_fn,
};
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

use crate::{Machine, answer::Answer};

pub(crate) type Shared = Arc<Mutex<Machine>>;

pub(crate) fn lock(machine: &Shared) -> std::sync::MutexGuard<'_, Machine> {
    // A test that panics while it holds the machine has failed already.
    machine.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Serves one BMC until its task is ended.
pub(crate) async fn serve(listener: TcpListener, acceptor: TlsAcceptor, machine: Shared) {
    loop {
        let Ok((stream, _)) = listener.accept().await else { continue };
        if lock(&machine).refuses() {
            continue;
        }
        tokio::spawn(converse(stream, acceptor.clone(), Arc::clone(&machine)));
    }
}

async fn converse(stream: TcpStream, acceptor: TlsAcceptor, machine: Shared) {
    let _ = stream.set_nodelay(true);
    let Ok(stream) = acceptor.accept(stream).await else { return };
    let service = service_fn(move |request| respond(request, Arc::clone(&machine)));
    let connection =
        hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service);
    // A client that goes away is no fault of the BMC.
    let _ = connection.await;
}

/// The connection ends without an answer.
#[derive(Debug, thiserror::Error)]
#[error("the BMC ends the connection")]
struct Dropped;

async fn respond(
    request: Request<Incoming>,
    machine: Shared,
) -> Result<Response<BoxBody<Bytes, Infallible>>, Dropped> {
    let (head, body) = request.into_parts();
    let body = body.collect().await.map_err(|_| Dropped)?.to_bytes();
    let path = head.uri.path_and_query().map_or("/", |path| path.as_str());
    let answer = lock(&machine).respond(&head.method, path, &head.headers, &body);
    let response = match answer {
        Answer::Whole { status, headers, body } => {
            let mut response = Response::builder().status(status);
            for (name, value) in headers {
                response = response.header(name, value);
            }
            response.body(Full::new(body).boxed())
        }
        Answer::Never => std::future::pending().await,
        Answer::Drop => return Err(Dropped),
        Answer::Stream { piece, n_pieces } => {
            Response::builder().body(Pieces { piece, n_left: n_pieces }.boxed())
        }
        Answer::Short { body, claimed } => Response::builder()
            .header(header::CONTENT_LENGTH, claimed)
            .body(Pieces { piece: body, n_left: 1 }.boxed()),
    };
    response.map_err(|_| Dropped)
}

/// A body that says nothing of its length.
struct Pieces {
    piece: Bytes,
    n_left: u32,
}

impl Body for Pieces {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        if self.n_left == 0 {
            return Poll::Ready(None);
        }
        self.n_left -= 1;
        Poll::Ready(Some(Ok(Frame::data(self.piece.clone()))))
    }
}
