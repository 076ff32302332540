//! The endorsement key certificate: whose TPM is it?

use x509_parser::extensions::{GeneralName, ParsedExtension};

use crate::certificate::{Certificate, CertificateError};
use crate::chain::{self, UntrustedCause};
use crate::ek::EkPublic;
use crate::key::{KeyError, PublicKey};
use crate::roots::{Fingerprint, RootStore};
use crate::time::UnixTime;
use crate::{nv, oid};

/// Intermediates that may come with an EK certificate: twice the number of the longest chain
/// known and some that do not belong to it.
pub const INTERMEDIATES_MAX: usize = 16;

/// Characters of a name in the certificate that we show. The registry's longest model name has
/// about 20.
const NAME_CHARS_MAX: usize = 64;

/// Why an EK certificate is not accepted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EkCertError {
    /// It cannot be read.
    #[error("the EK certificate cannot be read")]
    Malformed(#[source] CertificateError),
    /// More than [`INTERMEDIATES_MAX`] intermediates came with it.
    #[error("{have} intermediate certificates came along, more than {INTERMEDIATES_MAX}")]
    TooManyIntermediates {
        /// How many came.
        have: usize,
    },
    /// No way leads to a trusted root.
    #[error("no chain leads from the EK certificate to a trusted root")]
    Untrusted(#[source] UntrustedCause),
    /// The chain holds, but the certificate is not one of an endorsement key.
    #[error("the certificate is not one of an endorsement key")]
    WrongUse(#[source] WrongUse),
    /// The key that it certifies cannot be used.
    #[error("the key in the EK certificate cannot be used")]
    Key(#[source] KeyError),
    /// All else holds, but a certificate of the chain is not valid any more. Devices outlive
    /// their certificates: whether that matters is for the policy to say.
    #[error("a certificate of the chain has expired")]
    Expired(Box<OutOfDate>),
    /// All else holds, but a certificate of the chain is not valid yet, or our clock is wrong.
    #[error("a certificate of the chain is not valid yet")]
    NotYetValid(Box<OutOfDate>),
    /// It certifies another key than the one that the TPM uses.
    #[error("the EK certificate certifies another key than the EK that the TPM has")]
    KeyMismatch,
}

/// In which way a certificate is not one of an endorsement key. [TCG-EK-2.6 §3.2]
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum WrongUse {
    /// It is a certificate of a CA.
    #[error("it is the certificate of a certificate authority")]
    Ca,
    /// keyUsage allows neither keyEncipherment nor keyAgreement.
    #[error("its key may neither encipher nor agree on keys")]
    KeyUsage,
    /// extKeyUsage is there, but without tcg-kp-EKCertificate.
    #[error("its extended key usage is not that of an endorsement key")]
    ExtendedKeyUsage,
    /// Neither extKeyUsage nor the TPM's manufacturer in subjectAltName marks it as one of an EK.
    #[error("neither an extended key usage nor a TPM manufacturer marks it as one of an EK")]
    NotMarked,
    /// A critical extension that we do not process.
    #[error("critical extension {oid} is not known")]
    UnknownCriticalExtension {
        /// Its object identifier, dotted.
        oid: String,
    },
}

/// An EK certificate whose chain holds and which is out of its dates.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutOfDate {
    /// Start of the validity of the certificate that is out of date.
    pub not_before: UnixTime,
    /// End of its validity.
    pub not_after: UnixTime,
    /// Subject of that certificate, where it is not the EK certificate itself.
    pub intermediate: Option<String>,
    ek: VerifiedEk,
}

impl OutOfDate {
    /// Accepts the certificate in spite of its dates. For a policy that permits it, and which
    /// then shows a finding.
    pub fn permit(self) -> VerifiedEk {
        self.ek
    }

    /// What the certificate says, and the root vouched for while it was valid.
    pub const fn ek(&self) -> &VerifiedEk {
        &self.ek
    }
}

/// An EK certificate that a trusted root vouches for. Only [`verify_ek_certificate`] makes one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifiedEk {
    key: PublicKey,
    tpm: TpmModel,
    root: Fingerprint,
    fingerprint: Fingerprint,
    not_before: UnixTime,
    not_after: UnixTime,
    n_padding_bytes: usize,
    deviations: Vec<EkCertDeviation>,
}

/// What the certificate says about the TPM. [TCG-EK-2.6 §3.1.2]
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TpmModel {
    /// tpmManufacturer, normally `id:` and eight hexadecimal digits (`id:53544D20`).
    pub manufacturer: Option<String>,
    /// tpmModel.
    pub model: Option<String>,
    /// tpmVersion, normally `id:` and hexadecimal digits.
    pub version: Option<String>,
}

impl TpmModel {
    /// The vendor identifier, as TPM2_PT_MANUFACTURER has it, out of [`Self::manufacturer`].
    pub fn manufacturer_id(&self) -> Option<u32> {
        let digits = self.manufacturer.as_deref()?.strip_prefix("id:")?;
        (digits.len() == 8).then(|| u32::from_str_radix(digits, 16).ok()).flatten()
    }
}

/// Where an accepted certificate differs from the EK profile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EkCertDeviation {
    /// No extKeyUsage; the manufacturer in subjectAltName marks it as one of an EK.
    NoExtendedKeyUsage,
    /// No tpmManufacturer in subjectAltName; extKeyUsage marks it as one of an EK.
    NoManufacturer,
    /// No keyUsage.
    NoKeyUsage,
    /// An elliptic curve key with keyEncipherment instead of keyAgreement.
    EccKeyEncipherment,
    /// The header of TPM 1.2 lay before it in its NV index. [PCC-1.2 §7.3.2]
    NvHeader,
    /// It is in the root store by its own fingerprint, no CA vouches for it.
    Pinned,
}

