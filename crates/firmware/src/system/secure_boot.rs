//! The `SecureBoot` resource and its databases.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use secure_boot_facts::{
    Date, DbxState, KNOWN_AUTHORITIES, Revocations, is_test_subject, known_authority, test_key,
};
use serde_json::Value;

use super::read::{action, members};
use super::{Certificate, Completeness, Database, Fact, Known, Mode, SecureBoot};
use crate::json::{link_at, text};
use crate::scalar::shown;
use crate::{ResourcePath, Snapshot};

/// Longest certificate that is looked at: those of Secure Boot have below 2 KiB.
const CERTIFICATE_BYTES_MAX: usize = 16 * 1024;

pub(super) fn read(snapshot: &Snapshot, system: &Value) -> Option<SecureBoot> {
    let path = link_at(system, &["SecureBoot"])
        .or_else(|| link_at(system, &["Oem", "Hp", "links", "SecureBoot"]))?;
    let resource = snapshot.resource(&path)?;
    let body = &resource.body;
    let current = text(body, &["SecureBootCurrentBoot"]).and_then(|text| match text {
        "Enabled" => Some(true),
        "Disabled" => Some(false),
        _ => None,
    });
    let mode = text(body, &["SecureBootMode"]).map(|mode| match mode {
        "SetupMode" => Mode::Setup,
        "UserMode" => Mode::User,
        "AuditMode" => Mode::Audit,
        "DeployedMode" => Mode::Deployed,
        other => Mode::Other(shown(other)),
    });
    let enable = body.get("SecureBootEnable").and_then(Value::as_bool);
    let databases = link_at(body, &["SecureBootDatabases"]);
    let databases = databases.map(|at| members(snapshot, &at)).unwrap_or_default();
    Some(SecureBoot {
        etag: resource.etag.clone(),
        enable: enable.map(|value| Fact::new(value, &path, "SecureBootEnable")),
        current: current.map(|value| Fact::new(value, &path, "SecureBootCurrentBoot")),
        mode: mode.map(|value| Fact::new(value, &path, "SecureBootMode")),
        reset_keys: action(snapshot, body, "#SecureBoot.ResetKeys", "ResetKeysType"),
        databases: databases.iter().filter_map(|path| database(snapshot, path)).collect(),
        path,
    })
}

fn database(snapshot: &Snapshot, path: &ResourcePath) -> Option<Database> {
    let body = snapshot.body(path)?;
    let id = text(body, &["DatabaseId"]).or_else(|| text(body, &["Id"])).map(shown);
    let mut read = Completeness::Whole;
    let mut all = |name: &str| -> Vec<(ResourcePath, &Value)> {
        let Some(at) = link_at(body, &[name]) else { return Vec::new() };
        if !is_whole(snapshot, &at) {
            read = Completeness::Partial;
        }
        let members = members(snapshot, &at);
        let n = members.len();
        let bodies: Vec<_> = members
            .into_iter()
            .filter_map(|path| snapshot.body(&path).map(|body| (path, body)))
            .collect();
        if bodies.len() < n {
            read = Completeness::Partial;
        }
        bodies
    };
    let certificates = all("Certificates");
    let signatures = all("Signatures");
    let digests: Vec<[u8; 32]> = signatures.iter().filter_map(|(_, body)| digest(body)).collect();
    let id = id.unwrap_or_else(|| path.name().to_owned());
    let is_dbx = id.to_ascii_lowercase().starts_with("dbx");
    Some(Database {
        certificates: certificates.iter().map(|(path, body)| certificate(path, body)).collect(),
        dbx: (is_dbx && !digests.is_empty()).then(|| dbx_state(&digests)),
        n_digests: digests.len(),
        read,
        path: path.clone(),
        id,
    })
}

/// Whether the collection itself was read, and has as many members as it says.
fn is_whole(snapshot: &Snapshot, collection: &ResourcePath) -> bool {
    let Some(body) = snapshot.body(collection) else { return false };
    let n = members(snapshot, collection).len();
    let says = body.get("Members@odata.count").and_then(Value::as_u64);
    says.is_none_or(|says| usize::try_from(says).is_ok_and(|says| says <= n))
}

