//! Files in, an archive out.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
};

use api::support::{self, FORMAT, LeftOut, Manifest, Removed};
use aws_lc_rs::digest::{SHA256, digest};
use flate2::{Compression, write::GzEncoder};
use redaction::Redacted;
use rustix::system::uname;
use serde::Serialize;

use crate::{document, journal::Journal, tail, tar};

/// All files together, unpacked: eight logs of full size. A mail takes no more than this packed.
const BUNDLE_BYTES_MAX: usize = 128 * 1024 * 1024;
/// Files: of a server that was asked for each of its hosts this is a hundred of them.
const FILES_MAX: usize = 1000;

/// Who makes a bundle.
#[derive(Clone, Copy, Debug)]
pub struct Maker {
    /// The program's name.
    pub program: &'static str,
    /// Its version.
    pub version: &'static str,
    /// The time of day, in milliseconds since 1970; `None` in a program that reads none.
    pub now_ms: Option<i64>,
}

/// The bundle could not be written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BundleError {
    /// A file could not be made or renamed.
    #[error("the bundle {} cannot be written", .path.display())]
    Write {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A document is none that JSON can say.
    #[error("{name} cannot be written as JSON")]
    Document {
        /// Which.
        name: String,
        /// Why.
        #[source]
        source: serde_json::Error,
    },
}

/// What was written.
#[derive(Clone, Debug)]
pub struct Written {
    /// The manifest, as it lies in the archive.
    pub manifest: Manifest,
    /// Bytes of the archive.
    pub n_bytes: u64,
}

/// A bundle that is being filled.
#[derive(Debug)]
pub struct Bundle {
    maker: Maker,
    files: Vec<(String, Vec<u8>)>,
    n_bytes: usize,
    manifest: Manifest,
}

impl Bundle {
    /// An empty one.
    pub fn new(maker: Maker) -> Self {
        let manifest = Manifest {
            format: FORMAT,
            program: maker.program.to_owned(),
            version: maker.version.to_owned(),
            made_at_ms: maker.now_ms,
            machine: uname().nodename().to_string_lossy().into_owned(),
            files: Vec::new(),
            removed: Vec::new(),
            left_out: Vec::new(),
        };
        Self { maker, files: Vec::new(), n_bytes: 0, manifest }
    }

    /// Who makes it.
    pub const fn maker(&self) -> Maker {
        self.maker
    }

    /// Says that something is not in it.
    pub fn leave_out(&mut self, what: &str, why: &dyn std::fmt::Display) {
        let why = redaction::text(&why.to_string()).text;
        self.manifest.left_out.push(LeftOut { what: what.to_owned(), why });
    }

    /// A log's lines as `logs/NAME.log`, the newest of them where there are too many.
    pub fn log(&mut self, name: &str, untrusted_lines: &[u8]) {
        let file = format!("logs/{}.log", crate::file_name(name));
        let (lines, cut) = tail::newest(untrusted_lines);
        if cut {
            self.leave_out(
                &file,
                &format!(
                    "older lines: only the newest {} MiB are in it",
                    tail::LOG_BYTES_MAX >> 20
                ),
            );
        }
        self.text(&file, redaction::text(&String::from_utf8_lossy(lines)));
    }

