//! The authority of client certificates: apart from the one by which agents know the server, so that whoever
//! trusts hosts trusts nothing else by it.
//!
//! There is one level: a root above it would lie on the same machines and guard nothing, and relying parties
//! that check a list of each level would need one more list.

use std::time::{Duration, SystemTime};

use anyhow::{Context as _, bail};
use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, CustomExtension,
    DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyIdMethod, KeyPair,
    KeyUsagePurpose, PKCS_ECDSA_P256_SHA256, PublicKeyData, RevocationReason, RevokedCertParams,
    SanType, SerialNumber, SignatureAlgorithm, string::Ia5String,
};
use rustls::pki_types::{CertificateDer, pem::PemObject as _};
use serde::{Deserialize, Serialize};
use store::{RevokedCertificates, RevokedFor, Serial};
use verify::{PossessedKey, PublicKey};
use zeroize::Zeroizing;

/// Days for which the authority's certificate is good: relying parties know it by heart.
const AUTHORITY_DAYS: u64 = 3650;

/// Seconds by which a certificate begins before it is issued: clocks of relying parties may be behind.
pub const BACKDATED_S: u64 = 300;

/// Longest name of a trust domain. [SPIFFE-ID §2.1]
const TRUST_DOMAIN_CHARS_MAX: usize = 255;

/// What the authority's certificate lets it name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum NameConstraint {
    /// URIs of the trust domain, and neither DNS names nor addresses.
    #[default]
    Uri,
    /// Neither DNS names nor addresses: for relying parties that refuse any constraint of URIs, as those do
    /// that use rustls. They check the trust domain themselves.
    NotHosts,
}

impl NameConstraint {
    /// Its word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Uri => "uri",
            Self::NotHosts => "not-hosts",
        }
    }
}

/// What is wrong with the name of a trust domain. [SPIFFE-ID §2.1] A name constraint compares it as that of a
/// host, so it is one.
pub fn trust_domain_fault(name: &str) -> Option<&'static str> {
    let is_label = |label: &str| {
        let bytes = label.as_bytes();
        let plain = |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || *byte == b'-';
        (1..=63).contains(&bytes.len())
            && bytes.iter().all(plain)
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    (name.len() > TRUST_DOMAIN_CHARS_MAX || !name.split('.').all(is_label)).then_some(
        "it must be a name like prod.example.org: small letters, digits, dashes, and dots between",
    )
}

/// Key and certificate of an authority, as they are kept.
pub struct Material {
    /// The key, PEM: a secret.
    pub key_pem: Zeroizing<String>,
    /// The certificate.
    pub certificate_der: Vec<u8>,
}

impl Material {
    /// Those of a new authority for this trust domain, the `number`-th.
    pub fn new(
        trust_domain: &str,
        number: i64,
        constraint: NameConstraint,
        now: SystemTime,
    ) -> anyhow::Result<Self> {
        let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
        let mut params = authority_params(trust_domain, number)?;
        let mut constraints = CustomExtension::from_oid_content(
            &[2, 5, 29, 30],
            name_constraints(trust_domain, constraint),
        );
        constraints.set_criticality(true);
        params.custom_extensions.push(constraints);
        params.not_before = (now - Duration::from_secs(BACKDATED_S)).into();
        params.not_after = (now + Duration::from_secs(AUTHORITY_DAYS * 24 * 3600)).into();
        let certificate_der = params.self_signed(&key)?.der().to_vec();
        Ok(Self { key_pem: Zeroizing::new(key.serialize_pem()), certificate_der })
    }
}

/// The authority of one trust domain.
pub struct ClientAuthority {
    trust_domain: String,
    issuer: Issuer<'static, KeyPair>,
    certificate_der: Vec<u8>,
    not_before_s: i64,
    not_after_s: i64,
}

impl std::fmt::Debug for ClientAuthority {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ClientAuthority")
            .field("trust_domain", &self.trust_domain)
            .finish_non_exhaustive()
    }
}

