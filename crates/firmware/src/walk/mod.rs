//! Which resources are wanted next.

mod follow;
pub(crate) mod registry;

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use serde_json::Value;

use crate::json;
use crate::{Resource, ResourcePath, Snapshot, Unread};
use follow::Role;

/// Largest resource that is read: attribute registries of recorded BMCs have up to 1.2 MB, and grow with
/// each generation.
pub const BODY_BYTES_MAX: usize = 8 * 1024 * 1024;

/// Most resources that are asked for: a BMC that gives each digest of dbx and dbxDefault as a resource
/// has about 1,200.
pub const RESOURCES_MAX: usize = 8192;

/// Most bytes that are read of one BMC: ten times what a registry and all those digests have.
const BYTES_MAX: usize = 32 * 1024 * 1024;

/// Most JSON values that are kept of one BMC, for each costs memory however short it is: recorded BMCs
/// have up to 52,000.
const VALUES_MAX: usize = 1_000_000;

/// Most pages of collections, all together: recorded BMCs answer with one page each.
const PAGES_MAX: usize = 256;

/// Most resources that are told as left out: that some were is what counts.
const LEFT_OUT_MAX: usize = 1024;

/// Whether the members of a collection should come with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expand {
    /// The resource alone.
    No,
    /// One level of members, which the service root says it can. [DSP0266-1.20 §7.3.1]
    Members,
}

/// One resource that is wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ask {
    /// Where it is.
    pub path: ResourcePath,
    /// Whether members may come with it. Who answers with the bare collection is understood, too.
    pub expand: Expand,
}

impl Ask {
    /// The target of a GET.
    pub fn to_uri(&self) -> String {
        let uri = self.path.to_uri();
        match self.expand {
            Expand::No => uri,
            Expand::Members if uri.contains('?') => uri,
            Expand::Members => format!("{uri}?$expand=.($levels=1)"),
        }
    }
}

/// What came for an [`Ask`].
#[derive(Clone, Debug)]
pub enum Answer<'b> {
    /// A body, with the `ETag` header where there was one.
    Body {
        /// As it came; it is read as JSON here.
        bytes: &'b [u8],
        /// The header's value.
        etag: Option<String>,
    },
    /// Nothing, and why.
    Unread(Unread),
}

/// A walk through the resources of one BMC that are needed, and no others.
///
/// It does no I/O: take [`Walk::next`] until it gives nothing, ask for each (several at once, in any
/// order), hand each answer to [`Walk::answer`], and again, until [`Walk::is_done`]. Each path is asked
/// for once (and once more where a collection could not be had with its members), so that loops of
/// links end. What was gathered does not depend on the order of answers, unless a limit was reached.
#[derive(Debug)]
pub struct Walk {
    queue: VecDeque<Ask>,
    in_flight: BTreeMap<ResourcePath, Expand>,
    /// What each path is wanted as.
    roles: BTreeMap<ResourcePath, BTreeSet<Role>>,
    snapshot: Snapshot,
    expand: Expand,
    n_asked: usize,
    n_bytes: usize,
    n_values: usize,
    n_pages: usize,
}

impl Default for Walk {
    fn default() -> Self {
        Self::new()
    }
}

impl Walk {
    /// A walk from the service root.
    pub fn new() -> Self {
        let mut walk = Self {
            queue: VecDeque::new(),
            in_flight: BTreeMap::new(),
            roles: BTreeMap::new(),
            snapshot: Snapshot::default(),
            expand: Expand::No,
            n_asked: 0,
            n_bytes: 0,
            n_values: 0,
            n_pages: 0,
        };
        walk.want(ResourcePath::service_root(), Role::ServiceRoot);
        walk
    }

    /// The next resource to ask for. `None` while all that is known to be wanted was handed out: there
    /// may be more after the next answer.
    #[expect(clippy::should_implement_trait, reason = "it goes on after it gave nothing")]
    pub fn next(&mut self) -> Option<Ask> {
        let ask = self.queue.pop_front()?;
        self.in_flight.insert(ask.path.clone(), ask.expand);
        Some(ask)
    }

    /// Takes what came for `path`. What nobody asked for is dropped.
    pub fn answer(&mut self, path: &ResourcePath, answer: Answer<'_>) {
        let Some(expand) = self.in_flight.remove(path) else { return };
        match answer {
            Answer::Body { bytes, etag } => match self.parse(bytes) {
                Ok(body) => self.take(path.clone(), body, etag),
                Err(unread) => self.refuse(path.clone(), unread),
            },
            // Some BMCs say that they expand and then do not; the collection alone will do.
            Answer::Unread(Unread::Status(_) | Unread::TooLarge { .. })
                if expand == Expand::Members =>
            {
                self.queue.push_back(Ask { path: path.clone(), expand: Expand::No });
            }
            Answer::Unread(unread) => self.refuse(path.clone(), unread),
        }
        if self.queue.is_empty() && self.in_flight.is_empty() {
            self.want_registries();
        }
    }

    /// Whether everything that is wanted was answered.
    pub fn is_done(&self) -> bool {
        self.queue.is_empty() && self.in_flight.is_empty()
    }

