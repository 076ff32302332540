//! Whom the client trusts: one certificate authority, by its certificate or by its SHA-256.

use std::{str::FromStr, sync::Arc};

use aws_lc_rs::digest::{SHA256, digest};
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, DistinguishedName, Error, RootCertStore,
    SignatureScheme,
    client::{
        WebPkiServerVerifier,
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    },
    crypto::{CryptoProvider, aws_lc_rs as provider},
    pki_types::{CertificateDer, ServerName, UnixTime, pem::PemObject},
};

/// SHA-256 of a certificate authority's certificate (DER).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CaPin(pub [u8; 32]);

/// A text is not a pin.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a CA pin is 64 hexadecimal digits (colons are allowed), as the server prints it")]
pub struct PinError;

impl FromStr for CaPin {
    type Err = PinError;

    fn from_str(text: &str) -> Result<Self, PinError> {
        let digits: String = text.trim().chars().filter(|c| *c != ':').collect();
        let digits = digits.strip_prefix("sha256-").unwrap_or(&digits);
        let bytes = hex::decode(digits).map_err(|_| PinError)?;
        Ok(Self(bytes.try_into().map_err(|_| PinError)?))
    }
}

impl CaPin {
    /// The pin of the certificate in `pem`; `None` where there is none.
    pub fn of_pem(pem: &str) -> Option<Self> {
        let der = CertificateDer::from_pem_slice(pem.as_bytes()).ok()?;
        Some(Self(digest(&SHA256, &der).as_ref().try_into().ok()?))
    }
}

impl std::fmt::Display for CaPin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

/// How the server's certificate authority is known.
#[derive(Clone, Debug)]
pub enum Trust {
    /// Its certificate, PEM.
    CaPem(String),
    /// Its pin: for the first contact, when the certificate itself is not here yet. The server
    /// sends the authority's certificate in its chain; only the one that hashes to the pin counts.
    CaPin(CaPin),
}

impl Trust {
    pub(crate) fn client_config(&self) -> Result<ClientConfig, Error> {
        let crypto = Arc::new(provider::default_provider());
        let builder = ClientConfig::builder_with_provider(Arc::clone(&crypto))
            .with_protocol_versions(&[&rustls::version::TLS13])?;
        let config = match self {
            Self::CaPem(pem) => {
                let mut roots = RootCertStore::empty();
                for certificate in CertificateDer::pem_slice_iter(pem.as_bytes()) {
                    let certificate = certificate.map_err(|_| {
                        Error::General("the CA certificate is not a PEM certificate".to_owned())
                    })?;
                    roots.add(certificate)?;
                }
                let known = roots.subjects();
                let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), crypto)
                    .build()
                    .map_err(|err| Error::General(err.to_string()))?;
                builder
                    .dangerous()
                    .with_custom_certificate_verifier(Arc::new(KnownAuthority { verifier, known }))
                    .with_no_client_auth()
            }
            Self::CaPin(pin) => builder
                .dangerous()
                .with_custom_certificate_verifier(Arc::new(PinnedAuthority {
                    pin: *pin,
                    crypto,
                    known: vec![own_authority()],
                }))
                .with_no_client_auth(),
        };
        Ok(config)
    }
}

/// The name of the authority that a server makes itself: a pin is always one of those, and says nothing of
/// the name.
fn own_authority() -> DistinguishedName {
    // Two sets of one attribute, organisation and common name. [RFC 5280 §4.1.2.4]
    let attribute = |kind: u8, text: &str| {
        let len = |n: usize| u8::try_from(n).unwrap_or(u8::MAX);
        let n = text.len();
        let mut der = vec![0x31, len(n + 9), 0x30, len(n + 7), 0x06, 0x03, 0x55, 0x04, kind];
        der.extend([0x0c, len(n)]);
        der.extend(text.bytes());
        der
    };
    let organisation = attribute(0x0a, "Bootproof");
    let common_name = attribute(0x03, "Bootproof certificate authority");
    DistinguishedName::in_sequence(&[organisation, common_name].concat())
}

/// Verifies as webpki does, and tells the server by which authorities, so that one that has certificates of
/// several shows the right one. [RFC 8446 §4.2.4]
#[derive(Debug)]
struct KnownAuthority {
    verifier: Arc<WebPkiServerVerifier>,
    known: Vec<DistinguishedName>,
}

impl ServerCertVerifier for KnownAuthority {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        self.verifier.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now)
    }

    fn verify_tls12_signature(
        &self,
        _message: &[u8],
        _cert: &CertificateDer<'_>,
        _dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Err(Error::General("TLS 1.3 only".to_owned()))
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.verifier.verify_tls13_signature(message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.verifier.supported_verify_schemes()
    }

    fn root_hint_subjects(&self) -> Option<&[DistinguishedName]> {
        Some(&self.known)
    }
}

/// Accepts a server whose chain holds the pinned authority and verifies under it, in that order.
#[derive(Debug)]
struct PinnedAuthority {
    pin: CaPin,
    crypto: Arc<CryptoProvider>,
    known: Vec<DistinguishedName>,
}

impl PinnedAuthority {
    fn authority<'a>(&self, chain: &'a [CertificateDer<'a>]) -> Option<&'a CertificateDer<'a>> {
        // The pin is public, so the comparison need not be in constant time.
        chain.iter().find(|der| digest(&SHA256, der).as_ref() == self.pin.0)
    }
}

impl ServerCertVerifier for PinnedAuthority {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let authority = self
            .authority(intermediates)
            .ok_or(Error::InvalidCertificate(CertificateError::UnknownIssuer))?;
        let mut roots = RootCertStore::empty();
        roots.add(authority.clone().into_owned())?;
        WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&self.crypto))
            .build()
            .map_err(|err| Error::General(err.to_string()))?
            .verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now)
    }

    fn verify_tls12_signature(
        &self,
        _message: &[u8],
        _cert: &CertificateDer<'_>,
        _dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Err(Error::General("TLS 1.3 only".to_owned()))
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.crypto.signature_verification_algorithms;
        rustls::crypto::verify_tls13_signature(message, cert, dss, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.crypto.signature_verification_algorithms.supported_schemes()
    }

    fn root_hint_subjects(&self) -> Option<&[DistinguishedName]> {
        Some(&self.known)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pin_is_32_bytes_in_hex() {
        let text = "ab".repeat(32);
        let pin: CaPin = text.parse().unwrap();
        assert_eq!(pin.to_string(), text);
        let colons = vec!["AB"; 32].join(":");
        assert_eq!(colons.parse::<CaPin>(), Ok(pin));
        assert_eq!("ab".repeat(31).parse::<CaPin>(), Err(PinError));
        assert_eq!("zz".repeat(32).parse::<CaPin>(), Err(PinError));
    }
}