/// From when to when something is good.
#[derive(Clone, Copy, Debug)]
pub struct Validity {
    /// From when, milliseconds since 1970.
    pub from_ms: i64,
    /// Until when.
    pub to_ms: i64,
}

fn time_of(ms: i64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_millis(u64::try_from(ms).unwrap_or(0))
}

impl ClientAuthority {
    /// The authority whose key and certificate these are.
    pub fn new(trust_domain: &str, number: i64, material: &Material) -> anyhow::Result<Self> {
        let key = KeyPair::from_pem(&material.key_pem).context("its key is damaged")?;
        let (_, read) = x509_parser::parse_x509_certificate(&material.certificate_der)
            .ok()
            .context("its certificate is damaged")?;
        if read.public_key().subject_public_key.data.as_ref() != key.der_bytes() {
            bail!("its certificate is of another key");
        }
        Ok(Self {
            trust_domain: trust_domain.to_owned(),
            not_before_s: read.validity().not_before.timestamp(),
            not_after_s: read.validity().not_after.timestamp(),
            issuer: Issuer::new(authority_params(trust_domain, number)?, key),
            certificate_der: material.certificate_der.clone(),
        })
    }

    /// When its certificate begins, Unix seconds.
    pub const fn not_before_s(&self) -> i64 {
        self.not_before_s
    }

    /// When its certificate ends, Unix seconds.
    pub const fn not_after_s(&self) -> i64 {
        self.not_after_s
    }

    /// The certificate, DER.
    pub fn certificate_der(&self) -> &[u8] {
        &self.certificate_der
    }

    /// The certificate, PEM.
    pub fn pem(&self) -> String {
        pem("CERTIFICATE", &self.certificate_der)
    }

    /// The SPIFFE ID of a host.
    pub fn spiffe_id(&self, host: &str) -> String {
        format!("spiffe://{}/host/{host}", self.trust_domain)
    }

    /// A certificate for `key`, with the identifier of `host` for a name: nothing in it is the host's word but
    /// the key. [SPIFFE-X509-SVID §2 to §5] Trust: the caller knows that the host is accepted.
    pub fn issue(
        &self,
        key: &PossessedKey,
        host: &str,
        serial: &Serial,
        validity: Validity,
    ) -> anyhow::Result<String> {
        let PublicKey::Ec(point) = key.certified().key() else { bail!("not a key on a curve") };
        let mut params = CertificateParams::default();
        params.distinguished_name = DistinguishedName::new();
        params.distinguished_name.push(DnType::CommonName, host);
        params.subject_alt_names = vec![SanType::URI(Ia5String::try_from(self.spiffe_id(host))?)];
        params.is_ca = IsCa::ExplicitNoCa;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        params.use_authority_key_identifier_extension = true;
        params.serial_number = Some(SerialNumber::from_slice(serial));
        params.not_before = time_of(validity.from_ms).into();
        params.not_after = time_of(validity.to_ms).into();
        let leaf = params.signed_by(&Point(point.point()), &self.issuer)?;
        Ok(pem("CERTIFICATE", leaf.der()))
    }

    /// The list of revoked certificates, DER. [RFC5280 §5]
    pub fn crl(&self, list: &RevokedCertificates, validity: Validity) -> anyhow::Result<Vec<u8>> {
        let revoked = |(serial, at_ms, why): &(Serial, i64, RevokedFor)| RevokedCertParams {
            serial_number: SerialNumber::from_slice(serial),
            revocation_time: time_of(*at_ms).into(),
            reason_code: reason(*why),
            invalidity_date: None,
        };
        let params = CertificateRevocationListParams {
            this_update: time_of(validity.from_ms).into(),
            next_update: time_of(validity.to_ms).into(),
            crl_number: SerialNumber::from(list.number.unsigned_abs()),
            issuing_distribution_point: None,
            revoked_certs: list.revoked.iter().map(revoked).collect(),
            key_identifier_method: KeyIdMethod::Sha256,
        };
        Ok(params.signed_by(&self.issuer)?.der().to_vec())
    }

