//! A judgement as JSON: what `bootproof verify --json` prints and what the server stores.

use serde::{Deserialize, Serialize};

use crate::{finding::Finding, machine::Machine, pcrs::Pcrs};

/// A verdict with its reasons and with what was seen.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Appraisal {
    /// `accepted`, `not accepted` or `not appraised`.
    pub verdict: String,
    /// All that was found, in the catalogue's order.
    pub findings: Vec<Finding>,
    /// What the evidence shows.
    pub facts: Facts,
    /// Whether stored evidence was judged once more, because references changed.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub judged_anew: bool,
}

/// What the evidence shows. An absent field is not known, which is never "fine".
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Facts {
    /// Secure Boot, where PCR 7 proves it.
    pub secure_boot: Option<bool>,
    /// Setup mode, where the log says and proves it.
    pub setup_mode: Option<bool>,
    /// Whether the quote is verified under a key that is bound to a known TPM. All below that
    /// comes from PCRs or the log is only as good as this.
    pub quote_verified: bool,
    /// The quote's counters.
    pub quote: Option<QuoteFacts>,
    /// The event log.
    pub event_log: Option<LogFacts>,
    /// The endorsement key's certificate, where its chain is trusted.
    pub endorsement: Option<EndorsementFacts>,
    /// What the TPM says of itself, as the host says; no quote proves it.
    #[serde(default)]
    pub tpm: Option<TpmFacts>,
    /// `fifo` or `crb`, as the host says; no quote proves it.
    pub interface: Option<String>,
    /// What machine the host says it is; no quote proves it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub untrusted_machine: Option<Machine>,
    /// The reference that the boot fits, where one applies.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<ReferenceFacts>,
    /// What booted, in order, as far as the log tells.
    pub boot: Vec<BootStep>,
    /// Steps beyond those, which are not told one by one.
    #[serde(default)]
    pub n_more_boot_steps: usize,
    /// The attempts to boot.
    #[serde(default)]
    pub boot_attempts: Vec<BootAttempt>,
    /// What Windows says of its boot.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub windows: Option<WindowsFacts>,
    /// Kernel command lines that a boot loader measured.
    pub kernel_command_lines: Vec<String>,
    /// Secure Boot's key databases and who vouched for what.
    pub secure_boot_variables: Vec<VariableFacts>,
    /// Modes, keys and lists of Secure Boot, under a verified quote.
    #[serde(default)]
    pub secure_boot_state: Option<SecureBootFacts>,
    /// The quoted PCR values.
    pub pcrs: Pcrs,
}

/// The quote's counters. [TPM2-P2-1.59 §10.11.1 TPMS_CLOCK_INFO]
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct QuoteFacts {
    /// Milliseconds for which the TPM was powered since it was cleared.
    pub clock_ms: u64,
    /// TPM resets since it was cleared: one more per boot.
    pub reset_count: u32,
    /// TPM restarts since the last reset.
    pub restart_count: u32,
    /// Whether the clock is sure not to have been higher before.
    pub safe: bool,
    /// The TPM's firmware version, vendor-defined, in hex.
    pub firmware_version: String,
    /// Banks and PCRs: `sha256:0-7,9`.
    pub selection: Vec<String>,
    /// The attestation key's name, in hex.
    pub ak_name: Option<String>,
    /// Whether the quote names this key as its signer: `verified`, `contradicted`, or `not checked`
    /// where the host did not say under which key it lies.
    #[serde(default)]
    pub signer: String,
}

/// The TPM, as it names itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct TpmFacts {
    /// Its maker.
    pub untrusted_manufacturer: String,
    /// The maker's own words, often a model.
    pub untrusted_vendor_string: String,
    /// Its firmware: four numbers.
    pub untrusted_firmware_version: String,
}

