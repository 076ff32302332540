//! Certificates of BMCs: good ones, and those that one meets.

use aws_lc_rs::digest::{SHA256, digest};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair, date_time_ymd};
use rustls::{
    ServerConfig,
    crypto::aws_lc_rs as provider,
    pki_types::{CertificateDer, PrivateKeyDer},
};

use crate::EmulatorError;

/// What a BMC's certificate is like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Certificate {
    /// Issued by the rack's authority, for 127.0.0.1 and localhost.
    Issued,
    /// Issued by nobody, as makers ship them.
    SelfSigned,
    /// Issued by the rack's authority, and of another time.
    Expired,
    /// Issued by the rack's authority, for another name.
    OtherName,
}

/// Which TLS a BMC speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// 1.3 and 1.2.
    Tls13,
    /// 1.2 at most, as old BMCs.
    Tls12,
}

/// The authority of a rack.
pub(crate) struct Authority(CertifiedIssuer<'static, KeyPair>);

/// A BMC's TLS, and the SHA-256 of its certificate.
pub(crate) struct Identity {
    pub(crate) config: ServerConfig,
    pub(crate) pin: String,
}

fn failed(err: impl std::error::Error + Send + Sync + 'static) -> EmulatorError {
    EmulatorError::Certificate(Box::new(err))
}

impl Authority {
    pub(crate) fn new() -> Result<Self, EmulatorError> {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(rcgen::DnType::CommonName, "emulated rack");
        let key = KeyPair::generate().map_err(failed)?;
        Ok(Self(CertifiedIssuer::self_signed(params, key).map_err(failed)?))
    }

    pub(crate) fn pem(&self) -> String {
        self.0.pem()
    }

    pub(crate) fn identity(
        &self,
        kind: Certificate,
        protocol: Protocol,
    ) -> Result<Identity, EmulatorError> {
        let names = match kind {
            Certificate::OtherName => vec!["other.example".to_owned()],
            _ => vec!["127.0.0.1".to_owned(), "localhost".to_owned()],
        };
        let mut params = CertificateParams::new(names).map_err(failed)?;
        params.distinguished_name.push(rcgen::DnType::CommonName, "emulated BMC");
        if kind == Certificate::Expired {
            params.not_before = date_time_ymd(2015, 1, 1);
            params.not_after = date_time_ymd(2018, 1, 1);
        }
        let key = KeyPair::generate().map_err(failed)?;
        let certificate = match kind {
            Certificate::SelfSigned => params.self_signed(&key),
            _ => params.signed_by(&key, &self.0),
        };
        let der = CertificateDer::from(certificate.map_err(failed)?.der().to_vec());
        let pin = hex::encode(digest(&SHA256, &der));
        let versions: &[&rustls::SupportedProtocolVersion] = match protocol {
            Protocol::Tls13 => &[&rustls::version::TLS13, &rustls::version::TLS12],
            Protocol::Tls12 => &[&rustls::version::TLS12],
        };
        let key = PrivateKeyDer::try_from(key.serialize_der())
            .map_err(|text| failed(std::io::Error::other(text)))?;
        let config = ServerConfig::builder_with_provider(provider::default_provider().into())
            .with_protocol_versions(versions)
            .map_err(failed)?
            .with_no_client_auth()
            .with_single_cert(vec![der], key)
            .map_err(failed)?;
        Ok(Identity { config, pin })
    }
}
