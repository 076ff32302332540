//! A saved tree: the resources of a BMC as files.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::json::text;
use crate::{Answer, Ask, BODY_BYTES_MAX, ResourcePath, Snapshot, Unread, Walk};

/// Most files of a tree: twice what a walk asks for, since whole trees are saved with much beside.
const FILES_MAX: usize = 65_536;

/// How deep folders go: paths of recorded BMCs have up to 13 segments.
const DEPTH_MAX: usize = 32;

/// Resources of a BMC that were saved as files: `index.json` in a folder for each resource (the
/// layout of the DMTF's mockup tools), `NAME.json`, or one file for one resource. What lies above
/// `/redfish` may be left out, and so may the service root.
#[derive(Debug)]
pub struct Tree {
    files: BTreeMap<ResourcePath, PathBuf>,
    /// What the saved resources lack to be found from the service root.
    made: BTreeMap<ResourcePath, Vec<u8>>,
}

/// Why a tree could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum TreeError {
    /// A folder or a file could not be read.
    #[error("cannot read {path}")]
    Io {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// There is nothing of Redfish in it.
    #[error("{path} holds no resource of Redfish")]
    Nothing {
        /// The folder or file.
        path: PathBuf,
    },
    /// It is larger than any real one.
    #[error("{path} has more than {FILES_MAX} files, or folders deeper than {DEPTH_MAX}")]
    TooLarge {
        /// The folder.
        path: PathBuf,
    },
}

impl Tree {
    /// Looks through the folder `path`, or takes the one resource in the file `path`.
    pub fn open(path: &Path) -> Result<Self, TreeError> {
        let meta = std::fs::metadata(path)
            .map_err(|source| TreeError::Io { path: path.to_owned(), source })?;
        let mut tree = Self { files: BTreeMap::new(), made: BTreeMap::new() };
        if meta.is_dir() {
            tree.index(path)?;
        } else {
            tree.add_by_content(path);
        }
        if !tree.files.contains_key(&ResourcePath::service_root()) {
            tree.make_root();
        }
        if tree.files.is_empty() {
            return Err(TreeError::Nothing { path: path.to_owned() });
        }
        Ok(tree)
    }

