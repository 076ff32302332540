//! A maker of chips, who certifies them.

use anyhow::Context as _;
use rcgen::{
    BasicConstraints, CertificateParams, CustomExtension, DistinguishedName, DnType,
    ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose, PKCS_ECDSA_P256_SHA256,
    PublicKeyData, SignatureAlgorithm,
};

/// tcg-kp-EKCertificate. [TCG-EK-2.6 §3.2.16]
const KP_EK: [u64; 5] = [2, 23, 133, 8, 1];

/// Manufacturer, model and version, as they stand in certificates: a chip without advisories.
const CHIP: [&str; 3] = ["id:4E544300", "NPCT75x", "id:00070002"];

/// TPM2_PT_MANUFACTURER of the same chip.
pub(crate) const MANUFACTURER: u32 = 0x4E54_4300;
/// TPM2_PT_FIRMWARE_VERSION_1 of the same chip.
pub(crate) const FIRMWARE: u32 = 0x0007_0002;

/// An authority, and what each of its certificates has.
pub struct Maker {
    issuer: Issuer<'static, KeyPair>,
    root_pem: String,
    names: CustomExtension,
}

/// A P-256 key as it stands in a certificate: an uncompressed point.
struct Point<'a>(&'a [u8]);

impl PublicKeyData for Point<'_> {
    fn der_bytes(&self) -> &[u8] {
        self.0
    }

    fn algorithm(&self) -> &'static SignatureAlgorithm {
        &PKCS_ECDSA_P256_SHA256
    }
}

/// DER with a short length.
fn tlv(tag: u8, content: &[u8]) -> anyhow::Result<Vec<u8>> {
    let len = u8::try_from(content.len()).ok().filter(|len| *len < 128).context("too long")?;
    Ok([&[tag, len], content].concat())
}

impl Maker {
    /// One with a new key.
    pub fn new() -> anyhow::Result<Self> {
        let mut params = CertificateParams::default();
        params.distinguished_name = DistinguishedName::new();
        params.distinguished_name.push(DnType::CommonName, "Simulated TPM Root CA");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        let key = KeyPair::generate()?;
        let root_pem = params.self_signed(&key)?.pem();
        // The names of the chip as a directory name: tcg-at-tpmManufacturer, -Model and -Version.
        let mut parts = Vec::new();
        for (last, value) in (1_u8..).zip(CHIP) {
            let oid = tlv(0x06, &[0x67, 0x81, 0x05, 0x02, last])?;
            let part = tlv(0x30, &[oid, tlv(0x0c, value.as_bytes())?].concat())?;
            parts.extend_from_slice(&tlv(0x31, &part)?);
        }
        let directory = tlv(0xa4, &tlv(0x30, &parts)?)?;
        let mut names = CustomExtension::from_oid_content(&[2, 5, 29, 17], tlv(0x30, &directory)?);
        names.set_criticality(true);
        Ok(Self { issuer: Issuer::new(params, key), root_pem, names })
    }

    /// The root that a server has to trust.
    pub fn root_pem(&self) -> &str {
        &self.root_pem
    }

    /// The certificate of a chip whose endorsement key has this point, DER.
    pub(crate) fn certify(&self, point: &[u8]) -> anyhow::Result<Vec<u8>> {
        let mut params = CertificateParams::default();
        params.distinguished_name = DistinguishedName::new();
        params.is_ca = IsCa::ExplicitNoCa;
        params.key_usages = vec![KeyUsagePurpose::KeyAgreement];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::Other(KP_EK.to_vec())];
        params.custom_extensions = vec![self.names.clone()];
        Ok(params.signed_by(&Point(point), &self.issuer)?.der().to_vec())
    }
}
