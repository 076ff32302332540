//! What Linux prints of TPMs and Secure Boot: dmesg, the journal, syslog.

use findings::Code;

use crate::signature::{
    Carries,
    Role::{Cause, Harmless, Symptom},
    Signature,
    Source::Linux,
};

pub(super) const ROWS: &[Signature] = &[
    Signature::new("K01", (Linux, Symptom), &["tpm tpm*: A TPM error ("], [
        "A TPM command failed",
        "The response code says why.",
        "`bootproof tpm rc CODE` explains it.",
    ]).carries(Carries::DecimalCode),
    Signature::new("K02", (Linux, Cause), &["ima: No TPM chip found, activating TPM-bypass"], [
        "The kernel found no TPM when IMA started",
        "The TPM is off in the firmware setup, or its driver is a module that comes later than IMA.",
        "Switch the TPM on; where it is on, build its driver into the kernel (tpm_tis, tpm_crb).",
    ]).finding(Code::NoTpm),
    Signature::new("K03", (Linux, Cause), &["secureboot: Secure boot disabled"], [
        "UEFI Secure Boot was off when the host started",
        "It is switched off in the firmware setup.",
        "Switch Secure Boot on in the firmware setup, and restart.",
    ]).finding(Code::SecureBootOff).ended_by("K04"),
    Signature::new("K04", (Linux, Harmless), &["secureboot: Secure boot enabled"], [
        "UEFI Secure Boot was on when the host started",
        "This is what attestation wants.",
        "Nothing to do.",
    ]),
    Signature::new("K05", (Linux, Harmless), &["tpm tpm*: [Firmware Bug]: TPM interrupt not working"], [
        "The TPM's interrupt does not work",
        "Firmware names a wrong interrupt; the driver asks the TPM again and again instead, which is slower and sound.",
        "Update the firmware of the board; start with `tpm_tis.interrupts=0` to be rid of the message.",
    ]),
    Signature::new("K06", (Linux, Symptom), &["tpm tpm*: TPM is disabled/deactivated"], [
        "The TPM is disabled",
        "The firmware setup has it present and not enabled.",
        "Enable it in the firmware setup, and restart.",
    ]).finding(Code::NoTpm),
];
