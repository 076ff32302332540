//! A bare TLS connection.

use std::{net::SocketAddr, sync::Arc};

use anyhow::{Context as _, bail, ensure};
use rustls::{
    ClientConfig, RootCertStore,
    client::Resumption,
    crypto::aws_lc_rs as provider,
    pki_types::{CertificateDer, ServerName, pem::PemObject as _},
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};
use tokio_rustls::{TlsConnector, client::TlsStream};

/// Bytes of an answer: a page of 500 hosts takes two megabytes.
const ANSWER_BYTES_MAX: usize = 16 << 20;

/// Where connections lead to.
#[derive(Clone)]
pub struct Dialer {
    address: SocketAddr,
    connector: TlsConnector,
}

impl Dialer {
    /// To `address`, whose authority is `ca_pem`. No session is resumed: each new connection costs a whole
    /// handshake, as one of a host that has just booted does.
    pub fn new(address: SocketAddr, ca_pem: &str) -> anyhow::Result<Self> {
        let mut roots = RootCertStore::empty();
        for certificate in CertificateDer::pem_slice_iter(ca_pem.as_bytes()) {
            roots.add(certificate.context("the authority's certificate")?)?;
        }
        let builder = ClientConfig::builder_with_provider(Arc::new(provider::default_provider()))
            .with_protocol_versions(&[&rustls::version::TLS13])?;
        let mut config = builder.with_root_certificates(roots).with_no_client_auth();
        config.resumption = Resumption::disabled();
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Self { address, connector: TlsConnector::from(Arc::new(config)) })
    }

    /// Where it leads to.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// A new connection.
    pub async fn dial(&self) -> anyhow::Result<Line> {
        let stream = TcpStream::connect(self.address).await?;
        stream.set_nodelay(true)?;
        let name = ServerName::IpAddress(self.address.ip().into());
        Ok(Line { stream: self.connector.connect(name, stream).await?, bytes: Vec::new() })
    }
}

/// A connection.
pub struct Line {
    stream: TlsStream<TcpStream>,
    bytes: Vec<u8>,
}

impl Line {
    /// Writes a request, and reads an answer of `n` bytes.
    pub async fn exchange(&mut self, request: &[u8], n: usize) -> anyhow::Result<&[u8]> {
        self.stream.write_all(request).await?;
        self.bytes.resize(n, 0);
        self.stream.read_exact(&mut self.bytes).await?;
        Ok(&self.bytes)
    }

    /// Writes a whole request of HTTP, and reads the body of its answer, which must be a good one.
    pub async fn ask(&mut self, request: &[u8]) -> anyhow::Result<&[u8]> {
        self.stream.write_all(request).await?;
        self.bytes.clear();
        loop {
            let n = self.stream.read_buf(&mut self.bytes).await?;
            ensure!(n > 0, "the server closed the connection");
            if let Some(head) = head(&self.bytes)? {
                ensure!(head.body_bytes <= ANSWER_BYTES_MAX, "an answer is too long");
                let whole = head.head_bytes + head.body_bytes;
                while self.bytes.len() < whole {
                    let n = self.stream.read_buf(&mut self.bytes).await?;
                    ensure!(n > 0, "the server closed the connection");
                }
                let body = self.bytes.get(head.head_bytes..whole).context("no body")?;
                if head.status != 200 {
                    bail!("{} {}", head.status, String::from_utf8_lossy(body));
                }
                return Ok(body);
            }
        }
    }
}

/// The head of an answer.
#[derive(Debug, PartialEq, Eq)]
struct Head {
    status: u16,
    head_bytes: usize,
    body_bytes: usize,
}

/// The head where it has come as a whole.
fn head(bytes: &[u8]) -> anyhow::Result<Option<Head>> {
    let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") else {
        return Ok(None);
    };
    let text = std::str::from_utf8(&bytes[..end])?;
    let status = text.split(' ').nth(1).context("no status")?.parse()?;
    let length = text.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse())
    });
    Ok(Some(Head { status, head_bytes: end + 4, body_bytes: length.context("no length")?? }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_is_read_when_it_is_whole() {
        let bytes = b"HTTP/1.1 200 OK\r\ncontent-type: a\r\nContent-Length: 3\r\n\r\nabc";
        for n in 0..bytes.len() - 3 {
            assert_eq!(head(&bytes[..n]).unwrap(), None, "{n} bytes");
        }
        let whole = Head { status: 200, head_bytes: bytes.len() - 3, body_bytes: 3 };
        assert_eq!(head(bytes).unwrap(), Some(whole));
        assert!(head(b"HTTP/1.1 200 OK\r\n\r\n").is_err(), "without a length");
    }
}
