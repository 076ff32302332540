//! Bodies that are large, of which so many are read and worked on at one time: when a fleet comes back at once, the others
//! wait where they are, in the buffers of their connections.

use std::{sync::Arc, time::Duration};

use axum::{
    body,
    extract::{FromRequest, Request},
};
use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::{
    body::{Body, check_kind, parse, read_in_time},
    operation::{Description, Input, Schemas},
    problem::Failure,
};
use crate::app::{App, AppError};

/// How long one has its turn while it is still coming in. Who sends more slowly goes on sending without one, so that
/// nobody is kept waiting by a line that is slow, or by somebody who makes it so.
const COMING_IN: Duration = Duration::from_millis(500);

/// The request's body, read as JSON, and its turn: to be kept for as long as the body is worked on.
pub(super) struct InTurn<T>(pub(super) T, pub(super) Option<OwnedSemaphorePermit>);

impl<T: DeserializeOwned> FromRequest<Arc<App>> for InTurn<T> {
    type Rejection = Failure;

    async fn from_request(request: Request, app: &Arc<App>) -> Result<Self, Failure> {
        check_kind(request.headers())?;
        let (bytes, turn) = read(request.into_body(), app.evidence_turns()).await?;
        Ok(Self(parse(&bytes)?, turn))
    }
}

async fn read(
    body: body::Body,
    turns: &Arc<Semaphore>,
) -> Result<(Vec<u8>, Option<OwnedSemaphorePermit>), AppError> {
    let turn = Arc::clone(turns).acquire_owned().await;
    let turn = turn.map_err(|err| AppError::Bug(err.into()))?;
    let mut reading = std::pin::pin!(read_in_time(body));
    match tokio::time::timeout(COMING_IN, &mut reading).await {
        Ok(bytes) => Ok((bytes?, Some(turn))),
        Err(_) => {
            drop(turn);
            Ok((reading.await?, None))
        }
    }
}

impl<T: JsonSchema> Input for InTurn<T> {
    fn describe(operation: &mut Description, schemas: &mut Schemas) {
        Body::<T>::describe(operation, schemas);
    }
}

#[cfg(test)]
mod tests {
    use std::{
        convert::Infallible,
        pin::Pin,
        task::{Context, Poll},
    };

    use axum::body::{Bytes, HttpBody};
    use hyper::body::Frame;
    use tokio::sync::mpsc;

    use super::*;

    /// A body whose pieces are what is sent, until the sender is gone.
    struct Coming(mpsc::Receiver<Bytes>);

    impl HttpBody for Coming {
        type Data = Bytes;
        type Error = Infallible;

        fn poll_frame(
            mut self: Pin<&mut Self>,
            cx: &mut Context<'_>,
        ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
            self.0.poll_recv(cx).map(|piece| piece.map(|piece| Ok(Frame::data(piece))))
        }
    }

    #[tokio::test]
    async fn one_after_the_other_is_read_and_nobody_waits_for_a_slow_one() {
        let turns = Arc::new(Semaphore::new(1));
        let (first, turn) = read(body::Body::from("first"), &turns).await.unwrap();
        assert_eq!((&*first, turn.is_some(), turns.available_permits()), (&b"first"[..], true, 0));
        // The next one waits until the first was worked on.
        let next = read(body::Body::from("next"), &turns);
        let mut next = std::pin::pin!(next);
        assert!(tokio::time::timeout(Duration::from_millis(50), &mut next).await.is_err());
        drop(turn);
        let (bytes, turn) = next.await.unwrap();
        assert_eq!(bytes, b"next");
        drop(turn);

        // A slow one goes on without its turn, which another gets meanwhile.
        let (sender, pieces) = mpsc::channel(4);
        sender.send(Bytes::from_static(b"slow")).await.unwrap();
        let slow = read(body::Body::new(Coming(pieces)), &turns);
        let other = async {
            let (bytes, turn) = read(body::Body::from("other"), &turns).await.unwrap();
            assert_eq!((&*bytes, turn.is_some()), (&b"other"[..], true));
            drop(sender);
        };
        let (slow, ()) = tokio::join!(biased; slow, other);
        let (bytes, turn) = slow.unwrap();
        assert_eq!((&*bytes, turn.is_none(), turns.available_permits()), (&b"slow"[..], true, 1));
    }
}