impl VerifiedEk {
    /// The certified key.
    pub const fn key(&self) -> &PublicKey {
        &self.key
    }

    /// SHA-256 of the key as [`PublicKey::spki_der`].
    pub fn spki_sha256(&self) -> [u8; 32] {
        self.key.spki_sha256()
    }

    /// What the certificate says about the TPM.
    pub const fn tpm(&self) -> &TpmModel {
        &self.tpm
    }

    /// The root that vouches for it.
    pub const fn root(&self) -> Fingerprint {
        self.root
    }

    /// SHA-256 of the certificate, without what lay around it in NV.
    pub const fn fingerprint(&self) -> Fingerprint {
        self.fingerprint
    }

    /// Start of its validity.
    pub const fn not_before(&self) -> UnixTime {
        self.not_before
    }

    /// End of its validity; for most the end of the year 9999.
    pub const fn not_after(&self) -> UnixTime {
        self.not_after
    }

    /// Bytes of padding that lay behind the certificate.
    pub const fn n_padding_bytes(&self) -> usize {
        self.n_padding_bytes
    }

    /// Where it differs from the profile.
    pub fn deviations(&self) -> &[EkCertDeviation] {
        &self.deviations
    }

    /// Whether it is a trust anchor itself, and no authority vouches for it.
    pub fn is_pinned(&self) -> bool {
        self.root == self.fingerprint
    }

    /// Whether it certifies the EK that the TPM activates credentials with.
    pub fn check_key(&self, ek: &EkPublic) -> Result<(), EkCertError> {
        if self.key == *ek.key() { Ok(()) } else { Err(EkCertError::KeyMismatch) }
    }

    /// Whether it certifies the EK that was stored under this [`PublicKey::spki_sha256`].
    pub fn check_spki_sha256(&self, enrolled: &[u8; 32]) -> Result<(), EkCertError> {
        if self.spki_sha256() == *enrolled { Ok(()) } else { Err(EkCertError::KeyMismatch) }
    }
}