    /// What the tree has for `ask`: the file's bytes in `buffer`.
    pub fn answer<'b>(&self, ask: &Ask, buffer: &'b mut Vec<u8>) -> Answer<'b> {
        buffer.clear();
        if let Some(made) = self.made.get(&ask.path) {
            buffer.extend_from_slice(made);
            return Answer::Body { bytes: buffer, etag: None };
        }
        let Some(file) = self.files.get(&ask.path) else {
            return Answer::Unread(Unread::NotFound);
        };
        match read(file, buffer) {
            Ok(()) => Answer::Body { bytes: buffer, etag: None },
            Err(unread) => Answer::Unread(unread),
        }
    }

    /// Walks through the tree.
    pub fn snapshot(&self) -> Snapshot {
        let mut walk = Walk::new();
        let mut buffer = Vec::new();
        while let Some(ask) = walk.next() {
            let answer = self.answer(&ask, &mut buffer);
            walk.answer(&ask.path, answer);
        }
        walk.finish()
    }

    /// The paths of all saved resources, for who serves them.
    pub fn paths(&self) -> impl Iterator<Item = &ResourcePath> {
        self.files.keys().chain(self.made.keys())
    }

    fn index(&mut self, root: &Path) -> Result<(), TreeError> {
        let mut found = Vec::new();
        list(root, 0, &mut found)?;
        // What a folder's path lacks in front, by what lies at its top.
        let has = |name: &str| root.join(name).is_dir();
        let prefix: &[&str] = match () {
            () if has("redfish") => &[],
            () if has("v1") => &["redfish"],
            () => &["redfish", "v1"],
        };
        for file in found {
            let below = file.strip_prefix(root).unwrap_or(&file);
            let mut segments: Vec<&str> = prefix.to_vec();
            let parts: Option<Vec<_>> = below.iter().map(|part| part.to_str()).collect();
            let Some(parts) = parts else { continue };
            let Some((name, folders)) = parts.split_last() else { continue };
            segments.extend(folders);
            // A file beside others is called as somebody liked, so that what it says of itself comes first;
            // one that says nothing is the resource of its name, with or without the ending.
            if *name != "index.json" {
                if self.add_by_content(&file) {
                    continue;
                }
                self.add_at(&segments, name, &file);
                self.add_at(&segments, name.strip_suffix(".json").unwrap_or(name), &file);
            } else if let Some((name, folders)) = segments.split_last() {
                self.add_at(folders, name, &file);
            }
        }
        Ok(())
    }

    fn add_at(&mut self, folders: &[&str], name: &str, file: &Path) {
        let all = folders.iter().copied().chain([name]);
        let text: String = all.map(|segment| format!("/{segment}")).collect();
        let text = text.replace('%', "%25").replace('#', "%23");
        if let Ok(path) = ResourcePath::parse(&text) {
            self.files.entry(path).or_insert_with(|| file.to_owned());
        }
    }

    /// Adds a file at the address that it names; whether it names one.
    fn add_by_content(&mut self, file: &Path) -> bool {
        let mut buffer = Vec::new();
        if read(file, &mut buffer).is_err() {
            return false;
        }
        let Ok(body) = serde_json::from_slice::<Value>(&buffer) else { return false };
        let named = text(&body, &["@odata.id"]).and_then(|id| ResourcePath::parse(id).ok());
        // Settings without their address: those of some system.
        let unnamed = || {
            let is_bios = body.get("Attributes").is_some_and(Value::is_object);
            is_bios.then(|| ResourcePath::parse("/redfish/v1/Systems/1/Bios").ok()).flatten()
        };
        let Some(path) = named.or_else(unnamed) else { return false };
        self.files.entry(path).or_insert_with(|| file.to_owned());
        true
    }

    /// Puts a service root and what leads from it to the saved resources in front of a tree that has
    /// none.
    fn make_root(&mut self) {
        let mut systems: BTreeMap<ResourcePath, serde_json::Map<String, Value>> = BTreeMap::new();
        let mut registries = Vec::new();
        let mut buffer = Vec::new();
        let files = std::mem::take(&mut self.files);
        for (path, file) in files {
            if read(&file, &mut buffer).is_err() {
                continue;
            }
            let Ok(body) = serde_json::from_slice::<Value>(&buffer) else { continue };
            let kind = text(&body, &["@odata.type"]).unwrap_or_default();
            let is = |name: &str| kind.starts_with(&format!("#{name}."));
            let is_bios = is("Bios") || (kind.is_empty() && body.get("Attributes").is_some());
            // Pending settings have the type of what they are settings of.
            let is_pending = path.parent().is_some_and(|parent| has_bios_above(&parent));
            if is("ComputerSystem") {
                systems.entry(path.clone()).or_default();
            } else if (is_bios && !is_pending) || is("SecureBoot") {
                let Some(system) = path.parent() else { continue };
                let name = if is_bios { "Bios" } else { "SecureBoot" };
                let link = json!({ "@odata.id": path.to_uri() });
                systems.entry(system).or_default().insert(name.to_owned(), link);
            } else if body.pointer("/RegistryEntries/Attributes").is_some() {
                registries.push(json!({ "@odata.id": path.to_uri() }));
            } else if kind.is_empty() {
                continue;
            }
            self.files.insert(path, file);
        }
        if self.files.is_empty() {
            return;
        }
        let members: Vec<_> =
            systems.keys().map(|path| json!({ "@odata.id": path.to_uri() })).collect();
        for (path, links) in systems {
            if !self.files.contains_key(&path) {
                self.make(path, Value::Object(links));
            }
        }
        let root = ResourcePath::service_root();
        for (name, members) in [("Systems", members), ("Registries", registries)] {
            if let Ok(path) = root.child(name) {
                self.make(path, json!({ "Members": members }));
            }
        }
        let link = |name: &str| json!({ "@odata.id": format!("{}/{name}", root.to_uri()) });
        let body = json!({ "Systems": link("Systems"), "Registries": link("Registries") });
        self.make(root, body);
    }

    fn make(&mut self, path: ResourcePath, body: Value) {
        self.made.insert(path, body.to_string().into_bytes());
    }
}

fn has_bios_above(path: &ResourcePath) -> bool {
    path.name().eq_ignore_ascii_case("bios")
}

fn list(folder: &Path, depth: usize, found: &mut Vec<PathBuf>) -> Result<(), TreeError> {
    let failed = |source| TreeError::Io { path: folder.to_owned(), source };
    let mut entries = std::fs::read_dir(folder)
        .and_then(|entries| entries.collect::<Result<Vec<_>, _>>())
        .map_err(failed)?;
    // The order of a file system is that of nothing; which of two spellings counts must not hang on it.
    entries.sort_by_key(std::fs::DirEntry::file_name);
    for entry in entries {
        // Links are not followed: a tree that somebody sent reads nothing outside itself.
        let kind = entry.file_type().map_err(failed)?;
        let path = entry.path();
        if kind.is_dir() {
            if depth >= DEPTH_MAX {
                return Err(TreeError::TooLarge { path });
            }
            list(&path, depth.saturating_add(1), found)?;
        } else if kind.is_file() && path.extension().is_some_and(|extension| extension == "json") {
            found.push(path);
            if found.len() > FILES_MAX {
                return Err(TreeError::TooLarge { path: folder.to_owned() });
            }
        }
    }
    Ok(())
}

fn read(file: &Path, buffer: &mut Vec<u8>) -> Result<(), Unread> {
    let failed = |error: io::Error| Unread::Transport(error.to_string());
    buffer.clear();
    let limit = u64::try_from(BODY_BYTES_MAX).unwrap_or(u64::MAX).saturating_add(1);
    File::open(file).and_then(|file| file.take(limit).read_to_end(buffer)).map_err(failed)?;
    if buffer.len() > BODY_BYTES_MAX {
        return Err(Unread::TooLarge { bytes_max: BODY_BYTES_MAX });
    }
    Ok(())
}