/// The digest of an image: `SignatureType` is the name of the standard or a maker's short one.
fn digest(signature: &Value) -> Option<[u8; 32]> {
    let kind = text(signature, &["SignatureType"])?;
    if !matches!(kind, "EFI_CERT_SHA256_GUID" | "SHA256") {
        return None;
    }
    let mut digest = [0; 32];
    hex::decode_to_slice(text(signature, &["SignatureString"])?, &mut digest).ok()?;
    Some(digest)
}

/// What of the published list these digests are, asked as firmware would keep them.
/// [UEFI-2.10 §32.4.1 EFI_SIGNATURE_LIST]
fn dbx_state(digests: &[[u8; 32]]) -> DbxState {
    const HEADER: u32 = 28;
    const ENTRY: u32 = 48;
    let n = u32::try_from(digests.len()).unwrap_or(u32::MAX);
    let size = HEADER.saturating_add(ENTRY.saturating_mul(n));
    let mut list = efi::CertType::SHA256.0.0.to_vec();
    for field in [size, 0, ENTRY] {
        list.extend_from_slice(&field.to_le_bytes());
    }
    for digest in digests {
        list.extend_from_slice(&[0; 16]);
        list.extend_from_slice(digest);
    }
    Revocations::default().state_of(&list)
}

fn certificate(path: &ResourcePath, body: &Value) -> Certificate {
    let der = text(body, &["CertificateString"]).and_then(der_of);
    let name = |part| text(body, &["Subject", part]).filter(|text| !text.trim().is_empty());
    let subject = name("CommonName").or_else(|| name("Organization")).map(shown);
    let by_name = || {
        let subject = subject.as_deref()?;
        KNOWN_AUTHORITIES.iter().find(|known| known.name == subject).map(Known::Name)
    };
    let (known, is_test) = match &der {
        // What the BMC says of it beside counts for nothing then.
        Some(der) => (known_authority(der).map(Known::Certificate), test_key(der).is_some()),
        None => (by_name(), subject.as_deref().is_some_and(is_test_subject)),
    };
    let written =
        || der.as_deref().and_then(efi::Certificate::parse).map(|c| c.subject.to_string());
    Certificate {
        path: path.clone(),
        subject: subject
            .clone()
            .or_else(|| written().map(|text| shown(&text)))
            .unwrap_or_else(|| "a certificate without a name".to_owned()),
        known,
        is_test,
        not_after: text(body, &["ValidNotAfter"]).and_then(day),
    }
}

fn der_of(pem: &str) -> Option<Vec<u8>> {
    let body = pem.split_once("-----BEGIN CERTIFICATE-----")?.1;
    let body = body.split_once("-----END CERTIFICATE-----")?.0;
    if body.len() > CERTIFICATE_BYTES_MAX.saturating_mul(2) {
        return None;
    }
    let digits: Vec<u8> = body.bytes().filter(|byte| !byte.is_ascii_whitespace()).collect();
    STANDARD.decode(digits).ok().filter(|der| der.len() <= CERTIFICATE_BYTES_MAX)
}

/// The day of a time as ISO 8601 has it, or as iDRAC does, without zeros: `2026-6-27T21:32:45+00:00`.
fn day(text: &str) -> Option<Date> {
    let day = text.split(['T', ' ']).next()?;
    let mut parts = day.split('-');
    let mut part = || parts.next()?.parse::<u16>().ok();
    let (year, month, day) = (part()?, part()?, part()?);
    Date::parse(&format!("{year:04}-{month:02}-{day:02}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_read_with_and_without_zeros() {
        let shown = |text| day(text).map(|day| day.to_string());
        assert_eq!(shown("2026-6-27T21:32:45+00:00").as_deref(), Some("2026-06-27"));
        assert_eq!(shown("2123-04-02T16:42:06Z").as_deref(), Some("2123-04-02"));
        for none in ["", "T", "2026-13-01T", "2026-1", "Jun 27 2026", "-1-1-1"] {
            assert_eq!(shown(none), None, "{none}");
        }
    }
}
