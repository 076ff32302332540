//! docs/ as a book of web pages, by mdBook.

use std::process::Command;

use anyhow::ensure;

use crate::{install, sh};

/// The version that the book is checked with.
const MDBOOK: &str = "0.5.4";

/// Builds it into target/book. Links and anchors are tests of the crate `handbook`.
pub(crate) fn run() -> anyhow::Result<()> {
    let mdbook = install::unoptimised_tool("mdbook", MDBOOK)?;
    let mut command = Command::new(mdbook);
    command.arg("build").current_dir(sh::root());
    let done = command.output()?;
    let said = String::from_utf8_lossy(&done.stderr);
    ensure!(done.status.success(), "mdbook failed: {}\n{said}", done.status);
    // What it only warns of is a fault, too.
    ensure!(!said.contains("WARN") && !said.contains("ERROR"), "mdbook warns:\n{said}");
    let n_pages = built()?;
    println!("target/book/index.html: {n_pages} pages");
    Ok(())
}

/// How many chapters were built: each must be there.
fn built() -> anyhow::Result<usize> {
    let mut n = 0;
    for entry in std::fs::read_dir(sh::root().join("docs"))? {
        let path = entry?.path();
        let is_chapter = path.extension().is_some_and(|ending| ending == "md");
        let Some(name) = path.file_stem().filter(|name| is_chapter && *name != "SUMMARY") else {
            continue;
        };
        let page = sh::root().join("target/book").join(name).with_extension("html");
        ensure!(page.exists(), "{} was not built: is it in docs/SUMMARY.md?", page.display());
        n += 1;
    }
    Ok(n)
}
