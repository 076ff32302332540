//! Events about ESXi's image that stand beside attestation.

use crate::signature::{
    Role::{Harmless, Symptom},
    Signature,
    Source::VCenter,
};

pub(super) const ROWS: &[Signature] = &[
    Signature::new("I01", (VCenter, Symptom), &["Host acceptance level changed from", "esx.audit.esximage.hostacceptance.changed"], [
        "The level of signatures that the host asks of VIBs was changed",
        "Somebody changed it, perhaps to install something unsigned.",
        "Ask who did; set it back to PartnerSupported or better.",
    ]),
    Signature::new("I02", (VCenter, Harmless), &["UEFI Secure Boot enabled: Cannot skip signature checks", "esx.audit.esximage.install.nobypasssigcheck"], [
        "An installation without signature checks was refused",
        "Secure Boot is on, so the checks stay on.",
        "Nothing; ask who tried.",
    ]),
    Signature::new("I03", (VCenter, Symptom), &[
        "Attempting to install an image profile bypassing signing",
        "esx.audit.esximage.install.nosigcheck",
    ], [
        "Somebody installed without signature checks",
        "What was installed may not start with Secure Boot.",
        "`/usr/lib/vmware/secureboot/bin/secureBoot.py -c` before the next restart; remove what is not signed.",
    ]),
    Signature::new("I04", (VCenter, Symptom), &[
        "Execution of unknown (non VIB installed) binary '*' prevented",
        "Execution of non-installed file prevented",
        "execInstalledOnly.violation",
    ], [
        "A program that no VIB installed was stopped",
        "Somebody copied a program to the host and tried it.",
        "Find out who: this is how ransomware starts, too.",
    ]),
    Signature::new("I05", (VCenter, Symptom), &[
        "Execution of unknown (non VIB installed) binary '*' detected",
        "Execution of unknown (non VIB installed) binary '*'.",
        "Execution of non-installed file detected",
        "execInstalledOnly.warning",
    ], [
        "A program that no VIB installed was run",
        "execInstalledOnly is off, so it was only told.",
        "Find out who ran it, and switch execInstalledOnly on.",
    ]),
    Signature::new("I06", (VCenter, Symptom), &["ExecInstalledOnly has been disabled", "User.ExecInstalledOnly.disabled", "configenc.reqeio.disable"], [
        "The host runs programs that no VIB installed",
        "Somebody switched execInstalledOnly off. A configuration that is sealed to it does not open at the next start.",
        "Switch it on again before the next restart.",
    ]).ended_by("I07"),
    Signature::new("I07", (VCenter, Harmless), &["ExecInstalledOnly has been enabled", "User.ExecInstalledOnly.enabled", "configenc.reqeio.enable"], [
        "The host runs only what VIBs installed",
        "This is the stricter setting.",
        "Nothing to do.",
    ]),
    Signature::new("I08", (VCenter, Symptom), &["configenc.reqsb.disable"], [
        "The host's sealed configuration asks for Secure Boot no more",
        "Somebody switched the requirement off, so that the configuration opens without Secure Boot, too.",
        "Ask who did; switch it on again: `esxcli system settings encryption set --require-secure-boot=T`.",
    ]).ended_by("I09"),
    Signature::new("I09", (VCenter, Harmless), &["configenc.reqsb.enable"], [
        "The host's sealed configuration opens with Secure Boot only",
        "This is the stricter setting.",
        "Nothing to do.",
    ]),
    Signature::new("I10", (VCenter, Harmless), &["configenc.tpm.enable"], [
        "The host's configuration was sealed to its TPM",
        "This is the stricter setting; without the recovery key a lost TPM is a lost host.",
        "`esxcli system settings encryption recovery list`, and keep the key off the host.",
    ]),
];
