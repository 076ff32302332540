//! A judgement's document as it is stored: what is new with each judgement in its row, and beside its evidence what
//! tells of the boot, once for all judgements of a boot, and what else a judgement says again as the host's last one
//! did. So a host that goes on as it was writes some hundred bytes.

use std::collections::{HashMap, hash_map::Entry};

use api::{
    appraisal::{Appraisal, Facts},
    finding::Finding,
};
use report::BootSection;
use serde::{Deserialize, Serialize};
use store::{AppraisalRow, BOOT_PART, Deciding, EvidencePart, JUDGEMENT_PART, Sha256};

use super::{App, AppError};

/// What is written into a row whose judgement found something else than the last one.
#[derive(Serialize)]
struct Written<'a> {
    boot_sha256: String,
    verdict: &'a str,
    findings: &'a [Finding],
    facts: &'a Facts,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    judged_anew: bool,
}

/// What is written into a row whose judgement found the same.
#[derive(Serialize, Deserialize)]
struct Short {
    boot_sha256: String,
    rest_sha256: String,
    verdict: String,
    facts: ShortFacts,
}

/// Where all of a document's facts are in one that is whole.
#[derive(Serialize, Deserialize)]
struct ShortFacts {
    quote: Option<Counters>,
}

/// What each quote says anew.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Counters {
    clock_ms: u64,
    reset_count: u32,
    restart_count: u32,
    safe: bool,
}

impl Counters {
    /// Takes them out of `facts`, in which they are zero then.
    fn take(facts: &mut Facts) -> Option<Self> {
        let quote = facts.quote.as_mut()?;
        Some(Self {
            clock_ms: std::mem::take(&mut quote.clock_ms),
            reset_count: std::mem::take(&mut quote.reset_count),
            restart_count: std::mem::take(&mut quote.restart_count),
            safe: std::mem::take(&mut quote.safe),
        })
    }

    fn put_back(self, facts: &mut Facts) {
        let Self { clock_ms, reset_count, restart_count, safe } = self;
        if let Some(quote) = facts.quote.as_mut() {
            quote.clock_ms = clock_ms;
            quote.reset_count = reset_count;
            quote.restart_count = restart_count;
            quote.safe = safe;
        }
    }
}

/// What lies apart of a document that is short.
#[derive(Debug, Deserialize)]
struct Rest {
    findings: Vec<Finding>,
    facts: Facts,
}

/// A row's document. Those of earlier versions, and those of evidence that was judged anew, are whole.
#[derive(Debug)]
pub struct Stored {
    /// The digest of what tells of the boot, where that lies apart.
    boot_sha256: Option<Sha256>,
    verdict: String,
    said: Said,
    judged_anew: bool,
}

/// What a row says beside that.
#[derive(Debug)]
enum Said {
    Here(Box<Rest>),
    Apart { sha256: Sha256, counters: Option<Counters> },
}

/// A row's document that is whole, as it is read.
#[derive(Deserialize)]
struct Whole {
    boot_sha256: Option<String>,
    verdict: String,
    findings: Vec<Finding>,
    facts: Facts,
    #[serde(default)]
    judged_anew: bool,
}

/// A judgement for the store.
pub(super) struct Document {
    /// What goes into its row.
    pub(super) row_json: String,
    /// What lies beside its evidence.
    pub(super) parts: Vec<EvidencePart>,
}

/// What a judgement found, beside the last one of its host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// The same, so that it may well be found again.
    TheSame,
    /// Something else. What lies apart would be written anew each time where findings count something that goes on.
    SomethingElse,
}

impl Document {
    /// Of `head`, whose findings are `findings_json`, and of what was taken out of it. Counters are taken out of `head`.
    pub(super) fn of(
        head: &mut Appraisal,
        findings_json: &str,
        boot: &BootSection,
        found: Found,
    ) -> Result<Self, AppError> {
        let boot_sha256 = hex::encode(boot.sha256());
        let mut parts = vec![boot_part(boot)];
        let row_json = match found {
            Found::SomethingElse => {
                let Appraisal { verdict, findings, facts, judged_anew } = &*head;
                let judged_anew = *judged_anew;
                json(&Written { boot_sha256, verdict, findings, facts, judged_anew }, 3 << 10)?
            }
            Found::TheSame => {
                let quote = Counters::take(&mut head.facts);
                let facts = json(&head.facts, 1 << 10)?;
                let rest = format!("{{\"findings\":{findings_json},\"facts\":{facts}}}");
                let rest = EvidencePart::hash(JUDGEMENT_PART, rest.into_bytes());
                let rest_sha256 = hex::encode(rest.sha256);
                parts.push(rest);
                let (verdict, facts) = (head.verdict.clone(), ShortFacts { quote });
                json(&Short { boot_sha256, rest_sha256, verdict, facts }, 512)?
            }
        };
        Ok(Self { row_json, parts })
    }
}

