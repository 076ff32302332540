//! Certificates for the Secure Boot databases, made once in a process.

use std::sync::LazyLock;

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, KeyPair, KeyUsagePurpose};

/// Self-signed certificates in DER, ECDSA P-256.
#[derive(Clone, Debug)]
pub struct Certificates {
    /// Of the platform key.
    pub pk: Vec<u8>,
    /// Of the key exchange key.
    pub kek: Vec<u8>,
    /// In db: allows one operating system vendor's loader.
    pub db_vendor: Vec<u8>,
    /// In db: allows third parties, so shim and option ROMs.
    pub db_third_party: Vec<u8>,
    /// Inside shim: allows the distribution's GRUB and kernel.
    pub distribution: Vec<u8>,
    /// The owner's key (MOK).
    pub mok: Vec<u8>,
    /// A platform key that says that it is one of tests.
    pub test_pk: Vec<u8>,
}

/// The certificates of this process. Each process has others: keys are never in the repository.
pub fn certificates() -> &'static Certificates {
    static MADE: LazyLock<Certificates> = LazyLock::new(|| Certificates {
        pk: self_signed("Example Server PK 2024"),
        kek: self_signed("Example KEK CA 2024"),
        db_vendor: self_signed("Example Vendor UEFI CA 2024"),
        db_third_party: self_signed("Example Third Party UEFI CA 2024"),
        distribution: self_signed("Example Distribution Secure Boot CA"),
        mok: self_signed("Example Owner MOK"),
        test_pk: self_signed("DO NOT TRUST - Example Test PK"),
    });
    &MADE
}

fn self_signed(common_name: &str) -> Vec<u8> {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, common_name);
    params.distinguished_name.push(DnType::OrganizationName, "Example");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::DigitalSignature];
    let key = KeyPair::generate().expect("a key pair");
    params.self_signed(&key).expect("a certificate").der().to_vec()
}