/// The event log, as far as it could be read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct LogFacts {
    /// Bytes.
    pub n_bytes: usize,
    /// Events that could be read.
    pub n_events: usize,
    /// Hash names of the log's banks.
    pub banks: Vec<String>,
    /// PCRs whose events replay to the quoted values, per bank: `sha256:0-7`.
    pub replayed: Vec<String>,
    /// PCRs that the running system's own log leads to their quoted value, and with how many of its
    /// events: `sha256:11 (4 events)`.
    #[serde(default)]
    pub led_on: Vec<String>,
    /// Known deviations that it shows, and how many events have each: `post-code-text (2 events)`.
    /// Those on which something rests are findings, too.
    #[serde(default)]
    pub quirks: Vec<String>,
}

/// The reference that a boot fits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ReferenceFacts {
    /// Its name.
    pub name: String,
    /// `active` or `obsolete`.
    pub state: String,
    /// The PCRs that were compared.
    pub pcrs: Vec<u32>,
}

/// The TPM, as its certificate names it, whose chain ends in a trusted root.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct EndorsementFacts {
    /// TPM manufacturer, as in the certificate: `id:4E544300`.
    pub manufacturer: Option<String>,
    /// TPM model.
    pub model: Option<String>,
    /// TPM firmware version, as certified.
    pub version: Option<String>,
    /// Whether the chain holds but for its dates.
    #[serde(default)]
    pub out_of_date: bool,
    /// Whose root it is, where that is a known one of a vendor.
    #[serde(default)]
    pub root: Option<String>,
    /// SHA-256 of the root certificate, in hex.
    pub root_sha256: String,
    /// SHA-256 of the key's SubjectPublicKeyInfo, in hex.
    pub spki_sha256: String,
}

/// One thing of the boot path, in the order of the log. Digests cover the order of what is in one
/// PCR; nothing covers the order of what is in two.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct BootStep {
    /// The event's number.
    pub event: u32,
    /// The PCR.
    pub pcr: u32,
    /// What kind of thing, by the event's type: `driver`, `runtime-driver`, `application`, `file`,
    /// `command-line`, `uki-section`, `stub-file`, `entry-called`, `entry-returned`,
    /// `attempts-omitted`, or what a tag stands for: `Linux initrd`.
    pub kind: String,
    /// The digest that was extended, with its bank: `sha256:…`.
    pub digest: Option<String>,
    /// What the log says it is: the path of an image, the name of a file. Not covered by any digest.
    pub untrusted_path: Option<String>,
    /// The text of a command line, or the name of a section.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// Whether that text is what was measured: `verified`, `unverifiable` or `contradicted`. An
    /// image or a file is known by its digest alone.
    #[serde(default)]
    pub belief: String,
    /// `firmware` before the separator of its PCR, `boot` behind it; absent where it has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phase: Option<String>,
    /// The attempt to boot that it belongs to, from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attempt: Option<u32>,
    /// The event that measured the same image before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub again: Option<u32>,
    /// What kind of place an image is from: `firmware`, `http`, `pxe`, `file` or `memory`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub untrusted_source: Option<String>,
    /// What an application or file seems to be: `shim`, `GRUB`, `kernel`, `initrd`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub untrusted_role: Option<String>,
    /// The event of the application that seems to have loaded it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub untrusted_loader: Option<u32>,
    /// The boot entry whose path it has: `Boot0001 debian`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub untrusted_entry: Option<String>,
}

/// One attempt to boot, as far as the log tells.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct BootAttempt {
    /// From 1.
    pub number: u32,
    /// The event by which the firmware says that it starts a boot entry.
    pub called: Option<u32>,
    /// The event by which it says that the entry came back.
    pub returned: Option<u32>,
    /// Applications that were loaded meanwhile.
    pub n_applications: u32,
    /// `nothing started`, `came back`, `took over`, `nothing measured` or `not told`.
    pub outcome: String,
}

/// What Windows' boot manager measured of its boot.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct WindowsFacts {
    /// The event's number.
    pub event: u32,
    /// How often it booted, by a counter of the TPM that only grows.
    pub boot_count: Option<u64>,
    /// How many events it counted, which only grows too.
    pub event_count: Option<u64>,
    /// Whether it woke from hibernation.
    pub resumed: Option<bool>,
    /// Whether that is what was measured.
    pub belief: String,
}

