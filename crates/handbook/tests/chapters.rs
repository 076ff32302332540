//! The book holds together: each file is a chapter, each link leads somewhere, no path is one of a machine.

use std::{collections::BTreeSet, path::Path};

use handbook::{Chapter, FILES, chapter, chapters};

/// Hosts of the web that chapters may lead to.
const HOSTS: &[&str] = &["age-encryption.org"];

fn docs() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs"))
}

#[test]
fn each_file_is_a_chapter_and_each_chapter_a_file() {
    let files = std::fs::read_dir(docs()).unwrap().map(|entry| entry.unwrap().path());
    let names = files.filter(|path| path.extension().is_some_and(|ending| ending == "md"));
    let in_folder: BTreeSet<_> =
        names.map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned()).collect();
    let known: BTreeSet<_> = FILES.iter().map(|(name, _)| (*name).to_owned()).collect();
    let mut summary: Vec<_> = chapters().iter().map(|chapter| chapter.name.to_owned()).collect();
    let in_summary: BTreeSet<_> = summary.drain(..).collect();
    assert_eq!(in_summary.len(), chapters().len(), "a chapter stands twice in SUMMARY.md");
    assert_eq!(known, in_summary, "crates/handbook/src/files.rs and docs/SUMMARY.md differ");
    let mut expected = in_summary;
    expected.insert("SUMMARY".to_owned());
    assert_eq!(in_folder, expected, "docs/ and docs/SUMMARY.md differ");
}

#[test]
fn each_chapter_begins_with_its_heading_and_skips_no_level() {
    for Chapter { name, text, .. } in chapters() {
        let levels: Vec<_> = text.sections.iter().map(|section| section.level).collect();
        assert_eq!(levels.first(), Some(&1), "{name}");
        assert_eq!(levels.iter().filter(|level| **level == 1).count(), 1, "{name}: one title");
        for pair in levels.windows(2) {
            assert!(
                pair[1] <= pair[0] + 1,
                "{name}: a heading of level {} under {}",
                pair[1],
                pair[0]
            );
        }
        assert!(!text.has_html, "{name} has HTML of its own, which Help does not show");
    }
}

#[test]
fn each_link_leads_somewhere() {
    let mut faults = Vec::new();
    for Chapter { name, text, .. } in chapters() {
        for link in &text.links {
            if let Some(fault) = fault(name, &link.to) {
                faults.push(format!("docs/{name}.md: {}: {fault}", link.to));
            }
        }
    }
    assert_eq!(faults, Vec::<String>::new());
}

/// What is wrong with a link in chapter `from`.
fn fault(from: &str, to: &str) -> Option<String> {
    if let Some(rest) = to.strip_prefix("https://") {
        let host = rest.split('/').next().unwrap_or_default();
        return (!HOSTS.contains(&host)).then(|| "no host that is on the list".to_owned());
    }
    if to.contains(':') || to.starts_with('/') {
        return Some("neither a chapter nor https".to_owned());
    }
    let (file, anchor) = to.split_once('#').unwrap_or((to, ""));
    let name = match file {
        "" => from,
        "openapi-v1.json" => return None,
        file => file.strip_suffix(".md")?,
    };
    let Some((_, chapter, _)) = chapter(name) else { return Some("no chapter".to_owned()) };
    let is_there =
        anchor.is_empty() || chapter.text.sections.iter().any(|section| section.id == anchor);
    (!is_there).then(|| "no heading has this anchor".to_owned())
}

#[test]
fn a_link_that_leads_nowhere_is_found() {
    for wrong in
        ["nowhere.md", "policy.md#nothing", "https://evil.example/", "/etc/passwd", "mailto:a@b"]
    {
        assert!(fault("policy", wrong).is_some(), "{wrong}");
    }
    for right in ["policy.md", "#keys", "policy.md#keys", "openapi-v1.json"] {
        assert_eq!(fault("policy", right), None, "{right}");
    }
}

#[test]
fn what_the_readme_and_the_changelog_name_is_there() {
    let root = docs().parent().unwrap();
    for file in ["README.md", "CHANGELOG.md"] {
        let source = std::fs::read_to_string(root.join(file)).unwrap();
        for piece in source.split("](").skip(1) {
            let to = piece.split(')').next().unwrap();
            if to.starts_with("https://") {
                continue;
            }
            let (path, anchor) = to.split_once('#').unwrap_or((to, ""));
            assert!(path.is_empty() || root.join(path).exists(), "{file}: {to}");
            if let (Some(name), false) = (path.strip_prefix("docs/"), anchor.is_empty()) {
                assert_eq!(fault("", &format!("{name}#{anchor}")), None, "{file}: {to}");
            }
        }
    }
}

/// The book is of the project, not of somebody's machine.
#[test]
fn no_path_is_one_of_a_machine() {
    // And the folder in which these sources lie.
    let sources = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(3).unwrap();
    let here = format!("{}/", sources.display());
    let here = if here == "//" { "/root/" } else { here.as_str() };
    for (name, source) in FILES {
        for of_a_machine in ["/home/", "/Users/", "/root/", here] {
            assert!(!source.contains(of_a_machine), "docs/{name}.md names {of_a_machine}");
        }
    }
}

#[test]
fn sections_are_found_by_their_words() {
    let found = handbook::search("waivers", 10);
    assert_eq!(found[0].address, "/help/book/policy#waivers", "{found:?}");
    let found = handbook::search("No-Identity-Key endorsement", 50);
    assert!(!found.is_empty() && found.len() <= 50);
    assert_eq!(handbook::search("  ", 10), []);
    assert_eq!(handbook::search("zqxw", 10), []);
    assert_eq!(handbook::search("the", 3).len(), 3);
}

#[test]
fn chapters_have_neighbours_and_no_style_of_their_own() {
    let first = chapters().first().unwrap().name;
    let (before, _, after) = chapter(first).unwrap();
    assert!(before.is_none() && after.is_some_and(|after| after.name == "quick-start"));
    assert!(chapter("nothing").is_none());
    for Chapter { name, text, .. } in chapters() {
        for no in ["style=", "<script", "<img", "<th></th>", ".md\""] {
            assert!(!text.html.contains(no), "{name}: {no}");
        }
    }
}
