//! Settings of firmware that the table does not know by name, by what people read in its menu.

use super::Intent;
use super::table::{Row, generic};
use crate::registry::Attribute;

const ON: &[&str] = &["Enabled", "Enable", "On", "Visible", "Available", "Yes"];
const OFF: &[&str] =
    &["Disabled", "Disable", "Off", "Hidden", "Not Available", "Unavailable", "No"];

static TPM: Row = generic(Intent::TpmVisible, ON, OFF);
static SHA256: Row = generic(Intent::Sha256Bank, ON, OFF);
static SHA256_ALGORITHM: Row = generic(
    Intent::Sha256Bank,
    &["SHA256", "SHA-256", "SHA2-256", "SHA1 and SHA256", "SHA-1 and SHA-256"],
    &["SHA1", "SHA-1", "SHA384", "SHA-384"],
);
static TXT: Row = generic(Intent::Txt, ON, OFF);
static UEFI: Row = generic(
    Intent::UefiBoot,
    &["UEFI", "UEFI Mode", "UEFI Only", "UEFI Boot"],
    &[
        "Legacy",
        "Legacy Mode",
        "Legacy BIOS",
        "BIOS",
        "Legacy Only",
        "Dual",
        "Both",
        "UEFI and Legacy",
    ],
);
static CSM: Row = generic(Intent::UefiBoot, OFF, ON);
static ENDORSEMENT: Row = generic(Intent::EndorsementHierarchy, ON, OFF);
static STORAGE: Row = generic(Intent::StorageHierarchy, ON, OFF);
static SECURE_BOOT: Row = generic(Intent::SecureBoot, ON, OFF);
static INTERFACE: Row =
    generic(Intent::Fifo, &["FIFO", "TIS", "FIFO interface"], &["CRB", "CRB interface"]);

/// The row for an attribute that can be chosen among values, by its display name, which must be one
/// of those in use: a name that merely has "TPM" in it may be anything.
pub(super) fn row(attribute: &Attribute) -> Option<&'static Row> {
    let is_choice = matches!(attribute.kind.as_str(), "Enumeration" | "Boolean" | "");
    // A policy of disks' passwords is called "TPM security policy" by one maker.
    if !is_choice || attribute.immutable || attribute.help.to_ascii_lowercase().contains("password")
    {
        return None;
    }
    let name = plain(&attribute.display);
    Some(match name.as_str() {
        "tpm"
        | "tpm support"
        | "tpm security"
        | "tpm state"
        | "tpm device"
        | "tpm visibility"
        | "tpm control"
        | "tpm enable"
        | "tpm 2 0 support"
        | "tpm 2 0 device"
        | "tpm availability"
        | "security device support"
        | "trusted platform module"
        | "trusted platform module support"
        | "onboard tpm"
        | "discrete tpm"
        | "tpm module" => &TPM,
        "sha256 pcr bank"
        | "sha 256 pcr bank"
        | "sha256"
        | "sha 256"
        | "tpm sha256 pcr bank"
        | "sha2 256 pcr bank"
        | "tpm2 sha256 pcr bank" => &SHA256,
        "tpm2 algorithm selection"
        | "tpm 2 0 algorithm selection"
        | "tpm hash algorithm"
        | "tpm 2 0 hash algorithm"
        | "active pcr banks"
        | "tpm active pcrs"
        | "pcr bank"
        | "tpm pcr bank"
        | "active pcr bank"
        | "hash policy" => &SHA256_ALGORITHM,
        "intel txt"
        | "intel r txt"
        | "intel txt support"
        | "intel r txt support"
        | "txt support"
        | "txt"
        | "trusted execution technology"
        | "intel trusted execution technology"
        | "intel r trusted execution technology" => &TXT,
        "boot mode" | "boot mode select" | "boot mode selection" | "system boot mode" => &UEFI,
        "csm support" | "csm" | "launch csm" | "compatibility support module" => &CSM,
        "endorsement hierarchy" | "tpm endorsement hierarchy" => &ENDORSEMENT,
        "storage hierarchy" | "tpm storage hierarchy" => &STORAGE,
        "tpm interface"
        | "tpm 2 0 interface type"
        | "tpm interface type"
        | "tpm 2 0 uefi spec interface" => &INTERFACE,
        "secure boot"
        | "secure boot enable"
        | "secureboot"
        | "secure boot control"
        | "attempt secure boot"
        | "secure boot support"
        | "secure boot state"
        | "secure boot setting" => &SECURE_BOOT,
        _ => return None,
    })
}

/// Lower case words with one space between: "Intel(R) TXT" is `intel r txt`.
fn plain(display: &str) -> String {
    let folded = display.to_ascii_lowercase();
    let words: Vec<_> = folded
        .split(|c: char| !c.is_ascii_alphanumeric())
        .filter(|word| !word.is_empty())
        .collect();
    words.join(" ")
}