/// Modes, keys and lists of Secure Boot.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct SecureBootFacts {
    /// Audit mode, where the log says and proves it.
    pub audit_mode: Option<bool>,
    /// Deployed mode, where the log says and proves it.
    pub deployed_mode: Option<bool>,
    /// The certificates of PK, KEK, db and dbx.
    pub keys: Vec<KeyFacts>,
    /// What dbx holds, where it was measured and is proved.
    pub dbx: Option<DbxFacts>,
    /// What allowed images to run, in order; each is told once in a boot.
    pub authorities: Vec<AuthorityFacts>,
    /// The stamp of the SBAT level that shim applied.
    pub sbat_level: Option<String>,
    /// Whether the owner enrolled keys in shim.
    pub mok_enrolled: bool,
    /// Whether kernels may trust the owner's keys for modules, where shim measured that.
    #[serde(default)]
    pub mok_list_trusted: Option<bool>,
    /// Whether the owner revokes keys or images in shim.
    #[serde(default)]
    pub mok_revokes: bool,
    /// Whether shim verifies nothing.
    pub shim_validates_nothing: bool,
}

/// A certificate of a Secure Boot database.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct KeyFacts {
    /// `PK`, `KEK`, `db` or `dbx`.
    pub variable: String,
    /// Its common name; absent where it cannot be read.
    pub subject: Option<String>,
    /// Its issuer's common name.
    pub issuer: Option<String>,
    /// SHA-256 of the certificate, in hex.
    pub sha256: Option<String>,
    /// Kind and size of its key.
    pub key: Option<String>,
    /// The end of its validity, as it is written. Firmware does not look at it.
    pub not_after: Option<String>,
    /// Its name where it is known by its content.
    pub known: Option<String>,
    /// Whether it is a platform key that was made for tests.
    pub is_test_key: bool,
    /// Whether the log's data hash to the measured digest.
    pub belief: String,
}

/// What dbx holds, by content.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct DbxFacts {
    /// The day of the release that it is of; absent where its content is not known.
    pub release: Option<String>,
    /// The day of the newest release that the verifier knows.
    pub newest: String,
    /// Images that are known.
    pub n_known: usize,
    /// Digests that are in no published list.
    pub n_unknown: usize,
    /// Images that it lacks.
    pub n_missing: usize,
    /// Releases that are newer than its own.
    pub n_releases_behind: usize,
    /// Which images it is taken to be about: `x64`, `aarch64`.
    pub architecture: String,
    /// The day that the operator's own list was signed for.
    pub operator_list_signed: Option<String>,
    /// Digests in the operator's own list.
    pub operator_list_entries: Option<usize>,
}

/// What allowed an image to run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct AuthorityFacts {
    /// The event's number.
    pub event: u32,
    /// The list that it is from: `db`, `MokListRT`, `Shim`.
    pub variable: String,
    /// The common name of its certificate, where it is one.
    pub subject: Option<String>,
    /// SHA-256 of the certificate or entry, in hex.
    pub sha256: Option<String>,
    /// `driver` before the firmware let go of PCR 7, `application` after it.
    pub allowed: String,
    /// Whether that list has it: `in db`, `not in db`, `in MokList`, `of shim` or `unknown`.
    pub standing: String,
    /// Whether the log's data hash to the measured digest.
    pub belief: String,
    /// The event that named the same one before: firmware names each once in a boot.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub again: Option<u32>,
}

/// A Secure Boot variable.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct VariableFacts {
    /// Its name: `PK`, `KEK`, `db`, `dbx` and so on.
    pub name: String,
    /// SHA-256 of its data, in hex.
    pub sha256: String,
    /// Entries in its signature lists.
    pub n_entries: Option<usize>,
    /// Whether the log's data hash to the measured digest.
    pub belief: String,
}
