//! Certificates in files, folders and cabinets, by what is in them and not by their names.

use std::{
    collections::HashSet,
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, anyhow};
use api::trust::SkippedFile;
use indicatif::ProgressBar;
use verify::{Fingerprint, Root, RootError, RootErrorKind, RootStore};

use crate::{error::CliError, evidence_dir::read_limited, output::plain};

/// Bytes of a file that is read: all roots of all vendors in PEM are below 4 MiB, TrustedTpm.cab is
/// below 2 MiB.
const FILE_BYTES_MAX: u64 = 32 * 1024 * 1024;
/// Files of a folder and of those in it: as many as a cabinet may have.
const FILES_MAX: usize = cabinet::FILES_MAX;
/// Folders in folders: vendor and kind of authority take two.
const DEPTH_MAX: usize = 16;

/// How a certificate came to be looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Named {
    /// Somebody named its file.
    ByItself,
    /// It is one of a folder or cabinet.
    AmongOthers,
}

/// A certificate that was found.
pub(super) struct Found {
    pub(super) root: Root,
    pub(super) named: Named,
    /// The file, and the path in a cabinet.
    pub(super) place: String,
    /// What the server keeps as its origin: the file, or the folder it lies in.
    pub(super) source: String,
}

/// What was found: each certificate once.
#[derive(Default)]
pub(super) struct Gathered {
    pub(super) found: Vec<Found>,
    pub(super) skipped: Vec<SkippedFile>,
    /// Cabinets that were read. Nobody looked at their signatures.
    pub(super) n_cabinets: usize,
    seen: HashSet<Fingerprint>,
    n_files: usize,
}

/// Reads all `paths`.
///
/// # Errors
/// A file that somebody named and that is no certificate or no sound cabinet. One in a folder is
/// skipped, and told.
pub(super) fn gather(paths: &[PathBuf], progress: &ProgressBar) -> Result<Gathered, CliError> {
    let mut gathered = Gathered::default();
    for path in paths {
        if path.is_dir() {
            let shown = path.file_name().map_or(".".into(), |name| name.to_string_lossy());
            gathered.folder(path, &plain(&shown), 0, progress)?;
        } else {
            gathered.named_file(path, progress)?;
        }
    }
    Ok(gathered)
}

impl Gathered {
    fn named_file(&mut self, path: &Path, progress: &ProgressBar) -> Result<(), CliError> {
        let bytes = read_limited(path, FILE_BYTES_MAX)?;
        let shown = path.file_name().map(|name| plain(&name.to_string_lossy())).unwrap_or_default();
        if cabinet::is_cabinet(&bytes) {
            let read = self.cabinet(&bytes, &shown, progress);
            return read.map_err(|err| {
                CliError::with_hint(
                    anyhow::Error::from(err).context(format!("{} is refused", path.display())),
                    "fetch the cabinet anew; nothing of it was imported",
                )
            });
        }
        let read = RootStore::from_file_bytes(&bytes).map_err(|err| {
            let hint = "name PEM or DER files with certificates, folders of them, or a cabinet";
            let named = format!("{} holds no certificate that can be trusted", path.display());
            CliError::with_hint(anyhow::Error::from(err).context(named), hint)
        })?;
        self.take(read, Named::ByItself, &shown, &shown);
        Ok(())
    }

    /// Goes through a folder in the order of names. Links to folders are not followed: they could
    /// lead in circles.
    fn folder(
        &mut self,
        path: &Path,
        shown: &str,
        depth: usize,
        progress: &ProgressBar,
    ) -> Result<(), CliError> {
        if depth > DEPTH_MAX {
            let err = anyhow!("{} has more than {DEPTH_MAX} folders in folders", path.display());
            return Err(err.into());
        }
        let named = || format!("{} cannot be read", path.display());
        let entries = fs::read_dir(path).with_context(named)?;
        let mut entries = entries.collect::<Result<Vec<_>, _>>().with_context(named)?;
        entries.sort_by_key(fs::DirEntry::file_name);
        for entry in entries {
            let place = format!("{shown}/{}", plain(&entry.file_name().to_string_lossy()));
            if entry.file_type().with_context(named)?.is_dir() {
                self.folder(&entry.path(), &place, depth + 1, progress)?;
                continue;
            }
            self.n_files += 1;
            if self.n_files > FILES_MAX {
                let err = anyhow!("more than {FILES_MAX} files in {}", path.display());
                return Err(CliError::with_hint(err, "name a folder of certificates alone"));
            }
            progress.inc(1);
            if !fs::metadata(entry.path()).is_ok_and(|metadata| metadata.is_file()) {
                self.skip(place, "no file");
                continue;
            }
            match read_limited(&entry.path(), FILE_BYTES_MAX) {
                Err(_) => self.skip(place, "it cannot be read, or is too large"),
                Ok(bytes) if cabinet::is_cabinet(&bytes) => {
                    if let Err(err) = self.cabinet(&bytes, &place, progress) {
                        self.skip(place, &err.to_string());
                    }
                }
                Ok(bytes) => self.member(&bytes, place, shown),
            }
        }
        Ok(())
    }

    fn cabinet(
        &mut self,
        bytes: &[u8],
        shown: &str,
        progress: &ProgressBar,
    ) -> Result<(), cabinet::CabinetError> {
        let cabinet = cabinet::read(bytes)?;
        self.n_cabinets += 1;
        for file in cabinet.files() {
            progress.inc(1);
            let folder = file.name.rsplit_once('/').map(|(folder, _)| folder);
            let source = match folder {
                Some(folder) => format!("{shown}: {folder}"),
                None => shown.to_owned(),
            };
            self.member(file.bytes, format!("{shown}: {}", file.name), &source);
        }
        Ok(())
    }

    /// One file of many: what is no certificate is skipped.
    fn member(&mut self, bytes: &[u8], place: String, source: &str) {
        match RootStore::from_file_bytes(bytes) {
            Ok(read) => self.take(read, Named::AmongOthers, &place, source),
            Err(err) => self.skip(place, &why(&err)),
        }
    }

    fn take(&mut self, read: RootStore, named: Named, place: &str, source: &str) {
        for root in read.iter().filter(|root| self.seen.insert(root.fingerprint())) {
            let (place, source) = (place.to_owned(), source.to_owned());
            self.found.push(Found { root: root.clone(), named, place, source });
        }
    }

    fn skip(&mut self, place: String, why: &str) {
        self.skipped.push(SkippedFile { place, why: why.to_owned() });
    }
}

/// Why a file of many holds no certificate, in few kinds: they are counted.
fn why(err: &RootError) -> String {
    match &err.source {
        RootErrorKind::Pem => "no complete PEM block of a certificate".to_owned(),
        other => other.to_string(),
    }
}
