//! What `bootproof tpm info`, `pcrs` and `ek` print as JSON. All of it is the TPM's own word, or its
//! host's: nothing here is signed.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{appraisal::EndorsementFacts, doctor::Reason, machine::TpmLockout};

/// A TPM, as it describes itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Description {
    /// Where it was asked: `device:/dev/tpmrm0`.
    pub address: String,
    /// Who made it, by the registry of vendors, else `id:` and eight digits.
    pub vendor: String,
    /// What the vendor calls it.
    pub vendor_string: String,
    /// Two or four numbers with dots between.
    pub firmware_version: String,
    /// The program that it is, where it is known to be one.
    pub software: Option<String>,
    /// What it was made by.
    pub specification: Specification,
    /// Its PCR banks, in its own order.
    pub banks: Vec<Bank>,
    /// How software speaks to it.
    pub interface: Interface,
    /// Its guard against guessing; absent where it does not say all of it.
    pub lockout: Option<TpmLockout>,
    /// Seconds after which a wrong lockout password is forgiven; 0: at the next start.
    pub lockout_recovery_s: Option<u32>,
    /// Passwords and what may be cleared; absent where it does not say.
    pub ownership: Option<Ownership>,
    /// Which hierarchies are on; absent where it does not say.
    pub hierarchies: Option<Hierarchies>,
    /// What is left of it.
    pub resources: Resources,
    /// Known faults of this firmware.
    pub advisories: Vec<Advisory>,
    /// What of this stands against attestation, or is worth a look: what fails first.
    pub concerns: Vec<Reason>,
}

/// The specification that a TPM follows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Specification {
    /// `2.0`.
    pub family: String,
    /// The level.
    pub level: Option<u32>,
    /// The revision, `1.59`.
    pub revision: Option<String>,
    /// Its year.
    pub year: Option<u32>,
    /// The day in that year.
    pub day_of_year: Option<u32>,
}

/// A PCR bank.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bank {
    /// The hash: `sha256`.
    pub name: String,
    /// Whether it is switched on.
    pub active: bool,
    /// How many PCRs it has.
    pub n_pcrs: u32,
}

/// How software speaks to the TPM: the host's word.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Interface {
    /// `fifo` or `crb`; absent where nobody says.
    pub kind: Option<String>,
    /// Who says so, or why nobody does.
    pub known_by: String,
    /// The start method in the ACPI table TPM2.
    pub start_method: Option<u32>,
    /// The kernel's driver: `tpm_tis`, `tpm_crb`.
    pub driver: Option<String>,
}

/// Passwords of the hierarchies, and whether the TPM may be cleared. [TPM2-P2-1.59 §8.6]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ownership {
    /// Whether the owner has a password.
    pub owner_password: bool,
    /// Whether the endorsement hierarchy has one.
    pub endorsement_password: bool,
    /// Whether the lockout has one.
    pub lockout_password: bool,
    /// Whether TPM2_Clear by the lockout's password works.
    pub clear_permitted: bool,
}

/// Which hierarchies are on, up to the next start. [TPM2-P2-1.59 §8.7]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hierarchies {
    /// The platform's: firmware may switch it off before it hands over.
    pub platform: bool,
    /// The owner's.
    pub storage: bool,
    /// The endorsement hierarchy.
    pub endorsement: bool,
}

/// What is left of a TPM's few places; absent is what it does not say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resources {
    /// Objects that can still be loaded.
    pub transient_left: Option<u32>,
    /// Sessions that can still be loaded.
    pub sessions_loaded_left: Option<u32>,
    /// Sessions that can still be opened.
    pub sessions_active_left: Option<u32>,
    /// Keys that it keeps.
    pub persistent: Option<u32>,
    /// Keys that it can still keep.
    pub persistent_left: Option<u32>,
    /// Indices of NV.
    pub nv_indices: Option<u32>,
    /// Counters of NV that can still be made.
    pub nv_counters_left: Option<u32>,
}

/// A known fault of TPM firmware.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Advisory {
    /// Its identifier: a CVE.
    pub id: String,
    /// The name that people know it by.
    pub name: String,
    /// What it lets somebody do.
    pub impact: String,
    /// Versions without it.
    pub fixed: String,
}

/// PCR values, all of one moment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PcrValues {
    /// Where they were read.
    pub address: String,
    /// The TPM's pcrUpdateCounter of that moment.
    pub update_counter: u32,
    /// The banks, in the TPM's own order.
    pub banks: Vec<BankValues>,
}

/// The values of one bank.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BankValues {
    /// The hash: `sha256`.
    pub bank: String,
    /// Whether firmware measured into PCR 0 to 7 of it: `measured`, `not-measured` where all are as at
    /// the start, `partly`, or `unknown` where the bank has not all of them.
    pub firmware: String,
    /// Index -> value in hex.
    pub values: BTreeMap<u32, String>,
}

/// The endorsement keys of a TPM.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EndorsementKeys {
    /// Where they were read.
    pub address: String,
    /// The keys, in the order in which enrolment tries them.
    pub keys: Vec<EndorsementKey>,
    /// SHA-256 of each certificate of the chain in NV from 0x01C00100 on.
    pub chain: Vec<String>,
}

/// One endorsement key.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EndorsementKey {
    /// Whether enrolment takes this one.
    pub enrolled: bool,
    /// What kind of key: `RSA-2048`, `P-256`; absent where it is none that can be used.
    pub algorithm: Option<String>,
    /// The template of the TCG whose index the certificate has: `L-1`, `H-2`.
    pub template: Option<String>,
    /// `0x81010001` where the TPM keeps it; else it is made anew each time, always the same.
    pub persistent: Option<String>,
    /// Digest of its SubjectPublicKeyInfo: what `[[endorsement.approved]]` of a policy takes as
    /// `ek_sha256`, and `bootproof host replace` as `--ek-sha256`.
    pub ek_sha256: Option<String>,
    /// NV index of its certificate.
    pub nv_index: Option<String>,
    /// SHA-256 of its certificate, without padding.
    pub certificate_sha256: Option<String>,
    /// `trusted`, `refused`, `absent`, or `not-checked` where no roots were named.
    pub certificate: String,
    /// What the certificate says, where its chain holds, be it out of its dates.
    pub endorsement: Option<EndorsementFacts>,
    /// What speaks against it.
    pub findings: Vec<crate::finding::Finding>,
}
