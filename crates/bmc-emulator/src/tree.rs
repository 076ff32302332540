//! A saved tree of resources.

use std::{
    collections::HashMap,
    hash::{DefaultHasher, Hash as _, Hasher as _},
    path::Path,
};

use hyper::body::Bytes;
use serde_json::{Map, Value};

use crate::EmulatorError;

/// The resources of one BMC as it was saved. Many BMCs may share one.
#[derive(Debug, Default)]
pub struct Tree {
    resources: HashMap<String, Resource>,
}

/// A resource with the bytes that are served.
#[derive(Clone, Debug)]
pub(crate) struct Resource {
    /// As it was saved, for BMCs that know only one spelling.
    pub(crate) path: String,
    pub(crate) body: Value,
    pub(crate) bytes: Bytes,
    pub(crate) etag: String,
}

impl Resource {
    pub(crate) fn new(path: &str, mut body: Value) -> Self {
        // Weak where the saved one was, as on HPE.
        let saved = body.as_object_mut().and_then(|members| members.remove("@odata.etag"));
        let is_weak =
            saved.as_ref().and_then(Value::as_str).is_some_and(|etag| etag.starts_with("W/"));
        let mut hasher = DefaultHasher::new();
        body.to_string().hash(&mut hasher);
        let weak = if is_weak { "W/" } else { "" };
        let etag = format!("{weak}\"{:016X}\"", hasher.finish());
        if let Value::Object(members) = &mut body {
            members.insert("@odata.etag".to_owned(), Value::from(etag.clone()));
        }
        let bytes = Bytes::from(body.to_string());
        Self { path: path.to_owned(), body, bytes, etag }
    }
}

/// What a path is found by: no slash at the end, lower case.
pub(crate) fn key(path: &str) -> String {
    path.trim_end_matches('/').to_ascii_lowercase()
}

impl Tree {
    /// Reads a folder (an `index.json` in the folder of each resource, or `NAME.json`), or one file
    /// that maps paths to resources.
    pub fn read(path: &Path) -> Result<Self, EmulatorError> {
        let mut tree = Self::default();
        if path.is_dir() {
            // HPE's trees begin at the service root, others at the root of the BMC.
            let prefix = if path.join("redfish").is_dir() { "" } else { "/redfish/v1" };
            tree.read_folder(path, prefix)?;
        } else {
            let Value::Object(resources) = read_json(path)? else {
                return Err(EmulatorError::Incomplete { what: "map of paths to resources" });
            };
            for (at, body) in resources {
                tree.insert(&at, body);
            }
        }
        Ok(tree)
    }

    /// One of the small trees of this crate: `dell`, `hpe`, `lenovo`, `supermicro`.
    pub fn small(name: &str) -> Result<Self, EmulatorError> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata");
        Self::read(&folder.join(format!("{name}.json")))
    }

    fn read_folder(&mut self, folder: &Path, at: &str) -> Result<(), EmulatorError> {
        let unreadable = |source| EmulatorError::Read { path: folder.to_owned(), source };
        for entry in std::fs::read_dir(folder).map_err(unreadable)? {
            let entry = entry.map_err(unreadable)?;
            let name = entry.file_name();
            let (Some(name), Ok(kind)) = (name.to_str(), entry.file_type()) else { continue };
            if kind.is_dir() {
                self.read_folder(&entry.path(), &format!("{at}/{name}"))?;
            } else if name == "index.json" {
                self.insert(at, read_json(&entry.path())?);
            } else if let Some(name) = name.strip_suffix(".json") {
                self.insert(&format!("{at}/{name}"), read_json(&entry.path())?);
            }
        }
        Ok(())
    }

    fn insert(&mut self, path: &str, mut body: Value) {
        let path = if path.is_empty() { "/" } else { path };
        if let Value::Object(members) = &mut body {
            members.entry("@odata.id").or_insert_with(|| Value::from(path));
        }
        self.resources.insert(key(path), Resource::new(path, body));
    }

    /// The same tree with `change` made to the resource at `path`.
    #[must_use]
    pub fn with(mut self, path: &str, change: impl FnOnce(&mut Map<String, Value>)) -> Self {
        let mut body = self.resources.get(&key(path)).map_or(Value::Null, |old| old.body.clone());
        if body.is_null() {
            body = Value::Object(Map::new());
        }
        if let Value::Object(members) = &mut body {
            change(members);
        }
        self.insert(path, body);
        self
    }

    pub(crate) fn find(&self, path: &str) -> Option<&Resource> {
        self.resources.get(&key(path))
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Resource> {
        self.resources.values()
    }

    /// Writes the tree as folders with an `index.json` each, as it would have been saved.
    pub fn write(&self, folder: &Path) -> std::io::Result<()> {
        for resource in self.resources.values() {
            let at = folder.join(resource.path.trim_matches('/'));
            std::fs::create_dir_all(&at)?;
            std::fs::write(at.join("index.json"), &resource.bytes)?;
        }
        Ok(())
    }
}

fn read_json(path: &Path) -> Result<Value, EmulatorError> {
    let bytes = std::fs::read(path)
        .map_err(|source| EmulatorError::Read { path: path.to_owned(), source })?;
    serde_json::from_slice(&bytes)
        .map_err(|source| EmulatorError::Json { path: path.to_owned(), source })
}
