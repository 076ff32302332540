//! Reading a backup, and checking all of it on the way.

use std::io::{self, BufRead, BufReader, Read};

use aws_lc_rs::digest::{Context, SHA256};
use store::portable::{Piece, Table};

use crate::age::{AgeError, Decryptor, Identity, MAGIC as AGE_MAGIC};
use crate::audit::{self, AuditFault, Checked};
use crate::manifest::{FORMAT, HEADER, MANIFEST, TABLES, is_plain};
use crate::ratio::{self, Bomb, Unpacked};
use crate::{FILE_BYTES_MAX, FileKind, Header, KeptFile, Manifest, Part, TableCount, rows};

/// The first bytes of what zstd packed. [RFC 8878 §3.1.1]
const ZSTD_MAGIC: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];

/// The window that may be asked for: 16 MiB, and ours is 2 MiB.
const WINDOW_LOG_MAX: u32 = 24;

/// A line: the longest row has a piece of evidence, which comes in a request of 6 MiB at most.
const LINE_BYTES_MAX: u64 = 32 * 1024 * 1024;

/// A manifest names each part of 4 MiB with about 120 bytes: of ten terabytes that is 300 MiB.
const MANIFEST_BYTES_MAX: u64 = 512 * 1024 * 1024;

/// A header has some hundred bytes.
const HEADER_BYTES_MAX: u64 = 64 * 1024;

/// Bytes of rows that are given at once.
const ROWS_BYTES: usize = 1024 * 1024;

/// What comes out of a backup, in this order: the header, files, pieces without [`Piece::End`].
#[derive(Debug)]
pub enum Item {
    /// What it is.
    Header(Header),
    /// A file of the server.
    File {
        /// What it is.
        kind: FileKind,
        /// Its name: letters, digits, dots, dashes and underscores.
        name: String,
        /// What is in it.
        bytes: Vec<u8>,
    },
    /// A piece of the store.
    Piece(Piece),
}

