//! What ESXi's boot loader and its screens print: Secure Boot, measuring, the sealed configuration.

use findings::Code;

use crate::signature::{
    Carries,
    Role::{Cause, Harmless, Symptom},
    Signature,
    Source::{EsxiBoot, EsxiShell, Firmware},
};

const FIRMWARE_OR_TPM: &str = "Update the firmware of board and TPM; if it stays, power the machine off, cable out, and on again.";
const REPAIR_BOOT_BANK: &str = "Boot the other boot bank (Shift+R), then install the image anew so that all modules are of one build.";

pub(super) const ROWS: &[Signature] = &[
    Signature::new("S01", (Firmware, Cause), &["UEFI0073", "Unable to boot*because of the Secure Boot policy"], [
        "Firmware refused the boot loader",
        "It is not signed, was altered, or its signer is not among the keys of the machine.",
        "Install the vendor's boot loader again, and restore the firmware's Secure Boot keys if they were changed.",
    ]).finding(Code::AuthorityUnknown),
    Signature::new("S02", (EsxiBoot, Cause), &[
        "Fatal error: 39 (Secure Boot Failed)",
        "Fatal error: 27 (Security violation)",
    ], [
        "The boot loader refused a module of ESXi",
        "The signature of a boot module is wrong: the file was altered or damaged.",
        "Install the ESXi image anew.",
    ]).finding(Code::AuthorityUnknown),
    Signature::new("S03", (EsxiBoot, Cause), &[
        "^Boot module signatures are not valid",
        "^Signature check failed on module *(*)",
    ], [
        "A boot module is not as it was signed",
        "The file was altered or damaged; the line names it.",
        "Install the ESXi image anew.",
    ]).finding(Code::AuthorityUnknown),
    Signature::new("S04", (EsxiBoot, Cause), &[
        "^Signature has unexpected keyid",
        "^Invalid signature length *, should be",
        "^Error verifying signature: -0x",
    ], [
        "The signature of a boot module does not verify",
        "Somebody else signed it, the file is cut, or it was altered.",
        "Install the ESXi image anew.",
    ]).finding(Code::AuthorityUnknown),
    Signature::new("S05", (EsxiBoot, Cause), &[
        "^No signature found",
        "^Wrong schema version (got ",
        "^Invalid attached signature format",
        "^Unknown schema version * on module",
    ], [
        "A boot module has no signature that this boot loader reads",
        "The boot bank mixes modules and loader of different builds.",
        REPAIR_BOOT_BANK,
    ]),
    Signature::new("S06", (EsxiBoot, Harmless), &["UEFI Secure Boot in progress"], [
        "The boot loader sees Secure Boot on",
        "This is what attestation wants.",
        "Nothing to do.",
    ]),
    Signature::new("S06-off", (EsxiBoot, Cause), &["UEFI Secure Boot is not enabled"], [
        "The boot loader sees Secure Boot off",
        "Secure Boot is switched off in the firmware setup, or the machine booted in legacy mode.",
        "Check that all VIBs are signed, then switch Secure Boot on and restart.",
    ]).finding(Code::SecureBootOff).ended_by("S06"),
    Signature::new("S07", (EsxiBoot, Cause), &[
        "UEFI Secure Boot failed:",
        "Failed to verify signatures of the following vib(s)",
        "Unrecognized tardisks:",
    ], [
        "ESXi stopped because a VIB does not verify",
        "A VIB is unsigned or altered; or the machine's clock is wrong, so that no certificate is valid; or physical presence was taken away when a TPM 1.2 was replaced by a 2.0.",
        "Set the clock first; remove the VIBs that are named (with Secure Boot off for that start); assert physical presence.",
    ]).finding(Code::AuthorityUnknown),
    Signature::new("S08", (EsxiShell, Cause), &["Secure boot CANNOT be enabled", "Secure boot cannot be enabled"], [
        "The host would not start with Secure Boot",
        "A VIB has no saved signature or is of the level CommunitySupported.",
        "Update from an ISO or by lifecycle manager, which store the signatures, or remove the VIB; then ask again.",
    ]),
    Signature::new("S09", (EsxiBoot, Cause), &[
        "Unable to restore system configuration. A security violation was detected",
        "Unable to restore the system configuration. A security violation was detected",
    ], [
        "The sealed configuration does not open on this boot",
        "TPM or Secure Boot are off, execInstalledOnly was changed, the TPM was replaced, or ESXi was installed anew beside an old TPM state.",
        "Put the settings back. Else start with Shift+O and `encryptionRecoveryKey=` and the recovery key. After a new installation clear the TPM.",
    ]).finding(Code::EkChanged),
    Signature::new("S10", (EsxiBoot, Cause), &["Failed to decrypt system configuration"], [
        "The key of the sealed configuration cannot be used",
        "The key material is damaged, or another TPM made it.",
        "Start with the recovery key (Shift+O, `encryptionRecoveryKey=`).",
    ]),
    Signature::new("S11", (EsxiBoot, Cause), &["Unable to recover the system configuration"], [
        "The recovery key does not open the configuration",
        "It is missing, mistyped, or of another host.",
        "Find the right one; without it the host must be installed anew.",
    ]),
    Signature::new("S12", (EsxiBoot, Cause), &["Required TPM PCR bank not enabled"], [
        "The TPM's SHA-256 bank is off, and the boot loader measured nothing",
        "Firmware is set to measure with SHA-1.",
        "Set the TPM's hash algorithm to SHA-256 in the firmware setup, and restart.",
    ]).finding(Code::Sha256BankInactive),
    Signature::new("S13", (EsxiBoot, Cause), &["Required TCG2 event log format not supported"], [
        "Firmware keeps no event log that the boot loader can use",
        "It is older than the crypto-agile log.",
        "Update the firmware of the board.",
    ]).finding(Code::NoEventLog),
    Signature::new("S14", (EsxiBoot, Cause), &[
        "TCG2 protocol not available",
        "^No TPM present",
        "^Failed to query TPM capability",
    ], [
        "The boot loader found no TPM",
        "It is off or hidden in the firmware setup.",
        "Switch the TPM on, make it visible, and restart.",
    ]).finding(Code::NoTpm),
    Signature::new("S15", (EsxiBoot, Cause), &["Event log full while measuring event type"], [
        "The event log is incomplete",
        "Firmware's memory for it was full: the PCR was extended, the event not written down, so that no replay can match.",
        "Update the firmware of the board; have fewer modules.",
    ]).finding(Code::LogFull),
    Signature::new("S16", (EsxiBoot, Cause), &[
        "Failed to measure '*' into TPM",
        "Failed to measure command line into TPM",
    ], [
        "The boot loader could not measure what it loads",
        "TPM or firmware answered with an error.",
        FIRMWARE_OR_TPM,
    ]).finding(Code::TpmFault),
    Signature::new("S17", (EsxiBoot, Cause), &["TPM log extend failed for ID"], [
        "A measurement failed",
        "TPM or firmware answered with an error.",
        FIRMWARE_OR_TPM,
    ]).finding(Code::TpmFault),
    Signature::new("S18", (EsxiBoot, Symptom), &["^Failed to log certificate"], [
        "The signer of a module was not measured",
        "TPM or firmware answered with an error; the check of the signature fails after it.",
        FIRMWARE_OR_TPM,
    ]).follows(&["S17"]),
    Signature::new("S19", (EsxiBoot, Cause), &["^Duplicate modules named", "^More than one module named"], [
        "A module stands in boot.cfg twice",
        "The boot bank is damaged; the sealed configuration may not open because of it.",
        REPAIR_BOOT_BANK,
    ]),
    Signature::new("S20", (EsxiBoot, Symptom), &["^Failed to measure version for"], [
        "The version of a kernel module was not measured",
        "The module has none, or the TPM answered with an error: a verifier cannot tell the version.",
        "Install the ESXi image anew.",
    ]),
    Signature::new("S21", (EsxiBoot, Symptom), &["^TPM asset tag too large", "Failed to read TPM asset tag"], [
        "The TPM's asset tag cannot be read",
        "What is stored at NV index 0x01C10110 is too large or not readable.",
        "Define and write the tag anew.",
    ]),
    Signature::new("S21-nv", (EsxiBoot, Symptom), &["TPM NV read failure: "], [
        "The boot loader could not read the TPM's memory",
        "The response code says why.",
        "`bootproof tpm rc CODE` explains it.",
    ]).carries(Carries::HexCode),
    Signature::new("S22", (EsxiBoot, Cause), &[
        "Invalid TCG2 final event data",
        "Unknown TCG2 final events table version",
        "^Unknown event log algorithm",
    ], [
        "Firmware's event log is malformed",
        "Firmware does not write it as the specification says.",
        "Update the firmware of the board.",
    ]).finding(Code::LogParse),
    Signature::new("S25", (Firmware, Cause), &["UEFI0046"], [
        "Firmware could not start Intel TXT",
        "The SINIT module of TXT failed at the start before, often after a change of firmware, processor or TPM.",
        "Where nothing needs TXT, switch it off in the firmware setup; else update the firmware, clear the TPM (save recovery keys first), and switch TXT on again (Broadcom KB 319550).",
    ]).finding(Code::DynamicLaunch),
    Signature::new("S23", (EsxiBoot, Symptom), &["^Falling back to internal crypto suite"], [
        "The boot loader has no crypto module",
        "The module is missing in the boot bank.",
        REPAIR_BOOT_BANK,
    ]),
];
