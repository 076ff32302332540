//! One POST over TLS: no redirect is followed, and of the answer little is read.

use axum::http::request::Builder;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::{
    Request, StatusCode, Uri,
    body::{Bytes, Incoming},
    client::conn::http1,
    header,
};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;

use super::{Steps, Target, Undelivered, later, text};

/// Bytes of an answer that are read: it is only shown.
const ANSWER_BYTES_MAX: usize = 4 * 1024;

/// An `https` address, in parts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Address {
    pub(crate) host: String,
    pub(crate) port: u16,
    /// Path and query.
    pub(crate) path: String,
}

impl Address {
    /// The parts of `url`; `None` where it is no `https` address, or has a password in it.
    pub(crate) fn parse(url: &str) -> Option<Self> {
        let uri: Uri = url.parse().ok()?;
        let authority = uri.authority()?;
        if uri.scheme_str() != Some("https") || authority.as_str().contains('@') {
            return None;
        }
        let host = authority.host().trim_start_matches('[').trim_end_matches(']').to_owned();
        let path = uri.path_and_query().map_or("/", |path| path.as_str()).to_owned();
        (!host.is_empty()).then_some(Self { host, port: authority.port_u16().unwrap_or(443), path })
    }
}

/// What is sent.
pub(super) struct Post<'a> {
    pub(super) path: &'a str,
    pub(super) content_type: &'static str,
    pub(super) headers: Vec<(&'static str, String)>,
    pub(super) body: Vec<u8>,
}

/// Sends it, and gives what was answered where that is well.
pub(super) async fn post(
    target: &Target,
    post: Post<'_>,
    steps: &mut Steps,
) -> Result<(), Undelivered> {
    let stream = target.connect(steps).await?;
    let answered = async {
        let mut request = Request::post(post.path).header(header::CONTENT_TYPE, post.content_type);
        for (name, value) in post.headers {
            request = request.header(name, value);
        }
        let request = to_be_sent(request, target, post.body)?;
        send(stream, request, Read::Some).await
    };
    let outcome = answered.await.and_then(|(status, said)| judge(status, &said).map(|()| status));
    steps.of("answered", outcome, |status| status.to_string()).map(drop)
}

/// Sends a request, and gives the answer whole, whatever its status; one of more than `bytes_max` is none.
pub(crate) async fn exchange(
    target: &Target,
    request: Builder,
    body: Vec<u8>,
    bytes_max: usize,
) -> Result<(StatusCode, Vec<u8>), Undelivered> {
    let stream = target.connect(&mut Steps::default()).await?;
    let request = to_be_sent(request, target, body)?;
    send(stream, request, Read::Whole { bytes_max }).await
}

/// What is read of an answer's body.
enum Read {
    /// Its beginning, to be shown.
    Some,
    /// All of it.
    Whole { bytes_max: usize },
}

fn to_be_sent(
    request: Builder,
    target: &Target,
    body: Vec<u8>,
) -> Result<Request<Full<Bytes>>, Undelivered> {
    request
        .header(header::HOST, host_field(target))
        .header(header::USER_AGENT, concat!("bootproof-server/", env!("CARGO_PKG_VERSION")))
        .body(Full::new(Bytes::from(body)))
        .map_err(|err| Undelivered::Refused(format!("the request cannot be written: {err}")))
}

/// Sends a request on a connection of its own, and reads what is wanted of the answer's body.
async fn send(
    stream: TlsStream<TcpStream>,
    request: Request<Full<Bytes>>,
    read: Read,
) -> Result<(StatusCode, Vec<u8>), Undelivered> {
    let (mut sender, connection) = http1::handshake::<_, Full<Bytes>>(TokioIo::new(stream))
        .await
        .map_err(|err| later(format!("no HTTP: {err}")))?;
    let driver = tokio::spawn(connection);
    let response =
        sender.send_request(request).await.map_err(|err| later(format!("no answer: {err}")))?;
    let status = response.status();
    let body = response.into_body();
    let said = match read {
        Read::Some => Ok(read_some(body).await),
        Read::Whole { bytes_max } => {
            let whole = Limited::new(body, bytes_max).collect().await;
            whole.map(|whole| whole.to_bytes().to_vec())
        }
    };
    driver.abort();
    let said = said.map_err(|err| later(format!("the answer cannot be read: {err}")))?;
    Ok((status, said))
}

fn host_field(target: &Target) -> String {
    let host = match target.host.contains(':') {
        true => format!("[{}]", target.host),
        false => target.host.clone(),
    };
    if target.port == 443 { host } else { format!("{host}:{}", target.port) }
}

/// The beginning of a body. What fails on the way changes nothing: the status has come.
async fn read_some(mut body: Incoming) -> Vec<u8> {
    let mut read = Vec::new();
    while read.len() < ANSWER_BYTES_MAX {
        let Some(Ok(frame)) = body.frame().await else { break };
        let Some(data) = frame.data_ref() else { continue };
        let room = ANSWER_BYTES_MAX - read.len();
        read.extend(data.iter().take(room));
    }
    read
}

fn judge(status: StatusCode, said: &[u8]) -> Result<(), Undelivered> {
    if status.is_success() {
        return Ok(());
    }
    let said = text::answer(said);
    let said = if said.is_empty() { status.to_string() } else { format!("{status}: {said}") };
    if status.is_redirection() {
        // Where it leads, nobody looked whether one may go.
        return Err(Undelivered::Later(format!("{said}; redirects are not followed")));
    }
    // Of this very message. All else, a token that is void or an address that is gone, a person mends,
    // and what waits goes then.
    let is_of_message = matches!(
        status,
        StatusCode::BAD_REQUEST
            | StatusCode::PAYLOAD_TOO_LARGE
            | StatusCode::UNSUPPORTED_MEDIA_TYPE
            | StatusCode::UNPROCESSABLE_ENTITY
    );
    Err(if is_of_message { Undelivered::Refused(said) } else { Undelivered::Later(said) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_https_and_has_no_password() {
        let of = |host: &str, port, path: &str| {
            Some(Address { host: host.to_owned(), port, path: path.to_owned() })
        };
        assert_eq!(Address::parse("https://a.example/x?y=1"), of("a.example", 443, "/x?y=1"));
        assert_eq!(Address::parse("https://[::1]:9093"), of("::1", 9093, "/"));
        for wrong in ["http://a/", "https://u:p@a/", "a", "", "https://", "file:///x", "https:///x"]
        {
            assert_eq!(Address::parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn only_what_is_wrong_with_the_message_is_refused() {
        for status in [500, 503, 429, 408, 301, 307, 401, 404, 410] {
            let status = StatusCode::from_u16(status).unwrap();
            assert!(matches!(judge(status, b"no"), Err(Undelivered::Later(_))), "{status}");
        }
        for status in [400, 413, 422] {
            let status = StatusCode::from_u16(status).unwrap();
            assert!(matches!(judge(status, b""), Err(Undelivered::Refused(_))), "{status}");
        }
        assert_eq!(judge(StatusCode::NO_CONTENT, b""), Ok(()));
    }
}
