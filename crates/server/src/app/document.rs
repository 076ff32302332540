//! A judgement's document as it is stored: what is new with each judgement in its row, and what tells of
//! the boot beside its evidence, once for all judgements of a boot.

use std::collections::{HashMap, hash_map::Entry};

use api::{
    appraisal::{Appraisal, Facts},
    finding::Finding,
};
use report::BootSection;
use serde::{Deserialize, Serialize};
use store::{AppraisalRow, BOOT_PART, Deciding, EvidencePart, Sha256};

use super::{App, AppError};

/// What is written into a row.
#[derive(Serialize)]
struct Written<'a> {
    boot_sha256: String,
    verdict: &'a str,
    findings: &'a [Finding],
    facts: &'a Facts,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    judged_anew: bool,
}

/// A row's document. Those of earlier versions, and those of evidence that was judged anew, are whole.
#[derive(Debug, Deserialize)]
pub struct Stored {
    /// The digest of what tells of the boot, in hex, where that lies apart.
    boot_sha256: Option<String>,
    verdict: String,
    findings: Vec<Finding>,
    facts: Facts,
    #[serde(default)]
    judged_anew: bool,
}

/// `head` as a row's document, with the digest of what was taken out of it.
pub(super) fn write(head: &Appraisal, boot: &BootSection) -> Result<String, AppError> {
    let Appraisal { verdict, findings, facts, judged_anew } = head;
    let boot_sha256 = hex::encode(boot.sha256());
    let written = Written { boot_sha256, verdict, findings, facts, judged_anew: *judged_anew };
    // Without growing on the way: what most take, and some room.
    let mut json = Vec::with_capacity(3 << 10);
    serde_json::to_writer(&mut json, &written).map_err(damaged)?;
    String::from_utf8(json).map_err(damaged)
}

/// The first finding that stands against a host.
pub(super) fn deciding(findings: &[Finding]) -> Option<Deciding> {
    let decides = |finding: &&Finding| matches!(finding.severity.as_str(), "fail" | "hold");
    let Finding { code, cause, .. } = findings.iter().find(decides)?;
    Some(Deciding { code: code.clone(), cause: cause.clone() })
}

impl Stored {
    /// What decided it.
    pub(super) fn deciding(&self) -> Option<Deciding> {
        deciding(&self.findings)
    }

    /// Of a row.
    pub fn read(json: &str) -> Result<Self, AppError> {
        serde_json::from_str(json).map_err(damaged)
    }

    fn boot_sha256(&self) -> Result<Option<Sha256>, AppError> {
        let Some(text) = &self.boot_sha256 else { return Ok(None) };
        let mut sha256 = [0; 32];
        hex::decode_to_slice(text, &mut sha256).map_err(damaged)?;
        Ok(Some(sha256))
    }

    /// The whole, with the part that tells of the boot, where that lies apart. An error where it is
    /// not there, or damaged.
    pub fn with(self, boot: Option<&[u8]>) -> Result<Appraisal, AppError> {
        let Self { boot_sha256, verdict, findings, facts, judged_anew } = self;
        let head = Appraisal { verdict, findings, facts, judged_anew };
        match (boot_sha256, boot) {
            (None, _) => Ok(head),
            (Some(_), Some(boot)) => BootSection::put_back(head, boot).map_err(damaged),
            (Some(sha256), None) => {
                Err(AppError::Bug(format!("what tells of the boot is gone: {sha256}").into()))
            }
        }
    }
}

fn damaged(err: impl std::error::Error + Send + Sync + 'static) -> AppError {
    AppError::Bug(err.into())
}

/// What tells of a boot, for the store.
pub(super) fn boot_part(boot: &BootSection) -> EvidencePart {
    EvidencePart {
        name: BOOT_PART.to_owned(),
        sha256: *boot.sha256(),
        bytes: boot.as_bytes().to_vec(),
    }
}

impl App {
    /// The documents of rows, each boot looked up once.
    pub(super) async fn documents(
        &self,
        rows: &[AppraisalRow],
    ) -> Result<Vec<Appraisal>, AppError> {
        let mut boots: HashMap<Sha256, Option<Vec<u8>>> = HashMap::new();
        let mut documents = Vec::new();
        for row in rows {
            let stored = Stored::read(&row.document_json)?;
            let boot = match stored.boot_sha256()? {
                None => None,
                Some(sha256) => {
                    let boot = match boots.entry(sha256) {
                        Entry::Occupied(known) => known.into_mut(),
                        Entry::Vacant(unknown) => {
                            unknown.insert(self.store.evidence_by_sha256(sha256).await?)
                        }
                    };
                    boot.as_deref()
                }
            };
            documents.push(stored.with(boot)?);
        }
        Ok(documents)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn document() -> Appraisal {
        let facts = Facts {
            secure_boot: Some(true),
            interface: Some("fifo".to_owned()),
            kernel_command_lines: vec!["quiet".to_owned()],
            ..Facts::default()
        };
        let verdict = "accepted".to_owned();
        Appraisal { verdict, findings: Vec::new(), facts, judged_anew: false }
    }

    #[test]
    fn a_document_comes_out_as_it_went_in() {
        let mut head = document();
        let boot = BootSection::take(&mut head).unwrap();
        assert_eq!((head.facts.secure_boot, head.facts.interface.as_deref()), (None, Some("fifo")));
        let json = write(&head, &boot).unwrap();
        let read = || Stored::read(&json).unwrap();
        assert_eq!(read().boot_sha256().unwrap().as_ref(), Some(boot.sha256()));
        assert_eq!(read().with(Some(boot.as_bytes())).unwrap(), document());
        assert!(read().with(None).is_err(), "what is gone is not nothing");
        assert!(read().with(Some(b"{")).is_err());
    }

    #[test]
    fn a_whole_document_is_read_as_it_is() {
        let json = serde_json::to_string(&document()).unwrap();
        let stored = Stored::read(&json).unwrap();
        assert_eq!(stored.boot_sha256().unwrap(), None);
        assert_eq!(stored.with(None).unwrap(), document());
    }
}
