//! The house rules that no compiler checks.

use anyhow::{bail, ensure};

use crate::{arrows, coverage, docs, sh};

/// The crates without clock, I/O, async and logging.
pub(crate) const PURE: &[&str] = &[
    "tpm-wire",
    "efi",
    "event-log",
    "verify",
    "boot-claims",
    "cabinet",
    "ima",
    "image",
    "quirks",
    "references",
    "manifests",
    "secure-boot-facts",
    "tpm-vendors",
    "findings",
    "diagnose",
    "appraise",
    "redaction",
    "doctor",
];

/// What a pure crate denies beyond the workspace's lints.
const PURE_DENIES: &[&str] = &[
    "clippy::as_conversions",
    "clippy::indexing_slicing",
    "clippy::unwrap_used",
    "clippy::expect_used",
    "clippy::panic",
];

pub(crate) fn run() -> anyhow::Result<()> {
    let mut faults = arrows::check()?;
    faults.extend(pure_crates()?);
    faults.extend(sources()?);
    faults.extend(docs::check()?);
    faults.extend(coverage::check()?);
    for fault in &faults {
        eprintln!("tidy: {fault}");
    }
    ensure!(faults.is_empty(), "{} house rules are broken", faults.len());
    println!("\ntidy: the house rules hold");
    Ok(())
}

fn pure_crates() -> anyhow::Result<Vec<String>> {
    let mut faults = Vec::new();
    for name in PURE {
        let source = std::fs::read_to_string(sh::root().join(format!("crates/{name}/src/lib.rs")))?;
        for lint in PURE_DENIES {
            if !source.contains(lint) {
                faults.push(format!("{name} is a pure crate and must deny {lint}"));
            }
        }
    }
    Ok(faults)
}

/// Words that have no place in a source, each with what to do instead.
const BANNED: &[(&str, &str)] = &[
    (concat!("#[", "ignore"), "a test runs, or is not there"),
    (concat!("#[", "should_panic"), "a test asserts what comes out"),
    (concat!("std::time::", "SystemTime"), "only edges read the clock"),
];

/// Edges that may read the clock. Not the agent: it starts before clocks are set, and a time of day
/// that jumps must change nothing of what it does.
const CLOCKS: &[&str] = &["cli", "client", "server", "store", "testkit", "tpm-device"];

fn sources() -> anyhow::Result<Vec<String>> {
    let mut faults = Vec::new();
    let mut folders = vec![sh::root().join("crates"), sh::root().join("xtask")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder)? {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            if path.extension().is_none_or(|extension| extension != "rs") {
                continue;
            }
            let text = std::fs::read_to_string(&path)?;
            let shown = path.strip_prefix(sh::root()).unwrap_or(&path).display().to_string();
            for (word, instead) in BANNED {
                let clock = word.contains("Time");
                let edge = CLOCKS.iter().any(|edge| shown.contains(&format!("crates/{edge}/")));
                if text.contains(word) && !(clock && edge) {
                    faults.push(format!("{shown}: {word} - {instead}"));
                }
            }
            if text.lines().count() > 1000 {
                faults
                    .push(format!("{shown} has over 1,000 lines: it is about more than one thing"));
            }
        }
    }
    if faults.len() > 100 {
        bail!("{} faults", faults.len());
    }
    Ok(faults)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_house_rules_hold() {
        run().unwrap();
    }
}
