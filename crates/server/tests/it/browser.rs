//! What a browser sends: cookies, and where a request comes from. One connection for each request.

use std::{
    io::{Read as _, Write as _},
    net::TcpStream,
    sync::Arc,
};

use api::people::{LoginRequest, SESSION_COOKIE, SessionBegun, ShownAs};
use client::Context;
use rustls::{
    ClientConfig, ClientConnection, RootCertStore, StreamOwned, pki_types::pem::PemObject,
};
use serde::Serialize;
use serde_json::Value;

use crate::bench::Server;

/// A browser with what it knows of one server.
#[derive(Clone)]
pub(crate) struct Browser {
    pub(crate) address: String,
    pub(crate) tls: Arc<ClientConfig>,
    /// The value of the session's cookie.
    pub(crate) cookie: Option<String>,
    /// What its page knows.
    pub(crate) csrf_token: Option<String>,
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Value,
}

impl Answer {
    /// The code of a refusal.
    pub(crate) fn code(&self) -> &str {
        self.body["code"].as_str().unwrap_or("none")
    }

    /// The value of a header.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    }
}

impl Browser {
    pub(crate) fn new(server: &Server) -> Self {
        let context = Context::load(Some(&server.data.path().join("admin.toml"))).unwrap();
        let mut roots = RootCertStore::empty();
        let ca = rustls::pki_types::CertificateDer::from_pem_slice(context.ca_pem.as_bytes());
        roots.add(ca.unwrap()).unwrap();
        let crypto = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let tls = ClientConfig::builder_with_provider(crypto)
            .with_protocol_versions(&[&rustls::version::TLS13])
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        let address = server.listen().to_owned();
        Self { address, tls: Arc::new(tls), cookie: None, csrf_token: None }
    }

    /// The origin of the server's pages.
    pub(crate) fn origin(&self) -> String {
        format!("https://{}", self.address)
    }

    /// A page as it comes: status and text.
    pub(crate) fn page(&self, path: &str) -> (u16, String) {
        let (status, _, text) = self.sent("GET", path, &[], String::new());
        (status, text)
    }

    /// A page as a person asks for it: status, headers and text.
    pub(crate) fn seen(&self, path: &str) -> (u16, Vec<(String, String)>, String) {
        let accept = ("accept", "text/html,application/xhtml+xml,*/*;q=0.8");
        self.sent("GET", path, &[accept], String::new())
    }

    /// Sends a request with these headers and the cookie, and nothing else.
    pub(crate) fn send(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &impl Serialize,
    ) -> Answer {
        let body = match method {
            "GET" | "DELETE" => String::new(),
            _ => serde_json::to_string(body).unwrap(),
        };
        let (status, headers, body) = self.sent(method, path, headers, body);
        Answer { status, headers, body: serde_json::from_str(&body).unwrap_or_default() }
    }

    /// The same, with what came back as text.
    fn sent(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: String,
    ) -> (u16, Vec<(String, String)>, String) {
        let name = "127.0.0.1".try_into().unwrap();
        let tls = ClientConnection::new(Arc::clone(&self.tls), name).unwrap();
        let mut stream = StreamOwned::new(tls, TcpStream::connect(&self.address).unwrap());
        let mut head = format!("{method} {path} HTTP/1.1\r\nhost: {}\r\n", self.address);
        if let Some(cookie) = &self.cookie {
            head.push_str(&format!("cookie: theme=dark; {SESSION_COOKIE}={cookie}\r\n"));
        }
        for (name, value) in headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        let length = body.len();
        if !body.is_empty() && !headers.iter().any(|(name, _)| *name == "content-type") {
            head.push_str("content-type: application/json\r\n");
        }
        head.push_str(&format!("content-length: {length}\r\nconnection: close\r\n\r\n{body}"));
        stream.write_all(head.as_bytes()).unwrap();
        let mut answer = Vec::new();
        // A server that refuses without reading the body may cut the connection after its answer.
        let _ = stream.read_to_end(&mut answer);
        let answer = String::from_utf8(answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").expect("an answer");
        let mut lines = head.lines();
        let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
        let headers = lines.filter_map(|line| line.split_once(": "));
        let headers =
            headers.map(|(name, value)| (name.to_lowercase(), value.to_owned())).collect();
        (status, headers, body.to_owned())
    }

    /// As a page of the server itself asks.
    pub(crate) fn ask(&self, method: &str, path: &str, body: &impl Serialize) -> Answer {
        let origin = self.origin();
        let mut headers = vec![("origin", origin.as_str()), ("sec-fetch-site", "same-origin")];
        if let Some(token) = &self.csrf_token {
            headers.push(("x-csrf-token", token));
        }
        self.send(method, path, &headers, body)
    }

    /// Sends a form of a page, with these fields and the session's token: status, where to go on, and the page.
    pub(crate) fn form(
        &self,
        path: &str,
        fields: &[(&str, &str)],
    ) -> (u16, Option<String>, String) {
        let csrf = self.csrf_token.as_deref().unwrap_or_default();
        let mut body = format!("csrf={csrf}");
        for (name, value) in fields {
            // All but letters and digits is encoded.
            let value: String = value
                .bytes()
                .map(|byte| match byte.is_ascii_alphanumeric() {
                    true => char::from(byte).to_string(),
                    false => format!("%{byte:02X}"),
                })
                .collect();
            body.push_str(&format!("&{name}={value}"));
        }
        let origin = self.origin();
        let headers = [
            ("origin", origin.as_str()),
            ("sec-fetch-site", "same-origin"),
            ("content-type", "application/x-www-form-urlencoded"),
        ];
        let (status, headers, page) = self.sent("POST", path, &headers, body);
        let to = headers.into_iter().find(|(name, _)| name == "location").map(|(_, to)| to);
        (status, to, page)
    }

    /// Takes what a login answered.
    pub(crate) fn take(&mut self, answer: &Answer) -> SessionBegun {
        assert_eq!(answer.status, 200, "{answer:?}");
        let cookie = answer.header("set-cookie").expect("a cookie");
        let value = cookie.split_once('=').unwrap().1.split(';').next().unwrap();
        self.cookie = Some(value.to_owned());
        let begun: SessionBegun = serde_json::from_value(answer.body.clone()).unwrap();
        self.csrf_token = Some(begun.csrf_token.clone());
        begun
    }

    /// Asks to be logged in.
    pub(crate) fn try_log_in(&self, name: &str, password: &str) -> Answer {
        let (name, password) = (name.to_owned(), password.to_owned());
        let request = LoginRequest { name, password, shown_as: ShownAs::Cookie };
        self.ask("POST", "/v1/session", &request)
    }

    pub(crate) fn log_in(&mut self, name: &str, password: &str) -> SessionBegun {
        let answer = self.try_log_in(name, password);
        self.take(&answer)
    }
}

/// The code for the first account, as the server printed it last.
pub(crate) fn setup_code(server: &Server) -> Option<String> {
    let log = server.log();
    let code = log.lines().rev().find_map(|line| line.trim().strip_prefix("bpc_"))?;
    Some(format!("bpc_{code}"))
}
