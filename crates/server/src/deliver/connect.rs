//! From a name to a verified TLS connection.

use std::{
    io::ErrorKind,
    net::{IpAddr, Ipv6Addr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use rustls::{
    ClientConfig, RootCertStore,
    crypto::aws_lc_rs as provider,
    pki_types::{CertificateDer, ServerName, pem::PemObject},
    version::{TLS12, TLS13},
};
use tokio::{
    net::{TcpStream, lookup_host},
    time::timeout,
};
use tokio_rustls::{TlsConnector, client::TlsStream};

use super::{Steps, Undelivered, later};

/// Where a distribution has the authorities that its programs trust: a quarter of a MiB, in the page cache.
const SYSTEM_ROOTS: &str = "/etc/ssl/certs/ca-certificates.crt";

/// For resolving, and for each address: one retransmission of the first packet and some.
const TRY_MAX: Duration = Duration::from_secs(5);

/// Addresses of one name that are tried.
const ADDRESSES_MAX: usize = 4;

/// Which addresses may be spoken to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reach {
    /// None at which machines have services of their own that ask for no password: metadata of clouds.
    NotLinkLocal,
    /// All.
    Anywhere,
}

/// Whom to speak to, and how it is known.
#[derive(Debug, Clone)]
pub(crate) struct Target {
    /// A name or address.
    pub(crate) host: String,
    pub(crate) port: u16,
    /// Certificates of the authorities that vouch for it, PEM; `None`: those of the system. Programs of
    /// others, not hosts and not our servers: for those no authority of the web counts.
    pub(crate) ca_pem: Option<String>,
    pub(crate) reach: Reach,
}

impl Target {
    /// A verified TLS connection.
    pub(super) async fn connect(
        &self,
        steps: &mut Steps,
    ) -> Result<TlsStream<TcpStream>, Undelivered> {
        let tcp = self.tcp(steps).await?;
        self.tls(tcp, steps).await
    }

    /// A connection that says nothing secret yet.
    pub(super) async fn tcp(&self, steps: &mut Steps) -> Result<TcpStream, Undelivered> {
        let resolved = self.resolve().await;
        let addresses = steps.of("resolved", resolved, |addresses| {
            let shown: Vec<_> = addresses.iter().map(|a| a.ip().to_string()).collect();
            format!("{} is {}", self.host, shown.join(", "))
        })?;
        let mut failure = later(format!("{} has no address", self.host));
        for address in addresses.into_iter().take(ADDRESSES_MAX) {
            match timeout(TRY_MAX, TcpStream::connect(address)).await {
                Ok(Ok(stream)) => {
                    let _ = stream.set_nodelay(true);
                    steps.well("connected", address.to_string());
                    return Ok(stream);
                }
                Ok(Err(err)) => failure = later(format!("{address} cannot be reached: {err}")),
                Err(_) => failure = later(format!("{address} does not answer")),
            }
        }
        steps.failed("connected", failure.to_string());
        Err(failure)
    }

    /// Looked at after it was resolved, and these very addresses are spoken to: a name that leads
    /// elsewhere a moment later gains nothing.
    async fn resolve(&self) -> Result<Vec<SocketAddr>, Undelivered> {
        let asked = timeout(TRY_MAX, lookup_host((self.host.as_str(), self.port))).await;
        let found: Vec<_> = match asked {
            Ok(Ok(found)) => found.collect(),
            Ok(Err(err)) => return Err(later(format!("{} cannot be resolved: {err}", self.host))),
            Err(_) => return Err(later(format!("{} cannot be resolved in time", self.host))),
        };
        for address in &found {
            if let Some(what) = refused(address.ip(), self.reach) {
                return Err(later(format!(
                    "{} is {}, {what}: `channels_reach_link_local` in the server's configuration allows it",
                    self.host,
                    address.ip()
                )));
            }
        }
        Ok(found)
    }

    /// TLS on a connection; certificate and name are checked.
    pub(super) async fn tls(
        &self,
        tcp: TcpStream,
        steps: &mut Steps,
    ) -> Result<TlsStream<TcpStream>, Undelivered> {
        let shaken = async {
            let config = self.tls_config()?;
            let name = ServerName::try_from(self.host.clone())
                .map_err(|_| later(format!("{} is no name", self.host)))?;
            let connector = TlsConnector::from(Arc::new(config));
            match timeout(TRY_MAX, connector.connect(name, tcp)).await {
                Ok(Ok(stream)) => Ok(stream),
                Ok(Err(err)) if err.kind() == ErrorKind::InvalidData => {
                    Err(later(format!("its certificate is not accepted: {err}")))
                }
                Ok(Err(err)) => Err(later(format!("no TLS: {err}"))),
                Err(_) => Err(later("no TLS in time")),
            }
        };
        let shaken = shaken.await;
        steps.of("certificate", shaken, |stream| {
            let (_, session) = stream.get_ref();
            let version = session.protocol_version().and_then(|version| version.as_str());
            let leaf = session.peer_certificates().and_then(|chain| chain.first());
            let sha256 = leaf.map(|leaf| hex::encode(crate::app::sha256(leaf))).unwrap_or_default();
            format!("{}, verified, SHA-256 {sha256}", version.unwrap_or("TLS"))
        })
    }

    fn tls_config(&self) -> Result<ClientConfig, Undelivered> {
        let pem = match &self.ca_pem {
            Some(pem) => pem.clone().into_bytes(),
            None => std::fs::read(SYSTEM_ROOTS).map_err(|err| {
                later(format!("the system's authorities ({SYSTEM_ROOTS}) cannot be read: {err}"))
            })?,
        };
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(
            CertificateDer::pem_slice_iter(&pem).filter_map(Result::ok).collect::<Vec<_>>(),
        );
        if roots.is_empty() {
            return Err(later("there is no certificate in its authorities"));
        }
        // Receivers are programs of others: relays for mail that know nothing newer are many.
        let builder = ClientConfig::builder_with_provider(Arc::new(provider::default_provider()))
            .with_protocol_versions(&[&TLS13, &TLS12])
            .map_err(|err| later(err.to_string()))?;
        Ok(builder.with_root_certificates(roots).with_no_client_auth())
    }
}

/// Why nobody is spoken to there.
fn refused(address: IpAddr, reach: Reach) -> Option<&'static str> {
    let address = match address {
        IpAddr::V6(v6) => v6.to_ipv4_mapped().map_or(address, IpAddr::V4),
        IpAddr::V4(_) => address,
    };
    if address.is_unspecified() || address.is_multicast() {
        return Some("no address of one machine");
    }
    if reach == Reach::Anywhere {
        return None;
    }
    let is_local = match address {
        // RFC 3927, and where two large clouds have metadata besides.
        IpAddr::V4(v4) => v4.is_link_local() || v4.octets() == [100, 100, 100, 200],
        // RFC 4291, and the metadata of one cloud.
        IpAddr::V6(v6) => {
            v6.is_unicast_link_local() || v6 == Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254)
        }
    };
    is_local.then_some("an address at which machines have services of their own")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn link_local_addresses_are_refused_in_each_form() {
        for address in [
            "169.254.169.254",
            "::ffff:169.254.169.254",
            "fe80::1",
            "fd00:ec2::254",
            "100.100.100.200",
        ] {
            let address = address.parse().unwrap();
            assert!(refused(address, Reach::NotLinkLocal).is_some(), "{address}");
            assert!(refused(address, Reach::Anywhere).is_none(), "{address}");
        }
        for address in ["0.0.0.0", "::", "224.0.0.1", "ff02::1"] {
            assert!(refused(address.parse().unwrap(), Reach::Anywhere).is_some(), "{address}");
        }
        for address in ["127.0.0.1", "10.0.0.1", "::1", "fd00::1", "93.184.216.34"] {
            assert!(refused(address.parse().unwrap(), Reach::NotLinkLocal).is_none(), "{address}");
        }
    }
}