    /// The authority as a trust bundle has it. [SPIFFE-BUNDLE §4.2]
    pub fn jwk(&self) -> serde_json::Value {
        let (x, y) = match self.issuer.key().der_bytes() {
            [4, xy @ ..] if xy.len() == 64 => xy.split_at(32),
            _ => (&[][..], &[][..]),
        };
        serde_json::json!({
            "kty": "EC",
            "crv": "P-256",
            "x": URL_SAFE_NO_PAD.encode(x),
            "y": URL_SAFE_NO_PAD.encode(y),
            "use": "x509-svid",
            "x5c": [STANDARD.encode(&self.certificate_der)],
        })
    }
}

/// A point on P-256, as a certificate takes it.
struct Point<'a>(&'a [u8]);

impl PublicKeyData for Point<'_> {
    fn der_bytes(&self) -> &[u8] {
        self.0
    }

    fn algorithm(&self) -> &'static SignatureAlgorithm {
        &PKCS_ECDSA_P256_SHA256
    }
}

/// The same for each start, so that a kept key issues under the same subject. One that follows another has another
/// name, too: some relying parties look for the list of an authority by its name alone.
fn authority_params(trust_domain: &str, number: i64) -> anyhow::Result<CertificateParams> {
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::OrganizationName, "Bootproof");
    let mut name = format!("Bootproof hosts of {trust_domain}");
    if number > 1 {
        name.push_str(&format!(", {number}"));
    }
    params.distinguished_name.push(DnType::CommonName, name);
    let id = format!("spiffe://{trust_domain}");
    params.subject_alt_names = vec![SanType::URI(Ia5String::try_from(id)?)];
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    Ok(params)
}

/// Why, in the words of lists. [RFC5280 §5.3.1]
const fn reason(why: RevokedFor) -> Option<RevocationReason> {
    match why {
        RevokedFor::NotAccepted | RevokedFor::Disconnected => {
            Some(RevocationReason::PrivilegeWithdrawn)
        }
        RevokedFor::Removed => Some(RevocationReason::CessationOfOperation),
        RevokedFor::TpmReplaced => Some(RevocationReason::Superseded),
        // The standard wants "unspecified" left out.
        RevokedFor::Person => None,
    }
}

/// NameConstraints. [RFC5280 §4.2.1.10] Written here, since the library knows none of URIs.
fn name_constraints(trust_domain: &str, constraint: NameConstraint) -> Vec<u8> {
    const URI: u8 = 0x86;
    const DNS: u8 = 0x82;
    const ADDRESS: u8 = 0x87;
    let subtree = |tag, name: &[u8]| element(0x30, &element(tag, name));
    // The empty name and the networks of no bits: all of them.
    let excluded =
        [subtree(DNS, &[]), subtree(ADDRESS, &[0; 8]), subtree(ADDRESS, &[0; 32])].concat();
    let permitted = match constraint {
        NameConstraint::Uri => element(0xa0, &subtree(URI, trust_domain.as_bytes())),
        NameConstraint::NotHosts => Vec::new(),
    };
    element(0x30, &[permitted, element(0xa1, &excluded)].concat())
}

/// An element of DER, shorter than 64 KiB.
fn element(tag: u8, content: &[u8]) -> Vec<u8> {
    let len = u16::try_from(content.len()).unwrap_or(u16::MAX);
    let [high, low] = len.to_be_bytes();
    let header: &[u8] = match len {
        0..0x80 => &[tag, low],
        0x80..=0xff => &[tag, 0x81, low],
        _ => &[tag, 0x82, high, low],
    };
    [header, content].concat()
}

/// PEM, lines of 64. [RFC7468]
fn pem(label: &str, der: &[u8]) -> String {
    let text = STANDARD.encode(der);
    let mut pem = format!("-----BEGIN {label}-----\n");
    let mut rest = text.as_str();
    while !rest.is_empty() {
        let (line, tail) = rest.split_at_checked(64).unwrap_or((rest, ""));
        pem.push_str(line);
        pem.push('\n');
        rest = tail;
    }
    pem.push_str(&format!("-----END {label}-----\n"));
    pem
}