/// Checks an EK certificate: its form, the chain to a root, its use, the key, then the dates.
///
/// `leaf` is what the NV index held: the certificate, perhaps with the TPM 1.2 header in front and
/// padding behind. `untrusted_intermediates` may be of any origin; those that cannot be read are
/// passed over. Trust: the result is the word of `roots`; that a TPM has the key, and which, is
/// only proved by activating a credential. Revocation lists are not read. [TCG-EK-2.6 §3]
///
/// # Errors
/// The first of the checks that fails. Only [`EkCertError::Expired`] and
/// [`EkCertError::NotYetValid`] mean that all others hold.
pub fn verify_ek_certificate(
    leaf: &[u8],
    untrusted_intermediates: &[&[u8]],
    roots: &RootStore,
    now: UnixTime,
) -> Result<VerifiedEk, EkCertError> {
    if untrusted_intermediates.len() > INTERMEDIATES_MAX {
        return Err(EkCertError::TooManyIntermediates { have: untrusted_intermediates.len() });
    }
    let malformed = EkCertError::Malformed;
    let found = nv::certificate(leaf).ok_or(malformed(CertificateError::Malformed))?;
    let certificate = Certificate::from_der(found.der).map_err(malformed)?;
    let fingerprint = Fingerprint::of(found.der);
    let mut intermediates: Vec<_> = untrusted_intermediates
        .iter()
        .filter_map(|nv| Certificate::from_der(nv::certificate(nv)?.der).ok())
        .collect();
    // Of two with one name and key, such as one that was renewed, the one that counts today comes first.
    intermediates.sort_by_key(|part| now < part.not_before() || now > part.not_after());

    let path = chain::find(&certificate, &fingerprint, &intermediates, roots)
        .map_err(EkCertError::Untrusted)?;
    let key = certificate.key().map_err(EkCertError::Key)?;
    let mut leaf_use = check_use(&certificate, &key).map_err(EkCertError::WrongUse)?;
    if found.header == nv::Header::Tpm12 {
        leaf_use.deviations.push(EkCertDeviation::NvHeader);
    }
    if path.root == fingerprint {
        leaf_use.deviations.push(EkCertDeviation::Pinned);
    }
    let ek = VerifiedEk {
        key,
        tpm: leaf_use.tpm,
        root: path.root,
        fingerprint,
        not_before: certificate.not_before(),
        not_after: certificate.not_after(),
        n_padding_bytes: found.n_padding_bytes,
        deviations: leaf_use.deviations,
    };

    let issuers = path.intermediates.iter().filter_map(|at| intermediates.get(*at));
    // One that is not valid yet first: a policy may permit what has expired, and that must hide nothing.
    let parts = core::iter::once(&certificate).chain(issuers);
    let early = parts.clone().find(|part| now < part.not_before());
    if let Some(part) = early.or_else(|| parts.clone().find(|part| now > part.not_after())) {
        let (not_before, not_after) = (part.not_before(), part.not_after());
        let intermediate = (!core::ptr::eq(part, &certificate)).then(|| part.subject());
        let out_of_date = Box::new(OutOfDate { not_before, not_after, intermediate, ek });
        return Err(if early.is_some() {
            EkCertError::NotYetValid(out_of_date)
        } else {
            EkCertError::Expired(out_of_date)
        });
    }
    Ok(ek)
}

struct LeafUse {
    tpm: TpmModel,
    deviations: Vec<EkCertDeviation>,
}

