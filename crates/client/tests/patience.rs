//! A server that fails on purpose: what is asked again, under which key, and when it ends.

use std::{
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use api::{inventory::LabelsRequest, people::LoginRequest};
use client::{Client, ClientError, Trust};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
};
use tokio_rustls::TlsAcceptor;

/// Answers one after the other, and the heads of the requests that got them.
struct Failing {
    client: Client,
    heads: Arc<Mutex<Vec<String>>>,
}

impl Failing {
    /// `answers`: each a status, headers and a body; the last one again and again.
    async fn start(answers: &'static [(&'static str, &'static str, &'static str)]) -> Self {
        let key = rcgen::KeyPair::generate().unwrap();
        let certificate = rcgen::CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap();
        let certificate = certificate.self_signed(&key).unwrap();
        let pem = certificate.pem();
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = rustls::ServerConfig::builder_with_provider(provider)
            .with_protocol_versions(&[&rustls::version::TLS13])
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], key)
            .unwrap();
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("https://{}", listener.local_addr().unwrap());
        let heads = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&heads);
        tokio::spawn(async move {
            let mut n = 0;
            while let Ok((stream, _)) = listener.accept().await {
                let Ok(mut stream) = acceptor.accept(stream).await else { continue };
                let mut head = Vec::new();
                let mut piece = [0; 4096];
                while !head.windows(4).any(|four| four == b"\r\n\r\n") {
                    match stream.read(&mut piece).await {
                        Ok(0) | Err(_) => break,
                        Ok(read) => head.extend_from_slice(&piece[..read]),
                    }
                }
                seen.lock().unwrap().push(String::from_utf8_lossy(&head).into_owned());
                let (status, headers, body) = answers[n.min(answers.len() - 1)];
                n += 1;
                let answer = format!(
                    "HTTP/1.1 {status}\r\ncontent-length: {}\r\nconnection: close\r\n{headers}\r\n{body}",
                    body.len()
                );
                let _ = stream.write_all(answer.as_bytes()).await;
                let _ = stream.shutdown().await;
            }
        });
        Self { client: Client::new(&url, &Trust::CaPem(pem)).unwrap(), heads }
    }

    /// The values of a header of all requests.
    fn header(&self, name: &str) -> Vec<Option<String>> {
        let heads = self.heads.lock().unwrap();
        let value = |head: &String| {
            head.lines().find_map(|line| Some(line.strip_prefix(name)?.trim().to_owned()))
        };
        heads.iter().map(value).collect()
    }

    fn n(&self) -> usize {
        self.heads.lock().unwrap().len()
    }
}

const BUSY: (&str, &str, &str) = ("503 Service Unavailable", "", "");
const SOON: (&str, &str, &str) = ("429 Too Many Requests", "retry-after: 1\r\n", "");
const LATER: (&str, &str, &str) = ("503 Service Unavailable", "retry-after: 3600\r\n", "");
const LABELS: (&str, &str, &str) = ("200 OK", "", r#"{"site":"x"}"#);

#[tokio::test]
async fn a_busy_server_is_asked_again_and_when_it_says() {
    let server = Failing::start(&[BUSY, SOON, LABELS]).await;
    let begun = Instant::now();
    let labels = server.client.get_labels("a host/..").await.unwrap();
    assert_eq!(labels["site"], "x");
    assert_eq!(server.n(), 3);
    assert!(begun.elapsed() >= Duration::from_millis(1200), "{:?}", begun.elapsed());
    let head = server.heads.lock().unwrap()[0].clone();
    assert!(head.starts_with("GET /v1/hosts/a%20host%2F../labels HTTP/1.1"), "{head}");
}

#[tokio::test]
async fn a_server_that_asks_for_an_hour_is_left_to_a_person() {
    let server = Failing::start(&[LATER]).await;
    let refused = server.client.get_labels("h").await;
    assert!(matches!(refused, Err(ClientError::Problem(problem)) if problem.status == 503));
    assert_eq!(server.n(), 1);
}

#[tokio::test]
async fn a_change_is_sent_again_under_one_key_and_another_one_under_another() {
    let server = Failing::start(&[BUSY, LABELS]).await;
    let request = LabelsRequest::default();
    for _ in 0..2 {
        server.client.label_host("h", &request).await.unwrap();
    }
    let keys = server.header("idempotency-key:");
    assert_eq!(keys.len(), 3);
    assert!(keys[0].is_some() && keys[0] == keys[1], "{keys:?}");
    assert_ne!(keys[1], keys[2]);
}

#[tokio::test]
async fn what_may_not_be_tried_twice_is_sent_once() {
    let server = Failing::start(&[BUSY]).await;
    let request = LoginRequest {
        name: "alice".to_owned(),
        password: "x".to_owned(),
        shown_as: api::people::ShownAs::Token,
    };
    assert!(server.client.log_in(&request).await.is_err());
    assert_eq!(server.n(), 1);
    // And what is busy for good ends.
    assert!(server.client.get_labels("h").await.is_err());
    assert_eq!(server.n(), 5);
}
