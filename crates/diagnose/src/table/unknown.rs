//! Complaints of which nothing else is known: other versions use other words. They are leads where
//! no cause is found, and never a reason to call a log sound.

use crate::signature::{
    Role::Symptom,
    Signature,
    Source::{VCenter, Vmkernel},
    Stands,
};

pub(super) const ROWS: &[Signature] = &[
    Signature::new("X01", (Vmkernel, Symptom), &["WARNING: tpmDriver: ", "WARNING: tpmdriver: ", "tpmDriver: *Error: ", "ALERT: tpmDriver: "], [
        "ESXi's TPM driver complains in words that are not in the table",
        "This version of ESXi may use other words than those that are known, or the fault is a new one.",
        "Read the line, and those around it; look for its words in Broadcom's knowledge base.",
    ]).stands(Stands::Alone).follows(&["L01", "L03", "L10", "L05"]),
    Signature::new("X02", (VCenter, Symptom), &["warning vpxd*sub=Attestation", "error vpxd*sub=Attestation"], [
        "vCenter's attestation complains in words that are not in the table",
        "This version of vCenter may use other words than those that are known, or the fault is a new one.",
        "Read the line, and those with the same opID; look for its words in Broadcom's knowledge base.",
    ]).stands(Stands::Alone).follows(&["E05", "E06", "E09"]),
];
