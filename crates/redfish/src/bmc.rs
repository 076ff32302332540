//! One BMC: requests as somebody who is logged in.

use std::sync::Arc;

use hyper::{HeaderMap, Method, body::Bytes, header::HeaderValue};
use serde_json::Value;
use tokio::sync::Mutex;

use crate::{
    Address, Credential, Pace, RedfishError, Reply, Tls, clean,
    login::{Login, Logins},
    problem,
    wire::Wire,
};

/// Redirects of one request: from `/redfish/v1` to `/redfish/v1/`, and one more.
const REDIRECTS_MAX: u32 = 2;

/// A BMC that somebody is logged in to. Cheap to clone; clones share connection and session.
#[derive(Clone)]
pub struct Bmc(Arc<Inner>);

struct Inner {
    wire: Wire,
    credential: Credential,
    logins: Mutex<Logins>,
    pace: Pace,
}

impl std::fmt::Debug for Bmc {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Bmc").field("address", &self.0.wire.address).finish_non_exhaustive()
    }
}

impl Bmc {
    /// The BMC at `address`, known by what `tls` was made of. Nothing is asked yet.
    pub fn new(address: Address, tls: &Tls, credential: Credential, pace: Pace) -> Self {
        let wire = Wire::new(address, tls, pace.request);
        Self(Arc::new(Inner { wire, credential, logins: Mutex::default(), pace }))
    }

    /// Where it is.
    pub fn address(&self) -> &Address {
        &self.0.wire.address
    }

    /// How it is asked.
    pub fn pace(&self) -> &Pace {
        &self.0.pace
    }

    /// Logs in, where nobody is yet.
    pub async fn log_in(&self) -> Result<(), RedfishError> {
        let mut tries_left = self.0.pace.tries;
        let mut pause = self.0.pace.retry;
        loop {
            tries_left = tries_left.saturating_sub(1);
            match self.login().await {
                Ok(_) => return Ok(()),
                Err(err) if err.is_transient() && tries_left > 0 => {
                    tokio::time::sleep(pause).await;
                    pause *= 2;
                }
                Err(err) => return Err(err),
            }
        }
    }

    async fn login(&self) -> Result<(Login, u32), RedfishError> {
        // Who asks meanwhile waits for this login instead of making one more.
        let mut logins = self.0.logins.lock().await;
        let login = logins.current(&self.0.wire, &self.0.credential).await?;
        Ok((login, logins.n))
    }

    /// Ends the session. A BMC that is away keeps it until it times out.
    pub async fn log_out(&self) {
        let login = self.0.logins.lock().await.take();
        if let Some(login @ Login::Session { .. }) = login {
            let headers = login.headers(&self.0.credential);
            if let Login::Session { place: Some(place), .. } = &login {
                let _ = self.0.wire.exchange(Method::DELETE, place, headers, Bytes::new()).await;
            }
        }
    }

    /// Reads `uri`: tries again while the BMC is away for a moment, follows it on the same host.
    /// Any status comes back as a reply.
    pub async fn read(&self, uri: &str) -> Result<Reply, RedfishError> {
        let mut pause = self.0.pace.retry;
        let mut tries_left = self.0.pace.tries;
        loop {
            tries_left = tries_left.saturating_sub(1);
            let reply = self.follow(uri).await;
            let is_transient = match &reply {
                Ok(reply) => reply.status >= 500 && reply.status != 501 || reply.status == 429,
                Err(err) => err.is_transient(),
            };
            if !is_transient || tries_left == 0 {
                return reply;
            }
            tokio::time::sleep(pause).await;
            pause *= 2;
        }
    }

    async fn follow(&self, uri: &str) -> Result<Reply, RedfishError> {
        let mut at = uri.to_owned();
        for _ in 0..=REDIRECTS_MAX {
            let reply = self.once(Method::GET, &at, None, Bytes::new()).await?;
            if !matches!(reply.status, 301 | 302 | 303 | 307 | 308) {
                return Ok(reply);
            }
            let next = reply.untrusted_location.as_deref();
            match next.and_then(|next| self.0.wire.address.local(next)) {
                Some(next) => at = next.to_owned(),
                None => break,
            }
        }
        Err(RedfishError::Redirected { address: self.address().clone(), path: clean(uri) })
    }

    /// Reads a JSON object at `uri`, with its ETag.
    pub async fn get(&self, uri: &str) -> Result<(Value, Option<String>), RedfishError> {
        let reply = self.read(uri).await?;
        self.succeeded(uri, &reply)?;
        match serde_json::from_slice(&reply.body) {
            Ok(body @ Value::Object(_)) => {
                let written = body.get("@odata.etag").and_then(Value::as_str).map(str::to_owned);
                Ok((body, reply.etag.or(written)))
            }
            _ => Err(RedfishError::NotJson { address: self.address().clone(), path: clean(uri) }),
        }
    }

    /// Changes what is at `uri`, which must still have `etag`. Sent once: whether a change that got
    /// no answer was made is looked up, not guessed.
    pub async fn patch(
        &self,
        uri: &str,
        etag: Option<&str>,
        body: &Value,
    ) -> Result<Reply, RedfishError> {
        self.once(Method::PATCH, uri, etag, Bytes::from(body.to_string())).await
    }

    /// Asks for an action at `uri`, once.
    pub async fn post(&self, uri: &str, body: &Value) -> Result<Reply, RedfishError> {
        self.once(Method::POST, uri, None, Bytes::from(body.to_string())).await
    }

    /// An error where the reply is none of success.
    pub fn succeeded(&self, uri: &str, reply: &Reply) -> Result<(), RedfishError> {
        if reply.is_success() {
            return Ok(());
        }
        let address = self.address().clone();
        let messages = problem::messages(&reply.body);
        Err(match reply.status {
            403 => RedfishError::Forbidden { address, messages },
            status => RedfishError::Status { address, path: clean(uri), status, messages },
        })
    }

    async fn once(
        &self,
        method: Method,
        uri: &str,
        etag: Option<&str>,
        body: Bytes,
    ) -> Result<Reply, RedfishError> {
        let mut is_second = false;
        loop {
            let (login, n) = self.login().await?;
            let mut headers = login.headers(&self.0.credential);
            fill(&mut headers, etag, &body);
            let reply = self.0.wire.exchange(method.clone(), uri, headers, body.clone()).await?;
            if reply.status != 401 {
                return Ok(reply);
            }
            if !login.is_session() {
                return Err(RedfishError::Unauthorised { address: self.address().clone() });
            }
            if is_second {
                return Err(RedfishError::SessionsLost { address: self.address().clone() });
            }
            // The session is gone: nothing was done, so that the same request may go out again.
            self.0.logins.lock().await.forget(n);
            is_second = true;
        }
    }
}

fn fill(headers: &mut HeaderMap, etag: Option<&str>, body: &Bytes) {
    use hyper::header::{ACCEPT, CONTENT_TYPE, IF_MATCH, USER_AGENT};
    let agent = concat!("bootproof/", env!("CARGO_PKG_VERSION"));
    headers.insert(USER_AGENT, HeaderValue::from_static(agent));
    headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
    headers.insert("odata-version", HeaderValue::from_static("4.0"));
    if !body.is_empty() {
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    }
    if let Some(etag) = etag.and_then(|etag| HeaderValue::from_str(etag).ok()) {
        headers.insert(IF_MATCH, etag);
    }
}
