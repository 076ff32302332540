//! What vCenter prints: vpxd.log, events, alarms, the summary page of a host.

use findings::Code;

use crate::signature::{
    Role::{Cause, Harmless, Symptom},
    Signature,
    Source::VCenter,
};

pub(super) const ROWS: &[Signature] = &[
    Signature::new("E01", (VCenter, Symptom), &["Host TPM attestation alarm", "Default alarm that indicates host TPM attestation failure"], [
        "vCenter raised its alarm for a failed attestation",
        "The alarm has one text for all causes. vCenter has no event for a later success, so it stays red after the cure.",
        "Read Monitor > Security > Message of the host and vpxd.log for the cause; after the cure reset the alarm to green by hand.",
    ]).follows(&["*"]),
    Signature::new("E02", (VCenter, Symptom), &["Host TPM attestation failed", "vc.host.TPMAttestationFailedEvent"], [
        "vCenter says that attestation failed, without a cause",
        "The event is the same for all causes.",
        "Look at the host's Message in Monitor > Security, vpxd.log (sub=Attestation) and the host's vmkernel.log and hostd.log.",
    ]).follows(&["*"]),
    Signature::new("E03", (VCenter, Symptom), &["Failed to update integrity report; ["], [
        "vCenter gave up an attestation",
        "Fetching or checking the host's report ended with an exception, whose text stands in the brackets behind it.",
        "Look up the text in the brackets; it is the cause.",
    ]).follows(&["E05", "E09"]),
    Signature::new("E04", (VCenter, Harmless), &["No cached identity key, loading from DB"], [
        "vCenter reads the host's identity key from its database",
        "Usual after vpxd was restarted. It matters only where the database has no key either (E05).",
        "Nothing to do.",
    ]),
    Signature::new("E24", (VCenter, Harmless), &["Starting host attestation"], [
        "vCenter began an attestation",
        "It does so when a host is connected or restarted, and by hand.",
        "Nothing to do; whether it succeeded stands in the lines with the same opID.",
    ]),
    Signature::new("E05", (VCenter, Cause), &["No identity key in DB, try to reconnect host"], [
        "vCenter has no identity key for this host",
        "The TPM was added or switched on after the host had joined vCenter, so that no endorsement key and attestation key of it were ever stored.",
        "Put the host into maintenance mode, disconnect it and connect it again. It need not be removed from the inventory.",
    ]).finding(Code::NoIdentityKey),
    Signature::new("E06", (VCenter, Cause), &["Host secure boot was disabled", "Host Secure Boot was disabled"], [
        "UEFI Secure Boot was off when the host started",
        "vCenter accepts no host that booted without Secure Boot.",
        "Check first that all VIBs are signed (`/usr/lib/vmware/secureboot/bin/secureBoot.py -c`), switch Secure Boot on in the firmware setup, restart, reconnect the host.",
    ]).finding(Code::SecureBootOff),
    Signature::new("E07", (VCenter, Symptom), &["ttestation*Internal failure", "ttestation*Internal Error"], [
        "vCenter could not finish the attestation protocol",
        "Seen with TPM settings that do not fit (hash algorithm, interface, hierarchy) and with TPMs that have no endorsement key certificate.",
        "Look for endorsement key messages in the host's hostd.log; in the firmware setup set SHA-256, FIFO/TIS and the hierarchy to enabled.",
    ]).follows(&["E11", "E12", "E13", "E15", "E16", "E17", "L01", "L03", "L15", "L16"]),
    Signature::new("E09", (VCenter, Cause), &[
        "TPM host endorsement key doesn't match the one",
        "host TPM endorsement key doesn't match the one stored in the DB",
        "vc.host.TpmEndorsementKeyMismatch",
    ], [
        "The host shows another TPM than the one that vCenter knows",
        "Board or TPM were replaced, or somebody put another machine in this one's place.",
        "Confirm the replacement with whoever did it, not by the network. Then follow Broadcom KB 440352: with vpxd stopped the stored keys of this host are blanked in the database, and the host is connected anew.",
    ]).finding(Code::EkChanged),
    Signature::new("E10", (VCenter, Symptom), &[
        "Unable to provision Endorsement Key on TPM 2.0 device",
        "esx.problem.hardware.tpm2.ek.provisioning",
        "esx.problem.hardware.tpm2.provisioning",
    ], [
        "The host could not set up its endorsement key",
        "The reason stands behind the colon.",
        "Look the reason up: key creation, certificate in NV, or a certificate of another key.",
    ]).follows(&["E11", "E12", "E13", "L15", "L16"]),
    Signature::new("E11", (VCenter, Cause), &["Endorsement Key creation failed on the device", "Endorsement Key creation failed on device"], [
        "The TPM makes no endorsement key",
        "The endorsement hierarchy is switched off in the firmware setup, or the TPM is faulty.",
        "Set the TPM hierarchy to enabled in the firmware setup; if that does not help, clear the TPM (save recovery keys first), then replace it.",
    ]).finding(Code::TpmFault),
    Signature::new("E12", (VCenter, Cause), &["No RSA Endorsement Key certificate found in TPM 2.0 device"], [
        "The TPM carries no RSA endorsement key certificate",
        "It was delivered without one, or has one for an ECC key only.",
        "Ask the machine's vendor for a TPM, or TPM firmware, with one.",
    ]).finding(Code::EkCertAbsent),
    Signature::new("E13", (VCenter, Cause), &["Endorsement key does not match EK certificate"], [
        "The certificate in the TPM does not seem to belong to its key",
        "Often the certificate is sound, but names its key by rsaesOaep, which the library that reads it refuses.",
        "Update ESXi and the TPM's firmware (Broadcom KB 334591).",
    ]).finding(Code::EkCertKeyMismatch),
    Signature::new("E15", (VCenter, Symptom), &[
        "TPM 2.0 device detected*connection cannot be established",
        "esx.problem.hardware.tpm2.connection",
    ], [
        "The host sees a TPM 2.0 and cannot use it",
        "Only the SHA-1 bank is on, the interface is CRB, the driver is missing, or the TPM was never set up.",
        "In the firmware setup: SHA-256 bank, interface FIFO/TIS. See that the VIB tpmdriver is installed. A TPM that ESXi does not support is better switched off.",
    ]).follows(&["L01", "L03", "L08", "E16", "E17"]),
    Signature::new("E16", (VCenter, Cause), &[
        "TPM 2.0 SHA-256 PCR bank not found to be active",
        "esx.problem.hardware.tpm2.nosha256",
    ], [
        "The TPM's SHA-256 bank is off",
        "Firmware is set to measure with SHA-1.",
        "Set the TPM's hash algorithm to SHA-256 in the firmware setup (TPM Advanced), and restart.",
    ]).finding(Code::Sha256BankInactive),
    Signature::new("E17", (VCenter, Cause), &[
        "TPM 2.0 device does not have the TIS interface active",
        "esx.problem.hardware.tpm2.notis",
    ], [
        "The TPM is set to the CRB interface",
        "ESXi's driver speaks FIFO (TIS) only.",
        "Set the TPM's interface to FIFO/TIS in the firmware setup, and restart.",
    ]).finding(Code::InterfaceNotFifo),
    Signature::new("E18", (VCenter, Cause), &[
        "Unable to acquire ownership of TPM 2.0 device",
        "esx.problem.hardware.tpm2.ownership",
    ], [
        "Somebody else owns the TPM",
        "Another operating system has set an owner password.",
        "Save the recovery key of the host's configuration, then clear the TPM in the firmware setup.",
    ]),
    Signature::new("E19", (VCenter, Harmless), &[
        "Host configuration is TPM encrypted",
        "TPM Encryption Recovery Key Backup Alarm",
        "vc.HostTpmConfigEncryptionEvent",
    ], [
        "The host's configuration is sealed to its TPM",
        "Not a fault: vCenter reminds of the recovery key, without which a lost TPM is a lost host.",
        "`esxcli system settings encryption recovery list`, keep the key off the host, reset the alarm.",
    ]),
    Signature::new("E20", (VCenter, Symptom), &[
        "Trusted Host attestation failed",
        "vc.TaHostAttestFailEvent",
        "Trusted Host attestation status unset",
        "vc.TaHostAttestUnsetEvent",
    ], [
        "vSphere Trust Authority does not vouch for the host",
        "None of its attestation services accepted the host, or none was asked.",
        "Read the message of the Trust Authority; after an update import the new base image. Trust Authority is switched off in vSphere 9.0.",
    ]).ended_by("E20-ok"),
    Signature::new("E20-ok", (VCenter, Harmless), &["Trusted Host attestation passed", "vc.TaHostAttestPassEvent"], [
        "vSphere Trust Authority vouches for the host",
        "An attestation service accepted it.",
        "Nothing to do.",
    ]),
    Signature::new("E21", (VCenter, Symptom), &[
        "Host must be decommissioned when moved out of a Trusted Infrastructure cluster",
        "vc.TrustAuthority.DecommissionHost",
    ], [
        "The host left a Trusted Infrastructure cluster and still is configured for it",
        "It was moved out by hand.",
        "Decommission the host, or move it back.",
    ]),
    Signature::new("E23", (VCenter, Cause), &["HostUpgradePrecheckTestFailUnsupportedTPMVersion"], [
        "The host has a TPM 1.2",
        "ESXi 8.0 dropped TPM 1.2.",
        "Switch the TPM to 2.0 or replace it; without attestation, switch it off before the update.",
    ]).finding(Code::NoTpm),
];
