//! Certificate authorities of invented TPM vendors.

use rcgen::{
    BasicConstraints, CertificateParams, CustomExtension, DistinguishedName, DnType,
    ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose, PKCS_ECDSA_P256_SHA256,
    PKCS_ECDSA_P384_SHA384, PKCS_ECDSA_P521_SHA512, PKCS_RSA_SHA256, PublicKeyData,
    SignatureAlgorithm,
};
use verify::{Curve, PublicKey, RootStore};

/// tcg-kp-EKCertificate.
pub const KP_EK: &[u64] = &[2, 23, 133, 8, 1];

/// The key of a TPM, to be certified.
pub struct TpmKey {
    bytes: Vec<u8>,
    algorithm: &'static SignatureAlgorithm,
}

impl TpmKey {
    pub fn new(key: &PublicKey) -> Self {
        match key {
            PublicKey::Ec(ec) => {
                let algorithm = match ec.curve() {
                    Curve::P256 => &PKCS_ECDSA_P256_SHA256,
                    Curve::P384 => &PKCS_ECDSA_P384_SHA384,
                    Curve::P521 => &PKCS_ECDSA_P521_SHA512,
                };
                Self { bytes: ec.point().to_vec(), algorithm }
            }
            PublicKey::Rsa(_) => {
                // SEQUENCE, the algorithm and the head of the BIT STRING come before the key.
                let bytes = key.spki_der().split_off(4 + 15 + 5);
                Self { bytes, algorithm: &PKCS_RSA_SHA256 }
            }
        }
    }
}

impl PublicKeyData for TpmKey {
    fn der_bytes(&self) -> &[u8] {
        &self.bytes
    }

    fn algorithm(&self) -> &'static SignatureAlgorithm {
        self.algorithm
    }
}

/// A CA with its certificate.
pub struct Ca {
    pub params: CertificateParams,
    pub key: KeyPair,
    pub der: Vec<u8>,
}

impl Ca {
    /// A root with a P-256 key.
    pub fn root(name: &str) -> Self {
        Self::root_with_key(name, KeyPair::generate().unwrap())
    }

    pub fn root_with_key(name: &str, key: KeyPair) -> Self {
        let params = ca_params(name, BasicConstraints::Unconstrained);
        let der = params.self_signed(&key).unwrap().der().to_vec();
        Self { params, key, der }
    }

    /// An intermediate under this CA.
    pub fn intermediate(&self, name: &str) -> Self {
        self.issue_ca(ca_params(name, BasicConstraints::Unconstrained))
    }

    /// An intermediate under this CA with what `params` says.
    pub fn issue_ca(&self, params: CertificateParams) -> Self {
        let key = KeyPair::generate().unwrap();
        let der = self.issue(&params, &key);
        Self { params, key, der }
    }

    /// A certificate for `key`.
    pub fn issue(&self, params: &CertificateParams, key: &impl PublicKeyData) -> Vec<u8> {
        let issuer = Issuer::from_params(&self.params, &self.key);
        params.clone().signed_by(key, &issuer).unwrap().der().to_vec()
    }

    pub fn store(&self) -> RootStore {
        RootStore::from_der(&self.der).unwrap()
    }
}

pub fn ca_params(name: &str, constraints: BasicConstraints) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(constraints);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    params
}

/// An EK certificate as the profile wants it: empty subject, critical directoryName.
pub fn ek_params() -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    params.is_ca = IsCa::ExplicitNoCa;
    params.key_usages = vec![KeyUsagePurpose::KeyAgreement];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::Other(KP_EK.to_vec())];
    params.custom_extensions = vec![tpm_names()];
    params
}

/// subjectAltName with the directoryName of a TPM, critical.
pub fn tpm_names() -> CustomExtension {
    let attribute = |last: u8, value: &str| {
        let oid = tlv(0x06, &[0x67, 0x81, 0x05, 0x02, last]);
        let value = tlv(0x0c, value.as_bytes());
        tlv(0x31, &tlv(0x30, &[oid, value].concat()))
    };
    let names = [attribute(1, "id:53544D20"), attribute(2, "Model\u{7}X"), attribute(3, "id:0102")];
    let directory = tlv(0xa4, &tlv(0x30, &names.concat()));
    let mut extension = CustomExtension::from_oid_content(&[2, 5, 29, 17], tlv(0x30, &directory));
    extension.set_criticality(true);
    extension
}

/// A DER element of less than 128 bytes.
pub fn tlv(tag: u8, content: &[u8]) -> Vec<u8> {
    let len = u8::try_from(content.len()).unwrap();
    assert!(len < 128);
    [&[tag, len], content].concat()
}
