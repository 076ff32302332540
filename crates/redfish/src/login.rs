//! Sessions: one login, one more where it is lost, an end. [DSP0266-1.20 §13.3.4]

use base64::{Engine as _, engine::general_purpose::STANDARD};
use hyper::{
    HeaderMap, Method,
    body::Bytes,
    header::{HeaderName, HeaderValue},
};
use serde_json::{Value, json};
use zeroize::Zeroizing;

use crate::{Credential, RedfishError, problem, wire::Wire};

/// Logins of one run at one BMC: one, and some for BMCs that restart or forget.
const LOGINS_MAX: u32 = 16;

/// The collection of sessions, where the service root names none.
const SESSIONS: &str = "/redfish/v1/SessionService/Sessions";

/// How requests show who asks.
#[derive(Clone)]
pub(crate) enum Login {
    /// By a session's token; its place is for the end.
    Session { token: Zeroizing<String>, place: Option<String> },
    /// By the password with each request: where there are no sessions, or no place for one more.
    Basic,
}

/// The login of a BMC, and how often there was one.
#[derive(Default)]
pub(crate) struct Logins {
    current: Option<Login>,
    pub(crate) n: u32,
}

impl Logins {
    /// The current login; makes one where there is none.
    pub(crate) async fn current(
        &mut self,
        wire: &Wire,
        credential: &Credential,
    ) -> Result<Login, RedfishError> {
        if let Some(login) = &self.current {
            return Ok(login.clone());
        }
        if self.n >= LOGINS_MAX {
            return Err(RedfishError::SessionsLost { address: wire.address.clone() });
        }
        let login = log_in(wire, credential).await?;
        self.n += 1;
        self.current = Some(login.clone());
        Ok(login)
    }

    /// Drops the login that was the `n`th, unless another one is there already.
    pub(crate) fn forget(&mut self, n: u32) {
        if self.n == n {
            self.current = None;
        }
    }

    pub(crate) fn take(&mut self) -> Option<Login> {
        self.current.take()
    }
}

async fn log_in(wire: &Wire, credential: &Credential) -> Result<Login, RedfishError> {
    let root = wire.exchange(Method::GET, "/redfish/v1/", HeaderMap::new(), Bytes::new()).await?;
    let root: Value = serde_json::from_slice(&root.body).unwrap_or(Value::Null);
    let link = root.pointer("/Links/Sessions/@odata.id").and_then(Value::as_str);
    let place = link.and_then(|link| firmware::ResourcePath::parse(link).ok());
    let place = place.map_or_else(|| SESSIONS.to_owned(), |path| path.to_uri());
    let mut headers = HeaderMap::new();
    headers.insert(hyper::header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    let account = json!({ "UserName": credential.user, "Password": *credential.password });
    let body = Bytes::from(account.to_string());
    let mut reply = wire.exchange(Method::POST, &place, headers.clone(), body.clone()).await?;
    // Some want a slash at the end. The password goes to the same host only.
    if matches!(reply.status, 307 | 308) {
        let location = reply.untrusted_location.as_deref();
        let Some(next) = location.and_then(|location| wire.address.local(location)) else {
            return Err(RedfishError::Redirected { address: wire.address.clone(), path: place });
        };
        reply = wire.exchange(Method::POST, next, headers, body).await?;
    }
    let address = || wire.address.clone();
    match reply.status {
        200 | 201 => match reply.token {
            Some(token) => {
                let location = reply.untrusted_location.as_deref();
                let place = location.and_then(|location| wire.address.local(location));
                Ok(Login::Session { token, place: place.map(str::to_owned) })
            }
            None => Ok(Login::Basic),
        },
        // Not the password once more in another form: BMCs lock accounts after some wrong ones.
        401 | 403 => Err(RedfishError::Unauthorised { address: address() }),
        // No sessions here.
        404 | 405 | 501 => Ok(Login::Basic),
        // No place for one more: others left theirs open.
        _ if problem::names(&reply.body, "SessionLimitExceeded") => Ok(Login::Basic),
        status => Err(RedfishError::Status {
            address: address(),
            path: place,
            status,
            messages: problem::messages(&reply.body),
        }),
    }
}

impl Login {
    /// The headers of a request that shows it.
    pub(crate) fn headers(&self, credential: &Credential) -> HeaderMap {
        let mut headers = HeaderMap::new();
        let (name, value) = match self {
            Self::Session { token, .. } => {
                (HeaderName::from_static("x-auth-token"), HeaderValue::from_str(token))
            }
            Self::Basic => {
                let account =
                    Zeroizing::new(format!("{}:{}", credential.user, *credential.password));
                let shown =
                    Zeroizing::new(format!("Basic {}", STANDARD.encode(account.as_bytes())));
                (hyper::header::AUTHORIZATION, HeaderValue::from_str(&shown))
            }
        };
        if let Ok(mut value) = value {
            value.set_sensitive(true);
            headers.insert(name, value);
        }
        headers
    }

    pub(crate) const fn is_session(&self) -> bool {
        matches!(self, Self::Session { .. })
    }
}
