//! What is said of a backup.

use std::{collections::BTreeMap, io::Write as _, path::Path};

use ::backup::{AuditEnd, Header, Manifest};
use serde::Serialize;

/// Whether a file is encrypted.
#[derive(Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Encryption {
    None,
    Age,
}

/// A backup in short.
#[derive(Serialize)]
pub(crate) struct Report<'a> {
    file: &'a Path,
    n_bytes: u64,
    encryption: Encryption,
    #[serde(flatten)]
    header: &'a Header,
    rows: BTreeMap<&'a str, u64>,
    files: Vec<&'a str>,
    audit: &'a AuditEnd,
}

impl<'a> Report<'a> {
    pub(crate) fn new(
        file: &'a Path,
        n_bytes: u64,
        encryption: Encryption,
        manifest: &'a Manifest,
    ) -> Self {
        Self {
            file,
            n_bytes,
            encryption,
            header: &manifest.header,
            rows: manifest.tables.iter().map(|table| (table.name.as_str(), table.n_rows)).collect(),
            files: manifest.files.iter().map(|file| file.path.as_str()).collect(),
            audit: &manifest.audit,
        }
    }

    /// Prints it, as JSON or in words.
    pub(crate) fn print(&self, json: bool) -> anyhow::Result<()> {
        let mut stdout = std::io::stdout().lock();
        if json {
            serde_json::to_writer_pretty(&mut stdout, self)?;
            writeln!(stdout)?;
            return Ok(());
        }
        let rows = |table| self.rows.get(table).copied().unwrap_or(0);
        writeln!(
            stdout,
            "{}: {} bytes, schema {} of {}",
            self.file.display(),
            self.n_bytes,
            self.header.schema,
            self.header.store
        )?;
        writeln!(
            stdout,
            "{} hosts, {} judgements, {} pieces of evidence; all contents are in it",
            rows("hosts"),
            rows("appraisals"),
            rows("evidence")
        )?;
        for file in &self.files {
            writeln!(stdout, "with {file}")?;
        }
        writeln!(stdout, "the audit log ends at row {}, {}", self.audit.seq, self.audit.sha256)?;
        if self.encryption == Encryption::None {
            writeln!(
                stdout,
                "it holds keys and is not encrypted: keep it where only administrators read"
            )?;
        }
        Ok(())
    }
}
