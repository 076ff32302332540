//! The attribute registry of a BIOS: found by its name, and by what it lists.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::json::{elements, link, link_at, text};
use crate::{ResourcePath, Snapshot};

/// Registries that are looked at before it is given up: recorded BMCs list up to 14, of which one or
/// two fit by name.
const CANDIDATES_MAX: usize = 24;

/// Places of one registry that are looked at: one for each language.
const LOCATIONS_MAX: usize = 8;

/// How the search stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// This resource must be read first.
    Ask(ResourcePath),
    /// Here it is.
    Found(ResourcePath),
    /// Nothing more to look at.
    Nowhere,
}

/// The next step to the registry of the BIOS at `bios`, by what was read so far.
pub(crate) fn step(snapshot: &Snapshot, bios: &ResourcePath) -> Step {
    let Some(body) = snapshot.body(bios) else { return Step::Nowhere };
    let wanted = text(body, &["AttributeRegistry"]);
    let mut files: Vec<_> = files(snapshot)
        .into_iter()
        .filter_map(|path| Some((rank(path.name(), wanted)?, path)))
        .collect();
    // Stable: among equals, the order in which the BMC lists them.
    files.sort_by_key(|(rank, _)| *rank);
    for (rank, file) in files.into_iter().take(CANDIDATES_MAX) {
        let Some(found) = snapshot.body(&file) else {
            match snapshot.why_unread(&file) {
                Some(_) => continue,
                None => return Step::Ask(file),
            }
        };
        if fits(found, body) {
            return Step::Found(file);
        }
        // One that does not look like it by its path is it only where it says so.
        let says = |text: &str| wanted.is_some_and(|wanted| stem(text) == stem(wanted));
        if rank == Rank::Other && !text(found, &["Registry"]).is_some_and(says) {
            continue;
        }
        for location in locations(found) {
            match (snapshot.body(&location), snapshot.why_unread(&location)) {
                (Some(registry), _) if fits(registry, body) => return Step::Found(location),
                (None, None) => return Step::Ask(location),
                _ => {}
            }
        }
    }
    Step::Nowhere
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Rank {
    SameName,
    SameStem,
    OfBios,
    OfAttributes,
    Other,
}

/// How well the name of a registry's file answers to the one that the BIOS names. Versions differ
/// between the two in recorded BMCs, so that what stands before the first dot counts.
fn rank(name: &str, wanted: Option<&str>) -> Option<Rank> {
    let folded = name.to_ascii_lowercase();
    Some(match wanted {
        Some(wanted) if folded == wanted.to_ascii_lowercase() => Rank::SameName,
        Some(wanted) if stem(&folded) == stem(wanted) => Rank::SameStem,
        _ if folded.contains("biosattribute") => Rank::OfBios,
        _ if folded.contains("attributeregistry") => Rank::OfAttributes,
        Some(_) => Rank::Other,
        None => return None,
    })
}

fn stem(name: &str) -> String {
    name.split('.').next().unwrap_or(name).to_ascii_lowercase()
}

/// The files of the registry collection, all its pages.
fn files(snapshot: &Snapshot) -> Vec<ResourcePath> {
    let root = snapshot.body(&ResourcePath::service_root());
    let mut page = root.and_then(|root| link_at(root, &["Registries"]));
    let mut seen = BTreeSet::new();
    let mut files = Vec::new();
    while let Some(path) = page.take().filter(|path| seen.insert(path.clone())) {
        let Some(body) = snapshot.body(&path) else { break };
        let members = elements(body.get("Members")).iter().filter_map(|member| link(member)?.ok());
        files.extend(members.take(CANDIDATES_MAX.saturating_mul(4)));
        page = link_at(body, &["Members@odata.nextLink"]);
    }
    files
}

/// Where the registry itself is, English first: the table of settings knows English names only.
/// `Location` is an array; some BMCs give the one object bare. [DSP2046 MessageRegistryFile]
fn locations(file: &Value) -> Vec<ResourcePath> {
    let location = file.get("Location");
    let mut all: Vec<&Value> = match location {
        Some(Value::Array(all)) => all.iter().collect(),
        Some(one) => vec![one],
        None => Vec::new(),
    };
    all.truncate(LOCATIONS_MAX);
    all.sort_by_key(|location| match text(location, &["Language"]) {
        Some(language) if language.to_ascii_lowercase().starts_with("en") => 0,
        None | Some("" | "default") => 1,
        Some(_) => 2,
    });
    all.into_iter().filter_map(|location| link(location.get("Uri")?)?.ok()).collect()
}

/// Whether `registry` lists attributes, and one at least that the BIOS has.
fn fits(registry: &Value, bios: &Value) -> bool {
    let listed = elements(registry.pointer("/RegistryEntries/Attributes"));
    let has = bios.get("Attributes").and_then(Value::as_object);
    let is_of_bios = |entry: &Value| {
        let name = text(entry, &["AttributeName"]);
        name.is_some_and(|name| has.is_some_and(|has| has.contains_key(name)))
    };
    listed.iter().any(is_of_bios)
}