    /// A log's file, the newest of its lines.
    pub fn log_file(&mut self, path: &Path) {
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned());
        let name = name.unwrap_or_else(|| "log".to_owned());
        let name = name.strip_suffix(".log").unwrap_or(&name);
        match tail::tail(path) {
            Ok(tail) => {
                if tail.cut {
                    let what = format!("logs/{}.log", crate::file_name(name));
                    self.leave_out(&what, &"older lines: only the newest are in it");
                }
                self.log(name, &tail.lines);
            }
            Err(err) => self.leave_out(&path.display().to_string(), &err),
        }
    }

    /// What was read of a journal.
    pub fn journal(&mut self, name: &str, journal: Journal) {
        match journal {
            Journal::Lines(lines) => self.log(name, &lines),
            Journal::Absent(why) => self.leave_out(&format!("logs/{name}.log"), &why),
        }
    }

    /// A file of settings as `config/NAME`, with the values of `allowed` keys alone; one that is not
    /// there is told.
    pub fn settings_file(&mut self, path: &Path, allowed: &[&str]) {
        /// Ones in use have some kilobytes.
        const SETTINGS_BYTES_MAX: u64 = 256 * 1024;
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned());
        let file = format!("config/{}", crate::file_name(&name.unwrap_or_default()));
        match tail::read_limited(path, SETTINGS_BYTES_MAX) {
            Ok(bytes) => {
                self.text(&file, redaction::settings(&String::from_utf8_lossy(&bytes), allowed));
            }
            Err(err) => self.leave_out(&path.display().to_string(), &err),
        }
    }

    /// A text as `NAME`, without the secrets that are known by their looks or names.
    pub fn text_file(&mut self, name: &str, untrusted_text: &str) {
        self.text(name, redaction::text(untrusted_text));
    }

    /// A document of facts as `NAME`: what is called a secret in it goes, and secrets in its texts do.
    ///
    /// # Errors
    /// It is none that JSON can say.
    pub fn document(&mut self, name: &str, document: &impl Serialize) -> Result<(), BundleError> {
        let failed = |source| BundleError::Document { name: name.to_owned(), source };
        let mut value = serde_json::to_value(document).map_err(failed)?;
        let removed = document::redact(&mut value);
        let text = serde_json::to_string_pretty(&value).map_err(failed)?;
        self.text(name, Redacted { text, removed });
        Ok(())
    }

    /// Evidence as it was: a quote or a boot log of which a byte was changed is worth nothing. Nothing
    /// that may hold a secret beside what was measured.
    pub fn verbatim(&mut self, name: &str, evidence: Vec<u8>) {
        self.file(name.to_owned(), evidence, Kept::AsItWas);
    }

    fn text(&mut self, name: &str, redacted: Redacted) {
        let Redacted { text, removed } = redacted;
        for (what, key, n) in removed.iter() {
            self.manifest.removed.push(Removed {
                file: name.to_owned(),
                what: what.as_str().to_owned(),
                key: key.map(str::to_owned),
                n,
            });
        }
        self.file(name.to_owned(), text.into_bytes(), Kept::Redacted);
    }

    fn file(&mut self, name: String, bytes: Vec<u8>, kept: Kept) {
        let name = match self.files.iter().filter(|(other, _)| *other == name).count() {
            0 => name,
            // Two logs of one name in different folders.
            _ => format!("{name}.{}", self.files.len()),
        };
        if self.files.len() == FILES_MAX {
            return self.leave_out(&name, &format!("there are {FILES_MAX} files already"));
        }
        if self.n_bytes + bytes.len() > BUNDLE_BYTES_MAX {
            let why = format!("the bundle has {} MiB already", BUNDLE_BYTES_MAX >> 20);
            return self.leave_out(&name, &why);
        }
        self.n_bytes += bytes.len();
        self.manifest.files.push(support::File {
            name: name.clone(),
            n_bytes: bytes.len() as u64,
            sha256: hex::encode(digest(&SHA256, &bytes)),
            verbatim: matches!(kept, Kept::AsItWas),
        });
        self.files.push((name, bytes));
    }

    /// Writes the archive to `path`, for its owner's eyes alone: under another name first, so that there
    /// is a whole one or none.
    ///
    /// # Errors
    /// It cannot be written there.
    pub fn write(self, path: &Path) -> Result<Written, BundleError> {
        let failed = |source| BundleError::Write { path: path.to_owned(), source };
        let manifest = serde_json::to_vec_pretty(&self.manifest)
            .map_err(|source| BundleError::Document { name: "MANIFEST.json".to_owned(), source })?;
        let part = Part::beside(path).map_err(failed)?;
        let mut gzip = GzEncoder::new(&part.file, Compression::default());
        let mut archive = || -> io::Result<()> {
            tar::member(&mut gzip, "MANIFEST.json", &manifest)?;
            for (name, bytes) in &self.files {
                tar::member(&mut gzip, name, bytes)?;
            }
            tar::end(&mut gzip)?;
            gzip.try_finish()
        };
        archive().map_err(failed)?;
        drop(gzip);
        let n_bytes = part.keep_as(path).map_err(failed)?;
        Ok(Written { manifest: self.manifest, n_bytes })
    }
}

/// Whether something was looked for in a file.
#[derive(Clone, Copy)]
enum Kept {
    AsItWas,
    Redacted,
}

/// A file that is removed unless it is kept.
struct Part {
    path: PathBuf,
    file: File,
}

impl Part {
    fn beside(path: &Path) -> io::Result<Self> {
        let name = path.file_name().ok_or(io::ErrorKind::InvalidInput)?.to_string_lossy();
        let path = path.with_file_name(format!(".{name}.{}.part", std::process::id()));
        // A leftover of a crash may have another mode; begin with no file.
        match fs::remove_file(&path) {
            Err(err) if err.kind() != io::ErrorKind::NotFound => return Err(err),
            _ => {}
        }
        let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path)?;
        Ok(Self { path, file })
    }

    fn keep_as(mut self, path: &Path) -> io::Result<u64> {
        self.file.flush()?;
        self.file.sync_all()?;
        let n_bytes = self.file.metadata()?.len();
        fs::rename(&self.path, path)?;
        Ok(n_bytes)
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        // After it was renamed there is none.
        drop(fs::remove_file(&self.path));
    }
}
