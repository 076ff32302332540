//! Findings as JSON.

use std::collections::BTreeMap;

use findings::{Argument, CATALOGUE, Entry};
use serde::{Deserialize, Serialize};

/// One finding, as clients see it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Finding {
    /// The stable kebab-case code.
    pub code: String,
    /// `fail`, `hold`, `warn`, `info` or `ignore`, under the policy that judged.
    pub severity: String,
    /// What was found, in a sentence.
    pub cause: String,
    /// What to do.
    pub next_step: String,
    /// The PCR it points to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pcr: Option<u32>,
    /// The event it points to, from 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event: Option<u32>,
    /// The byte it points to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub offset: Option<u64>,
    /// Typed arguments by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub arguments: BTreeMap<String, serde_json::Value>,
}

impl From<&findings::Finding> for Finding {
    fn from(finding: &findings::Finding) -> Self {
        let at = finding.at();
        let arguments = finding.arguments().iter().map(|(name, value)| {
            let value = match value {
                Argument::Text(text) => text.as_str().into(),
                Argument::Number(number) => (*number).into(),
                Argument::Digest(digest) => digest.to_string().into(),
                Argument::Pcrs(pcrs) => pcrs.iter().collect::<Vec<_>>().into(),
                Argument::Bank(bank) => bank.to_string().into(),
            };
            ((*name).to_owned(), value)
        });
        Self {
            code: finding.code().as_str().to_owned(),
            severity: finding.severity().as_str().to_owned(),
            cause: finding.cause(),
            next_step: finding.entry().next_step.to_owned(),
            pcr: at.pcr,
            event: at.event,
            offset: at.offset,
            arguments: arguments.collect(),
        }
    }
}

/// A row of the catalogue, for `bootproof explain`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct CatalogueEntry {
    /// The stable kebab-case code.
    pub code: String,
    /// What it is about.
    pub group: String,
    /// Its severity under the default policy.
    pub severity: String,
    /// A line that names it.
    pub title: String,
    /// Why it happens.
    pub cause: String,
    /// What to do.
    pub next_step: String,
}

impl From<&Entry> for CatalogueEntry {
    fn from(entry: &Entry) -> Self {
        Self {
            code: entry.name.to_owned(),
            group: entry.group.title().to_owned(),
            severity: entry.severity.as_str().to_owned(),
            title: entry.title.to_owned(),
            cause: entry.cause.to_owned(),
            next_step: entry.next_step.to_owned(),
        }
    }
}

/// The whole catalogue.
pub fn catalogue() -> Vec<CatalogueEntry> {
    CATALOGUE.iter().map(|entry| CatalogueEntry::from(*entry)).collect()
}
