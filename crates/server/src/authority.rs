//! The server's own certificate authority: made at the first start, kept in the data folder.

use std::{
    path::Path,
    sync::{
        Arc, PoisonError, RwLock,
        atomic::{AtomicI64, Ordering},
    },
    time::{Duration, SystemTime},
};

mod given;

use anyhow::Context as _;
use aws_lc_rs::digest::{SHA256, digest};
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa,
    Issuer, KeyPair, KeyUsagePurpose, PKCS_ECDSA_P256_SHA256,
};
use rustls::{
    ServerConfig,
    crypto::aws_lc_rs as provider,
    pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, pem::PemObject as _},
    server::{ClientHello, ResolvesServerCert},
    sign::CertifiedKey,
};
use zeroize::Zeroizing;

use crate::files::{Readable, write_atomically};
pub use given::GivenCertificate;

/// Days for which the authority's certificate is good. Agents know it by heart; another one means
/// joining them anew.
const AUTHORITY_DAYS: u64 = 3650;

/// Days for which the server's certificate is good. It is made anew at each start, and every
/// [`RENEWAL`] while the server runs.
const SERVER_DAYS: u64 = 90;

/// How often the server's certificate is made anew.
pub const RENEWAL: Duration = Duration::from_secs(SERVER_DAYS / 3 * DAY_S);

const DAY_S: u64 = 24 * 3600;

/// The authority, and the server's certificate that it issued last.
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    certificate: CertificateDer<'static>,
    pem: String,
    names: Vec<String>,
    current: RwLock<Arc<CertifiedKey>>,
    ends_s: AtomicI64,
    /// The operator's own.
    given: RwLock<Option<GivenCertificate>>,
    /// The subject of the authority, as clients that know it name it.
    subject: Vec<u8>,
}

impl std::fmt::Debug for Authority {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Authority").field("names", &self.names).finish_non_exhaustive()
    }
}

impl Authority {
    /// Reads the authority of `data_dir`, or makes it, and issues a certificate for `names`.
    pub fn open(data_dir: &Path, names: &[String], now: SystemTime) -> anyhow::Result<Arc<Self>> {
        let key_path = data_dir.join("ca.key");
        let pem_path = data_dir.join("ca.pem");
        let (key, pem) = if key_path.exists() {
            let key = Zeroizing::new(read(&key_path)?);
            let key = KeyPair::from_pem(&key)
                .with_context(|| format!("{} is not a private key", key_path.display()))?;
            (key, read(&pem_path)?)
        } else {
            let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
            let pem = authority_params(now).self_signed(&key)?.pem();
            // The key last: where it is, the certificate is.
            write_atomically(&pem_path, Readable::ByAll, pem.as_bytes())?;
            let secret = Zeroizing::new(key.serialize_pem());
            write_atomically(&key_path, Readable::ByOwner, secret.as_bytes())?;
            (key, pem)
        };
        let certificate = CertificateDer::from_pem_slice(pem.as_bytes())
            .map_err(|err| anyhow::anyhow!("{} is not a certificate: {err}", pem_path.display()))?
            .into_owned();
        let issuer = Issuer::new(authority_params(now), key);
        let current = RwLock::new(Arc::new(issue(&issuer, &certificate, names, now)?));
        let anchor = webpki::anchor_from_trusted_cert(&certificate);
        let anchor = anchor.with_context(|| format!("{} is damaged", pem_path.display()))?;
        let subject = anchor.subject.to_vec();
        Ok(Arc::new(Self {
            subject,
            issuer,
            certificate,
            pem,
            names: names.to_vec(),
            current,
            ends_s: AtomicI64::new(ends_s(now)),
            given: RwLock::default(),
        }))
    }

    /// A secret that every server of a store has, and no database: for keys that follow from it.
    pub(crate) fn secret(&self) -> Zeroizing<Vec<u8>> {
        Zeroizing::new(self.issuer.key().serialize_der())
    }

    /// The authority's certificate, PEM.
    pub fn pem(&self) -> &str {
        &self.pem
    }

    /// SHA-256 of the authority's certificate, in hex: what agents pin.
    pub fn pin(&self) -> String {
        hex::encode(digest(&SHA256, &self.certificate))
    }

    /// Issues the server's certificate anew.
    pub fn renew(&self, now: SystemTime) -> anyhow::Result<()> {
        let fresh = issue(&self.issuer, &self.certificate, &self.names, now)?;
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(fresh);
        self.ends_s.store(ends_s(now), Ordering::Relaxed);
        Ok(())
    }

    /// When the server's own certificate ends, Unix seconds.
    pub fn ends_s(&self) -> i64 {
        self.ends_s.load(Ordering::Relaxed)
    }