/// Checks that the certificate is one of an EK: not of a CA, keyUsage, extKeyUsage, the names of
/// the TPM, critical extensions. Vendors leave out much of what the profile demands, so what is
/// absent is a deviation; what is present and says something else is an error.
fn check_use(leaf: &Certificate<'_>, key: &PublicKey) -> Result<LeafUse, WrongUse> {
    let mut found = LeafUse { tpm: TpmModel::default(), deviations: Vec::new() };
    let mut key_usage = None;
    let mut marked_by_usage = None;
    for extension in leaf.extensions() {
        match extension.parsed_extension() {
            ParsedExtension::BasicConstraints(constraints) if constraints.ca => {
                return Err(WrongUse::Ca);
            }
            ParsedExtension::KeyUsage(usage) => key_usage = Some(usage),
            ParsedExtension::ExtendedKeyUsage(usage) => {
                let is_ek = |oid: &x509_parser::der_parser::oid::Oid<'_>| {
                    oid.as_bytes() == oid::KP_EK_CERTIFICATE
                };
                marked_by_usage = Some(usage.other.iter().any(is_ek));
            }
            ParsedExtension::SubjectAlternativeName(names) => {
                names.general_names.iter().for_each(|name| read_names(name, &mut found.tpm));
            }
            _ => {}
        }
        if extension.critical && !is_known_critical(extension.oid.as_bytes()) {
            return Err(WrongUse::UnknownCriticalExtension { oid: extension.oid.to_id_string() });
        }
    }
    match key_usage {
        None => found.deviations.push(EkCertDeviation::NoKeyUsage),
        Some(usage) if usage.key_cert_sign() => return Err(WrongUse::Ca),
        Some(usage) => match (key, usage.key_encipherment(), usage.key_agreement()) {
            (_, false, false) | (PublicKey::Rsa(_), false, true) => return Err(WrongUse::KeyUsage),
            (PublicKey::Ec(_), true, false) => {
                found.deviations.push(EkCertDeviation::EccKeyEncipherment);
            }
            (PublicKey::Rsa(_), true, _) | (PublicKey::Ec(_), _, true) => {}
        },
    }
    match (marked_by_usage, &found.tpm.manufacturer) {
        (Some(false), _) => return Err(WrongUse::ExtendedKeyUsage),
        (None, None) => return Err(WrongUse::NotMarked),
        (None, Some(_)) => found.deviations.push(EkCertDeviation::NoExtendedKeyUsage),
        (Some(true), None) => found.deviations.push(EkCertDeviation::NoManufacturer),
        (Some(true), Some(_)) => {}
    }
    Ok(found)
}

/// Critical extensions that a leaf may have: those that we process, and those that cannot widen
/// what we accept.
pub(crate) fn is_known_critical(oid: &[u8]) -> bool {
    matches!(
        oid,
        oid::EXT_BASIC_CONSTRAINTS
            | oid::EXT_KEY_USAGE
            | oid::EXT_EXTENDED_KEY_USAGE
            | oid::EXT_SUBJECT_ALT_NAME
            | oid::EXT_SUBJECT_KEY_IDENTIFIER
            | oid::EXT_AUTHORITY_KEY_IDENTIFIER
            | oid::EXT_SUBJECT_DIRECTORY_ATTRIBUTES
            | oid::EXT_CERTIFICATE_POLICIES
    )
}

/// Takes the names of the TPM out of a directoryName, whether they stand in one RDN or in three.
/// The first of each counts.
fn read_names(name: &GeneralName<'_>, tpm: &mut TpmModel) {
    let GeneralName::DirectoryName(directory) = name else { return };
    for attribute in directory.iter_attributes() {
        let slot = match attribute.attr_type().as_bytes() {
            oid::AT_TPM_MANUFACTURER => &mut tpm.manufacturer,
            oid::AT_TPM_MODEL => &mut tpm.model,
            oid::AT_TPM_VERSION => &mut tpm.version,
            _ => continue,
        };
        if slot.is_none() {
            *slot = printable(attribute.as_slice());
        }
    }
}

/// `bytes` as text, what is not printable ASCII as `?`, at most [`NAME_CHARS_MAX`] of them.
fn printable(bytes: &[u8]) -> Option<String> {
    let shown = |byte: &u8| if matches!(byte, b' '..=b'~') { char::from(*byte) } else { '?' };
    let text: String = bytes.iter().take(NAME_CHARS_MAX).map(shown).collect();
    (!text.is_empty()).then_some(text)
}
