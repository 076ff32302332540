//! References as JSON: what is expected to boot. `docs/references.md` explains the document.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

use crate::machine::Cohort;

/// The word that says what the document is.
pub const FORMAT: &str = "bootproof-reference";
/// The version of the document.
pub const VERSION: u32 = 1;
/// Bytes of one document: of 200 events it has 100 KiB.
pub const REFERENCE_BYTES_MAX: usize = 4 * 1024 * 1024;

/// What is expected to boot.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Reference {
    /// [`FORMAT`].
    pub format: String,
    /// [`VERSION`].
    pub version: u32,
    /// `learnt`, `imported`, `computed` or `vendor`.
    pub origin: String,
    /// The manifest of a vendor that it is of; there where the origin is `vendor`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub manifest: Option<Manifest>,
    /// PCRs of which `events` are all that may be measured.
    pub complete_pcrs: Vec<u32>,
    /// The events of those PCRs, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub events: Vec<Event>,
    /// Values of PCRs.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub values: Vec<Value>,
    /// Images that PCR 4 may hold.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub images: Vec<Image>,
}

/// The manifest of a vendor, as it was when its signature was checked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// The machines that it is about.
    pub cohort: Cohort,
    /// What the vendor calls it.
    pub id: String,
    /// Subject of the certificate of who signed it.
    pub signer: String,
    /// SHA-256 of that certificate.
    pub signer_sha256: Hex,
    /// SHA-256 of the trusted certificate that vouches for it.
    pub anchor_sha256: Hex,
    /// The files that it was read from, the signed one first.
    pub files: Vec<ManifestFile>,
}

/// A file of a manifest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct ManifestFile {
    /// Its name, without a folder.
    pub name: String,
    /// Its SHA-256.
    pub sha256: Hex,
}

/// One event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Event {
    /// The PCR.
    pub pcr: u32,
    /// The event's type: its name, or a number as `0x0000040e`.
    #[serde(rename = "type")]
    pub event_type: String,
    /// What was extended, by bank.
    pub digests: BTreeMap<String, Hex>,
    /// What it is.
    pub hint: Hint,
}

/// The values that a PCR may have.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Value {
    /// The PCR.
    pub pcr: u32,
    /// The bank.
    pub bank: String,
    /// Any of these is right.
    pub any_of: Vec<Hex>,
}

/// An image.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Image {
    /// Its Authenticode digests, by bank.
    pub digests: BTreeMap<String, Hex>,
    /// What it is.
    pub hint: Hint,
}

/// What an event or an image is, for people.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Hint {
    /// What kind of thing.
    pub what: String,
    /// What it is about.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub subject: String,
    /// What it says.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub text: String,
    /// Names of certificates in it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub names: Vec<String>,
    /// Whether a digest covers subject and text.
    pub measured: bool,
}

/// Bytes that are hex in JSON.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hex(pub Vec<u8>);

#[cfg(feature = "schema")]
impl schemars::JsonSchema for Hex {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Hex".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "string", "pattern": "^([0-9a-fA-F]{2})*$" })
    }
}

impl Serialize for Hex {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&hex::encode(&self.0))
    }
}

impl<'de> Deserialize<'de> for Hex {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'_, str>>::deserialize(deserializer)?;
        hex::decode(text.as_bytes()).map(Self).map_err(|_| D::Error::custom("not hex"))
    }
}

/// `bootproof reference compare --json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Comparison {
    /// Whether the boot is what is expected.
    pub is_match: bool,
    /// PCRs that are equal.
    pub equal_pcrs: Vec<u32>,
    /// What changed in PCRs that must be equal.
    pub changes: Vec<Change>,
    /// Changes beyond those.
    pub n_more: usize,
    /// What changed in them and the policy sets aside.
    pub set_aside: Vec<Change>,
    /// What changed in the other PCRs.
    pub varied: Vec<Change>,
}

/// One change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Change {
    /// `added`, `removed`, `replaced`, `moved`, `value` or `incomparable`.
    pub change: String,
    /// The PCRs in which it shows.
    pub pcrs: Vec<u32>,
    /// The event of the boot's log.
    pub event: Option<u32>,
    /// In words.
    pub words: String,
}

/// `bootproof reference from-image --json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ImagesFacts {
    /// Each file, in the order given.
    pub images: Vec<ImageFacts>,
    /// The reference of them.
    pub reference: Reference,
    /// What cannot be told, and why.
    pub not_told: Vec<String>,
}

/// A program that firmware starts, as a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ImageFacts {
    /// Name of the file.
    pub name: String,
    /// What PCR 4, db and dbx hold of it, by bank.
    pub authenticode: BTreeMap<String, Hex>,
    /// The digest of the file as it lies on disk, by bank.
    pub flat: BTreeMap<String, Hex>,
    /// Its signatures. None was verified.
    pub signatures: Vec<ImageSignature>,
    /// Why the signatures behind those cannot be shown.
    pub signature_fault: Option<String>,
    /// Components and generations of its SBAT section.
    pub sbat: Vec<String>,
    /// Why it is revoked today: by its generation, or by its digest.
    #[serde(default)]
    pub revoked: Vec<String>,
    /// Sections that its stub measures, of a unified kernel image.
    pub measured_sections: Vec<String>,
    /// Values that PCR 11 has then, of a unified kernel image.
    pub pcr_11: Vec<PhaseValue>,
}

/// A signature of an image, not verified.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ImageSignature {
    /// Whether the digest in it is that of the image.
    pub names_this_image: bool,
    /// Subjects of the certificates in it.
    pub untrusted_certificates: Vec<String>,
}

/// The value of PCR 11 in a phase of the start.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct PhaseValue {
    /// The bank.
    pub bank: String,
    /// The last phase that was begun.
    pub phase: String,
    /// The value.
    pub value: Hex,
}