    /// When the operator's certificate ends, where there is one.
    pub fn given_ends_s(&self) -> Option<i64> {
        let given = self.given.read().unwrap_or_else(PoisonError::into_inner);
        given.as_ref().map(GivenCertificate::ends_s)
    }

    /// Presents the operator's certificate from now on, or none; returns whether it is another one.
    pub fn present(&self, given: Option<GivenCertificate>) -> bool {
        let mut current = self.given.write().unwrap_or_else(PoisonError::into_inner);
        let sha256 =
            |given: &Option<GivenCertificate>| given.as_ref().map(GivenCertificate::sha256);
        let is_other = sha256(&current) != sha256(&given);
        *current = given;
        is_other
    }

    /// TLS 1.3 with the certificate issued last.
    pub fn server_config(self: &Arc<Self>) -> anyhow::Result<ServerConfig> {
        let builder = ServerConfig::builder_with_provider(Arc::new(provider::default_provider()))
            .with_protocol_versions(&[&rustls::version::TLS13])?;
        let mut config =
            builder.with_no_client_auth().with_cert_resolver(Arc::clone(self) as Arc<_>);
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(config)
    }
}

impl ResolvesServerCert for Authority {
    /// The operator's certificate where the client asks for a name in it, and does not say that it knows
    /// this server's own authority [RFC 8446 §4.2.4]; agents do.
    fn resolve(&self, client_hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let knows_ours = || {
            let named = client_hello.certificate_authorities().unwrap_or_default();
            named.iter().any(|name| sequence_content(name.as_ref()) == Some(&*self.subject))
        };
        let given = self.given.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(given) = &*given
            && client_hello.server_name().is_some_and(|name| given.is_for(name))
            && !knows_ours()
        {
            return Some(Arc::clone(&given.certified));
        }
        Some(Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner)))
    }
}

/// What is in a short SEQUENCE of DER.
fn sequence_content(der: &[u8]) -> Option<&[u8]> {
    match der {
        [0x30, len, content @ ..] if *len < 0x80 && content.len() == usize::from(*len) => {
            Some(content)
        }
        [0x30, 0x81, len, content @ ..] if content.len() == usize::from(*len) => Some(content),
        _ => None,
    }
}

fn ends_s(now: SystemTime) -> i64 {
    let since = now.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_secs() + SERVER_DAYS * DAY_S).unwrap_or(i64::MAX)
}

fn read(path: &Path) -> anyhow::Result<String> {
    std::fs::read_to_string(path).with_context(|| format!("{} cannot be read", path.display()))
}

/// The same for each start, so that a kept key issues under the same subject.
fn authority_params(now: SystemTime) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = name("Bootproof certificate authority");
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    validity(&mut params, now, AUTHORITY_DAYS);
    params
}

fn issue(
    issuer: &Issuer<'static, KeyPair>,
    authority: &CertificateDer<'static>,
    names: &[String],
    now: SystemTime,
) -> anyhow::Result<CertifiedKey> {
    let mut params = CertificateParams::new(names.to_vec())
        .context("a name of the server is neither a DNS name nor an address")?;
    params.distinguished_name = name("Bootproof server");
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params.use_authority_key_identifier_extension = true;
    validity(&mut params, now, SERVER_DAYS);
    let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
    let leaf = params.signed_by(&key, issuer)?;
    let secret = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
    // The authority travels in the chain, so that an agent that has only its pin can find it.
    let chain = vec![leaf.der().clone(), authority.clone()];
    Ok(CertifiedKey::from_der(chain, secret, &provider::default_provider())?)
}

fn name(common_name: &str) -> DistinguishedName {
    let mut name = DistinguishedName::new();
    name.push(DnType::OrganizationName, "Bootproof");
    name.push(DnType::CommonName, common_name);
    name
}

/// From a day ago, since clocks of hosts that just booted are behind, for `days`.
fn validity(params: &mut CertificateParams, now: SystemTime, days: u64) {
    params.not_before = (now - Duration::from_secs(DAY_S)).into();
    params.not_after = (now + Duration::from_secs(days * DAY_S)).into();
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn the_authority_stays_and_its_key_is_private() {
        let folder = tempfile::tempdir().unwrap();
        let names = ["localhost".to_owned(), "127.0.0.1".to_owned()];
        let now = SystemTime::now();
        let first = Authority::open(folder.path(), &names, now).unwrap();
        let second = Authority::open(folder.path(), &names, now).unwrap();
        assert_eq!(first.pin(), second.pin());
        let mode = folder.path().join("ca.key").metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn a_renewed_certificate_is_served() {
        let folder = tempfile::tempdir().unwrap();
        let now = SystemTime::now();
        let authority = Authority::open(folder.path(), &["localhost".to_owned()], now).unwrap();
        let served = || authority.current.read().unwrap().cert[0].clone();
        let before = served();
        authority.renew(now).unwrap();
        assert_ne!(before, served());
    }
}
