//! The files of a certificate and its key: written whole or not at all.

use std::{
    fs::{self, OpenOptions, Permissions},
    io::{self, Write as _},
    os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _},
    path::Path,
};

use anyhow::Context as _;

use super::Place;

/// The mode of the key's file, where none is said: whoever may use the TPM and reads it can make handshakes.
pub const KEY_MODE: u32 = 0o640;

/// The mode of the certificate's file: it is shown to everybody in handshakes.
const CERTIFICATE_MODE: u32 = 0o644;

const CERTIFICATE: &str = "certificate.pem";
const KEY: &str = "key.pem";

/// Refuses a place that is no folder: to make one, owner and group would have to be guessed.
pub(super) fn check_folder(folder: &Path) -> anyhow::Result<()> {
    let is_folder = fs::metadata(folder).is_ok_and(|metadata| metadata.is_dir());
    anyhow::ensure!(
        is_folder,
        "{} is no folder: make it, for example with `install -d -m 2750 -g GROUP {0}`",
        folder.display()
    );
    Ok(())
}

/// Writes the key's file where it is another.
pub(super) fn write_key(place: &Place, pem: &str) -> anyhow::Result<()> {
    let path = place.folder.join(KEY);
    if fs::read(&path).is_ok_and(|kept| kept == pem.as_bytes()) {
        return Ok(());
    }
    write(&path, pem, place.key_mode)
        .with_context(|| format!("{} cannot be written", path.display()))
}

/// Writes the certificate's file.
pub(super) fn write_certificate(folder: &Path, pem: &str) -> anyhow::Result<()> {
    let path = folder.join(CERTIFICATE);
    write(&path, pem, CERTIFICATE_MODE)
        .with_context(|| format!("{} cannot be written", path.display()))
}

/// Removes the certificate's file, and says whether there was one.
pub(super) fn remove_certificate(folder: &Path) -> anyhow::Result<bool> {
    let path = folder.join(CERTIFICATE);
    match fs::remove_file(&path) {
        Ok(()) => Ok(true),
        Err(err) if err.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(err) => Err(err).with_context(|| format!("{} cannot be removed", path.display())),
    }
}

fn write(path: &Path, text: &str, mode: u32) -> io::Result<()> {
    let new = path.with_extension("new");
    match fs::remove_file(&new) {
        Err(err) if err.kind() != io::ErrorKind::NotFound => return Err(err),
        _ => {}
    }
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&new)?;
    file.write_all(text.as_bytes())?;
    // Whatever the process masks.
    file.set_permissions(Permissions::from_mode(mode))?;
    file.sync_all()?;
    fs::rename(&new, path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_have_their_modes_and_come_whole() {
        let folder = tempfile::tempdir().unwrap();
        let place = Place { folder: folder.path().into(), key_mode: 0o440, command: None };
        check_folder(&place.folder).unwrap();
        write_key(&place, "key").unwrap();
        write_certificate(&place.folder, "one").unwrap();
        write_certificate(&place.folder, "two").unwrap();
        let mode = |name: &str| {
            fs::metadata(folder.path().join(name)).unwrap().permissions().mode() & 0o777
        };
        assert_eq!((mode(KEY), mode(CERTIFICATE)), (0o440, CERTIFICATE_MODE));
        assert_eq!(fs::read_to_string(folder.path().join(CERTIFICATE)).unwrap(), "two");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
        // The same key is not written again: who watches the file hears of changes alone.
        let written = fs::metadata(folder.path().join(KEY)).unwrap().modified().unwrap();
        write_key(&place, "key").unwrap();
        assert_eq!(fs::metadata(folder.path().join(KEY)).unwrap().modified().unwrap(), written);
        assert!(remove_certificate(&place.folder).unwrap());
        assert!(!remove_certificate(&place.folder).unwrap());
    }

    #[test]
    fn a_missing_folder_says_what_to_do() {
        let folder = tempfile::tempdir().unwrap();
        let err = check_folder(&folder.path().join("none")).unwrap_err().to_string();
        assert!(err.contains("install -d"), "{err}");
    }
}
