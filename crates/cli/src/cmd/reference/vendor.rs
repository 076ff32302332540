//! Manifests of vendors, as references.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, anyhow};
use manifests::{BaseRim, Corim, FILES_MAX, MANIFEST_BYTES_MAX, ManifestError};
use references::Baseline;
use verify::{RootStore, SignerAnchor, SignerError};

use super::file_name;
use crate::{
    args::ReferenceImport,
    error::CliError,
    evidence_dir::read_limited,
    output::{Output, plain},
};

/// A file of certificates: a chain in PEM is below 32 KiB.
const CERTIFICATES_BYTES_MAX: u64 = 1024 * 1024;
/// Files of one folder of certificates, or of a manifest.
const FOLDER_FILES_MAX: usize = 1_000;

/// A manifest as a file.
pub(super) struct ManifestFile {
    /// Where it is.
    pub(super) path: PathBuf,
    kind: Kind,
}

enum Kind {
    BaseRim,
    Corim,
}

/// The manifest that `path` is or holds: a base RIM in XML, a signed CoRIM, or a folder with one. A
/// folder that has both is one with a base RIM, which says more. `None` where it is something else.
pub(super) fn manifest_in(path: &Path) -> Result<Option<ManifestFile>, CliError> {
    if path.is_dir() {
        for (ending, kind) in [("swidtag", Kind::BaseRim), ("corim", Kind::Corim)] {
            let mut found = files_of(path, &[ending])?.into_iter();
            match (found.next(), found.next()) {
                (Some(path), None) => return Ok(Some(ManifestFile { path, kind })),
                (None, _) => {}
                (Some(_), Some(_)) => {
                    return Err(CliError::with_hint(
                        anyhow!("{} has several files *.{ending}", path.display()),
                        "give the file of the manifest that is meant",
                    ));
                }
            }
        }
        return Err(anyhow!("{} has no file *.swidtag or *.corim", path.display()).into());
    }
    // COSE_Sign1, as a tag of CBOR.
    const SIGN1: u8 = 0xd2;
    let bytes = read_limited(path, api::reference::REFERENCE_BYTES_MAX as u64)?;
    let text = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&bytes);
    let kind = match (bytes.first(), text.trim_ascii_start().first()) {
        (Some(&SIGN1), _) => Kind::Corim,
        (_, Some(b'<')) => Kind::BaseRim,
        _ => return Ok(None),
    };
    Ok(Some(ManifestFile { path: path.to_owned(), kind }))
}

/// What a manifest says, if who signed it is whom the command names.
pub(super) fn read(file: &ManifestFile, command: &ReferenceImport) -> Result<Baseline, CliError> {
    let ManifestFile { path, kind } = file;
    let anchor = anchor(command)?;
    let bytes = read_limited(path, MANIFEST_BYTES_MAX as u64)?;
    let now = crate::cmd::local_time::now();
    let refused = |err: ManifestError| {
        let hint = hint(&err);
        let named = format!("{} is not used", path.display());
        CliError::with_hint(anyhow::Error::from(err).context(named), hint)
    };
    if let Kind::Corim = kind {
        if let Some(support) = command.support.first() {
            let support = support.display();
            return Err(anyhow!("a CoRIM names no files, and {support} is one").into());
        }
        let corim = Corim::verify(&bytes, &anchor, now).map_err(refused)?;
        return corim.baseline(&file_name(path), command.pcrs).map_err(refused);
    }
    let rim = BaseRim::verify(&bytes, &anchor, now).map_err(refused)?;
    let supports = match command.support.as_slice() {
        [] => {
            let folder = path.parent().unwrap_or(Path::new("."));
            let named = rim.files().iter().map(|named| folder.join(&named.name));
            named.filter(|path| path.is_file()).collect()
        }
        named if named.len() > FILES_MAX => {
            return Err(anyhow!("a manifest names {FILES_MAX} files at most").into());
        }
        named => named.to_vec(),
    };
    let mut files = Vec::with_capacity(supports.len());
    for path in supports {
        let bytes = read_limited(&path, event_log::LOG_BYTES_MAX as u64)?;
        files.push((file_name(&path), bytes));
    }
    let files: Vec<(&str, &[u8])> =
        files.iter().map(|(name, bytes)| (name.as_str(), bytes.as_slice())).collect();
    rim.baseline(&file_name(path), &files, command.pcrs).map_err(refused)
}

