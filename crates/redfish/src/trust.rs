//! How a BMC is known: by the authority that issued its certificate, or by that certificate's SHA-256.

use std::{fmt, str::FromStr, sync::Arc};

use aws_lc_rs::digest::{SHA256, digest};
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, Error, OtherError, RootCertStore,
    SignatureScheme,
    client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    crypto::{CryptoProvider, aws_lc_rs as provider},
    pki_types::{CertificateDer, ServerName, UnixTime, pem::PemObject},
};

/// SHA-256 of a BMC's own certificate (DER).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CertificatePin(pub [u8; 32]);

/// A text is not a pin.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a pin is the SHA-256 of the BMC's certificate: 64 hexadecimal digits, colons are allowed")]
pub struct PinError;

impl CertificatePin {
    /// The pin of a certificate.
    pub fn of_der(der: &[u8]) -> Self {
        let mut bytes = [0; 32];
        bytes.copy_from_slice(digest(&SHA256, der).as_ref());
        Self(bytes)
    }
}

impl FromStr for CertificatePin {
    type Err = PinError;

    fn from_str(text: &str) -> Result<Self, PinError> {
        let digits: String = text.trim().chars().filter(|c| *c != ':').collect();
        let lower = digits.to_ascii_lowercase();
        let digits = lower.strip_prefix("sha256-").unwrap_or(&lower);
        let bytes = hex::decode(digits).map_err(|_| PinError)?;
        Ok(Self(bytes.try_into().map_err(|_| PinError)?))
    }
}

impl fmt::Display for CertificatePin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

/// How a BMC is known.
#[derive(Clone, Debug)]
pub enum Trust {
    /// Certificates of authorities, PEM: the BMC's certificate is checked in full, name and time too.
    Authorities(String),
    /// The BMC's own certificate, by its SHA-256. Name and time do not count then: makers ship
    /// certificates for no name, and for ten years that are over.
    Pin(CertificatePin),
}

/// Authorities cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TrustError {
    /// The file holds no certificate.
    #[error("no PEM certificate of an authority is in it")]
    Empty,
    /// A certificate in it cannot be read.
    #[error("a certificate in it cannot be read")]
    Certificate(#[source] Error),
}

/// TLS for BMCs that are known in the same way. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Tls(pub(crate) Arc<ClientConfig>);

impl Trust {
    /// TLS 1.3, and 1.2 since BMCs live for ten years.
    pub fn tls(&self) -> Result<Tls, TrustError> {
        let crypto = Arc::new(provider::default_provider());
        let builder = ClientConfig::builder_with_provider(Arc::clone(&crypto))
            .with_protocol_versions(&[&rustls::version::TLS13, &rustls::version::TLS12])
            .map_err(TrustError::Certificate)?;
        let config = match self {
            Self::Authorities(pem) => {
                let mut roots = RootCertStore::empty();
                for certificate in CertificateDer::pem_slice_iter(pem.as_bytes()) {
                    let certificate = certificate.map_err(|_| TrustError::Empty)?;
                    roots.add(certificate).map_err(TrustError::Certificate)?;
                }
                if roots.is_empty() {
                    return Err(TrustError::Empty);
                }
                builder.with_root_certificates(roots).with_no_client_auth()
            }
            Self::Pin(pin) => builder
                .dangerous()
                .with_custom_certificate_verifier(Arc::new(Pinned { pin: *pin, crypto }))
                .with_no_client_auth(),
        };
        Ok(Tls(Arc::new(config)))
    }
}

/// What a person compares with what they know.
#[derive(Debug, thiserror::Error)]
#[error("its certificate is another one, with the SHA-256 {shown}")]
struct OtherCertificate {
    shown: CertificatePin,
}

/// Accepts the one certificate that has the pin. The handshake proves that its key is there.
#[derive(Debug)]
struct Pinned {
    pin: CertificatePin,
    crypto: Arc<CryptoProvider>,
}

impl ServerCertVerifier for Pinned {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        // The pin is public, so the comparison need not be in constant time.
        let shown = CertificatePin::of_der(end_entity);
        if shown == self.pin {
            return Ok(ServerCertVerified::assertion());
        }
        let other = OtherError(Arc::new(OtherCertificate { shown }));
        Err(Error::InvalidCertificate(CertificateError::Other(other)))
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.crypto.signature_verification_algorithms;
        rustls::crypto::verify_tls12_signature(message, cert, dss, algorithms)
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
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pin_is_32_bytes_in_hex() {
        let text = "ab".repeat(32);
        let pin: CertificatePin = text.parse().unwrap();
        assert_eq!(pin.to_string(), text);
        assert_eq!(vec!["AB"; 32].join(":").parse(), Ok(pin));
        assert_eq!("ab".repeat(31).parse::<CertificatePin>(), Err(PinError));
    }

    #[test]
    fn authorities_without_a_certificate_are_none() {
        let trust = Trust::Authorities("no certificate".to_owned());
        assert!(matches!(trust.tls(), Err(TrustError::Empty)));
    }
}