/// Why a file is not a sound backup, or cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// It is something else.
    #[error("it is not a backup of Bootproof")]
    NotABackup,
    /// It is encrypted, and no key was given.
    #[error("it is encrypted, and no identity was given")]
    Encrypted,
    /// It cannot be decrypted.
    #[error("it cannot be decrypted")]
    Age(#[from] AgeError),
    /// A newer Bootproof wrote it.
    #[error("it has format {found}, and this program reads up to {FORMAT}")]
    Newer {
        /// Its format.
        found: u32,
    },
    /// It ends too early.
    #[error("it is cut off: its end is missing")]
    Truncated,
    /// It is not as it was written.
    #[error("it is damaged: {what}")]
    Damaged {
        /// Where and how.
        what: String,
    },
    /// It is made to fill memory or a disk.
    #[error("it unpacks to more than a backup does")]
    Bomb,
    /// Its audit log was changed before or after it was written.
    #[error("its audit log is broken")]
    Audit(#[from] AuditFault),
    /// Who takes what is read does not go on.
    #[error("what is read is not taken any more")]
    Stopped,
    /// It cannot be read.
    #[error("it cannot be read")]
    Io(#[source] io::Error),
}

impl From<io::Error> for ReadError {
    fn from(error: io::Error) -> Self {
        if error.get_ref().is_some_and(|inner| inner.is::<Bomb>()) {
            return Self::Bomb;
        }
        if error.raw_os_error().is_some() {
            return Self::Io(error);
        }
        match error.kind() {
            io::ErrorKind::UnexpectedEof => Self::Truncated,
            _ => match error.downcast::<AgeError>() {
                Ok(AgeError::Truncated) => Self::Truncated,
                Ok(age) => Self::Age(age),
                Err(other) => Self::Damaged { what: other.to_string() },
            },
        }
    }
}

fn damaged(what: impl Into<String>) -> ReadError {
    ReadError::Damaged { what: what.into() }
}

/// Reads a backup to its end, and gives what is in it to `take`, which says whether to go on. When this
/// returns its manifest all of it was there, as it was written, and the audit log is one chain; before that what
/// was taken counts for nothing.
///
/// # Errors
/// See [`ReadError`].
pub fn read<R: Read>(
    input: R,
    identities: &[Identity],
    mut take: impl FnMut(Item) -> Result<(), ReadError>,
) -> Result<Manifest, ReadError> {
    let mut input = BufReader::new(input);
    // One read may give less than there is, though hardly of the first bytes of a file.
    let start = input.fill_buf().map_err(ReadError::Io)?;
    if start.starts_with(AGE_MAGIC) {
        if identities.is_empty() {
            return Err(ReadError::Encrypted);
        }
        let plain = Decryptor::open(input, identities)?;
        return unpack(BufReader::new(plain), &mut take);
    }
    unpack(input, &mut take)
}

fn unpack<R: BufRead>(
    mut input: R,
    take: &mut impl FnMut(Item) -> Result<(), ReadError>,
) -> Result<Manifest, ReadError> {
    if !input.fill_buf()?.starts_with(&ZSTD_MAGIC) {
        return Err(ReadError::NotABackup);
    }
    let (packed, n_packed) = ratio::count(input);
    let mut unpacked = zstd::Decoder::new(packed)?.single_frame();
    unpacked.window_log_max(WINDOW_LOG_MAX)?;
    let mut archive = tar::Archive::new(Unpacked::new(unpacked, n_packed));
    let manifest = entries(&mut archive, take)?;
    let mut rest = archive.into_inner();
    // What comes after the archive's end is nothing but zeros, up to the frame's end and its checksum.
    let mut block = [0; 4096];
    loop {
        match rest.read(&mut block)? {
            0 => break,
            n if block.iter().take(n).all(|byte| *byte == 0) => {}
            _ => return Err(damaged("something follows its end")),
        }
    }
    let mut behind = rest.into_inner().finish();
    if behind.read(&mut block)? > 0 {
        return Err(damaged("something follows its end"));
    }
    Ok(manifest)
}

fn entries<R: Read>(
    archive: &mut tar::Archive<R>,
    take: &mut impl FnMut(Item) -> Result<(), ReadError>,
) -> Result<Manifest, ReadError> {
    let mut reading = Reading::default();
    // Raw: names are short, so that no entry says anything of another one.
    for entry in archive.entries()?.raw(true) {
        let mut entry = entry?;
        if entry.header().entry_type() != tar::EntryType::Regular {
            return Err(damaged("an entry is not a file"));
        }
        let name = String::from_utf8(entry.path_bytes().into_owned())
            .map_err(|_| damaged("a name is not a text"))?;
        let n_bytes = entry.size();
        if reading.manifest.is_some() {
            return Err(damaged("something follows its manifest"));
        }
        let Some(header) = reading.header.clone() else {
            if name != HEADER {
                return Err(ReadError::NotABackup);
            }
            let header: Header = document(&mut entry, n_bytes, HEADER_BYTES_MAX, HEADER)?;
            if header.format > FORMAT {
                return Err(ReadError::Newer { found: header.format });
            }
            reading.header = Some(header.clone());
            take(Item::Header(header))?;
            continue;
        };
        if name == MANIFEST {
            let manifest: Manifest = document(&mut entry, n_bytes, MANIFEST_BYTES_MAX, MANIFEST)?;
            reading.check(&manifest, &header)?;
            for (table, last) in &manifest.numbers {
                take(Item::Piece(Piece::Numbered { table: table.clone(), last: *last }))?;
            }
            reading.manifest = Some(manifest);
        } else if let Some((kind, file)) = file_of(&name) {
            let file = plain_name(file)?.to_owned();
            let bytes = all(&mut entry, n_bytes, FILE_BYTES_MAX, &name)?;
            let mut hash = Context::new(&SHA256);
            hash.update(&bytes);
            reading.files.push(part(name, n_bytes, hash));
            take(Item::File { kind, name: file, bytes })?;
        } else if name.starts_with(TABLES) {
            reading.rows(entry, name, n_bytes, take)?;
        } else {
            return Err(damaged(format!("{name:?} is nothing of a backup")));
        }
    }
    match (reading.manifest, reading.header) {
        (Some(manifest), _) => Ok(manifest),
        (None, Some(_)) => Err(ReadError::Truncated),
        (None, None) => Err(ReadError::NotABackup),
    }
}

/// What was read so far.
#[derive(Default)]
struct Reading {
    header: Option<Header>,
    manifest: Option<Manifest>,
    table: Option<Table>,
    tables: Vec<TableCount>,
    parts: Vec<Part>,
    files: Vec<Part>,
    audit: Checked,
}

impl Reading {
    fn rows(
        &mut self,
        entry: impl Read,
        name: String,
        n_bytes: u64,
        take: &mut impl FnMut(Item) -> Result<(), ReadError>,
    ) -> Result<(), ReadError> {
        let mut lines = BufReader::new(entry);
        let mut hash = Context::new(&SHA256);
        let mut line = Vec::new();
        next_line(&mut lines, &mut line, &mut hash, &name)?;
        let table = rows::table(&line).map_err(|error| damaged(format!("{name}: {error}")))?;
        if self.table.as_ref() != Some(&table) {
            self.tables.push(TableCount { name: table.name.clone(), n_rows: 0 });
            self.table = Some(table.clone());
            take(Item::Piece(Piece::Table(table.clone())))?;
        }
        let (mut rows, mut waiting) = (Vec::new(), 0_usize);
        let mut n_rows = 0_u64;
        while next_line(&mut lines, &mut line, &mut hash, &name)? {
            let row =
                rows::row(&line, &table).map_err(|what| damaged(format!("{name}: {what}")))?;
            if table.name == audit::TABLE {
                self.audit.take(&table, &row)?;
            }
            n_rows = n_rows.saturating_add(1);
            waiting = waiting.saturating_add(line.len());
            rows.push(row);
            if waiting >= ROWS_BYTES {
                take(Item::Piece(Piece::Rows(std::mem::take(&mut rows))))?;
                waiting = 0;
            }
        }
        if !rows.is_empty() {
            take(Item::Piece(Piece::Rows(rows)))?;
        }
        if let Some(table) = self.tables.last_mut() {
            table.n_rows = table.n_rows.saturating_add(n_rows);
        }
        self.parts.push(part(name, n_bytes, hash));
        Ok(())
    }

    /// Whether what the manifest says came, and nothing else.
    fn check(&self, manifest: &Manifest, header: &Header) -> Result<(), ReadError> {
        if manifest.header != *header {
            return Err(damaged("header and manifest differ"));
        }
        let differs = self.parts.iter().zip(&manifest.parts).find(|(have, want)| have != want);
        if let Some((have, _)) = differs {
            return Err(damaged(format!("{} is not what the manifest says", have.name)));
        }
        let files = manifest.files.iter().map(|KeptFile { part, .. }| part);
        if !self.files.iter().eq(files) {
            return Err(damaged("its files are not those of the manifest"));
        }
        if self.parts.len() != manifest.parts.len() || self.tables != manifest.tables {
            return Err(damaged("its tables are not those of the manifest"));
        }
        if self.audit.end() != manifest.audit {
            return Err(damaged("its audit log does not end where the manifest says"));
        }
        Ok(())
    }
}

fn part(name: String, n_bytes: u64, hash: Context) -> Part {
    Part { name, n_bytes, sha256: hex::encode(hash.finish()) }
}

/// The next line with its end; false where there is none.
fn next_line(
    lines: &mut impl BufRead,
    line: &mut Vec<u8>,
    hash: &mut Context,
    name: &str,
) -> Result<bool, ReadError> {
    line.clear();
    let n = lines.take(LINE_BYTES_MAX).read_until(b'\n', line)?;
    hash.update(line);
    match line.last() {
        None => Ok(false),
        Some(b'\n') => Ok(true),
        Some(_) if u64::try_from(n).is_ok_and(|n| n >= LINE_BYTES_MAX) => Err(ReadError::Bomb),
        Some(_) => Err(damaged(format!("{name} ends in the middle of a line"))),
    }
}

/// All of an entry: never more than it may have, nor memory for more than came.
fn all(entry: &mut impl Read, n_bytes: u64, max: u64, name: &str) -> Result<Vec<u8>, ReadError> {
    if n_bytes > max {
        return Err(damaged(format!("{name} has {n_bytes} bytes, and may have {max}")));
    }
    let mut bytes = Vec::new();
    entry.read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn document<T: serde::de::DeserializeOwned>(
    entry: &mut impl Read,
    n_bytes: u64,
    max: u64,
    name: &str,
) -> Result<T, ReadError> {
    let bytes = all(entry, n_bytes, max, name)?;
    serde_json::from_slice(&bytes).map_err(|error| damaged(format!("{name}: {error}")))
}

/// What file of the server an entry is.
fn file_of(name: &str) -> Option<(FileKind, &str)> {
    let kinds = [FileKind::Data, FileKind::Config];
    kinds.into_iter().find_map(|kind| Some((kind, name.strip_prefix(kind.folder())?)))
}

/// A name that leads out of no folder.
fn plain_name(name: &str) -> Result<&str, ReadError> {
    if !is_plain(name) {
        return Err(damaged(format!("{name:?} is no name of a file")));
    }
    Ok(name)
}
