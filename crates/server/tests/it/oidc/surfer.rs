//! A browser without a screen: it follows redirects, and keeps cookies for whom they are.

use std::{
    collections::BTreeMap,
    io::{Read as _, Write as _},
    net::TcpStream,
    sync::Arc,
};

use rustls::{
    ClientConfig, ClientConnection, RootCertStore, StreamOwned,
    pki_types::{CertificateDer, ServerName, pem::PemObject},
};

/// A person's browser.
#[derive(Clone)]
pub(super) struct Surfer {
    tls: Arc<ClientConfig>,
    /// By authority, then name.
    pub(super) cookies: BTreeMap<String, BTreeMap<String, String>>,
}

/// Where one is, and what is there.
#[derive(Debug, Clone)]
pub(super) struct Page {
    pub(super) url: String,
    pub(super) status: u16,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: String,
}

impl Page {
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// Where it leads.
    pub(super) fn location(&self) -> String {
        let location = self.header("location").unwrap_or_else(|| panic!("no redirect: {self:?}"));
        absolute(&self.url, location)
    }

    /// The address of the first link whose address has this in it.
    pub(super) fn link(&self, part: &str) -> String {
        let mut links =
            self.body.split("href=\"").skip(1).filter_map(|rest| rest.split('"').next());
        let link = links.find(|link| link.contains(part));
        let link = link.unwrap_or_else(|| panic!("no link to {part}: {}", self.body));
        absolute(&self.url, &link.replace("&amp;", "&").replace("&#38;", "&"))
    }

    /// Where its form goes.
    pub(super) fn action(&self) -> String {
        let action = self.body.split("action=\"").nth(1).and_then(|rest| rest.split('"').next());
        absolute(&self.url, action.unwrap_or_else(|| panic!("no form: {self:?}")))
    }
}

/// A parameter of an address.
pub(super) fn parameter(url: &str, name: &str) -> Option<String> {
    let (_, query) = url.split_once('?')?;
    let mut all = form_urlencoded::parse(query.as_bytes());
    all.find(|(known, _)| known == name).map(|(_, value)| value.into_owned())
}

fn split(url: &str) -> (&str, &str) {
    let rest = url.strip_prefix("https://").unwrap_or_else(|| panic!("not https: {url}"));
    match rest.find('/') {
        Some(at) => rest.split_at(at),
        None => (rest, "/"),
    }
}

fn absolute(base: &str, location: &str) -> String {
    if location.starts_with('/') {
        format!("https://{}{location}", split(base).0)
    } else {
        location.to_owned()
    }
}

impl Surfer {
    /// One that trusts these authorities.
    pub(super) fn new(authorities: &[&str]) -> Self {
        let mut roots = RootCertStore::empty();
        for pem in authorities {
            roots.add(CertificateDer::from_pem_slice(pem.as_bytes()).unwrap()).unwrap();
        }
        let crypto = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let tls = ClientConfig::builder_with_provider(crypto)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        Self { tls: Arc::new(tls), cookies: BTreeMap::new() }
    }

    /// One request, without following where it leads.
    pub(super) fn ask(&mut self, method: &str, url: &str, form: &[(&str, &str)]) -> Page {
        let (authority, path) = split(url);
        let name = authority.split(':').next().unwrap().to_owned();
        let tls = ClientConnection::new(Arc::clone(&self.tls), ServerName::try_from(name).unwrap())
            .unwrap();
        let mut stream = StreamOwned::new(tls, TcpStream::connect(authority).unwrap());
        let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
        let mut head = format!(
            "{method} {path} HTTP/1.1\r\nhost: {authority}\r\nconnection: close\r\naccept: */*\r\n"
        );
        let own = self.cookies.entry(authority.to_owned()).or_default();
        if !own.is_empty() {
            let pairs: Vec<_> = own.iter().map(|(name, value)| format!("{name}={value}")).collect();
            head.push_str(&format!("cookie: {}\r\n", pairs.join("; ")));
        }
        if method == "POST" {
            head.push_str(&format!(
                "origin: https://{authority}\r\ncontent-type: application/x-www-form-urlencoded\r\n\
                 content-length: {}\r\n",
                body.len()
            ));
        }
        stream.write_all(format!("{head}\r\n{body}").as_bytes()).unwrap();
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        let answer = String::from_utf8(answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").expect("an answer");
        let mut lines = head.lines();
        let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
        let headers: Vec<_> = lines
            .filter_map(|line| line.split_once(": "))
            .map(|(name, value)| (name.to_lowercase(), value.to_owned()))
            .collect();
        for (_, cookie) in headers.iter().filter(|(name, _)| name == "set-cookie") {
            let (pair, attributes) = cookie.split_once(';').unwrap_or((cookie, ""));
            let (name, value) = pair.split_once('=').unwrap();
            let is_gone = attributes.contains("Max-Age=0") || attributes.contains("1970");
            match is_gone {
                true => drop(own.remove(name)),
                false => drop(own.insert(name.to_owned(), value.to_owned())),
            }
        }
        Page { url: url.to_owned(), status, headers, body: body.to_owned() }
    }

    /// Goes where the page leads, to the end or to the first address that has `until` in it.
    pub(super) fn follow_until(&mut self, mut page: Page, until: &str) -> Page {
        for _ in 0..20 {
            if !(300..400).contains(&page.status) || page.location().contains(until) {
                return page;
            }
            page = self.ask("GET", &page.location(), &[]);
        }
        panic!("it leads on and on: {page:?}");
    }

    /// Opens an address, and follows to the end.
    pub(super) fn open(&mut self, url: &str) -> Page {
        let page = self.ask("GET", url, &[]);
        self.follow_until(page, "no such address")
    }

    /// Sends a form, and follows to the end.
    pub(super) fn send(&mut self, url: &str, form: &[(&str, &str)]) -> Page {
        let page = self.ask("POST", url, form);
        self.follow_until(page, "no such address")
    }
}