/// As JSON, of mostly at most `n_bytes`: room for that many is made at once.
fn json(written: &impl Serialize, n_bytes: usize) -> Result<String, AppError> {
    let mut json = Vec::with_capacity(n_bytes);
    serde_json::to_writer(&mut json, written).map_err(damaged)?;
    String::from_utf8(json).map_err(damaged)
}

/// The first finding that stands against a host.
pub(super) fn deciding(findings: &[Finding]) -> Option<Deciding> {
    let decides = |finding: &&Finding| matches!(finding.severity.as_str(), "fail" | "hold");
    let Finding { code, cause, .. } = findings.iter().find(decides)?;
    Some(Deciding { code: code.clone(), cause: cause.clone() })
}

impl Stored {
    /// Of a row.
    pub fn read(json: &str) -> Result<Self, AppError> {
        #[derive(Deserialize)]
        struct Form {
            rest_sha256: Option<String>,
        }
        let Form { rest_sha256 } = serde_json::from_str(json).map_err(damaged)?;
        if let Some(rest) = rest_sha256 {
            let Short { boot_sha256, rest_sha256: _, verdict, facts } =
                serde_json::from_str(json).map_err(damaged)?;
            let said = Said::Apart { sha256: sha256(&rest)?, counters: facts.quote };
            let boot_sha256 = Some(sha256(&boot_sha256)?);
            return Ok(Self { boot_sha256, verdict, said, judged_anew: false });
        }
        let Whole { boot_sha256, verdict, findings, facts, judged_anew } =
            serde_json::from_str(json).map_err(damaged)?;
        let boot_sha256 = boot_sha256.as_deref().map(sha256).transpose()?;
        let said = Said::Here(Box::new(Rest { findings, facts }));
        Ok(Self { boot_sha256, verdict, said, judged_anew })
    }

    /// What decided it, where the row says that.
    pub(super) fn deciding(&self) -> Option<Deciding> {
        match &self.said {
            Said::Here(rest) => deciding(&rest.findings),
            // The row of such a one has it in a column.
            Said::Apart { .. } => None,
        }
    }

    /// Digests of what lies apart.
    fn apart(&self) -> impl Iterator<Item = Sha256> {
        self.rest_sha256().into_iter().chain(self.boot_sha256)
    }

    fn rest_sha256(&self) -> Option<Sha256> {
        match &self.said {
            Said::Here(_) => None,
            Said::Apart { sha256, .. } => Some(*sha256),
        }
    }

    /// The whole, with what lies apart, each part by its digest. An error where one is not there, or damaged.
    pub fn with<'p>(
        self,
        part: impl Fn(&Sha256) -> Option<&'p [u8]>,
    ) -> Result<Appraisal, AppError> {
        let boot_sha256 = self.boot_sha256;
        let head = self.head(&part)?;
        match boot_sha256 {
            None => Ok(head),
            Some(sha256) => BootSection::put_back(head, there(&part, &sha256)?).map_err(damaged),
        }
    }

    /// All but what tells of the boot.
    fn head<'p>(self, part: &impl Fn(&Sha256) -> Option<&'p [u8]>) -> Result<Appraisal, AppError> {
        let Self { boot_sha256: _, verdict, said, judged_anew } = self;
        let Rest { findings, facts } = match said {
            Said::Here(rest) => *rest,
            Said::Apart { sha256, counters } => {
                let mut rest: Rest =
                    serde_json::from_slice(there(part, &sha256)?).map_err(damaged)?;
                if let Some(counters) = counters {
                    counters.put_back(&mut rest.facts);
                }
                rest
            }
        };
        Ok(Appraisal { verdict, findings, facts, judged_anew })
    }
}

fn there<'p>(
    part: &impl Fn(&Sha256) -> Option<&'p [u8]>,
    sha256: &Sha256,
) -> Result<&'p [u8], AppError> {
    part(sha256).ok_or_else(|| {
        let sha256 = hex::encode(sha256);
        AppError::Bug(format!("a part of a judgement's document is gone: {sha256}").into())
    })
}

fn sha256(text: &str) -> Result<Sha256, AppError> {
    let mut sha256 = [0; 32];
    hex::decode_to_slice(text, &mut sha256).map_err(damaged)?;
    Ok(sha256)
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

/// How much of documents is wanted.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Extent {
    Whole,
    /// All but what tells of the boot.
    Head,
}

impl App {
    /// The documents of rows, each part that lies apart looked up once.
    pub(super) async fn documents(
        &self,
        rows: &[AppraisalRow],
    ) -> Result<Vec<Appraisal>, AppError> {
        self.documents_to(rows, Extent::Whole).await
    }

    /// The same without what tells of the boot.
    pub(super) async fn document_heads(
        &self,
        rows: &[AppraisalRow],
    ) -> Result<Vec<Appraisal>, AppError> {
        self.documents_to(rows, Extent::Head).await
    }