fn hint(err: &ManifestError) -> &'static str {
    match err {
        ManifestError::Signer(SignerError::NoCertificate) => {
            "name the certificate of its signer: --signer FILE"
        }
        ManifestError::Signer(_) => {
            "name whom the vendor signs with: --signer FILE, or --trust with its authorities"
        }
        ManifestError::Signature(_) | ManifestError::Changed => {
            "get it from the vendor anew; a file that a program indented is not what was signed"
        }
        ManifestError::NoFile { .. } => "put it beside the manifest, or name it: --support FILE",
        _ => "docs/references.md says which manifests are read",
    }
}

/// Whom the command trusts. Nobody is no answer.
fn anchor(command: &ReferenceImport) -> Result<SignerAnchor, CliError> {
    if let Some(file) = &command.signer {
        let bytes = read_limited(file, CERTIFICATES_BYTES_MAX)?;
        let pinned = SignerAnchor::pinned(&bytes);
        return Ok(pinned.with_context(|| format!("{} names no signer", file.display()))?);
    }
    if command.trust.is_empty() {
        return Err(CliError::with_hint(
            anyhow!("nobody is named who may sign manifests"),
            "name the certificate of the vendor's signer with --signer FILE, or its authorities \
             with --trust FILE",
        ));
    }
    let mut roots = RootStore::new();
    for path in &command.trust {
        let files = match path.is_dir() {
            true => files_of(path, &["pem", "crt", "cer", "der"])?,
            false => vec![path.clone()],
        };
        for file in files {
            let bytes = read_limited(&file, CERTIFICATES_BYTES_MAX)?;
            let read = RootStore::from_file_bytes(&bytes);
            roots.extend(read.with_context(|| format!("{} holds no roots", file.display()))?);
        }
    }
    Ok(SignerAnchor::roots(roots).context("what --trust names holds no certificates")?)
}

/// The files of `folder` with one of these endings, by name.
fn files_of(folder: &Path, endings: &[&str]) -> Result<Vec<PathBuf>, CliError> {
    let cannot = || format!("{} cannot be listed", folder.display());
    let mut files = Vec::new();
    for (n, entry) in fs::read_dir(folder).with_context(cannot)?.enumerate() {
        if n >= FOLDER_FILES_MAX {
            let many = anyhow!("{} has more than {FOLDER_FILES_MAX} files", folder.display());
            return Err(many.into());
        }
        let path = entry.with_context(cannot)?.path();
        let ending = path.extension().and_then(|ending| ending.to_str()).unwrap_or_default();
        if path.is_file() && endings.iter().any(|known| known.eq_ignore_ascii_case(ending)) {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

/// Says whose word a reference is, if it is a vendor's.
pub(super) fn show(baseline: &Baseline, output: &Output) -> Result<(), CliError> {
    let Some(manifest) = &baseline.content().manifest else { return Ok(()) };
    let line = |name: &str, value: &str| output.line(&format!("{name:<16} {}", plain(value)));
    line("vendor's manifest", &manifest.id)?;
    line("for", &report::reference::cohort(&manifest.model).to_string())?;
    line("signed by", &manifest.signer)?;
    let sha256 = |bytes: &[u8; 32]| hex::encode(bytes);
    line("  certificate", &sha256(&manifest.signer_sha256))?;
    if manifest.anchor_sha256 != manifest.signer_sha256 {
        line("  trusted by", &sha256(&manifest.anchor_sha256))?;
    }
    let names: Vec<_> = manifest.files.iter().map(|(name, _)| name.as_str()).collect();
    Ok(line("files", &names.join(", "))?)
}