    /// What was gathered. What is still wanted counts as not read.
    pub fn finish(mut self) -> Snapshot {
        let open = self.queue.into_iter().map(|ask| ask.path).chain(self.in_flight.into_keys());
        self.snapshot.unread.extend(open.map(|path| (path, Unread::NotAsked)));
        self.snapshot
    }

    /// Runs the walk to its end with what answers at once, as a saved tree does.
    pub fn run<'b>(mut self, mut source: impl FnMut(&Ask) -> Answer<'b>) -> Snapshot {
        while let Some(ask) = self.next() {
            let answer = source(&ask);
            self.answer(&ask.path, answer);
        }
        self.finish()
    }

    fn parse(&mut self, bytes: &[u8]) -> Result<Value, Unread> {
        if bytes.len() > BODY_BYTES_MAX {
            return Err(Unread::TooLarge { bytes_max: BODY_BYTES_MAX });
        }
        self.n_bytes = self.n_bytes.saturating_add(bytes.len());
        // Each value follows one of these; where they stand in texts, fewer are allowed than could be.
        let n_values = bytes.iter().filter(|byte| b",:[{".contains(byte)).count();
        self.n_values = self.n_values.saturating_add(n_values);
        if self.n_bytes > BYTES_MAX || self.n_values > VALUES_MAX {
            return Err(Unread::NotAsked);
        }
        // Some firmware puts a byte order mark in front. Nesting ends at 128, which serde_json guards.
        let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
        match serde_json::from_slice(bytes) {
            Ok(body @ Value::Object(_)) => Ok(body),
            _ => Err(Unread::NotJson),
        }
    }

    fn take(&mut self, path: ResourcePath, body: Value, etag: Option<String>) {
        let written = || json::text(&body, &["@odata.etag"]).map(str::to_owned);
        let etag = etag.or_else(written).filter(|etag| is_etag(etag));
        let roles: Vec<_> = self.roles.get(&path).into_iter().flatten().copied().collect();
        self.snapshot.resources.insert(path.clone(), Resource { body, etag });
        for role in roles {
            self.follow(&path, role);
        }
    }

    fn refuse(&mut self, path: ResourcePath, unread: Unread) {
        self.snapshot.unread.insert(path, unread);
    }

    fn want(&mut self, path: ResourcePath, role: Role) {
        // A BMC that lists without end is told so of the first that are left out, not of all.
        if self.n_asked > RESOURCES_MAX.saturating_add(LEFT_OUT_MAX) {
            return;
        }
        if !self.roles.entry(path.clone()).or_default().insert(role) {
            return;
        }
        if self.snapshot.resources.contains_key(&path) {
            return self.follow(&path, role);
        }
        let is_asked = self.roles.get(&path).is_some_and(|roles| roles.len() > 1)
            || self.snapshot.unread.contains_key(&path);
        if is_asked {
            return;
        }
        self.n_asked = self.n_asked.saturating_add(1);
        if self.n_asked > RESOURCES_MAX {
            return self.refuse(path, Unread::NotAsked);
        }
        let expand = if role.has_members() { self.expand } else { Expand::No };
        self.queue.push_back(Ask { path, expand });
    }

    fn follow(&mut self, path: &ResourcePath, role: Role) {
        let Some(resource) = self.snapshot.resources.get(path) else { return };
        if role == Role::ServiceRoot && follow::expands(&resource.body) {
            self.expand = Expand::Members;
        }
        let mut found = follow::links(role, &resource.body);
        if let Some(next) = found.next_page.take()
            && self.n_pages < PAGES_MAX
        {
            self.n_pages = self.n_pages.saturating_add(1);
            found.wanted.push((next, role));
        }
        for (path, body) in found.inline {
            if self.snapshot.resources.contains_key(&path) || self.n_asked >= RESOURCES_MAX {
                continue;
            }
            self.n_asked = self.n_asked.saturating_add(1);
            self.take(path, body, None);
        }
        for (path, role) in found.wanted {
            self.want(path, role);
        }
    }

    fn want_registries(&mut self) {
        let is_bios = |roles: &BTreeSet<Role>| roles.contains(&Role::Bios);
        let all: Vec<_> =
            self.roles.iter().filter(|(_, roles)| is_bios(roles)).map(|(path, _)| path).collect();
        let wanted: Vec<_> = all
            .into_iter()
            .filter_map(|bios| match registry::step(&self.snapshot, bios) {
                registry::Step::Ask(path) => Some(path),
                registry::Step::Found(_) | registry::Step::Nowhere => None,
            })
            .collect();
        for path in wanted {
            self.want(path, Role::Leaf);
        }
    }
}

/// Whether this can go into a header: what RFC 9110 §8.8.3 allows, and no longer than real ones.
fn is_etag(text: &str) -> bool {
    const ETAG_BYTES_MAX: usize = 256;
    text.len() <= ETAG_BYTES_MAX && text.bytes().all(|byte| (0x20..0x7f).contains(&byte))
}

#[cfg(test)]
mod tests;
