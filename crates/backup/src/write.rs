//! Writing a backup.

use std::collections::BTreeMap;
use std::io::{self, Write};

use aws_lc_rs::digest::{SHA256, digest};
use store::portable::{Piece, Table};

use crate::audit::{self, Checked};
use crate::manifest::{HEADER, MANIFEST, TABLES, is_plain};
use crate::{AuditEnd, FileKind, Header, KeptFile, Manifest, Part, TableCount, rows};

/// Bytes of a part, about: some of them lie in memory.
const PART_BYTES: usize = 4 * 1024 * 1024;

/// The level of zstd: what is higher takes longer than the database does.
const LEVEL: i32 = 3;

/// A backup that is being written to `W`.
pub struct Writer<W: Write> {
    archive: tar::Builder<zstd::Encoder<'static, W>>,
    header: Header,
    table: Option<Open>,
    tables: Vec<TableCount>,
    numbers: BTreeMap<String, i64>,
    parts: Vec<Part>,
    files: Vec<KeptFile>,
    audit: Checked,
}

/// The table of which rows come.
struct Open {
    table: Table,
    head: String,
    n_parts: u32,
    n_rows: u64,
    lines: Vec<u8>,
}

impl<W: Write> Writer<W> {
    /// Begins a backup.
    ///
    /// # Errors
    /// `out` cannot be written to.
    pub fn begin(out: W, header: Header) -> io::Result<Self> {
        let mut packed = zstd::Encoder::new(out, LEVEL)?;
        packed.include_checksum(true)?;
        let mut archive = tar::Builder::new(packed);
        archive.mode(tar::HeaderMode::Deterministic);
        let mut writer = Self {
            archive,
            header,
            table: None,
            tables: Vec::new(),
            numbers: BTreeMap::new(),
            parts: Vec::new(),
            files: Vec::new(),
            audit: Checked::default(),
        };
        let bytes = serde_json::to_vec_pretty(&writer.header)?;
        writer.entry(HEADER, &bytes)?;
        Ok(writer)
    }

    /// Adds a file of the server under `name`, which lay at `path`. Files come before rows.
    ///
    /// # Errors
    /// It cannot be written, or has a name of other characters than letters, digits, dots, dashes and underscores.
    pub fn file(
        &mut self,
        kind: FileKind,
        name: &str,
        path: String,
        bytes: &[u8],
    ) -> io::Result<()> {
        if !is_plain(name) {
            // What could not be read back is not written.
            let why = format!("{name:?} has characters that a file in a backup must not have");
            return Err(io::Error::new(io::ErrorKind::InvalidInput, why));
        }
        let part = self.entry(&format!("{}{name}", kind.folder()), bytes)?;
        self.files.push(KeptFile { part, path });
        Ok(())
    }

    /// Adds a piece of the store.
    ///
    /// # Errors
    /// It cannot be written, or is a row of an audit log that is no chain.
    pub fn piece(&mut self, piece: Piece) -> io::Result<()> {
        match piece {
            Piece::Table(table) => {
                self.close_table()?;
                let head = rows::head(&table)?;
                let lines = head.clone().into_bytes();
                self.table = Some(Open { table, head, n_parts: 0, n_rows: 0, lines });
            }
            Piece::Rows(rows) => {
                for row in rows {
                    let open =
                        self.table.as_mut().ok_or_else(|| io::Error::other("rows of no table"))?;
                    if open.table.name == audit::TABLE {
                        self.audit.take(&open.table, &row).map_err(io::Error::other)?;
                    }
                    rows::append(&mut open.lines, &row)?;
                    open.n_rows = open.n_rows.saturating_add(1);
                    if open.lines.len() >= PART_BYTES {
                        self.close_part()?;
                    }
                }
            }
            Piece::Numbered { table, last } => {
                self.numbers.insert(table, last);
            }
            Piece::End => self.close_table()?,
        }
        Ok(())
    }

    /// Rows so far.
    pub fn n_rows(&self) -> u64 {
        let closed = self.tables.iter().map(|table| table.n_rows).fold(0, u64::saturating_add);
        closed.saturating_add(self.table.as_ref().map_or(0, |open| open.n_rows))
    }

    /// Ends the backup, and gives back what it was written to.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn finish(mut self) -> io::Result<(Manifest, W)> {
        self.close_table()?;
        let manifest = Manifest {
            header: self.header.clone(),
            tables: std::mem::take(&mut self.tables),
            numbers: std::mem::take(&mut self.numbers),
            parts: std::mem::take(&mut self.parts),
            files: std::mem::take(&mut self.files),
            audit: self.audit.end(),
        };
        let bytes = serde_json::to_vec(&manifest)?;
        self.entry(MANIFEST, &bytes)?;
        let packed = self.archive.into_inner()?;
        Ok((manifest, packed.finish()?))
    }

    fn close_part(&mut self) -> io::Result<()> {
        let Some(open) = &mut self.table else { return Ok(()) };
        open.n_parts = open.n_parts.saturating_add(1);
        let name = format!("{TABLES}{}/{:06}.jsonl", open.table.name, open.n_parts);
        let lines = std::mem::replace(&mut open.lines, open.head.clone().into_bytes());
        let part = self.entry(&name, &lines)?;
        self.parts.push(part);
        Ok(())
    }

    fn close_table(&mut self) -> io::Result<()> {
        // Also one without rows has a part: it is told apart from one that is missing.
        if self
            .table
            .as_ref()
            .is_some_and(|open| open.lines.len() > open.head.len() || open.n_parts == 0)
        {
            self.close_part()?;
        }
        if let Some(Open { table, n_rows, .. }) = self.table.take() {
            self.tables.push(TableCount { name: table.name, n_rows });
        }
        Ok(())
    }

    fn entry(&mut self, name: &str, bytes: &[u8]) -> io::Result<Part> {
        let n_bytes = u64::try_from(bytes.len()).map_err(io::Error::other)?;
        let mut header = tar::Header::new_ustar();
        header.set_size(n_bytes);
        header.set_mode(0o600);
        header.set_mtime(u64::try_from(self.header.created_at_ms).unwrap_or(0) / 1000);
        self.archive.append_data(&mut header, name, bytes)?;
        let sha256 = hex::encode(digest(&SHA256, bytes));
        Ok(Part { name: name.to_owned(), n_bytes, sha256 })
    }
}

impl<W: Write> std::fmt::Debug for Writer<W> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Writer").field("header", &self.header).finish_non_exhaustive()
    }
}

/// The end of a log without rows.
impl Default for AuditEnd {
    fn default() -> Self {
        Checked::default().end()
    }
}
