//! The resources of one BMC, as they were read.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::ResourcePath;

/// One resource.
#[derive(Clone, Debug, PartialEq)]
pub struct Resource {
    /// What it holds: a JSON object.
    pub body: Value,
    /// What a change of it must name in `If-Match`: the header of its answer, else `@odata.etag`.
    pub etag: Option<String>,
}

/// Why a resource could not be read. Nothing that it might have said counts.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unread {
    /// The BMC answered with this status.
    #[error("the BMC answered with HTTP status {0}")]
    Status(u16),
    /// It is not there: status 404, or no such file.
    #[error("it is not there")]
    NotFound,
    /// What came is no JSON object, as the HTML page of a proxy or of a login.
    #[error("what came is no JSON object")]
    NotJson,
    /// It is longer than is read.
    #[error("it has more than {bytes_max} bytes")]
    TooLarge {
        /// The limit.
        bytes_max: usize,
    },
    /// The connection failed or took too long.
    #[error("the connection failed: {0}")]
    Transport(String),
    /// The link is no path on this BMC.
    #[error("the link to it leads elsewhere")]
    Elsewhere,
    /// So much was asked for already that no more is.
    #[error("the BMC lists more resources than are read")]
    NotAsked,
}

/// The resources of one BMC, and which of them could not be read.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Snapshot {
    pub(crate) resources: BTreeMap<ResourcePath, Resource>,
    pub(crate) unread: BTreeMap<ResourcePath, Unread>,
}

impl Snapshot {
    /// The resource at this path.
    pub fn resource(&self, path: &ResourcePath) -> Option<&Resource> {
        self.resources.get(path)
    }

    /// What the resource at this path holds.
    pub fn body(&self, path: &ResourcePath) -> Option<&Value> {
        self.resource(path).map(|resource| &resource.body)
    }

    /// All resources, in the order of their paths.
    pub fn resources(&self) -> impl Iterator<Item = (&ResourcePath, &Resource)> {
        self.resources.iter()
    }

    /// What was asked for and could not be read, and why.
    pub fn unread(&self) -> impl Iterator<Item = (&ResourcePath, &Unread)> {
        self.unread.iter()
    }

    /// Why this path could not be read.
    pub fn why_unread(&self, path: &ResourcePath) -> Option<&Unread> {
        self.unread.get(path)
    }
}