    async fn documents_to(
        &self,
        rows: &[AppraisalRow],
        extent: Extent,
    ) -> Result<Vec<Appraisal>, AppError> {
        let mut parts: HashMap<Sha256, Option<Vec<u8>>> = HashMap::new();
        let mut documents = Vec::new();
        for row in rows {
            let mut stored = Stored::read(&row.document_json)?;
            if extent == Extent::Head {
                stored.boot_sha256 = None;
            }
            for sha256 in stored.apart() {
                if let Entry::Vacant(unknown) = parts.entry(sha256) {
                    unknown.insert(self.store.evidence_by_sha256(sha256).await?);
                }
            }
            documents.push(stored.with(|sha256| parts.get(sha256)?.as_deref())?);
        }
        Ok(documents)
    }
}

#[cfg(test)]
mod tests {
    use api::appraisal::QuoteFacts;

    use super::*;

    fn document() -> Appraisal {
        let quote = QuoteFacts {
            clock_ms: 1,
            reset_count: 2,
            restart_count: 3,
            safe: true,
            firmware_version: "0001".to_owned(),
            selection: vec!["sha256:0-7".to_owned()],
            ak_name: None,
            signer: "verified".to_owned(),
        };
        let facts = Facts {
            secure_boot: Some(true),
            quote: Some(quote),
            interface: Some("fifo".to_owned()),
            kernel_command_lines: vec!["quiet".to_owned()],
            ..Facts::default()
        };
        let findings = vec![Finding {
            code: "secure-boot-off".to_owned(),
            severity: "fail".to_owned(),
            cause: "a \"cause\"".to_owned(),
            next_step: "a step".to_owned(),
            pcr: Some(7),
            event: None,
            offset: None,
            arguments: std::collections::BTreeMap::new(),
        }];
        Appraisal { verdict: "not accepted".to_owned(), findings, facts, judged_anew: false }
    }

    fn written(found: Found) -> Document {
        let mut head = document();
        let boot = BootSection::take(&mut head).unwrap();
        assert_eq!((head.facts.secure_boot, head.facts.interface.as_deref()), (None, Some("fifo")));
        let findings_json = serde_json::to_string(&head.findings).unwrap();
        Document::of(&mut head, &findings_json, &boot, found).unwrap()
    }

    fn read(json: &str, parts: &[EvidencePart]) -> Result<Appraisal, AppError> {
        Stored::read(json)?
            .with(|sha256| Some(&*parts.iter().find(|part| part.sha256 == *sha256)?.bytes))
    }

    #[test]
    fn a_document_comes_out_as_it_went_in() {
        for (found, names) in [
            (Found::SomethingElse, &[BOOT_PART][..]),
            (Found::TheSame, &[BOOT_PART, JUDGEMENT_PART]),
        ] {
            let Document { row_json, parts } = written(found);
            assert!(parts.iter().map(|part| part.name.as_str()).eq(names.iter().copied()));
            assert_eq!(read(&row_json, &parts).unwrap(), document(), "{found:?}");
            for gone in 0..parts.len() {
                let mut left = parts.clone();
                left.remove(gone);
                assert!(read(&row_json, &left).is_err(), "what is gone is not nothing");
                let mut damaged = parts.clone();
                damaged[gone].bytes = b"{".to_vec();
                assert!(read(&row_json, &damaged).is_err());
            }
        }
    }

    #[test]
    fn what_a_judgement_says_again_is_in_no_row_and_the_same_for_another_quote() {
        let first = written(Found::TheSame);
        let mut head = document();
        let quote = head.facts.quote.as_mut().unwrap();
        (quote.clock_ms, quote.reset_count, quote.restart_count, quote.safe) = (9, 8, 7, false);
        let boot = BootSection::take(&mut head).unwrap();
        let findings_json = serde_json::to_string(&head.findings).unwrap();
        let second = Document::of(&mut head, &findings_json, &boot, Found::TheSame).unwrap();
        assert_eq!(second.parts, first.parts);
        assert_ne!(second.row_json, first.row_json);
        assert!(second.row_json.len() < 350, "{}", second.row_json);
        let quote = read(&second.row_json, &second.parts).unwrap().facts.quote.unwrap();
        let counters = (quote.clock_ms, quote.reset_count, quote.restart_count, quote.safe);
        assert_eq!(counters, (9, 8, 7, false));
        assert_eq!(quote.firmware_version, "0001");
    }

    #[test]
    fn a_whole_document_is_read_as_it_is() {
        let json = serde_json::to_string(&document()).unwrap();
        assert_eq!(read(&json, &[]).unwrap(), document());
        let decided = Stored::read(&json).unwrap().deciding();
        assert_eq!(decided.map(|deciding| deciding.code).as_deref(), Some("secure-boot-off"));
    }
}
