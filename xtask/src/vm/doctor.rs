//! `bootproof doctor` in a guest: the program goes on the disk of the agent's state, with the
//! libraries that it is linked with, and says on the console what it found.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context as _, ensure};
use serde_json::Value;
use testkit::swtpm::Ca;

use super::scenario::Examined;
use crate::sh;

/// Where all of it is on the disk; the guest looks for it there.
const FOLDER: &str = "doctor";
/// Each line of the document on the console, which others write to as well, begins so.
const LINE: &str = "doctor: ";
/// Said when the document is complete.
const ENDED: &str = "lab: the doctor ended with ";

/// Puts the program into `content`, and what it needs to start and to follow the certificate of a
/// TPM of `ca`.
pub(super) fn place(content: &Path, program: &Path, ca: &Ca) -> anyhow::Result<()> {
    let folder = content.join(FOLDER);
    fs::create_dir_all(&folder)?;
    let out = folder.join("bootproof");
    let mut strip = Command::new("objcopy");
    sh::finish("objcopy", strip.arg("--strip-debug").arg(program).arg(&out))?;
    for library in libraries(program)? {
        let name = library.file_name().context("a library without a name")?;
        // By the name that the program asks for, which may be a link.
        fs::copy(&library, folder.join(name))
            .with_context(|| format!("{} cannot be copied", library.display()))?;
    }
    fs::write(folder.join("root.pem"), ca.root_pem()?)?;
    fs::write(folder.join("issuer.pem"), ca.issuer_pem()?)?;
    Ok(())
}

/// What the program is linked with, and what loads it.
fn libraries(program: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let listed = sh::output("ldd", &[&program.to_string_lossy()])?;
    let path =
        |line: &str| line.split_whitespace().find(|word| word.starts_with('/')).map(Into::into);
    Ok(listed.lines().filter_map(path).collect())
}

/// What it said of this boot, once that is complete.
pub(super) fn said(console: &str) -> Option<anyhow::Result<Value>> {
    let (document, _) = console.split_once(ENDED)?;
    let lines = document.lines().filter_map(|line| line.trim_end().strip_prefix(LINE));
    let text: String = lines.collect::<Vec<_>>().join("\n");
    Some(serde_json::from_str(&text).with_context(|| format!("the doctor said:\n{text}")))
}

/// Whether it is what the table has.
pub(super) fn check(expected: &Examined, said: &Value) -> anyhow::Result<()> {
    let first = &said["first"];
    let first = match (first["check"].as_str(), first["code"].as_str()) {
        (Some(check), Some(code)) => Some((check, code)),
        _ => None,
    };
    ensure!(
        said["outcome"] == expected.outcome && first == expected.first,
        "the doctor says {} and first {first:?}; expected was {expected:?}:\n{said:#}",
        said["outcome"]
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONSOLE: &str = "BdsDxe: starting\r\ndoctor: {\r\nlab: another line\r\n\
        doctor: \"outcome\": \"failed\",\r\n\
        doctor: \"first\": {\"check\": \"tpm\", \"code\": \"no-tpm\"}}\r\n";
    const EXPECTED: Examined = Examined { outcome: "failed", first: Some(("tpm", "no-tpm")) };

    #[test]
    fn a_document_counts_when_it_is_complete() {
        assert!(said(CONSOLE).is_none());
        let document = said(&format!("{CONSOLE}{ENDED}1\r\n")).unwrap().unwrap();
        check(&EXPECTED, &document).unwrap();
        // Another first cause, another outcome.
        let other = Examined { first: Some(("secure-boot", "secure-boot-off")), ..EXPECTED };
        assert!(check(&other, &document).is_err());
        assert!(check(&Examined { outcome: "warned", ..EXPECTED }, &document).is_err());
    }

    #[test]
    fn a_doctor_that_said_nothing_is_an_error() {
        assert!(said(&format!("{ENDED}127\n")).unwrap().is_err());
    }
}
