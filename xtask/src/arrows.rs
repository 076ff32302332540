//! Which crate may depend on which: the list in docs/ARCHITECTURE.md is the law.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Context as _;
use cargo_metadata::{DependencyKind, MetadataCommand};

use crate::{sh, tidy};

/// What no pure crate may reach, directly or not.
const IMPURE: &[&str] = &["tokio", "serde_json", "tracing", "rustix", "rusqlite", "hyper"];

/// What the agent may not reach: a courier judges nothing.
const NOT_FOR_AGENTS: &[&str] =
    &["event-log", "verify", "appraise", "boot-claims", "store", "axum", "rusqlite", "x509-parser"];

type Arrows = BTreeMap<String, BTreeSet<String>>;

/// The faults: an arrow that the document has not, or one that it has and nothing uses.
pub(crate) fn check() -> anyhow::Result<Vec<String>> {
    let metadata = MetadataCommand::new().current_dir(sh::root()).exec()?;
    let mut faults = compare(&allowed()?, &real(&metadata));
    let graph = closure(&metadata)?;
    for name in tidy::PURE {
        faults.extend(reaches(&graph, name, IMPURE, "a pure crate"));
    }
    faults.extend(reaches(&graph, "agent", NOT_FOR_AGENTS, "the agent"));
    Ok(faults)
}

fn compare(allowed: &Arrows, real: &Arrows) -> Vec<String> {
    let mut faults = Vec::new();
    for (from, to) in real {
        let known = allowed.get(from).cloned().unwrap_or_default();
        for to in to.difference(&known) {
            faults.push(format!("{from} -> {to} is not in docs/ARCHITECTURE.md"));
        }
        for to in known.difference(to) {
            faults.push(format!("{from} -> {to} is in docs/ARCHITECTURE.md and in no Cargo.toml"));
        }
    }
    for from in allowed.keys().filter(|from| !real.contains_key(*from)) {
        faults.push(format!("{from} is in docs/ARCHITECTURE.md and is no crate"));
    }
    faults
}

/// The arrows between members of the workspace, without those of tests.
fn real(metadata: &cargo_metadata::Metadata) -> Arrows {
    let packages = metadata.workspace_packages();
    let members: BTreeSet<_> = packages.iter().map(|package| package.name.to_string()).collect();
    let arrows = packages.iter().map(|package| {
        let to = package.dependencies.iter().filter(|dependency| {
            dependency.kind == DependencyKind::Normal && members.contains(&dependency.name)
        });
        (package.name.to_string(), to.map(|dependency| dependency.name.clone()).collect())
    });
    arrows.collect()
}

/// The block of lines `from -> a b c` in the document.
fn allowed() -> anyhow::Result<Arrows> {
    let path = sh::root().join("docs/ARCHITECTURE.md");
    let text = std::fs::read_to_string(&path).context("docs/ARCHITECTURE.md cannot be read")?;
    let block = text
        .split_once("```arrows\n")
        .and_then(|(_, rest)| rest.split_once("```"))
        .context("docs/ARCHITECTURE.md has no block ```arrows")?;
    Ok(parse(block.0))
}

fn parse(block: &str) -> Arrows {
    let arrows = block.lines().filter_map(|line| line.split_once("->"));
    arrows
        .map(|(from, to)| {
            (from.trim().to_owned(), to.split_whitespace().map(str::to_owned).collect())
        })
        .collect()
}

/// Each package with all that it reaches in a program: normal dependencies only.
fn closure(metadata: &cargo_metadata::Metadata) -> anyhow::Result<Arrows> {
    let resolve = metadata.resolve.as_ref().context("cargo resolved nothing")?;
    let name = |id: &cargo_metadata::PackageId| metadata[id].name.to_string();
    let mut direct = Arrows::new();
    for node in &resolve.nodes {
        let normal = node.deps.iter().filter(|dependency| {
            dependency.dep_kinds.iter().any(|kind| kind.kind == DependencyKind::Normal)
        });
        direct.entry(name(&node.id)).or_default().extend(normal.map(|d| name(&d.pkg)));
    }
    let all = direct.keys().map(|from| {
        let mut reached = BTreeSet::new();
        let mut next: Vec<&String> = direct[from].iter().collect();
        while let Some(to) = next.pop() {
            if reached.insert(to.clone()) {
                next.extend(direct.get(to).into_iter().flatten());
            }
        }
        (from.clone(), reached)
    });
    Ok(all.collect())
}

fn reaches(graph: &Arrows, from: &str, banned: &[&str], what: &str) -> Vec<String> {
    let Some(reached) = graph.get(from) else { return vec![format!("{from} is no crate")] };
    let found = banned.iter().filter(|banned| reached.contains(**banned));
    found.map(|banned| format!("{from} reaches {banned}, and {what} must not")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_difference_is_a_fault() {
        let allowed = parse("a -> b c\nd ->\n");
        assert_eq!(compare(&allowed, &parse("a -> b c\nd ->")), Vec::<String>::new());
        assert_eq!(compare(&allowed, &parse("a -> b c d\nd ->")).len(), 1);
        assert_eq!(compare(&allowed, &parse("a -> b\nd ->")).len(), 1);
        assert_eq!(compare(&allowed, &parse("a -> b c")).len(), 1);
        assert_eq!(compare(&allowed, &parse("a -> b c\nd ->\ne -> a")).len(), 1);
    }
}
