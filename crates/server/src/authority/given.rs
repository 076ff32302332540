//! The operator's own certificate: for browsers and programs that know the site's authority, beside the
//! server's own, by whose authority agents know the server.

use std::{path::Path, sync::Arc};

use anyhow::{Context as _, ensure};
use aws_lc_rs::digest::{SHA256, digest};
use rustls::{
    crypto::aws_lc_rs as provider,
    pki_types::{CertificateDer, PrivateKeyDer, ServerName, pem::PemObject as _},
    sign::CertifiedKey,
};
use webpki::EndEntityCert;
use x509_parser::prelude::FromDer as _;
use zeroize::Zeroizing;

use crate::config::Config;

/// Bytes of a file: a chain of ten certificates has below 30 KiB.
const FILE_BYTES_MAX: u64 = 256 * 1024;

/// A chain and its key.
#[derive(Clone, Debug)]
pub struct GivenCertificate {
    pub(super) certified: Arc<CertifiedKey>,
    ends_s: i64,
}

impl GivenCertificate {
    /// Reads what `config` names; `None` where it names nothing.
    pub fn load(config: &Config) -> anyhow::Result<Option<Self>> {
        match (&config.tls_certificate, &config.tls_key) {
            (None, None) => Ok(None),
            (Some(certificate), Some(key)) => Self::read(certificate, key).map(Some),
            _ => anyhow::bail!("tls_certificate and tls_key go together: set both, or none"),
        }
    }

    fn read(certificate: &Path, key: &Path) -> anyhow::Result<Self> {
        let pem = bytes(certificate)?;
        let chain: Vec<_> = CertificateDer::pem_slice_iter(&pem)
            .collect::<Result<_, _>>()
            .ok()
            .with_context(|| format!("{} is no PEM file", certificate.display()))?;
        let leaf = chain.first();
        let leaf = leaf.with_context(|| format!("{} has no CERTIFICATE", certificate.display()))?;
        let (_, read) = x509_parser::certificate::X509Certificate::from_der(leaf)
            .ok()
            .with_context(|| format!("{} is no certificate", certificate.display()))?;
        let ends_s = read.validity().not_after.timestamp();
        let pem = Zeroizing::new(bytes(key)?);
        let secret = PrivateKeyDer::from_pem_slice(&pem)
            .ok()
            .with_context(|| format!("{} has no PRIVATE KEY", key.display()))?;
        let sha256 = hex::encode(digest(&SHA256, leaf));
        let certified = CertifiedKey::from_der(chain, secret, &provider::default_provider());
        let certified = certified.with_context(|| {
            format!("{} is not the key of {} ({sha256})", key.display(), certificate.display())
        })?;
        Ok(Self { certified: Arc::new(certified), ends_s })
    }

    /// SHA-256 of the certificate, in hex.
    pub fn sha256(&self) -> String {
        let leaf = self.certified.cert.first();
        leaf.map_or_else(String::new, |leaf| hex::encode(digest(&SHA256, leaf)))
    }

    /// When it ends, Unix seconds.
    pub const fn ends_s(&self) -> i64 {
        self.ends_s
    }

    /// Whether it is one for `name`.
    pub(super) fn is_for(&self, name: &str) -> bool {
        let Ok(name) = ServerName::try_from(name) else { return false };
        let leaf = self.certified.cert.first().map(EndEntityCert::try_from);
        matches!(leaf, Some(Ok(leaf)) if leaf.verify_is_valid_for_subject_name(&name).is_ok())
    }
}

fn bytes(path: &Path) -> anyhow::Result<Vec<u8>> {
    let read = || -> anyhow::Result<Vec<u8>> {
        let n_bytes = std::fs::metadata(path)?.len();
        ensure!(n_bytes <= FILE_BYTES_MAX, "it has over {FILE_BYTES_MAX} bytes");
        Ok(std::fs::read(path)?)
    };
    read().with_context(|| format!("{} cannot be read", path.display()))
}
