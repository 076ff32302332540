//! docs/coverage.md: each requirement with the tests that hold it, made from one table. A test
//! that is not there is a fault, and so is a document that is not what the table says.

mod table;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use anyhow::Context as _;
use table::PARTS;

use crate::sh;

const COVERAGE: &str = "docs/coverage.md";

/// What is written by hand, and follows the table.
const REFEREE: &str = include_str!("coverage/referee.md");

/// The faults: tests that are not there, and a document that is out of date.
pub(crate) fn check() -> anyhow::Result<Vec<String>> {
    let mut faults = missing(&tests()?);
    let all = PARTS.iter().flat_map(|part| part.requirements);
    let silent = all.filter(|found| found.tests.is_empty() && found.open.is_none());
    faults
        .extend(silent.map(|found| format!("{COVERAGE}: {} is open and says no reason", found.id)));
    let kept = std::fs::read_to_string(sh::root().join(COVERAGE)).unwrap_or_default();
    if kept != document() {
        faults.push(format!("{COVERAGE} is out of date: `cargo xtask docs` writes it"));
    }
    Ok(faults)
}

/// Writes it.
pub(crate) fn write() -> anyhow::Result<()> {
    std::fs::write(sh::root().join(COVERAGE), document())?;
    println!("written: {COVERAGE}");
    Ok(())
}

/// Tests by crate, found in the sources: functions that an attribute or a macro makes tests.
type Tests = BTreeMap<String, BTreeSet<String>>;

fn tests() -> anyhow::Result<Tests> {
    let mut tests = Tests::new();
    for entry in std::fs::read_dir(sh::root().join("crates"))? {
        let folder = entry?.path();
        let name = folder.file_name().context("a crate has a name")?.to_string_lossy();
        let of_crate = tests.entry(name.into_owned()).or_default();
        collect(&folder, of_crate)?;
    }
    Ok(tests)
}

fn collect(folder: &Path, tests: &mut BTreeSet<String>) -> anyhow::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            collect(&path, tests)?;
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            tests.extend(names(&std::fs::read_to_string(&path)?));
        }
    }
    Ok(())
}

/// The tests of one source: the next function behind each attribute, and the cases of a suite that runs on
/// several stores.
fn names(source: &str) -> impl Iterator<Item = String> {
    let mut is_test = false;
    source.lines().filter_map(move |line| {
        let line = line.trim_start();
        if let Some(case) = line.strip_prefix("pub(crate) async fn ")
            && let Some(name) = case.strip_suffix("(store: &dyn Store) {")
        {
            return Some(name.to_owned());
        }
        if matches!(line, "#[test]" | "#[tokio::test]") || line.starts_with("#[tokio::test(") {
            is_test = true;
            return None;
        }
        let function = line.strip_prefix("async fn ").or_else(|| line.strip_prefix("fn "))?;
        let name = function.split_once('(')?.0;
        core::mem::take(&mut is_test).then(|| name.to_owned())
    })
}

fn missing(tests: &Tests) -> Vec<String> {
    let requirements = PARTS.iter().flat_map(|part| part.requirements);
    let named = requirements.flat_map(|r| r.tests.iter().map(|test| (r.id, *test)));
    let is_there = |test: &str| {
        let (krate, name) = test.split_once("::")?;
        tests.get(krate)?.get(name)
    };
    let gone = named.filter(|(_, test)| is_there(test).is_none());
    gone.map(|(id, test)| format!("{COVERAGE}: {id} is held by {test}, and there is no such test"))
        .collect()
}

fn document() -> String {
    let all: Vec<_> = PARTS.iter().flat_map(|part| part.requirements).collect();
    let n_held = all.iter().filter(|requirement| !requirement.tests.is_empty()).count();
    let mut text = format!(
        "# Requirements and the tests that hold them\n\n\
         <!-- Written by `cargo xtask docs` from xtask/src/coverage; edit that. -->\n\n\
         {n_held} of {} requirements are held by tests. A test is named by its crate;\n\
         `cargo xtask tidy` fails where one is not there.\n",
        all.len()
    );
    for part in PARTS {
        text.push_str(&format!(
            "\n## {}\n\n| | requirement | held by |\n| --- | --- | --- |\n",
            part.title
        ));
        for requirement in part.requirements {
            let tests = requirement.tests.iter().map(|test| format!("`{test}`"));
            let open = requirement.open.iter().map(|why| format!("open: {why}"));
            let held = tests.chain(open).collect::<Vec<_>>().join(", ");
            text.push_str(&format!("| {} | {} | {held} |\n", requirement.id, requirement.text));
        }
    }
    text.push('\n');
    text.push_str(REFEREE);
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_functions_behind_an_attribute_are_tests() {
        let source = "#[test]\n#[expect(x)]\nfn one() {}\nfn helper() {}\n\
                      #[tokio::test(start_paused = true)]\nasync fn two() {}\n";
        assert_eq!(names(source).collect::<Vec<_>>(), ["one", "two"]);
    }

    #[test]
    fn a_test_that_is_not_there_is_a_fault() {
        let n_named: usize = PARTS.iter().flat_map(|p| p.requirements).map(|r| r.tests.len()).sum();
        assert_eq!(missing(&Tests::new()).len(), n_named);
        assert_eq!(missing(&super::tests().unwrap()), Vec::<String>::new());
    }

    #[test]
    fn numbers_are_unique() {
        let ids: Vec<_> = PARTS.iter().flat_map(|part| part.requirements).map(|r| r.id).collect();
        let unique: BTreeSet<_> = ids.iter().collect();
        assert_eq!(unique.len(), ids.len());
    }
}
