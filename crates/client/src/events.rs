//! Events as they come: the stream of `GET /v1/events`, read message by message. [HTML, Server-sent events]

use std::time::Duration;

use api::{
    event::{CloudEvent, EventQuery},
    problem::Problem,
};
use http_body_util::BodyExt as _;
use hyper::body::Incoming;

use crate::{Client, ClientError};

/// How long a stream may be silent: the server gives a sign of life every fifteen seconds.
const SILENT_MAX: Duration = Duration::from_secs(45);

/// The largest message: an event has some KiB.
const MESSAGE_BYTES_MAX: usize = 256 * 1024;

/// A stream of events. It ends now and then, and where the server goes away: begin it again with
/// [`EventStream::cursor`], and nothing is missed or comes twice.
#[derive(Debug)]
pub struct EventStream {
    body: Incoming,
    read: Vec<u8>,
    cursor: Option<String>,
}

impl Client {
    /// Listens for events that fit `query`, behind the event that it names, or from now on.
    pub async fn event_stream(&self, query: &EventQuery) -> Result<EventStream, ClientError> {
        let query = serde_urlencoded::to_string(query).map_err(|_| ClientError::Query)?;
        let body = self.stream(&format!("/v1/events?{query}"), "text/event-stream").await?;
        Ok(EventStream { body, read: Vec::new(), cursor: None })
    }
}

impl EventStream {
    /// Behind which event this is; `None` before the server said anything.
    pub fn cursor(&self) -> Option<&str> {
        self.cursor.as_deref()
    }

    /// The next event; `None` where the stream ended.
    pub async fn next(&mut self) -> Result<Option<CloudEvent>, ClientError> {
        loop {
            while let Some(message) = self.message() {
                if let Some(event) = self.take(&message)? {
                    return Ok(Some(event));
                }
            }
            if self.read.len() > MESSAGE_BYTES_MAX {
                return Err(ClientError::Answer("a message of the stream is too long".to_owned()));
            }
            let frame = tokio::time::timeout(SILENT_MAX, self.body.frame());
            let silent = |_| ClientError::Timeout { seconds: SILENT_MAX.as_secs() };
            match frame.await.map_err(silent)? {
                None => return Ok(None),
                Some(Err(err)) => return Err(ClientError::Unreachable(err.into())),
                Some(Ok(frame)) => {
                    if let Some(data) = frame.data_ref() {
                        self.read.extend_from_slice(data);
                    }
                }
            }
        }
    }

    /// The first message that was read whole.
    fn message(&mut self) -> Option<String> {
        let end = self.read.windows(2).position(|pair| pair == b"\n\n")?;
        let message: Vec<u8> = self.read.drain(..end + 2).collect();
        Some(String::from_utf8_lossy(&message).into_owned())
    }

    fn take(&mut self, message: &str) -> Result<Option<CloudEvent>, ClientError> {
        let (mut data, mut is_problem, mut id) = (String::new(), false, None);
        for line in message.lines() {
            let (field, value) = line.split_once(':').unwrap_or((line, ""));
            let value = value.strip_prefix(' ').unwrap_or(value);
            match field {
                "data" => data.push_str(value),
                "id" => id = Some(value.to_owned()),
                "event" => is_problem = value == "problem",
                // Comments, and what a later server may say.
                _ => {}
            }
        }
        let unreadable = |err: serde_json::Error| ClientError::Answer(err.to_string());
        if is_problem {
            let problem: Problem = serde_json::from_str(&data).map_err(unreadable)?;
            return Err(ClientError::Problem(problem));
        }
        let event = match &*data {
            "" => None,
            data => Some(serde_json::from_str(data).map_err(unreadable)?),
        };
        // Only now: an event that could not be read is not behind us.
        self.cursor = id.or_else(|| self.cursor.take());
        Ok(event)
    }
}