/// What a relying party holds of a certificate in PEM.
pub fn der_of_pem(pem: &str) -> Option<Vec<u8>> {
    Some(CertificateDer::from_pem_slice(pem.as_bytes()).ok()?.to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trust_domain_is_a_plain_name() {
        for sound in ["example.org", "prod-1.example.org", "fleet", "a.b"] {
            assert_eq!(trust_domain_fault(sound), None, "{sound}");
        }
        let long = "a".repeat(64);
        let longest = ["a"; 129].join(".");
        for wrong in
            ["", ".", "Example.org", "-a.org", "a-.org", "a..b", "a_b", "a/b", "a b", "ä.org"]
                .into_iter()
                .chain([&*long, &*longest])
        {
            assert!(trust_domain_fault(wrong).is_some(), "{wrong}");
        }
    }

    #[test]
    fn a_kept_authority_is_the_same_and_names_its_domain_alone() {
        let now = SystemTime::now();
        let made = Material::new("example.org", 1, NameConstraint::Uri, now).unwrap();
        let authority = ClientAuthority::new("example.org", 1, &made).unwrap();
        assert_eq!(der_of_pem(&authority.pem()).unwrap(), made.certificate_der);
        let (rest, read) = x509_parser::parse_x509_certificate(&made.certificate_der).unwrap();
        assert!(rest.is_empty());
        let constraints = read.name_constraints().unwrap().unwrap();
        assert!(constraints.critical);
        let permitted = constraints.value.permitted_subtrees.clone().unwrap();
        assert_eq!(permitted.len(), 1);
        let shown = format!("{:?}", permitted[0].base);
        assert!(shown.contains("URI(\"example.org\")"), "{shown}");
        assert_eq!(constraints.value.excluded_subtrees.as_ref().unwrap().len(), 3);
        let basic = read.basic_constraints().unwrap().unwrap().value.clone();
        assert_eq!((basic.ca, basic.path_len_constraint), (true, Some(0)));

        let other = Material::new("example.org", 1, NameConstraint::Uri, now).unwrap();
        let mixed =
            Material { key_pem: made.key_pem, certificate_der: other.certificate_der.clone() };
        let refused = ClientAuthority::new("example.org", 1, &mixed).unwrap_err();
        assert!(refused.to_string().contains("another key"), "{refused}");
    }

    #[test]
    fn a_list_is_signed_and_says_why() {
        let made =
            Material::new("example.org", 1, NameConstraint::NotHosts, SystemTime::now()).unwrap();
        let authority = ClientAuthority::new("example.org", 1, &made).unwrap();
        let list = RevokedCertificates {
            number: 1_795_000_000_000,
            n_changes: 2,
            revoked: vec![
                ([0x11; 16], 1_794_000_000_000, RevokedFor::NotAccepted),
                ([0x22; 16], 1_794_000_001_000, RevokedFor::Person),
            ],
        };
        let validity = Validity { from_ms: 1_795_000_000_000, to_ms: 1_795_000_900_000 };
        let der = authority.crl(&list, validity).unwrap();
        let (rest, read) = x509_parser::parse_x509_crl(&der).unwrap();
        assert!(rest.is_empty());
        assert_eq!(read.crl_number().unwrap(), &1_795_000_000_000_u64.into());
        assert_eq!(read.next_update().unwrap().timestamp(), 1_795_000_900);
        let revoked: Vec<_> = read.iter_revoked_certificates().collect();
        assert_eq!(revoked[0].raw_serial(), [0x11; 16]);
        assert_eq!(revoked[0].reason_code().unwrap().1.0, 9, "privilegeWithdrawn");
        assert!(revoked[1].reason_code().is_none());
        // Empty ones are lists, too.
        let none = RevokedCertificates { revoked: Vec::new(), ..list };
        let der = authority.crl(&none, validity).unwrap();
        let (_, read) = x509_parser::parse_x509_crl(&der).unwrap();
        assert_eq!(read.iter_revoked_certificates().count(), 0);
    }
}
