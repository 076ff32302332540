//! The TPM itself: who made it, its firmware, its keys, and whose name its quote carries.

use findings::{Argument, Code, Finding};
use tpm_vendors::{Advisory, FirmwareVersion, Vendor, advisories, is_roca_weak, software_tpm};
use verify::{BoundAk, PublicKey};

use crate::claims::{EkStatus, KeyRole, QuoteStatus, SignerStatus};
use crate::{BesideLog, Policy, TpmSaid};

/// Compares the signer's qualified name in a verified quote with what the enrolled key and its
/// parent give. [TPM2-P1-1.59 §16] The parent's name is the host's word, but a wrong one hashes to
/// nothing that a TPM signs.
pub(crate) fn signer(
    quote: &QuoteStatus,
    bound: Option<&BoundAk>,
    said: Option<&TpmSaid<'_>>,
) -> SignerStatus {
    let parent = said.and_then(|said| said.ak_parent);
    let (Some(quote), Some(bound), Some(parent)) = (quote.verified(), bound, parent) else {
        return SignerStatus::NotChecked;
    };
    let expected = bound.ak().name().under(parent);
    match quote.qualified_signer() {
        Some(quoted) if *quoted == expected => SignerStatus::Matches,
        quoted => SignerStatus::Differs { quoted: quoted.copied(), expected },
    }
}

pub(crate) fn weak_keys(ek: &EkStatus, bound: Option<&BoundAk>) -> Vec<KeyRole> {
    let keys = [
        (KeyRole::Endorsement, ek.endorsed().map(|ek| ek.key())),
        (KeyRole::Attestation, bound.map(|bound| bound.ak().key())),
    ];
    let weak = |(role, key): (KeyRole, Option<&PublicKey>)| is_weak_key(key?).then_some(role);
    keys.into_iter().filter_map(weak).collect()
}

/// Whether the numbers of this key show that it can be factored.
pub fn is_weak_key(key: &PublicKey) -> bool {
    matches!(key, PublicKey::Rsa(key) if is_roca_weak(key.modulus()))
}

/// What is known of a TPM, with who says it.
struct Tpm<'a> {
    vendor: Option<Vendor>,
    vendor_from: &'static str,
    model: Option<&'a str>,
    version: Option<(FirmwareVersion, &'static str)>,
}

const CERTIFIED: &str = "its certificate";
const SAID: &str = "the host";

/// Of two who say the same thing the certificate counts, but for the version: that in a certificate
/// is the one of the day on which the chip was made.
fn known<'a>(claims: &BesideLog<'a, '_>) -> Tpm<'a> {
    let certified = claims.ek.endorsed().map(verify::VerifiedEk::tpm);
    let said = claims.untrusted_tpm;
    let certified_vendor = certified.and_then(|tpm| tpm.manufacturer_id()).map(Vendor::new);
    let said_version = said
        .map(|said| said.firmware_version)
        .filter(|version| *version != 0)
        .map(|version| (FirmwareVersion::from_properties(version), SAID));
    let certified_version = certified
        .and_then(|tpm| FirmwareVersion::from_certificate(tpm.version.as_deref()?))
        .map(|version| (version, CERTIFIED));
    Tpm {
        vendor: certified_vendor.or_else(|| said.map(|said| Vendor::new(said.manufacturer))),
        vendor_from: if certified_vendor.is_some() { CERTIFIED } else { SAID },
        model: certified.and_then(|tpm| tpm.model.as_deref()),
        version: said_version.or(certified_version),
    }
}

pub(crate) fn findings(claims: &BesideLog<'_, '_>, policy: &Policy) -> Vec<Finding> {
    let mut findings = Vec::new();
    if let SignerStatus::Differs { quoted, expected } = claims.signer {
        let finding =
            Finding::new(Code::QualifiedSigner).with("expected", Argument::text(expected));
        findings.push(match quoted {
            Some(quoted) => finding.with("quoted", Argument::text(quoted)),
            None => finding.because("the name in the quote is not one of a key"),
        });
    }
    findings.extend(claims.weak_keys.iter().map(|role| weak_key_finding(*role)));
    let tpm = known(claims);
    let vendor_string = claims.untrusted_tpm.map(|said| said.vendor_string);
    if let Some(vendor) = tpm.vendor {
        findings.extend(software_tpm(vendor, tpm.model, vendor_string).map(|program| {
            Finding::new(Code::TpmVirtual)
                .with("program", Argument::text(program.name))
                .with("says", Argument::text(tpm.vendor_from))
        }));
        if let Some((version, from)) = &tpm.version {
            findings.extend(
                advisories(vendor, version).map(|known| advisory_finding(known, version, from)),
            );
        }
    }
    findings.extend(below_minimum(&tpm, policy));
    findings
}

/// The finding of a known fault that firmware of this `version` has, as `says` says.
pub fn advisory_finding(
    known: &Advisory,
    version: &FirmwareVersion,
    says: &'static str,
) -> Finding {
    Finding::new(Code::TpmFirmwareAdvisory)
        .with("advisory", Argument::text(format_args!("{} ({})", known.id, known.name)))
        .with("vendor", Argument::text(known.vendor))
        .with("version", Argument::text(version))
        .with("says", Argument::text(says))
        .with("fixed", Argument::text(known.fixed))
        .because(known.impact)
}

/// The finding of a key that can be factored.
pub fn weak_key_finding(role: KeyRole) -> Finding {
    let key = match role {
        KeyRole::Endorsement => "endorsement key",
        KeyRole::Attestation => "attestation key",
    };
    Finding::new(Code::KeyWeakRoca).with("key", Argument::text(key))
}

/// Where the policy asks for a version, one that is not known is not enough.
fn below_minimum(tpm: &Tpm<'_>, policy: &Policy) -> Option<Finding> {
    if policy.minimum_tpm_firmware().is_empty() {
        return None;
    }
    let finding = Finding::new(Code::TpmFirmwareBelowMinimum);
    let Some(vendor) = tpm.vendor else {
        return Some(finding.because("who made the TPM is not known"));
    };
    let (_, minimum) = policy.minimum_tpm_firmware().iter().find(|(of, _)| *of == vendor)?;
    let finding =
        finding.with("vendor", Argument::text(vendor)).with("minimum", Argument::text(minimum));
    let Some((version, from)) = &tpm.version else {
        return Some(finding.because("the version is not known"));
    };
    let told = |finding: Finding| {
        finding.with("version", Argument::text(version)).with("says", Argument::text(from))
    };
    match version.is_below(minimum) {
        Some(false) => None,
        Some(true) => Some(told(finding)),
        None => Some(told(finding).because("the version is not known exactly enough")),
    }
}
