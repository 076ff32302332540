//! `GET /v1/events`: a page, or a stream of server-sent events. [HTML, Server-sent events]

use std::{convert::Infallible, sync::Arc, time::Duration};

use api::event::{EventPage, EventQuery};
use axum::{
    Json,
    body::Body,
    extract::State,
    http::{HeaderMap, HeaderValue, header},
    response::{IntoResponse, Response},
};
use http_body_util::channel::{Channel, Sender};
use hyper::body::Bytes;
use tokio::time::{Instant, timeout};

use super::{
    auth::ViewerWithin,
    operation::{Answer, Description, Input, Operations, Output, Schemas},
    problem,
    problem::Failure,
    query::Query,
};
use crate::app::{App, EventReader};

/// Between two signs of life: below the minute after which middleboxes drop silent connections, and
/// below the time after which a client takes a server for gone.
const HEARTBEAT: Duration = Duration::from_secs(15);

/// How long a message may wait for who reads it. The events wait in the store meanwhile; who comes again
/// with his cursor gets them.
const SLOW_MAX: Duration = Duration::from_secs(20);

/// The longest that a stream lasts; its client comes again with its cursor. Whose token is good no more
/// hears no longer than this.
const STREAM_MAX: Duration = Duration::from_secs(600);

/// Messages on the way to the connection.
const ON_THE_WAY: usize = 4;

/// What a stream is asked for and answered with.
const STREAM: &str = "text/event-stream";

/// The operations of this module.
pub(super) fn operations(all: &mut Operations) {
    let about = "What changed, oldest first, or as it changes";
    all.get("/v1/events", "list-events", about, events)
        .refuses(&[
            "cursor-invalid",
            "event-type-unknown",
            "event-unknown",
            "events-forgotten",
            "label-invalid",
            "query-too-long",
            "too-many-streams",
        ])
        .notes(
            "With `Accept: text/event-stream` it is a stream of server-sent events: an event a message, \
             its `id` as the message's. `Last-Event-ID` wins over `cursor`.",
        );
}

/// The head of a request says whether a page or a stream is wanted.
impl Input for HeaderMap {
    fn describe(_: &mut Description, _: &mut Schemas) {}
}

/// A page, or a stream.
pub(super) struct PageOrStream(Response);

impl IntoResponse for PageOrStream {
    fn into_response(self) -> Response {
        self.0
    }
}

impl Output for PageOrStream {
    fn describe(operation: &mut Description, schemas: &mut Schemas) {
        let schema = schemas.of_answer::<EventPage>();
        operation.answer = Some(Answer { media_type: "application/json", schema });
        operation.gives_too = Some(STREAM);
    }
}

/// `GET /v1/events`.
pub(super) async fn events(
    State(app): State<Arc<App>>,
    ViewerWithin(caller): ViewerWithin,
    headers: HeaderMap,
    Query(mut query): Query<EventQuery>,
) -> Result<PageOrStream, Failure> {
    if !wants_stream(&headers) {
        return Ok(PageOrStream(Json(app.events(query, &caller.hosts).await?).into_response()));
    }
    // A browser asks for the same address again, and says here where it was.
    if let Some(last) = headers.get("last-event-id").and_then(|value| value.to_str().ok())
        && !last.is_empty()
    {
        query.cursor = Some(last.to_owned());
    }
    let reader = app.event_reader(query, &caller.hosts).await?;
    let (sender, body) = Channel::<Bytes, Infallible>::new(ON_THE_WAY);
    tokio::spawn(send(reader, sender));
    let mut response = Response::new(Body::new(body));
    let fields = response.headers_mut();
    fields.insert(header::CONTENT_TYPE, HeaderValue::from_static(STREAM));
    fields.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    // Proxies that gather answers would keep them from who waits.
    fields.insert("x-accel-buffering", HeaderValue::from_static("no"));
    Ok(PageOrStream(response))
}

fn wants_stream(headers: &HeaderMap) -> bool {
    let accepted = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
    let mut kinds = accepted.flat_map(|value| value.split(','));
    kinds.any(|kind| kind.split(';').next().is_some_and(|kind| kind.trim() == STREAM))
}

async fn send(mut reader: EventReader, mut sender: Sender<Bytes, Infallible>) {
    let end = Instant::now() + STREAM_MAX;
    let mut ended = std::pin::pin!(reader.ended());
    // Where it begins, so that who is cut off before the first event goes on from here.
    let mut text = format!("retry: 2000\nid: {}\n\n", reader.cursor());
    loop {
        match timeout(SLOW_MAX, sender.send_data(Bytes::from(text))).await {
            Ok(Ok(())) => {}
            Ok(Err(_)) => return,
            Err(_) => {
                tracing::info!("a reader of events is too slow, and comes again");
                return;
            }
        }
        let now = Instant::now();
        if now >= end {
            return;
        }
        let events = tokio::select! {
            events = reader.next(end.min(now + HEARTBEAT)) => events,
            () = &mut ended => return,
        };
        text = match events {
            Ok(events) if events.is_empty() => {
                // A comment for who waits, and how far all was looked at.
                format!(": alive\nid: {}\n\n", reader.cursor())
            }
            Ok(events) => {
                let mut text = String::new();
                for event in events {
                    let Ok(json) = serde_json::to_string(&event) else { return };
                    text.push_str(&format!("id: {}\ndata: {json}\n\n", event.id));
                }
                text
            }
            Err(err) => {
                let Ok(json) = serde_json::to_string(&problem::of(err)) else { return };
                let text = format!("event: problem\ndata: {json}\n\n");
                let _ = timeout(SLOW_MAX, sender.send_data(Bytes::from(text))).await;
                return;
            }
        };
    }
}
