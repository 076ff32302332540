//! Which files are read.

use std::{
    fs, io,
    path::{Path, PathBuf},
    time::SystemTime,
};

use api::diagnosis::Unread;
use diagnose::{HostName, Year};

/// Folders in folders: a support bundle has below ten.
const DEPTH_MAX: usize = 24;
/// Files of all folders together: a support bundle has some ten thousand.
const FILES_MAX: usize = 200_000;

/// A file to be read.
#[derive(Debug)]
pub(super) struct Input {
    /// As it is shown.
    pub(super) name: String,
    /// `None` is standard input.
    pub(super) path: Option<PathBuf>,
    /// For the progress bar; 0 where nobody knows.
    pub(super) bytes_on_disk: u64,
    /// The host that wrote it, where a folder's name says so.
    pub(super) host: Option<HostName>,
    /// The year of its lines without one.
    pub(super) year: Year,
}

pub(super) fn unread(name: &str, why: &dyn std::fmt::Display) -> Unread {
    Unread { file: name.to_owned(), why: why.to_string() }
}

/// The files that `paths` name, those of folders in the order of their names; and what cannot be
/// looked at. Links inside folders are not followed: they lead out of what was meant, or in circles.
pub(super) fn find(paths: &[PathBuf]) -> (Vec<Input>, Vec<Unread>) {
    let mut found = Found::default();
    for path in paths {
        if path.as_os_str() == "-" {
            found.inputs.push(Input {
                name: "standard input".to_owned(),
                path: None,
                bytes_on_disk: 0,
                host: None,
                year: ended_at(Some(SystemTime::now())),
            });
            continue;
        }
        match fs::metadata(path) {
            Ok(metadata) if metadata.is_dir() => found.folder(path, 0),
            Ok(metadata) => found.file(path, &metadata),
            Err(err) => found.unread.push(unread(&path.display().to_string(), &err)),
        }
    }
    (found.inputs, found.unread)
}

#[derive(Default)]
struct Found {
    inputs: Vec<Input>,
    unread: Vec<Unread>,
}

impl Found {
    fn file(&mut self, path: &Path, metadata: &fs::Metadata) {
        if self.inputs.len() == FILES_MAX {
            let why = format!("there are over {FILES_MAX} files: name the folder that is meant");
            return self.unread.push(unread(&path.display().to_string(), &why));
        }
        if self.inputs.len() > FILES_MAX {
            return;
        }
        self.inputs.push(Input {
            name: path.display().to_string(),
            path: Some(path.to_owned()),
            bytes_on_disk: metadata.len(),
            host: host_of(path),
            year: ended_at(metadata.modified().ok()),
        });
    }

    fn folder(&mut self, folder: &Path, depth: usize) {
        let name = folder.display().to_string();
        if depth > DEPTH_MAX {
            return self.unread.push(unread(&name, &"folders are nested too deep"));
        }
        let entries =
            fs::read_dir(folder).and_then(|entries| entries.collect::<io::Result<Vec<_>>>());
        let mut entries = match entries {
            Ok(entries) => entries,
            Err(err) => return self.unread.push(unread(&name, &err)),
        };
        entries.sort_by_key(fs::DirEntry::file_name);
        for entry in entries {
            // Of the entry itself, not of what a link leads to.
            match entry.metadata() {
                Ok(metadata) if metadata.is_dir() => self.folder(&entry.path(), depth + 1),
                Ok(metadata) if metadata.is_file() => self.file(&entry.path(), &metadata),
                Ok(_) => {}
                Err(err) => self.unread.push(unread(&entry.path().display().to_string(), &err)),
            }
        }
    }
}

/// The year of lines without one, in a file that ended at `time`.
pub(super) fn ended_at(time: Option<SystemTime>) -> Year {
    let since = time.and_then(|time| time.duration_since(SystemTime::UNIX_EPOCH).ok());
    match since.and_then(|since| i64::try_from(since.as_millis()).ok()) {
        Some(ms) => Year::EndedAt(ms),
        None => Year::Unknown,
    }
}

/// The host of a support bundle of ESXi, whose folder is `esx-HOST-2018-05-10--14.30-4711`.
pub(super) fn host_of(path: &Path) -> Option<HostName> {
    path.components().rev().find_map(|part| {
        let name = part.as_os_str().to_str()?.strip_prefix("esx-")?;
        let date_ends = name.find("--")?;
        let (host, date) = name.get(..date_ends)?.split_at_checked(date_ends.checked_sub(11)?)?;
        let is_date = date.bytes().enumerate().all(|(at, byte)| match at {
            0 | 5 | 8 => byte == b'-',
            _ => byte.is_ascii_digit(),
        });
        is_date.then(|| HostName::new(host)).flatten()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_support_bundle_names_its_host() {
        let host = |path: &str| host_of(Path::new(path)).map(|host| host.as_str().to_owned());
        let path = "x/esx-esxi-117.foobar.com-2018-05-10--14.30-4711/var/log/vmkernel.log";
        assert_eq!(host(path).as_deref(), Some("esxi-117.foobar.com"));
        for wrong in [
            "esx-a/vmkernel.log",
            "esx---",
            "esx-2018-05-10--1",
            "a-2018-05-10--1",
            "esx-ü-2018-05-10--",
        ] {
            assert_eq!(host(wrong), None, "{wrong}");
        }
    }
}
