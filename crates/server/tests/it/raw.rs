//! Requests byte by byte: what no decent client sends.

use std::sync::Arc;

use rustls::{
    ClientConfig, RootCertStore,
    pki_types::{CertificateDer, ServerName, pem::PemObject as _},
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};
use tokio_rustls::{TlsConnector, client::TlsStream};

use crate::bench::Server;

/// The longest that a test waits for an answer.
const ANSWER_MAX: std::time::Duration = std::time::Duration::from_secs(20);

/// What came back.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// The lines of the head in small letters, without the first.
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    /// The value of a header.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let of = |line: &&str| line.strip_prefix(name).is_some_and(|rest| rest.starts_with(':'));
        let line = self.head.lines().find(of)?;
        line.split_once(':').map(|(_, value)| value.trim())
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    /// The code of a refusal.
    pub(crate) fn code(&self) -> String {
        self.json()["code"].as_str().unwrap_or_default().to_owned()
    }
}

/// A connection of TLS to `server`, which offers these protocols.
pub(crate) async fn connect(server: &Server, alpn: &[&[u8]]) -> TlsStream<TcpStream> {
    let mut roots = RootCertStore::empty();
    let ca = CertificateDer::from_pem_file(server.data.path().join("ca.pem")).unwrap();
    roots.add(ca).unwrap();
    let mut config = ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
    config.alpn_protocols = alpn.iter().map(|name| name.to_vec()).collect();
    let stream = TcpStream::connect(server.listen()).await.unwrap();
    let name = ServerName::try_from("127.0.0.1").unwrap();
    TlsConnector::from(Arc::new(config)).connect(name, stream).await.unwrap()
}

/// Sends `bytes` on a connection of their own and reads the answer to its end; `None` where the server closed
/// the connection without one.
pub(crate) async fn send(server: &Server, bytes: &[u8]) -> Option<Answer> {
    let exchange = async {
        let mut stream = connect(server, &[b"http/1.1"]).await;
        // The server may answer, and close, before it has read all of it.
        let _ = stream.write_all(bytes).await;
        let _ = stream.flush().await;
        let mut answer = Vec::new();
        let mut piece = [0; 16 * 1024];
        loop {
            match stream.read(&mut piece).await {
                Ok(0) | Err(_) => break,
                Ok(n) => answer.extend_from_slice(&piece[..n]),
            }
            if !bytes.starts_with(b"HEAD ") && is_whole(&answer) {
                break;
            }
        }
        parse(&answer)
    };
    tokio::time::timeout(ANSWER_MAX, exchange).await.expect("no answer, and no end")
}

fn split(answer: &[u8]) -> Option<(&[u8], &[u8])> {
    let at = answer.windows(4).position(|four| four == b"\r\n\r\n")?;
    Some((&answer[..at], &answer[at + 4..]))
}

fn is_whole(answer: &[u8]) -> bool {
    let Some((head, body)) = split(answer) else { return false };
    let head = String::from_utf8_lossy(head).to_ascii_lowercase();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length:"));
    match length.and_then(|length| length.trim().parse::<usize>().ok()) {
        Some(length) => body.len() >= length,
        None if head.contains("transfer-encoding: chunked") => body.ends_with(b"0\r\n\r\n"),
        None => true,
    }
}

fn parse(answer: &[u8]) -> Option<Answer> {
    let (head, body) = split(answer)?;
    let head = String::from_utf8_lossy(head).into_owned();
    let (first, rest) = head.split_once("\r\n").unwrap_or((&head, ""));
    let status = first.split(' ').nth(1)?.parse().ok()?;
    let rest = rest.lines().map(|line| match line.split_once(':') {
        Some((name, value)) => format!("{}:{value}\n", name.to_ascii_lowercase()),
        None => String::new(),
    });
    Some(Answer { status, head: rest.collect(), body: body.to_vec() })
}

/// A request of the administrator; `headers` are whole lines.
pub(crate) async fn ask(
    server: &Server,
    method: &str,
    target: &str,
    headers: &str,
    body: &[u8],
) -> Option<Answer> {
    let token = administrator(server);
    let mut bytes = format!(
        "{method} {target} HTTP/1.1\r\nhost: {}\r\nauthorization: Bearer {token}\r\n{headers}",
        server.listen()
    )
    .into_bytes();
    if !body.is_empty() {
        bytes.extend_from_slice(format!("content-length: {}\r\n", body.len()).as_bytes());
    }
    bytes.extend_from_slice(b"\r\n");
    bytes.extend_from_slice(body);
    send(server, &bytes).await
}

/// The administrator's token.
pub(crate) fn administrator(server: &Server) -> String {
    let path = server.data.path().join("admin.toml");
    client::Context::load(Some(&path)).unwrap().token
}

/// The header of JSON.
pub(crate) const JSON: &str = "content-type: application/json\r\n";
