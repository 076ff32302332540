//! The judgements of a host in short: when, what, and why.

use std::collections::HashMap;

use store::{AppraisalId, AppraisalLine, DecidedBy, Deciding, HostId};

use super::{App, AppError, document::Stored, inventory::HISTORY_LEN};

/// A judgement in a line of a history.
#[derive(Debug, PartialEq, Eq)]
pub struct JudgementLine {
    /// Its number.
    pub id: AppraisalId,
    /// When, in milliseconds since 1970.
    pub at_ms: i64,
    /// The verdict's word.
    pub verdict: String,
    /// What stood against the host first; nothing where nothing did.
    pub deciding: Option<Deciding>,
}

impl App {
    /// The last judgements of a host, newest first, without reading what each of them says in full.
    pub async fn history(&self, id: &str) -> Result<Vec<JudgementLine>, AppError> {
        let id = HostId::from(id);
        self.find(&id).await?;
        let lines = self.store.appraisal_lines(&id, HISTORY_LEN).await?;
        let is_missing = |line: &AppraisalLine| line.decided_by == DecidedBy::NotRecorded;
        // Judged by a version that did not note it: there are fewer of them each day.
        let mut of_documents = match lines.iter().any(is_missing) {
            true => self.deciding_of_documents(&id).await?,
            false => HashMap::new(),
        };
        let line = |line: AppraisalLine| JudgementLine {
            id: line.id,
            at_ms: line.at_ms,
            verdict: line.verdict,
            deciding: match line.decided_by {
                DecidedBy::Finding(deciding) => Some(deciding),
                DecidedBy::Nothing => None,
                DecidedBy::NotRecorded => of_documents.remove(&line.id.0).flatten(),
            },
        };
        Ok(lines.into_iter().map(line).collect())
    }

    async fn deciding_of_documents(
        &self,
        id: &HostId,
    ) -> Result<HashMap<i64, Option<Deciding>>, AppError> {
        let rows = self.store.appraisals(id, HISTORY_LEN).await?;
        rows.iter()
            .map(|row| Ok((row.id.0, Stored::read(&row.document_json)?.deciding())))
            .collect()
    }
}
