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
        "execInstalledOnly.violation",
    ], [
        "A program that no VIB installed was stopped",
        "Somebody copied a program to the host and tried it.",
        "Find out who: this is how ransomware starts, too.",
    ]),
    Signature::new("I05", (VCenter, Symptom), &[
        "Execution of unknown (non VIB installed) binary '*' detected",
        "Execution of unknown (non VIB installed) binary '*'.",
        "execInstalledOnly.warning",
    ], [
        "A program that no VIB installed was run",
        "execInstalledOnly is off, so it was only told.",
        "Find out who ran it, and switch execInstalledOnly on.",
    ]),
    Signature::new("I06", (VCenter, Symptom), &["ExecInstalledOnly has been disabled", "configenc.reqeio.disable"], [
        "The host runs programs that no VIB installed",
        "Somebody switched execInstalledOnly off. A configuration that is sealed to it does not open at the next start.",
        "Switch it on again before the next restart.",
    ]).ended_by("I07"),
    Signature::new("I07", (VCenter, Harmless), &["ExecInstalledOnly has been enabled", "configenc.reqeio.enable"], [
        "The host runs only what VIBs installed",
        "This is the stricter setting.",
        "Nothing to do.",
    ]),
];
