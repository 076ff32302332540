//! What ESXi prints while it runs: vmkernel.log, vmkwarning.log, hostd.log, its shell.

use findings::Code;

use crate::signature::{
    Carries,
    Role::{Cause, Harmless, Symptom},
    Signature,
    Source::{EsxiShell, Firmware, Hostd, Vmkernel},
    Suspicion,
};

pub(super) const ROWS: &[Signature] = &[
    Signature::new("L01", (Vmkernel, Cause), &["tpmDriver: *TPM 2 SHA-256 PCR bank not found to be active"], [
        "The TPM's SHA-256 bank is off",
        "Firmware is set to measure with SHA-1, so ESXi's driver refuses the TPM.",
        "Set the TPM's hash algorithm to SHA-256 in the firmware setup (TPM Advanced), and restart. Clearing the TPM does not help.",
    ]).finding(Code::Sha256BankInactive).ended_by("L22"),
    Signature::new("L02", (Vmkernel, Symptom), &["tpmdriver failed to load"], [
        "ESXi's TPM driver did not start",
        "The line before it says why.",
        "Mend that; the host has no TPM until the driver loads.",
    ]).follows(&["L01", "L03", "L08", "L10"]).ended_by("L22"),
    Signature::new("L03", (Vmkernel, Cause), &["tpmDriver: TPMDriverAttachDevice:*couldn't perform TIS init"], [
        "ESXi's TPM driver could not start the TPM's interface",
        "The SHA-256 bank is off, or the TPM offers no FIFO (TIS) interface.",
        "In the firmware setup set SHA-256 and FIFO/TIS, and restart.",
    ]).follows(&["L01"]).ended_by("L22"),
    Signature::new("L04", (Vmkernel, Symptom), &[
        "Kernel based module load of tpmdriver failed",
        "Kernel-based module load of tpmdriver failed",
    ], [
        "ESXi's kernel could not load the TPM driver",
        "It follows the driver's own message.",
        "Mend what the driver complains about.",
    ]).follows(&["L01", "L03", "L08", "L10"]).ended_by("L22"),
    Signature::new("L05", (Vmkernel, Symptom), &["tpmDriver: *TPM command error code 0x"], [
        "A TPM command failed",
        "The response code says why.",
        "`bootproof tpm rc CODE` explains it.",
    ]).carries(Carries::HexCode).suspicion(Suspicion {
        says: "Intel TXT may be on, with an ESXi that cannot use it with TPM 2.0",
        cause: "The code itself is no fault; sound hosts log it. But hosts with ESXi 6.7 before Update 1 logged it while TXT was on and attestation failed, and these logs show trouble on the host.",
        next_step: "Only where no other cause is left: on ESXi 6.7 before Update 1 switch Intel TXT off in the firmware setup, and restart. Later versions support it.",
        finding: Some(Code::DynamicLaunch),
    }),
    Signature::new("L06", (Vmkernel, Harmless), &["tpmDriver: Tpm2CheckInterface:*TPM is in FIFO mode"], [
        "The TPM speaks FIFO, as it should",
        "This is what ESXi wants.",
        "Nothing to do.",
    ]),
    Signature::new("L07", (Vmkernel, Harmless), &[
        "TPM does not appear to be speaking the 2.0 protocol",
        "tpmDriver: *Continuing on best effort basis using the 2.0 protocol",
    ], [
        "The TPM reports an older FIFO interface",
        "Its interface identifier is that of TIS 1.3, which works with TPM 2.0.",
        "Nothing; update the TPM's firmware if attestation fails without another cause.",
    ]),
    Signature::new("L08", (Vmkernel, Cause), &["VMB_TPM: *Unsupported 'startMethod'"], [
        "The TPM is announced with an interface that ESXi does not support",
        "ACPI table TPM2 names the start method 7, which is CRB.",
        "Set FIFO/TIS in the firmware setup; where there is no choice, switch the TPM off to be rid of the message.",
    ]).finding(Code::InterfaceNotFifo),
    Signature::new("L09", (Vmkernel, Symptom), &["VMB_TPM: *Unable to determine TPM IO area base address"], [
        "ESXi found no registers of the TPM",
        "It follows a start method that ESXi does not support.",
        "Set FIFO/TIS in the firmware setup, or switch the TPM off.",
    ]).follows(&["L08"]),
    Signature::new("L10", (Vmkernel, Cause), &[
        "tpmDriver: TpmWrite:*still expects data after",
        "Tpm_Transmit:*Send to TPM failed",
        "Tpm2ResMgr_Transmit:*Tpm_Transmit failed",
    ], [
        "The TPM chip hangs",
        "It stopped in the middle of a command and answers no more.",
        "Take the power off the machine (cable out) and switch it on again. If it comes back: update the TPM's firmware, then replace it (Broadcom KB 436517).",
    ]).finding(Code::TpmFault),
    Signature::new("L11", (EsxiShell, Symptom), &[
        "^VSISHCmdGetInt () :Get failed: Failure",
        "tpmdriver*VSISHCmdGetInt*Get failed: Failure",
    ], [
        "ESXi cannot read the TPM's vendor or version",
        "The chip does not answer.",
        "As for a chip that hangs: power off, cable out, on again.",
    ]).follows(&["L10"]),
    Signature::new("L12", (Hostd, Harmless), &["Preprovisioned endorsement key not found at 0x81010001"], [
        "The TPM has no endorsement key stored by its maker",
        "Many TPMs have none; ESXi makes the key from its template.",
        "Nothing to do.",
    ]),
    Signature::new("L13", (Hostd, Harmless), &["NV_ReadPublic: (0x"], [
        "hostd looked for an NV index",
        "The vendor's key template, or a certificate, is not in the TPM's memory. The next line says which.",
        "Nothing, unless the endorsement key certificate is what is missing (L16).",
    ]).carries(Carries::HexCode),
    Signature::new("L14", (Hostd, Harmless), &["Vendor provided RSA endorsement key template is not present in NV memory"], [
        "The TPM has no key template of its maker",
        "Usual; the standard template is used.",
        "Nothing to do.",
    ]),
    Signature::new("L15", (Hostd, Cause), &["^Could not extract X509 public key", "Tpm20Provider*Could not extract X509 public key"], [
        "The key in the endorsement certificate cannot be read",
        "The certificate names its key by rsaesOaep, which the library of this ESXi refuses.",
        "Update ESXi and the TPM's firmware (Broadcom KB 334591).",
    ]).finding(Code::EkCertMalformed),
    Signature::new("L16", (Hostd, Cause), &["Unable to read default RSA EK certificate"], [
        "The TPM carries no RSA endorsement key certificate",
        "Nothing is stored at the place for it in the TPM's memory.",
        "Ask the machine's vendor for a TPM, or TPM firmware, with one.",
    ]).finding(Code::EkCertAbsent),
    Signature::new("L17", (Hostd, Symptom), &["Unable to provision default rsa endorsement key"], [
        "hostd gave up setting up the endorsement key",
        "It follows a certificate that is missing or cannot be read.",
        "Mend what the lines before it complain about.",
    ]).follows(&["L15", "L16", "E12", "E13"]),
    Signature::new("E14", (Hostd, Symptom), &["Raised TPM Config Issue"], [
        "hostd told vCenter of a TPM problem",
        "It follows any problem with the endorsement key.",
        "Read the lines before it.",
    ]).follows(&["L15", "L16", "L17", "E11", "E12", "E13", "E18"]),
    Signature::new("L18", (EsxiShell, Symptom), &["Unable to get the encryption mode and policy"], [
        "esxcli cannot ask for the state of the sealed configuration",
        "The TPM does not answer.",
        "See vmkernel.log for what the driver says of the TPM.",
    ]).follows(&["L10", "L01", "L03"]),
    Signature::new("L19", (EsxiShell, Symptom), &["Unable to change the encryption mode and policy"], [
        "The host's configuration cannot be sealed to its TPM",
        "The TPM cannot be used, or this ESXi has a fault with it (7.0 U2 with some chips of Infineon and Nuvoton; NationZ).",
        "Update ESXi; see vmkernel.log for what the driver says of the TPM.",
    ]).follows(&["L10", "L01", "L03"]),
    Signature::new("L20", (EsxiShell, Cause), &[
        "tpmLogReliable*false",
    ], [
        "ESXi calls its own event log unreliable",
        "It has over 1,000 events, holds modules of unknown origin, or package data is missing.",
        "Remove VIBs that are not signed or not needed, and restart.",
    ]).finding(Code::LogFull),
    Signature::new("L21", (Firmware, Cause), &["TPM*??? - NTC"], [
        "The board has lost contact with its TPM",
        "Seen on Dell's 14th generation.",
        "Take all power off the machine for some minutes, then start it (Dell 000207762).",
    ]).finding(Code::NoTpm),
    Signature::new("L22", (Vmkernel, Harmless), &["tpmdriver loaded successfully"], [
        "ESXi's TPM driver started",
        "The TPM can be used from here on.",
        "Nothing to do.",
    ]),
];
